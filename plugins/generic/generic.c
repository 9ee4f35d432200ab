// SPDX-License-Identifier: Apache-2.0
/* The calls of the generic adapter: what the kinds that it is told about have in common. */
#include "generic.h"

/* ---- options ---- */

const char *option_text(json_t *options, const char *pointer, const char *fallback)
{
    const char *text = json_string_value(sluice_at(options, pointer));
    return text ? text : fallback;
}

const char *kind_of(const struct subject *subject)
{
    return option_text(subject->options, "/kind", "object");
}

const char *replicas_pointer(const struct subject *subject)
{
    return option_text(subject->options, "/replicas", "/spec/replicas");
}

json_t *strategy_fields(const struct subject *subject, const char *strategy)
{
    return json_object_get(sluice_at(subject->options, "/strategies"), strategy);
}

struct subject subject_of(const struct sluice_request *request)
{
    return (struct subject){
        .request = request,
        .options = sluice_at(request->json, "/options"),
        .workload = sluice_at(request->json, "/workload"),
        .target = sluice_at(request->json, "/target"),
    };
}

/* Where the kind is told to stand still; NULL: nowhere. */
static const char *paused_pointer(const struct subject *subject)
{
    return option_text(subject->options, "/paused", NULL);
}

/* ---- observe ---- */

/* Owns nothing; *ret_text is "" for what isn't told. The caller frees it. */
static int32_t told_text(const struct subject *subject, const char *name, char **ret_text)
{
    struct value value = status_value(subject, name);
    if (value.json)
        return value_text(subject, &value, ret_text);
    *ret_text = strdup("");
    return SLUICE_OK;
}

static int32_t put_told(const struct subject *subject, json_t *status, const char *name,
                        json_t *(*cut)(const char *text))
{
    char *text = NULL;
    int32_t result = told_text(subject, name, &text);
    if (result == SLUICE_OK && text && *text)
        json_object_set_new(status, name, cut(text));
    free(text);
    return result;
}

static int32_t put_texts(const struct subject *subject, json_t *status)
{
    int32_t result = put_told(subject, status, "updateRevision", revision_name);
    if (result == SLUICE_OK)
        result = put_told(subject, status, "currentRevision", revision_name);
    if (result == SLUICE_OK)
        result = put_told(subject, status, "reason", reason_text);
    if (being_deleted(subject->workload))
        json_object_set_new(status, "reason",
                            json_sprintf("the %.100s is being deleted", kind_of(subject)));
    return result;
}

static int32_t observe_body(const struct sluice_request *request)
{
    const struct subject subject = subject_of(request);
    struct counts counts;
    if (!subject.workload)
        return observe_missing(request);
    int32_t result = counts_read(&subject, &counts);
    if (result != SLUICE_OK)
        return result;
    json_t *status = json_pack("{s:i, s:i, s:i, s:i, s:b}", "size", counts.size, "updated",
                               counts.updated, "updatedReady", counts.updated_ready, "ready",
                               counts.ready, "settled", counts.settled);
    result = put_texts(&subject, status);
    if (result == SLUICE_OK)
        return sluice_emit_take(request, SLUICE_STATUS, status);
    json_decref(status);
    return result;
}

/* ---- validate ---- */

static int32_t check_size(const struct subject *subject)
{
    char words[160], where[300];
    const char *pointer = replicas_pointer(subject);
    json_t *replicas = sluice_at(subject->target, pointer);
    if (!replicas || (json_is_integer(replicas) && json_integer_value(replicas) >= 0))
        return SLUICE_OK;
    snprintf(where, sizeof where, "/target%s", pointer);
    return sluice_fail(subject->request, SLUICE_INVALID, where,
                       "%s of the %s: expected a whole number from 0 on, found %s", pointer,
                       kind_of(subject), found_words(replicas, words, sizeof words));
}

/* A plan that doesn't say leaves the kind its own order. */
static int32_t check_strategy(const struct subject *subject)
{
    const char *strategy = sluice_string(subject->request->json, "/strategy");
    bool asked = increase_first_asked(subject->request) || strcmp(strategy, "DecreaseFirst") == 0;
    if (!asked || strategy_fields(subject, strategy))
        return SLUICE_OK;
    return sluice_fail(subject->request, SLUICE_UNSUPPORTED, "/strategy",
                       "rolloutStrategy: expected none, found %s: the options of the adapter don't "
                       "say (in strategies.%s) how a %s does that",
                       strategy, strategy, kind_of(subject));
}

/* Of a kind that can only be paused, all pods come at once; but it can be scaled in steps. */
static int32_t check_steps(const struct subject *subject)
{
    bool rolls = subject->workload && strcmp(sluice_annotation(subject->workload, MARK_APPLIED),
                                             sluice_annotation(subject->target, MARK_APPLIED)) != 0;
    if (!rolls || hold_there(subject) || !sluice_bool(subject->request->json, "/inSteps", false))
        return SLUICE_OK;
    return sluice_fail(subject->request, SLUICE_UNSUPPORTED, "/inSteps",
                       "rolloutBatches: expected one batch without instanceInterval, because a %s "
                       "can only be paused (options.partition isn't set) and its pods come at once",
                       kind_of(subject));
}

static int32_t validate_body(const struct sluice_request *request)
{
    const struct subject subject = subject_of(request);
    if (!subject.target)
        return sluice_fail(request, SLUICE_BUG, "/target", "validate: expected a target");
    int32_t result = check_size(&subject);
    if (result == SLUICE_OK)
        result = check_strategy(&subject);
    return result == SLUICE_OK ? check_steps(&subject) : result;
}

/* ---- begin ---- */

/* What the plan's strategy asks of the kind. */
static void put_strategy(const struct subject *subject, json_t *object)
{
    json_t *fields = strategy_fields(subject, sluice_string(subject->request->json, "/strategy"));
    const char *pointer;
    json_t *value;
    json_object_foreach (fields, pointer, value)
        sluice_put_take(object, pointer, json_deep_copy(value));
}

/* All pods stay where they are. None and all can be said as a percentage too. */
static void hold(const struct sluice_request *request, json_t *workload, json_t *object)
{
    const struct subject subject = subject_of(request);
    put_strategy(&subject, object);
    if (paused_pointer(&subject))
        sluice_put_take(object, paused_pointer(&subject), json_boolean(!hold_there(&subject)));
    if (hold_there(&subject))
        hold_write(&subject, object, whole_at(workload, replicas_pointer(&subject), 1), 0);
}

static int32_t begin_body(const struct sluice_request *request)
{
    return begin_workload(request, hold);
}

/* ---- advance ---- */

static void put_paused(const struct subject *subject, json_t *object, bool paused)
{
    const char *pointer = paused_pointer(subject);
    if (pointer && sluice_bool(object, pointer, false) != paused)
        sluice_put_take(object, pointer, json_boolean(paused));
}

/* Moves the hold, unless it says this already, in whatever spelling. */
static int32_t put_hold(const struct subject *subject, json_t *object, int size, int allowed)
{
    if (hold_read(subject, size) == allowed)
        return SLUICE_OK;
    return hold_write(subject, object, size, allowed);
}

/* A kind that can only be paused moves all its pods or none. */
static int32_t all_or_none(const struct subject *subject, const struct counts *counts,
                           json_t *object)
{
    int64_t goal = sluice_int(subject->request->json, "/goal", 0);
    bool paused = sluice_bool(subject->request->json, "/paused", false);
    if (!paused && goal > counts->updated && goal < counts->size)
        return sluice_fail(subject->request, SLUICE_UNSUPPORTED, "/goal",
                           "a %s can only be paused (options.partition isn't set), so its pods "
                           "come in one batch: expected one of %d, found one of %d",
                           kind_of(subject), counts->size, (int)goal);
    put_paused(subject, object, paused || goal < counts->size);
    return SLUICE_OK;
}

static int32_t move_hold(const struct subject *subject, const struct counts *counts, json_t *object)
{
    bool paused = sluice_bool(subject->request->json, "/paused", false);
    int goal = whole_at(subject->request->json, "/goal", 0);
    put_paused(subject, object, paused);
    if (paused && paused_pointer(subject))
        return SLUICE_OK;
    int allowed = paused ? hold_at_rest(subject, counts) : hold_for_goal(subject, counts, goal);
    return put_hold(subject, object, counts->size, allowed);
}

static int32_t roll(const struct sluice_request *request, json_t *workload)
{
    const struct subject subject = subject_of(request);
    struct counts counts;
    int32_t result = counts_read(&subject, &counts);
    if (result != SLUICE_OK)
        return result;
    bool stop = template_changed(request) && paused_pointer(&subject);
    if (!counts.settled && !stop)
        return sluice_fail(request, SLUICE_STALE, "/workload/status",
                           "the last change of the %s hasn't been seen by its controller yet",
                           kind_of(&subject));
    json_t *after = json_deep_copy(workload);
    result = hold_there(&subject) ? move_hold(&subject, &counts, after)
                                  : all_or_none(&subject, &counts, after);
    if (result == SLUICE_OK)
        return emit_roll_take(request, workload, after);
    json_decref(after);
    return result;
}

static int32_t advance_body(const struct sluice_request *request)
{
    return advance_workload(request, roll);
}

/* ---- finish ---- */

static void restore_strategy(const struct subject *subject, json_t *object)
{
    json_t *strategies = sluice_at(subject->options, "/strategies"), *fields, *value;
    const char *strategy, *pointer;
    json_object_foreach (strategies, strategy, fields)
        json_object_foreach (fields, pointer, value)
            restore_take(object, subject->target, pointer, json_null());
}

/* No further pod moves. Giving back never fails: what can't be found out leaves all where it is. */
static void freeze(const struct subject *subject, json_t *object)
{
    struct counts counts = {0};
    const char *paused = paused_pointer(subject);
    if (!hold_there(subject)) {
        put_paused(subject, object, true);
        return;
    }
    if (paused && subject->target)
        restore_take(object, subject->target, paused, json_null());
    if (counts_read(subject, &counts) != SLUICE_OK)
        counts = (struct counts){.size = whole_at(object, replicas_pointer(subject), 1)};
    if (put_hold(subject, object, counts.size, hold_at_rest(subject, &counts)) != SLUICE_OK)
        hold_write(subject, object, counts.size, 0);
}

/* After success the hold is as the owner has it. */
static void release(const struct subject *subject, json_t *object)
{
    const char *const fields[] = {"/partition/kept", "/partition/updated", "/paused"};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const char *pointer = option_text(subject->options, fields[i], NULL);
        if (pointer)
            restore_take(object, subject->target, pointer, json_null());
    }
}

static bool give_back(const struct sluice_request *request, json_t *workload, json_t *after)
{
    const struct subject subject = subject_of(request);
    if (succeeded(request))
        release(&subject, after);
    else
        freeze(&subject, after);
    if (subject.target)
        restore_strategy(&subject, after);
    return true;
}

static int32_t finish_body(const struct sluice_request *request)
{
    return finish_workload(request, give_back);
}

/* ---- the table ---- */

static int32_t validate(const sluice_host *host, sluice_call *call, sluice_text request)
{
    return sluice_with_request(host, call, request, validate_body);
}

static int32_t observe(const sluice_host *host, sluice_call *call, sluice_text request)
{
    return sluice_with_request(host, call, request, observe_body);
}

static int32_t begin(const sluice_host *host, sluice_call *call, sluice_text request)
{
    return sluice_with_request(host, call, request, begin_body);
}

static int32_t advance(const sluice_host *host, sluice_call *call, sluice_text request)
{
    return sluice_with_request(host, call, request, advance_body);
}

static int32_t finish(const sluice_host *host, sluice_call *call, sluice_text request)
{
    return sluice_with_request(host, call, request, finish_body);
}

static int32_t describe(const sluice_host *host, sluice_call *call, sluice_text request)
{
    return sluice_with_request(host, call, request, describe_body);
}

/* clang-format off */
static const char manifest[] = SLUICE_JSON({
    "options": {
        "type": "object",
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "resource": {"type": "string"},
            "replicas": {"type": "string"},
            "template": {"type": "array", "items": {"type": "string"}},
            "partition": {
                "type": "object",
                "properties": {
                    "kept": {"type": "string"},
                    "updated": {"type": "string"},
                    "ordinal": {"type": "boolean"},
                    "as": {"enum": ["number", "percent", "percentNumber"]},
                    "rounds": {"enum": ["up", "down"]}
                },
                "additionalProperties": false
            },
            "paused": {"type": "string"},
            "strategies": {
                "type": "object",
                "properties": {
                    "IncreaseFirst": {"type": "object"},
                    "DecreaseFirst": {"type": "object"}
                },
                "additionalProperties": false
            },
            "pods": {
                "type": "object",
                "properties": {"label": {"type": "string"}, "revision": {"type": "string"}},
                "required": ["label"],
                "additionalProperties": false
            },
            "status": {
                "type": "object",
                "properties": {
                    "observedGeneration": {"type": "string"},
                    "settled": {},
                    "updated": {},
                    "updatedReady": {},
                    "ready": {},
                    "healthy": {},
                    "updateRevision": {},
                    "currentRevision": {},
                    "reason": {}
                },
                "additionalProperties": false
            }
        },
        "required": ["apiVersion", "kind", "resource"],
        "additionalProperties": false
    }
});
/* clang-format on */

SLUICE_ADAPTER(.name = "generic", .version = SLUICE_VERSION, .needs = SLUICE_NEEDS_DESCRIBE,
               .provides = SLUICE_PROVIDES_SCALE, .manifest = manifest, .validate = validate,
               .observe = observe, .begin = begin, .advance = advance, .finish = finish,
               .describe = describe)
