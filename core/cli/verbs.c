// SPDX-License-Identifier: Apache-2.0
/* All verbs, what they share, and the two that are about the program itself. */
#include "base/alloc.h"
#include "base/json.h"
#include "base/nearest.h"
#include "cli/cli.h"
#include "cli/output.h"

#include <stdio.h>
#include <string.h>

const struct flag flag_config = {
    .name = "config",
    .letter = 'f',
    .value = "FILE",
    .text = "settings and adapters (default: " CONFIG_FILE ")",
};
const struct flag flag_kubeconfig = {
    .name = "kubeconfig",
    .value = "FILE",
    .text = "where the cluster is (default: $KUBECONFIG, the Pod's service account, or "
            "~/.kube/config)",
};
const struct flag flag_context = {
    .name = "context",
    .value = "NAME",
    .text = "which context of the kubeconfig",
};

const struct verb *const all_verbs[] = {
    &verb_plan,       &verb_simulate, &verb_lint,    &verb_status,   &verb_watch,
    &verb_explain,    &verb_history,  &verb_approve, &verb_promote,  &verb_pause,
    &verb_resume,     &verb_abort,    &verb_retry,   &verb_rollback, &verb_restart,
    &verb_controller, &verb_adapters, &verb_role,    &verb_debug,    &verb_states,
    &verb_completion, &verb_help_of,  &verb_version, NULL,
};

const struct verb *verb_find(const char *name)
{
    for (size_t i = 0; all_verbs[i]; i++)
        if (strcmp(all_verbs[i]->name, name) == 0)
            return all_verbs[i];
    return NULL;
}

int verb_unknown(const char *name)
{
    const char *names[sizeof all_verbs / sizeof *all_verbs] = {NULL};
    for (size_t i = 0; all_verbs[i]; i++)
        names[i] = all_verbs[i]->name;
    char *hint AUTO_FREE = nearest_hint(name, names);
    fprintf(stderr, "sluice: unknown verb \"%s\"%s\n`sluice help` tells all verbs.\n", name, hint);
    return STATUS_USAGE;
}

/* ---- help ---- */

static int run_help(const struct arguments *arguments)
{
    const char *name = arguments->operand_count ? arguments->operands[0] : NULL;
    const struct verb *verb = name ? verb_find(name) : NULL;
    if (name && !verb)
        return verb_unknown(name);
    char *text AUTO_FREE = verb ? verb_help(verb) : program_help();
    fputs(text, stdout);
    return STATUS_DONE;
}

const struct verb verb_help_of = {
    .name = "help",
    .summary = "tell what there is, or what one verb takes",
    .operands = "[VERB]",
    .most = 1,
    .text = "The same as `sluice VERB --help`.",
    .run = run_help,
};

/* ---- version ---- */

static const char *const version_formats[] = {"json", "yaml", NULL};
static const struct flag version_output = {
    .name = "output",
    .letter = 'o',
    .value = "FORMAT",
    .text = "json or yaml",
    .choices = version_formats,
};

static int run_version(const struct arguments *arguments)
{
    const char *format = flag_value(arguments, &version_output);
    if (!format) {
        puts("sluice " SLUICE_VERSION);
        return STATUS_DONE;
    }
    json_t *about AUTO_JSON = json_pack("{s:s}", "version", SLUICE_VERSION);
    output_json(about, format);
    return STATUS_DONE;
}

const struct verb verb_version = {
    .name = "version",
    .summary = "print the version",
    .flags = (const struct flag *const[]){&version_output, NULL},
    .run = run_version,
};
