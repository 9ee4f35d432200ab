// SPDX-License-Identifier: Apache-2.0
#include "rules.h"

#include "base/alloc.h"
#include "base/json.h"
#include "failure.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ── Names ────────────────────────────────────────────────────────────────────────────────── */

#define SUBDOMAIN                                                                                  \
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "   \
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "  \
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
#define LABEL                                                                                      \
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "   \
    "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex "     \
    "used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"

#define CONFIG_KEY                                                                                 \
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. "           \
    "'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"

static bool is_inner(char c)
{
    return (c >= 'a' && c <= 'z') || isdigit((unsigned char)c);
}

static bool is_label(const char *text, size_t length)
{
    if (!length || !is_inner(text[0]) || !is_inner(text[length - 1]))
        return false;
    for (size_t i = 0; i < length; i++)
        if (!is_inner(text[i]) && text[i] != '-')
            return false;
    return true;
}

static bool is_subdomain(const char *text)
{
    for (;;) {
        size_t length = strcspn(text, ".");
        if (!is_label(text, length))
            return false;
        if (!text[length])
            return true;
        text += length + 1;
    }
}

static bool has_label_name(const struct kind *kind)
{
    return !kind->custom &&
           (str_equal(kind->name, "Namespace") || str_equal(kind->name, "Service"));
}

static void check_name(const struct kind *kind, const json_t *object, json_t *causes)
{
    const char *name = json_string_at(object, "/metadata/name");
    bool label = has_label_name(kind);
    if (!name || !*name) {
        cause_add(causes, "FieldValueRequired", "metadata.name",
                  "Required value: name or generateName is required");
        return;
    }
    if (label ? !is_label(name, strlen(name)) : !is_subdomain(name))
        cause_add(causes, "FieldValueInvalid", "metadata.name", "Invalid value: \"%s\": %s", name,
                  label ? LABEL : SUBDOMAIN);
}

/* ── Pods and their templates ─────────────────────────────────────────────────────────────── */

/* An image without a tag, or with "latest", is pulled always. */
static const char *pull_policy(const char *image)
{
    const char *last = image ? strrchr(image, '/') : NULL;
    const char *tag = image ? strchr(last ? last : image, ':') : NULL;
    bool moves = !image || (!strchr(image, '@') && (!tag || strcmp(tag, ":latest") == 0));
    return moves ? "Always" : "IfNotPresent";
}

static void complete_containers(const json_t *list)
{
    size_t i;
    json_t *container;
    json_array_foreach (list, i, container) {
        const char *image = json_string_at(container, "/image");
        if (!json_object_get(container, "imagePullPolicy"))
            json_object_set_new(container, "imagePullPolicy", json_string(pull_policy(image)));
        json_t *limits = json_at(container, "/resources/limits");
        if (limits && !json_at(container, "/resources/requests"))
            json_put_take(container, "/resources/requests", json_deep_copy(limits));
    }
}

static void complete_pod_spec(json_t *spec)
{
    const char *account = json_string_at(spec, "/serviceAccountName");
    complete_containers(json_object_get(spec, "initContainers"));
    complete_containers(json_object_get(spec, "containers"));
    if (account)
        json_object_set_new(spec, "serviceAccount", json_string(account));
}

static json_t *pod_spec_of(const struct kind *kind, const json_t *object)
{
    if (kind->custom)
        return NULL;
    return json_at(object, strcmp(kind->name, "Pod") == 0 ? "/spec" : "/spec/template/spec");
}

/* ── Kinds ────────────────────────────────────────────────────────────────────────────────── */

/* A strategy that is there and says nothing is a rolling update too. */
static void complete_rolling_update(json_t *object, const char *strategy, const char *values)
{
    char *type_at AUTO_FREE = str_format("/spec/%s/type", strategy);
    char *update_at AUTO_FREE = str_format("/spec/%s/rollingUpdate", strategy);
    json_t *usual AUTO_JSON = json_loads(values, 0, NULL);
    const char *type = json_string_at(object, type_at);
    if (!type || !*type)
        json_put_take(object, type_at, json_string("RollingUpdate"));
    else if (strcmp(type, "RollingUpdate") != 0)
        return;
    json_t *given = json_at(object, update_at);
    if (json_is_object(given))
        json_object_update_missing(given, usual);
    else
        json_put_take(object, update_at, json_incref(usual));
}

static void complete_deployment(json_t *object)
{
    complete_rolling_update(object, "strategy",
                            "{\"maxUnavailable\":\"25%\",\"maxSurge\":\"25%\"}");
}

static void complete_daemon_set(json_t *object)
{
    complete_rolling_update(object, "updateStrategy", "{\"maxUnavailable\":1,\"maxSurge\":0}");
}

static void complete_stateful_set(json_t *object)
{
    const char *type = json_string_at(object, "/spec/updateStrategy/type");
    if (!type || !*type)
        complete_rolling_update(object, "updateStrategy", "{\"partition\":0}");
}

static void complete_service(json_t *object)
{
    size_t i;
    json_t *port;
    json_array_foreach (json_at(object, "/spec/ports"), i, port)
        if (!json_object_get(port, "targetPort"))
            json_object_set(port, "targetPort", json_object_get(port, "port"));
}

static void complete_crd(json_t *object)
{
    json_t *names = json_at(object, "/spec/names");
    const char *kind = json_string_at(names, "/kind");
    if (!kind)
        return;
    if (!json_object_get(names, "listKind"))
        json_object_set_new(names, "listKind", json_sprintf("%sList", kind));
    if (!json_object_get(names, "singular")) {
        char *singular AUTO_FREE = str_copy(kind);
        for (char *at = singular; *at; at++)
            *at = (char)tolower((unsigned char)*at);
        json_object_set_new(names, "singular", json_string(singular));
    }
    if (!json_at(object, "/spec/conversion"))
        json_put_take(object, "/spec/conversion/strategy", json_string("None"));
}

static void complete_namespace(json_t *object)
{
    json_put_take(object, "/metadata/labels/kubernetes.io~1metadata.name",
                  json_string(json_string_at(object, "/metadata/name")));
    if (!json_array_size(json_at(object, "/spec/finalizers")))
        json_put_take(object, "/spec", json_object());
}

void rules_complete(const struct kind *kind, json_t *object)
{
    static const struct {
        const char *kind;
        void (*complete)(json_t *object);
    } rules[] = {
        {"Deployment", complete_deployment},    {"DaemonSet", complete_daemon_set},
        {"StatefulSet", complete_stateful_set}, {"Service", complete_service},
        {"Namespace", complete_namespace},      {"CustomResourceDefinition", complete_crd},
    };
    json_t *spec = pod_spec_of(kind, object);
    if (spec)
        complete_pod_spec(spec);
    for (size_t i = 0; !kind->custom && i < sizeof rules / sizeof *rules; i++)
        if (strcmp(rules[i].kind, kind->name) == 0)
            rules[i].complete(object);
}

/* ── Webhooks ─────────────────────────────────────────────────────────────────────────────── */

static void pull_always(const json_t *containers)
{
    size_t i;
    json_t *container;
    json_array_foreach (containers, i, container)
        if (!json_object_get(container, "imagePullPolicy"))
            json_object_set_new(container, "imagePullPolicy", json_string("Always"));
}

/* A template that the schema of its object doesn't know. */
static void admit_template(const struct kind *kind, json_t *template)
{
    struct schema names = {.names = kind->schema.names};
    struct schema schema =
        schema_of(names, json_object_get(names.names, "io.k8s.api.core.v1.PodTemplateSpec"));
    pull_always(json_at(template, "/spec/containers"));
    schema_prune(schema, template, NULL);
    schema_complete(schema, template);
    complete_pod_spec(json_object_get(template, "spec"));
    if (!json_at(template, "/metadata/creationTimestamp"))
        json_put_take(template, "/metadata/creationTimestamp", json_null());
}

static void admit_strategy(json_t *strategy)
{
    json_t *usual AUTO_JSON = json_pack("{ss si ss si}", "type", "ReCreate", "partition", 0,
                                        "maxUnavailable", "20%", "maxSurge", 0);
    json_object_update_missing(strategy, usual);
    bool recreates = str_equal(json_string_at(strategy, "/type"), "ReCreate");
    if (!recreates && !json_object_get(strategy, "inPlaceUpdateStrategy"))
        json_object_set_new(strategy, "inPlaceUpdateStrategy", json_object());
}

static void admit_clone_set(const struct kind *kind, json_t *object)
{
    json_t *usual AUTO_JSON = json_pack("{si si s{} s{}}", "replicas", 1, "revisionHistoryLimit",
                                        10, "scaleStrategy", "updateStrategy");
    json_t *spec = json_object_get(object, "spec"), *template = json_object_get(spec, "template");
    json_object_update_missing(spec, usual);
    admit_strategy(json_object_get(spec, "updateStrategy"));
    if (json_is_object(template))
        admit_template(kind, template);
}

void rules_admit(const struct kind *kind, json_t *object)
{
    if (strcmp(kind->resource, "clonesets.apps.kruise.io") == 0)
        admit_clone_set(kind, object);
}

/* ── New objects ──────────────────────────────────────────────────────────────────────────── */

static void create_namespace(json_t *object)
{
    json_put_take(object, "/spec/finalizers", json_pack("[s]", "kubernetes"));
    json_put_take(object, "/status", json_pack("{ss}", "phase", "Active"));
}

/* The storage version is the only one that objects have been stored in. */
static void create_crd(json_t *object)
{
    size_t i;
    json_t *version;
    json_put_take(object, "/status",
                  json_pack("{s{ss ss} s[] s n}", "acceptedNames", "kind", "", "plural", "",
                            "storedVersions", "conditions"));
    json_array_foreach (json_at(object, "/spec/versions"), i, version)
        if (json_bool_at(version, "/storage", false))
            json_array_append(json_at(object, "/status/storedVersions"),
                              json_object_get(version, "name"));
}

/* What keeps it from being scheduled is said from the beginning. */
static void create_pod(json_t *object)
{
    json_put_take(object, "/status",
                  json_pack("{ss ss}", "phase", "Pending", "qosClass", "BestEffort"));
    if (json_array_size(json_at(object, "/spec/schedulingGates")))
        json_put_take(object, "/status/conditions",
                      json_pack("[{sn sn ss ss ss ss}]", "lastProbeTime", "lastTransitionTime",
                                "message",
                                "Scheduling is blocked due to non-empty scheduling gates", "reason",
                                "SchedulingGated", "status", "False", "type", "PodScheduled"));
}

void rules_create(const struct kind *kind, json_t *object)
{
    static const struct {
        const char *kind;
        void (*create)(json_t *object);
    } rules[] = {
        {"Namespace", create_namespace},
        {"CustomResourceDefinition", create_crd},
        {"Pod", create_pod},
    };
    for (size_t i = 0; !kind->custom && i < sizeof rules / sizeof *rules; i++)
        if (strcmp(rules[i].kind, kind->name) == 0)
            rules[i].create(object);
}

/* Its objects go first. */
static void delete_crd(json_t *object)
{
    json_put_take(object, "/metadata/finalizers",
                  json_pack("[s]", "customresourcecleanup.apiextensions.k8s.io"));
}

void rules_delete(const struct kind *kind, json_t *object)
{
    if (!kind->custom && strcmp(kind->name, "CustomResourceDefinition") == 0)
        delete_crd(object);
}

static bool is_config_key(const char *key)
{
    for (const char *at = key; *at; at++)
        if (!isalnum((unsigned char)*at) && !strchr("-_.", *at))
            return false;
    return *key;
}

static void check_keys(const json_t *object, const char *member, json_t *causes)
{
    const char *key;
    json_t *value;
    json_object_foreach (json_object_get(object, member), key, value) {
        char *field AUTO_FREE = str_format("%s[%s]", member, key);
        if (!is_config_key(key))
            cause_add(causes, "FieldValueInvalid", field, "Invalid value: \"%s\": " CONFIG_KEY,
                      key);
    }
}

static void check_data(const json_t *object, json_t *causes)
{
    check_keys(object, "data", causes);
    check_keys(object, "binaryData", causes);
}

static void check_crd(const json_t *object, json_t *causes)
{
    const char *name = json_string_at(object, "/metadata/name");
    const char *plural = json_string_at(object, "/spec/names/plural");
    const char *group = json_string_at(object, "/spec/group");
    char *wanted AUTO_FREE = str_format("%s.%s", plural ? plural : "", group ? group : "");
    if (!str_equal(name, wanted))
        cause_add(causes, "FieldValueInvalid", "metadata.name",
                  "Invalid value: \"%s\": must be spec.names.plural+\".\"+spec.group", name);
}

void rules_check(const struct kind *kind, const json_t *object, const json_t *old, json_t *causes)
{
    check_name(kind, object, causes);
    if (kind->custom)
        return;
    if (!old && strcmp(kind->name, "CustomResourceDefinition") == 0)
        check_crd(object, causes);
    if (strcmp(kind->name, "ConfigMap") == 0 || strcmp(kind->name, "Secret") == 0)
        check_data(object, causes);
}

bool rules_keep(const struct kind *kind, const char *name)
{
    static const char *const namespaces[] = {"default", "kube-public", "kube-system"};
    for (size_t i = 0; i < sizeof namespaces / sizeof *namespaces; i++)
        if (strcmp(namespaces[i], name) == 0)
            return !kind->custom && strcmp(kind->name, "Namespace") == 0;
    return false;
}
