// SPDX-License-Identifier: Apache-2.0
#include "common/workload.h"

enum { REVISION_MAX_BYTES = 127, REASON_MAX_BYTES = 255 }; /* what a STATUS may carry */

/* ---- numbers and text ---- */

int within(int64_t value, int least, int most)
{
    return value < least ? least : value > most ? most : (int)value;
}

int whole_at(json_t *root, const char *pointer, int fallback)
{
    return within(sluice_int(root, pointer, fallback), 0, INT32_MAX);
}

int scaled(json_t *value, int size, enum rounding rounding)
{
    if (json_is_integer(value))
        return within(json_integer_value(value), 0, INT32_MAX);
    int percent =
        json_is_string(value) ? within(strtol(json_string_value(value), NULL, 10), 0, 10000) : 0;
    int64_t hundredths = (int64_t)percent * size + (rounding == ROUND_UP ? 99 : 0);
    return within(hundredths / 100, 0, INT32_MAX);
}

bool positive(json_t *value)
{
    return scaled(value, 100, ROUND_UP) > 0;
}

static bool inside_character(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

json_t *reason_text(const char *text)
{
    size_t length = strlen(text);
    if (length > REASON_MAX_BYTES)
        for (length = REASON_MAX_BYTES; length > 0 && inside_character(text[length]);)
            length--;
    return json_stringn(text, length);
}

json_t *revision_name(const char *name)
{
    size_t length = strlen(name);
    if (length > REVISION_MAX_BYTES)
        for (name += length - REVISION_MAX_BYTES; inside_character(*name);)
            name++;
    return json_string(name);
}

/* ---- reading a workload ---- */

int size_of(json_t *workload)
{
    return whole_at(workload, "/spec/replicas", 1);
}

bool being_deleted(json_t *object)
{
    return sluice_at(object, "/metadata/deletionTimestamp") != NULL;
}

bool generation_seen(json_t *workload)
{
    return sluice_int(workload, "/status/observedGeneration", 0) >=
           sluice_int(workload, "/metadata/generation", 0);
}

static const char *kind_of(json_t *object)
{
    return sluice_string(object, "/kind");
}

bool marked(json_t *workload, json_t *target)
{
    const char *holder = sluice_annotation(target, MARK_HOLDER);
    return *holder && strcmp(holder, sluice_annotation(workload, MARK_HOLDER)) == 0 &&
           strcmp(sluice_annotation(target, MARK_APPLIED),
                  sluice_annotation(workload, MARK_APPLIED)) == 0;
}

/* Does the target's rollout hold the workload? Without a target, whoever holds it is let go. */
static bool held(json_t *workload, json_t *target)
{
    const char *live = sluice_annotation(workload, MARK_HOLDER);
    const char *ours = sluice_annotation(target, MARK_HOLDER);
    if (*ours)
        return strcmp(live, ours) == 0;
    return target || *live;
}

void restore_take(json_t *object, json_t *target, const char *pointer, json_t *fallback)
{
    json_t *found = sluice_at(object, pointer), *wanted = sluice_at(target, pointer);
    bool same = json_equal(found ? found : fallback, wanted ? wanted : fallback);
    if (!same && wanted)
        sluice_put_take(object, pointer, json_incref(wanted));
    else if (!same)
        sluice_remove(object, pointer);
    json_decref(fallback);
}

void put_default_take(json_t *object, const char *pointer, json_t *value)
{
    if (sluice_at(object, pointer))
        json_decref(value);
    else
        sluice_put_take(object, pointer, value);
}

/* ---- observe ---- */

int32_t observe_missing(const struct sluice_request *request)
{
    return sluice_emit_take(request, SLUICE_STATUS,
                            json_pack("{s:i, s:i, s:i, s:i, s:b}", "size", 0, "updated", 0,
                                      "updatedReady", 0, "ready", 0, "settled", 1));
}

/* ---- validate ---- */

bool increase_first_asked(const struct sluice_request *request)
{
    return sluice_bool(request->json, "/strategyGiven", false) &&
           strcmp(sluice_string(request->json, "/strategy"), "IncreaseFirst") == 0;
}

int32_t check_replicas(const struct sluice_request *request, json_t *target)
{
    json_t *replicas = sluice_at(target, "/spec/replicas");
    if (!replicas || (json_is_integer(replicas) && json_integer_value(replicas) >= 0))
        return SLUICE_OK;
    return sluice_fail(request, SLUICE_INVALID, "/target/spec/replicas",
                       "spec.replicas of the %.63s: expected a whole number from 0 on",
                       kind_of(target));
}

int32_t check_selector(const struct sluice_request *request, json_t *workload, json_t *target)
{
    json_t *live = sluice_at(workload, "/spec/selector");
    if (!live || json_equal(live, sluice_at(target, "/spec/selector")))
        return SLUICE_OK;
    char *text = json_dumps(live, JSON_COMPACT);
    sluice_fail(request, SLUICE_INVALID, "/target/spec/selector",
                "spec.selector of the %.63s: expected %.300s as it is in the cluster, because it "
                "can't be changed",
                kind_of(target), text ? text : "the one");
    free(text);
    return SLUICE_INVALID;
}

/* ---- begin ---- */

/* All kinds have their size there but those that `generic` is told about, by this option. */
static const char *size_pointer(const struct sluice_request *request)
{
    const char *told = sluice_string(request->json, "/options/replicas");
    return *told ? told : "/spec/replicas";
}

/* A kind that has a pod on every node has none. */
static bool has_size(const struct sluice_request *request, json_t *workload)
{
    return *sluice_string(request->json, "/options/replicas") ||
           sluice_at(workload, "/spec/replicas");
}

static int32_t emit_apply_take(const struct sluice_request *request, json_t *object)
{
    sluice_remove(object, "/status");
    return sluice_emit_take(request, SLUICE_PATCH,
                            json_pack("{s:s, s:o}", "type", "apply", "body", object));
}

/* Batches then scale it up, if it is of a kind that can be scaled. */
static int32_t create(const struct sluice_request *request, hold_fn *hold)
{
    json_t *object = json_deep_copy(sluice_at(request->json, "/target"));
    if (sluice_bool(request->json, "/scale", false))
        sluice_put_take(object, size_pointer(request), json_integer(0));
    else
        hold(request, NULL, object);
    return emit_apply_take(request, object);
}

static int32_t take_over(const struct sluice_request *request, json_t *workload, hold_fn *hold)
{
    json_t *object = json_deep_copy(sluice_at(request->json, "/target"));
    sluice_put_take(object, "/metadata/resourceVersion",
                    json_string(sluice_string(workload, "/metadata/resourceVersion")));
    if (has_size(request, workload))
        sluice_put_take(object, size_pointer(request),
                        json_integer(whole_at(workload, size_pointer(request), 1)));
    hold(request, workload, object);
    return emit_apply_take(request, object);
}

/* A merge patch, because only these two annotations are known here and others must stay. */
static int32_t put_marks(const struct sluice_request *request, json_t *workload, json_t *target)
{
    json_t *body = json_pack("{s:{s:s, s:{s:s, s:s}}}", "metadata", "resourceVersion",
                             sluice_string(workload, "/metadata/resourceVersion"), "annotations",
                             MARK_HOLDER, sluice_annotation(target, MARK_HOLDER), MARK_APPLIED,
                             sluice_annotation(target, MARK_APPLIED));
    return sluice_emit_take(request, SLUICE_PATCH,
                            json_pack("{s:s, s:o}", "type", "merge", "body", body));
}

int32_t begin_workload(const struct sluice_request *request, hold_fn *hold)
{
    json_t *workload = sluice_at(request->json, "/workload");
    json_t *target = sluice_at(request->json, "/target");
    if (!target)
        return sluice_fail(request, SLUICE_BUG, "/target", "begin: expected a target");
    if (!workload)
        return create(request, hold);
    if (being_deleted(workload))
        return sluice_fail(request, SLUICE_STALE, "/workload",
                           "the %.63s is being deleted; waiting until it is gone",
                           kind_of(workload));
    if (marked(workload, target))
        return SLUICE_OK;
    if (sluice_bool(request->json, "/scale", false))
        return put_marks(request, workload, target);
    return take_over(request, workload, hold);
}

/* ---- advance ---- */

static int32_t emit_take(const struct sluice_request *request, json_t *workload, json_t *after,
                         const char *const *relies_on)
{
    int32_t result = sluice_emit_changes(request, workload, after, relies_on);
    json_decref(after);
    return result;
}

int32_t emit_roll_take(const struct sluice_request *request, json_t *workload, json_t *after)
{
    const char *const relies_on[] = {size_pointer(request), NULL};
    return emit_take(request, workload, after, has_size(request, workload) ? relies_on : NULL);
}

static int32_t scale_to_goal(const struct sluice_request *request, json_t *workload)
{
    if (sluice_bool(request->json, "/paused", false))
        return SLUICE_OK;
    json_t *after = json_deep_copy(workload);
    sluice_put_take(after, size_pointer(request),
                    json_integer(sluice_int(request->json, "/goal", 0)));
    return emit_take(request, workload, after, NULL);
}

bool template_changed(const struct sluice_request *request)
{
    return sluice_bool(request->json, "/templateChanged", false);
}

int32_t advance_workload(const struct sluice_request *request, roll_fn *roll)
{
    json_t *workload = sluice_at(request->json, "/workload");
    if (!workload)
        return sluice_fail(request, SLUICE_STALE, "/workload", "the %.63s isn't there",
                           kind_of(sluice_at(request->json, "/target")));
    if (being_deleted(workload))
        return sluice_fail(request, SLUICE_STALE, "/workload", "the %.63s is being deleted",
                           kind_of(workload));
    if (sluice_bool(request->json, "/scale", false))
        return scale_to_goal(request, workload);
    return roll(request, workload);
}

int32_t tell_hold_taken_off(const struct sluice_request *request, json_t *workload,
                            const char *fields)
{
    json_t *message =
        json_sprintf("%s changed by somebody else while a rollout holds the %.63s; leave that "
                     "alone until the rollout has ended",
                     fields, kind_of(workload));
    return sluice_emit_take(request, SLUICE_EVENT,
                            json_pack("{s:s, s:s, s:o}", "type", "Warning", "reason",
                                      "HoldTakenOff", "message", message));
}

/* ---- finish ---- */

bool succeeded(const struct sluice_request *request)
{
    return sluice_at(request->json, "/target") &&
           strcmp(sluice_string(request->json, "/outcome"), "succeeded") == 0;
}

int32_t finish_workload(const struct sluice_request *request, give_back_fn *give_back)
{
    json_t *workload = sluice_at(request->json, "/workload");
    if (!workload || being_deleted(workload) ||
        !held(workload, sluice_at(request->json, "/target")))
        return SLUICE_OK;
    json_t *after = json_deep_copy(workload);
    sluice_remove(after, HOLDER_POINTER);
    if (sluice_bool(request->json, "/scale", false))
        return emit_take(request, workload, after, NULL);
    if (give_back(request, workload, after))
        return emit_roll_take(request, workload, after);
    json_decref(after);
    return SLUICE_OK;
}
