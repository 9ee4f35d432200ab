// SPDX-License-Identifier: Apache-2.0
/* From the options to a manifest: every option is checked, and every pointer that is read is kept.
 */
#include "draft.h"

/* A field that is written from now on, which nothing else may be. */
static int32_t written(const struct draft *draft, const char *name, json_t *option)
{
    const char *pointer = json_string_value(option);
    if (!is_pointer_of_spec(pointer))
        return refuse(draft, name,
                      "a pointer that lies below /spec, such as /spec/name, through objects only",
                      option);
    int32_t result = apart(draft, name, pointer);
    if (result == SLUICE_OK)
        keep_written(draft, pointer);
    return result;
}

static int32_t written_alone(const struct draft *draft, const char *name, json_t *option)
{
    int32_t result = written(draft, name, option);
    if (result == SLUICE_OK)
        take(draft, name, json_string_value(option));
    return result;
}

/* ---- values ---- */

static int32_t sum(const struct draft *draft, const char *name, json_t *list)
{
    size_t i;
    json_t *term;
    bool adds = false;
    json_array_foreach (list, i, term) {
        const char *text = json_string_value(term);
        bool taken = text && *text == '-';
        if (!text || !is_pointer(text + taken))
            return refuse(draft, name, "pointers such as /status/a or -/status/b", term);
        keep_read(draft, text + taken);
        adds = adds || !taken;
    }
    return adds ? SLUICE_OK
                : refuse(draft, name,
                         "at least one pointer without a minus, because a sum is never under 0",
                         list);
}

/* Under `status`. */
static const char *const count_names[] = {"updated", "updatedReady", "ready"};

static bool is_count(const struct draft *draft, const char *name)
{
    for (size_t i = 0; i < sizeof count_names / sizeof *count_names; i++)
        if (strcmp(name, status_value(draft->subject, count_names[i]).name) == 0)
            return true;
    return false;
}

/* What the function reads must be kept, for the host to find it. */
static int32_t native(const struct draft *draft, const char *name, json_t *option)
{
    json_t *functions = sluice_at(draft->subject->request->json, "/native"), *pointer;
    json_t *function = json_object_get(functions, sluice_string(option, "/native"));
    const char *returns = sluice_string(function, "/returns");
    size_t i;
    if (json_object_size(option) != 1 || !function)
        return refuse(draft, name, "{native: NAME} with a function that stands under native",
                      option);
    if (is_count(draft, name) && strcmp(returns, "int32") != 0 && strcmp(returns, "int64") != 0)
        return refuse(draft, name, "a native function that returns int32 or int64",
                      json_object_get(function, "returns"));
    json_array_foreach (sluice_at(function, "/reads"), i, pointer)
        keep_read(draft, json_string_value(pointer));
    return SLUICE_OK;
}

/* `name` is that of the option, as in "status.updated". */
static int32_t value(const struct draft *draft, const char *name, json_t *option)
{
    if (json_array_size(option))
        return sum(draft, name, option);
    if (json_is_object(option))
        return native(draft, name, option);
    if (json_is_integer(option) && json_integer_value(option) >= 0)
        return SLUICE_OK;
    if (!is_pointer(json_string_value(option)))
        return refuse(draft, name,
                      "a pointer such as /status/ready, a list of pointers that are added up, a "
                      "whole number, or {native: NAME}",
                      option);
    keep_read(draft, json_string_value(option));
    return SLUICE_OK;
}

/* ---- the options, one after the other ---- */

static int32_t check_identity(const struct draft *draft)
{
    static const char *const names[] = {"apiVersion", "kind", "resource"};
    for (size_t i = 0; i < 3; i++) {
        json_t *option = json_object_get(draft->subject->options, names[i]);
        if (!json_is_string(option) || !json_string_length(option))
            return refuse(draft, names[i], "a text that isn't empty", option);
    }
    return SLUICE_OK;
}

static int32_t check_partition(const struct draft *draft)
{
    json_t *partition = sluice_at(draft->subject->options, "/partition");
    json_t *kept = json_object_get(partition, "kept");
    json_t *updated = json_object_get(partition, "updated");
    bool ordinal = sluice_bool(partition, "/ordinal", false);
    if (!partition)
        return sluice_at(draft->subject->options, "/paused")
                   ? SLUICE_OK
                   : refuse(draft, "partition", "partition or paused: something must hold the pods",
                            NULL);
    if (!kept == !updated)
        return refuse(draft, "partition", "either kept or updated", partition);
    if (ordinal &&
        (!kept || *sluice_string(partition, "/as") || !sluice_at(draft->subject->options, "/pods")))
        return refuse(draft, "partition.ordinal",
                      "kept beside it, no as, and pods, because the pods must be known", partition);
    return kept ? written_alone(draft, "partition.kept", kept)
                : written_alone(draft, "partition.updated", updated);
}

/* One that holds a field that is written would be another one after each batch. */
static int32_t template_part(const struct draft *draft, json_t *option)
{
    const char *pointer = json_string_value(option);
    if (!is_pointer(pointer) || !through_objects_only(pointer))
        return refuse(draft, "template", "pointers such as /spec/template, through objects only",
                      option);
    return apart(draft, "template", pointer);
}

/* It is the host that looks at it, so nothing of it is kept. */
static int32_t check_template(const struct draft *draft)
{
    json_t *told = json_incref(sluice_at(draft->subject->options, "/template")), *part;
    size_t i;
    int32_t result = SLUICE_OK;
    if (!told)
        told = json_pack("[s]", "/spec/template");
    json_array_foreach (told, i, part)
        result = result == SLUICE_OK ? template_part(draft, part) : result;
    json_array_foreach (told, i, part)
        take(draft, "template", json_string_value(part));
    json_decref(told);
    return result;
}

static int32_t check_strategies(const struct draft *draft)
{
    json_t *strategies = sluice_at(draft->subject->options, "/strategies"), *fields, *field;
    const char *strategy, *pointer;
    int32_t result = SLUICE_OK;
    json_object_foreach (strategies, strategy, fields)
        json_object_foreach (fields, pointer, field) {
            char name[64];
            json_t *key = json_string(pointer);
            snprintf(name, sizeof name, "strategies.%.20s", strategy);
            if (result == SLUICE_OK)
                result = written(draft, name, key);
            json_decref(key);
        }
    return result;
}

static int32_t check_pods(const struct draft *draft)
{
    json_t *options = draft->subject->options, *pods = sluice_at(options, "/pods");
    json_t *revision = json_object_get(pods, "revision");
    if (!pods)
        return SLUICE_OK;
    if (!*sluice_string(pods, "/label"))
        return refuse(draft, "pods.label", "the name of a label", json_object_get(pods, "label"));
    if (revision && !is_pointer(json_string_value(revision)))
        return refuse(draft, "pods.revision", "a pointer such as /status/updateRevision", revision);
    keep_read(draft,
              revision ? json_string_value(revision)
                       : option_text(options, "/status/updateRevision", "/status/updateRevision"));
    return SLUICE_OK;
}

/* What is written is what is wanted: as a count it would say that all has come already. */
static int32_t check_count(const struct draft *draft, const struct value *told)
{
    json_t *only = json_array_size(told->json) == 1 ? json_array_get(told->json, 0) : told->json;
    if (!told->json && !sluice_at(draft->subject->options, "/pods"))
        return refuse(draft, told->name, "it, or pods so that they can be counted", NULL);
    return json_is_string(only) ? apart(draft, told->name, json_string_value(only)) : SLUICE_OK;
}

/* What must be told unless the pods are counted. */
static int32_t check_counts(const struct draft *draft)
{
    int32_t result = SLUICE_OK;
    for (size_t i = 0; result == SLUICE_OK && i < sizeof count_names / sizeof *count_names; i++) {
        struct value told = status_value(draft->subject, count_names[i]);
        result = check_count(draft, &told);
    }
    return result;
}

/* With the old pods among them, a batch would be called ready before its first pod is. */
static int32_t check_ready(const struct draft *draft)
{
    struct value updated = status_value(draft->subject, "updatedReady");
    struct value any = status_value(draft->subject, "ready");
    if (!updated.json || json_is_integer(updated.json) || !json_equal(updated.json, any.json))
        return SLUICE_OK;
    return refuse(
        draft, updated.name,
        "a count of updated pods alone, apart from status.ready, or pods so that they can "
        "be counted",
        updated.json);
}

static int32_t check_status(const struct draft *draft)
{
    json_t *status = sluice_at(draft->subject->options, "/status"), *option;
    const char *name;
    int32_t result = check_counts(draft);
    json_object_foreach (status, name, option)
        if (result == SLUICE_OK)
            result = value(draft, status_value(draft->subject, name).name, option);
    if (result == SLUICE_OK)
        result = check_ready(draft);
    bool told = json_object_get(status, "settled") || json_object_get(status, "observedGeneration");
    if (result == SLUICE_OK && !told)
        keep_read(draft, "/status/observedGeneration");
    return result;
}

static int32_t check_rest(const struct draft *draft)
{
    json_t *paused = json_object_get(draft->subject->options, "paused");
    json_t *replicas = json_string(replicas_pointer(draft->subject));
    int32_t result = written_alone(draft, "replicas", replicas);
    json_decref(replicas);
    return result == SLUICE_OK && paused ? written_alone(draft, "paused", paused) : result;
}

static int32_t check_all(const struct draft *draft)
{
    int32_t (*const checks[])(const struct draft *) = {
        check_identity,   check_rest, check_partition, check_template,
        check_strategies, check_pods, check_status,
    };
    int32_t result = SLUICE_OK;
    for (size_t i = 0; result == SLUICE_OK && i < sizeof checks / sizeof *checks; i++)
        result = checks[i](draft);
    return result;
}

/* ---- the manifest ---- */

static json_t *owned_new(const struct subject *subject)
{
    char *label =
        sluice_pointer_join("/metadata/labels", option_text(subject->options, "/pods/label", ""));
    json_t *owned =
        json_pack("[{s:s, s:s, s:[s, s, s]}]", "apiVersion", "v1", "kind", "Pod", "keep",
                  label ? label : "", "/metadata/deletionTimestamp", "/status/conditions");
    free(label);
    return owned;
}

static json_t *rights_new(const struct subject *subject)
{
    const char *version = option_text(subject->options, "/apiVersion", "");
    const char *slash = strchr(version, '/');
    json_t *rights = json_pack("[{s:[s#], s:[s], s:[s, s, s, s, s]}]", "apiGroups", version,
                               slash ? (int)(slash - version) : 0, "resources",
                               option_text(subject->options, "/resource", ""), "verbs", "get",
                               "list", "watch", "create", "patch");
    if (sluice_at(subject->options, "/pods"))
        json_array_append_new(rights, json_pack("{s:[s], s:[s], s:[s, s]}", "apiGroups", "",
                                                "resources", "pods", "verbs", "list", "watch"));
    return rights;
}

static json_t *manifest_new(const struct draft *draft)
{
    json_t *options = draft->subject->options;
    json_t *kind =
        json_pack("{s:s, s:s, s:O}", "apiVersion", option_text(options, "/apiVersion", ""), "kind",
                  option_text(options, "/kind", ""), "keep", draft->keep);
    if (sluice_at(options, "/template"))
        json_object_set(kind, "template", sluice_at(options, "/template"));
    if (sluice_at(options, "/pods"))
        json_object_set_new(kind, "owned", owned_new(draft->subject));
    return json_pack("{s:[o], s:o}", "kinds", kind, "rights", rights_new(draft->subject));
}

int32_t describe_body(const struct sluice_request *request)
{
    const struct subject subject = subject_of(request);
    const struct draft draft = {
        .subject = &subject,
        .keep = json_pack("[s, s, s]", "/metadata/annotations/rollout.sluice.dev~1holder",
                          "/metadata/annotations/rollout.sluice.dev~1applied",
                          "/metadata/deletionTimestamp"),
        .taken = json_object(),
    };
    int32_t result = check_all(&draft);
    if (result == SLUICE_OK)
        result = sluice_emit_take(request, SLUICE_MANIFEST, manifest_new(&draft));
    json_decref(draft.keep);
    json_decref(draft.taken);
    return result;
}
