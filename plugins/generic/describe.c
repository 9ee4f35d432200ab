// SPDX-License-Identifier: Apache-2.0
/* From the options to a manifest: every option is checked, and every pointer that is read is kept.
 */
#include "generic.h"

#include <ctype.h>

/* The manifest that is being made. */
struct draft {
    const struct subject *subject;
    json_t *keep; /* pointers of the workload */
};

/* ---- refusing ---- */

static int32_t refuse(const struct draft *draft, const char *name, const char *expected,
                      json_t *found)
{
    char words[160], where[200] = "/options/";
    size_t length = strlen(where);
    snprintf(where + length, sizeof where - length, "%s", name);
    for (char *dot = where; (dot = strchr(dot, '.'));)
        *dot = '/';
    return sluice_fail(draft->subject->request, SLUICE_INVALID, where,
                       "options.%s: expected %s, found %s", name, expected,
                       found_words(found, words, sizeof words));
}

/* ---- pointers ---- */

static bool is_pointer(const char *text)
{
    size_t step = 0;
    if (!text || text[0] != '/' || !text[1])
        return false;
    for (; *text; text++) {
        step = *text == '/' ? 0 : step + 1;
        if (step > 250 || (*text == '~' && text[1] != '0' && text[1] != '1'))
            return false;
    }
    return true;
}

/* The step after a '/' can lead through an array: it is an index, or "key=text". */
static bool through_array(const char *step)
{
    size_t length = strcspn(step, "/");
    return memchr(step, '=', length) || strspn(step, "0123456789") >= length;
}

/* How much of a pointer leads through objects only. */
static size_t objects_only(const char *pointer)
{
    const char *at = pointer;
    while (*at == '/' && !through_array(at + 1))
        at += 1 + strcspn(at + 1, "/");
    return (size_t)(at - pointer);
}

static void keep_add(const struct draft *draft, const char *pointer, size_t length)
{
    json_t *kept = json_stringn(pointer, length), *other;
    size_t i;
    bool there = length == 0;
    json_array_foreach (draft->keep, i, other)
        there = there || json_equal(other, kept);
    if (!there)
        json_array_append(draft->keep, kept);
    json_decref(kept);
}

/* What is only read is kept as it is named, as far as the host can follow it. */
static void keep_read(const struct draft *draft, const char *pointer)
{
    keep_add(draft, pointer, objects_only(pointer));
}

/* What is written may have to be added with what is around it: that must be known whole. */
static void keep_written(const struct draft *draft, const char *pointer)
{
    size_t first = 1 + strcspn(pointer + 1, "/");
    size_t second = pointer[first] ? first + 1 + strcspn(pointer + first + 1, "/") : first;
    keep_add(draft, pointer, second);
}

static int32_t written(const struct draft *draft, const char *name, json_t *option)
{
    const char *pointer = json_string_value(option);
    if (!is_pointer(pointer) || strncmp(pointer, "/spec/", 6) != 0 ||
        pointer[objects_only(pointer)])
        return refuse(draft, name, "a pointer such as /spec/name, through objects only", option);
    keep_written(draft, pointer);
    return SLUICE_OK;
}

/* ---- values ---- */

static int32_t sum(const struct draft *draft, const char *name, json_t *list)
{
    size_t i;
    json_t *term;
    json_array_foreach (list, i, term) {
        const char *text = json_string_value(term);
        if (!text || !is_pointer(text + (*text == '-')))
            return refuse(draft, name, "pointers such as /status/a or -/status/b", term);
        keep_read(draft, text + (*text == '-'));
    }
    return SLUICE_OK;
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
    return kept ? written(draft, "partition.kept", kept)
                : written(draft, "partition.updated", updated);
}

/* It is the host that looks at it, so nothing of it is kept. */
static int32_t check_template(const struct draft *draft)
{
    size_t i;
    json_t *pointer;
    json_array_foreach (sluice_at(draft->subject->options, "/template"), i, pointer) {
        const char *text = json_string_value(pointer);
        if (!is_pointer(text) || text[objects_only(text)])
            return refuse(draft, "template",
                          "pointers such as /spec/template, through objects only", pointer);
    }
    return SLUICE_OK;
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

/* What must be told unless the pods are counted. */
static int32_t check_counts(const struct draft *draft)
{
    for (size_t i = 0; i < sizeof count_names / sizeof *count_names; i++) {
        struct value told = status_value(draft->subject, count_names[i]);
        if (!told.json && !sluice_at(draft->subject->options, "/pods"))
            return refuse(draft, told.name, "it, or pods so that they can be counted", NULL);
    }
    return SLUICE_OK;
}

static int32_t check_status(const struct draft *draft)
{
    json_t *status = sluice_at(draft->subject->options, "/status"), *option;
    const char *name;
    int32_t result = check_counts(draft);
    json_object_foreach (status, name, option)
        if (result == SLUICE_OK)
            result = value(draft, status_value(draft->subject, name).name, option);
    bool told = json_object_get(status, "settled") || json_object_get(status, "observedGeneration");
    if (result == SLUICE_OK && !told)
        keep_read(draft, "/status/observedGeneration");
    return result;
}

static int32_t check_rest(const struct draft *draft)
{
    json_t *options = draft->subject->options;
    json_t *replicas = json_object_get(options, "replicas");
    json_t *paused = json_object_get(options, "paused");
    int32_t result = replicas ? written(draft, "replicas", replicas) : SLUICE_OK;
    if (!replicas)
        keep_written(draft, replicas_pointer(draft->subject));
    return result == SLUICE_OK && paused ? written(draft, "paused", paused) : result;
}

/* A hold that is written where the replicas stand would scale the workload instead. */
static int32_t check_apart(const struct draft *draft)
{
    static const char *const holds[] = {"partition/kept", "partition/updated", "paused"};
    const char *taken[4] = {replicas_pointer(draft->subject)};
    size_t count = 1;
    for (size_t i = 0; i < 3; i++) {
        char at[32];
        snprintf(at, sizeof at, "/%s", holds[i]);
        json_t *option = sluice_at(draft->subject->options, at);
        const char *pointer = json_string_value(option);
        for (size_t k = 0; pointer && k < count; k++)
            if (strcmp(pointer, taken[k]) == 0)
                return refuse(draft, i < 2 ? "partition" : "paused",
                              "a field of its own, neither replicas nor another hold", option);
        if (pointer)
            taken[count++] = pointer;
    }
    return SLUICE_OK;
}

static int32_t check_all(const struct draft *draft)
{
    int32_t (*const checks[])(const struct draft *) = {
        check_identity, check_rest,       check_partition, check_apart,
        check_template, check_strategies, check_pods,      check_status,
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
    };
    int32_t result = check_all(&draft);
    if (result == SLUICE_OK)
        result = sluice_emit_take(request, SLUICE_MANIFEST, manifest_new(&draft));
    json_decref(draft.keep);
    return result;
}
