// SPDX-License-Identifier: Apache-2.0
/* `sluice role`: the rights that the controller needs with the adapters of a config. */
#include "adapter/adapter.h"
#include "base/alloc.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/leading.h"
#include "cli/rights.h"
#include "config/config.h"

#include <stdio.h>

static const char head[] =
    "# SPDX-License-Identifier: Apache-2.0\n"
    "#\n"
    "# Made by `sluice role` from a config and the manifests of the adapters that it enables; make "
    "it\n"
    "# anew with your own config, so that it holds what your controller needs and nothing else.\n";

static const char lease_role[] = "#\n"
                                 "# The Lease of --leader-elect, in this namespace and no other.\n"
                                 "apiVersion: rbac.authorization.k8s.io/v1\n"
                                 "kind: Role\n"
                                 "metadata:\n"
                                 "  name: sluice-leader-election\n"
                                 "  namespace: " LEASE_NAMESPACE "\n"
                                 "rules:\n";

static const char cluster_role[] = "---\n"
                                   "apiVersion: rbac.authorization.k8s.io/v1\n"
                                   "kind: ClusterRole\n"
                                   "metadata:\n"
                                   "  name: sluice-controller\n"
                                   "  labels:\n"
                                   "    rollout.sluice.dev/aggregate-to-controller: \"true\"\n"
                                   "rules:\n";

static const char admission_role[] = "---\n"
                                     "# For its own webhook's caBundle.\n"
                                     "apiVersion: rbac.authorization.k8s.io/v1\n"
                                     "kind: ClusterRole\n"
                                     "metadata:\n"
                                     "  name: sluice-admission\n"
                                     "  labels:\n"
                                     "    rollout.sluice.dev/aggregate-to-controller: \"true\"\n"
                                     "rules:\n";

/* Texts are quoted as JSON, which is YAML: what a manifest says can't become something else. */
static void print_list(const char *start, const char *name, const json_t *list)
{
    printf("%s%s: [", start, name);
    for (size_t i = 0; i < json_array_size(list); i++) {
        char *text AUTO_FREE = json_text(json_array_get(list, i));
        printf("%s%s", i ? ", " : "", text);
    }
    puts("]");
}

static void print_rule(const json_t *rule)
{
    print_list("  - ", "apiGroups", json_object_get(rule, "apiGroups"));
    print_list("    ", "resources", json_object_get(rule, "resources"));
    print_list("    ", "verbs", json_object_get(rule, "verbs"));
}

static void print_core_right(const struct core_right *right)
{
    json_t *verbs = json_array();
    for (size_t i = 0; right->verbs[i]; i++)
        json_array_append_new(verbs, json_string(right->verbs[i]));
    json_t *rule AUTO_JSON = json_pack("{s:[s], s:[s], s:o}", "apiGroups", right->group,
                                       "resources", right->resource, "verbs", verbs);
    if (right->why)
        printf("  # %s\n", right->why);
    print_rule(rule);
}

static void print_core_rights(const struct core_right *right)
{
    for (; right->resource; right++)
        print_core_right(right);
}

static void print_adapter(const struct adapter *adapter)
{
    const json_t *rights = adapter_rights(adapter);
    if (json_array_size(rights))
        printf("  # adapter %s\n", adapter_name(adapter));
    for (size_t i = 0; i < json_array_size(rights); i++)
        print_rule(json_array_get(rights, i));
}

/* Of its entry among the webhooks, and no other, does it have to know and to say more. */
static void print_admission(const struct config *config)
{
    json_t *names AUTO_JSON = json_pack("[s]", config->admission_webhooks);
    if (!*config->admission_listen)
        return;
    fputs(admission_role, stdout);
    puts("  - apiGroups: [\"admissionregistration.k8s.io\"]\n"
         "    resources: [\"validatingwebhookconfigurations\"]");
    print_list("    ", "resourceNames", names);
    puts("    verbs: [\"list\", \"watch\", \"patch\"]");
}

static int complain(const struct adapters *adapters)
{
    int status = STATUS_DONE;
    for (size_t i = 0; i < adapters_count(adapters); i++) {
        const struct adapter *adapter = adapters_nth(adapters, i);
        const struct error *refusal = adapter_refusal(adapter);
        if (!refusal)
            continue;
        fprintf(stderr, "sluice role: adapter %s is refused: %s\n", adapter_name(adapter),
                refusal->text);
        status = STATUS_REFUSED;
    }
    return status;
}

static int print_role(const struct adapters *adapters, const struct config *config)
{
    int status = complain(adapters);
    if (status != STATUS_DONE)
        return status;
    fputs(head, stdout);
    fputs(lease_role, stdout);
    print_core_rights(lease_rights);
    fputs(cluster_role, stdout);
    print_core_rights(core_rights);
    for (size_t i = 0; i < adapters_count(adapters); i++)
        print_adapter(adapters_nth(adapters, i));
    print_admission(config);
    return STATUS_DONE;
}

static int run_role(const struct arguments *arguments)
{
    const char *given = flag_value(arguments, &flag_config);
    struct config config = {0};
    struct error err = {0};
    if (config_load(given ? given : CONFIG_FILE, &config, &err) < 0)
        return verb_refused(arguments->verb, &err);
    struct adapters *adapters =
        adapters_load(config.adapter_directory, config.adapters, config.adapter_count);
    int status = print_role(adapters, &config);
    adapters_free(adapters);
    config_done(&config);
    return status;
}

const struct verb verb_role = {
    .name = "role",
    .summary = "print the rights that the controller needs with these adapters",
    .flags = (const struct flag *const[]){&flag_config, NULL},
    .text = "Prints the ClusterRole: what Sluice itself asks of the API, and what the manifests of "
            "the adapters that the config enables declare; the Role for its Lease; and, where the "
            "config asks for the webhook, the right to that one entry. When an adapter is refused, "
            "nothing is printed, because its rights would be missing.\n"
            "\n"
            "  sluice role --config sluice.yaml | kubectl apply -f -\n",
    .run = run_role,
};
