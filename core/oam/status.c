// SPDX-License-Identifier: Apache-2.0
/*
 * The status of an AppRollout, in both directions. Most members are plain values; one table says
 * what each is called and where it stands, so reading and writing can't disagree. A member that is
 * as in a new status says nothing and is left out, which keeps the object small; the few that
 * people expect to see in `kubectl get` are always written.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "oam/approllout.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum member_type { MEMBER_INT, MEMBER_INT64, MEMBER_TIME, MEMBER_BOOL, MEMBER_TEXT };

struct member {
    const char *pointer;
    enum member_type type;
    size_t offset, size;
    enum { UNLESS_NEW, ALWAYS } written;
};

#define FIELD(name)                                                                                \
    offsetof(struct rollout_status, name), sizeof(((struct rollout_status *)0)->name)

static const struct member members[] = {
    {"/observedGeneration", MEMBER_INT64, FIELD(generation), UNLESS_NEW},
    {"/lastTargetAppRevision", MEMBER_TEXT, FIELD(target), ALWAYS},
    {"/LastSourceAppRevision", MEMBER_TEXT, FIELD(source), UNLESS_NEW},
    {"/currentBatch", MEMBER_INT, FIELD(batch), ALWAYS},
    {"/rolloutOriginalSize", MEMBER_INT, FIELD(original_size), UNLESS_NEW},
    {"/rolloutTargetSize", MEMBER_INT, FIELD(target_size), UNLESS_NEW},
    {"/upgradedReplicas", MEMBER_INT, FIELD(upgraded), ALWAYS},
    {"/upgradedReadyReplicas", MEMBER_INT, FIELD(upgraded_ready), ALWAYS},
    {"/targetGeneration", MEMBER_TEXT, FIELD(target_revision), UNLESS_NEW},
    {"/lastAppliedPodTemplateIdentifier", MEMBER_TEXT, FIELD(applied_revision), UNLESS_NEW},
    {"/answeredWish", MEMBER_TEXT, FIELD(answered), UNLESS_NEW},
    {"/wantedSize", MEMBER_INT, FIELD(wanted_size), UNLESS_NEW},
    {"/scale", MEMBER_BOOL, FIELD(scale), UNLESS_NEW},
    {"/halfWay", MEMBER_BOOL, FIELD(half_way), UNLESS_NEW},
    {"/engaged", MEMBER_BOOL, FIELD(engaged), UNLESS_NEW},
    {"/stepTarget", MEMBER_INT, FIELD(step_target), UNLESS_NEW},
    {"/stepTime", MEMBER_TIME, FIELD(step_at_ms), UNLESS_NEW},
    {"/stepMet", MEMBER_BOOL, FIELD(step_met), UNLESS_NEW},
    {"/gate/passed", MEMBER_INT, FIELD(gate.passed), UNLESS_NEW},
    {"/gate/attempts", MEMBER_INT, FIELD(gate.attempts), UNLESS_NEW},
    {"/gate/retryAt", MEMBER_TIME, FIELD(gate.retry_at_ms), UNLESS_NEW},
    {"/standing/since", MEMBER_TIME, FIELD(standing.since_ms), UNLESS_NEW},
    {"/standing/ready", MEMBER_INT, FIELD(standing.ready), UNLESS_NEW},
    {"/reason/message", MEMBER_TEXT, FIELD(reason.message), UNLESS_NEW},
    {"/reason/object", MEMBER_TEXT, FIELD(reason.object), UNLESS_NEW},
    {"/reason/field", MEMBER_TEXT, FIELD(reason.field), UNLESS_NEW},
    {"/reason/expected", MEMBER_TEXT, FIELD(reason.expected), UNLESS_NEW},
    {"/reason/found", MEMBER_TEXT, FIELD(reason.found), UNLESS_NEW},
    {"/reason/since", MEMBER_TIME, FIELD(reason_since_ms), UNLESS_NEW},
};

enum { MEMBER_COUNT = sizeof members / sizeof *members };

/* The machine's texts are cut to fit, maybe within a character. */
static json_t *words(const char *text)
{
    char *copy AUTO_FREE = str_copy(text);
    text_mend(copy);
    return json_string(copy);
}

static json_t *time_write(int64_t wall_ms)
{
    char text[CLOCK_TEXT_SIZE];
    clock_format_micro(wall_ms, text);
    return json_string(text);
}

static json_t *member_write(const struct member *member, const void *at)
{
    switch (member->type) {
    case MEMBER_INT:
        return json_integer(*(const int *)at);
    case MEMBER_INT64:
        return json_integer(*(const int64_t *)at);
    case MEMBER_TIME:
        return time_write(*(const int64_t *)at);
    case MEMBER_BOOL:
        return json_boolean(*(const bool *)at);
    case MEMBER_TEXT:
        break;
    }
    return words(at);
}

static void int_read(const json_t *json, int *at)
{
    json_int_t value = json_integer_value(json);
    if (json_is_integer(json) && value >= INT_MIN && value <= INT_MAX)
        *at = (int)value;
}

static void member_read(const struct member *member, const json_t *json, void *at)
{
    switch (member->type) {
    case MEMBER_INT:
        int_read(json, at);
        return;
    case MEMBER_INT64:
        if (json_is_integer(json))
            *(int64_t *)at = json_integer_value(json);
        return;
    case MEMBER_TIME:
        *(int64_t *)at = clock_parse(json_string_value(json));
        return;
    case MEMBER_BOOL:
        *(bool *)at = json_is_true(json);
        return;
    case MEMBER_TEXT:
        if (json_is_string(json))
            snprintf(at, member->size, "%s", json_string_value(json));
        return;
    }
}

/* Texts are equal when they read the same, whatever stands behind their end. */
static bool member_equal(const struct member *member, const void *a, const void *b)
{
    if (member->type == MEMBER_TEXT)
        return strcmp(a, b) == 0;
    return memcmp(a, b, member->size) == 0;
}

static void members_write(const struct rollout_status *status, json_t *json)
{
    struct rollout_status blank;
    status_new(&blank);
    for (int i = 0; i < MEMBER_COUNT; i++) {
        const struct member *member = &members[i];
        const char *at = (const char *)status + member->offset;
        if (member->written == ALWAYS ||
            !member_equal(member, at, (const char *)&blank + member->offset))
            json_put_take(json, member->pointer, member_write(member, at));
    }
}

static void members_read(const json_t *json, struct rollout_status *status)
{
    for (int i = 0; i < MEMBER_COUNT; i++) {
        const json_t *value = json_at(json, members[i].pointer);
        if (value)
            member_read(&members[i], value, (char *)status + members[i].offset);
    }
}

static void states_write(const struct rollout_status *status, json_t *json)
{
    json_object_set_new(json, "rollingState", json_string(rolling_state_name(status->rolling)));
    json_object_set_new(json, "batchRollingState",
                        json_string(batch_state_name(status->batch_state)));
    if (status->reason.code || *status->reason.message)
        json_put_take(json, "/reason/code", json_string(reason_name(status->reason.code)));
}

/* What can't be understood leaves them as they are. */
static void rolling_read(const json_t *json, enum rolling_state *rolling, enum reason_code *reason)
{
    enum rolling_state state = rolling_state_of(json_string_at(json, "/rollingState"));
    enum reason_code code = reason_of(json_string_at(json, "/reason/code"));
    if (state != ROLLING_STATES)
        *rolling = state;
    if (code != REASON_CODES)
        *reason = code;
}

static void states_read(const json_t *json, struct rollout_status *status)
{
    enum batch_state batch = batch_state_of(json_string_at(json, "/batchRollingState"));
    rolling_read(json, &status->rolling, &status->reason.code);
    if (batch != BATCH_STATES)
        status->batch_state = batch;
}

static json_t *condition_write(enum condition_type type, const struct condition *condition)
{
    json_t *json = json_object();
    json_object_set_new(json, "type", json_string(condition_name(type)));
    json_object_set_new(json, "status",
                        json_string(condition->status == CONDITION_TRUE ? "True" : "False"));
    json_object_set_new(json, "lastTransitionTime", time_write(condition->since_ms));
    json_object_set_new(json, "reason", json_string(reason_name(condition->reason)));
    if (*condition->message)
        json_object_set_new(json, "message", words(condition->message));
    return json;
}

static int by_time(const void *a, const void *b, void *data)
{
    const struct condition *conditions = data;
    int left = *(const int *)a, right = *(const int *)b;
    int64_t before = conditions[left].since_ms, after = conditions[right].since_ms;
    if (before != after)
        return before < after ? -1 : 1;
    return left - right;
}

/* In the order in which they happened: the array tells the way of the rollout. */
static void conditions_write(const struct rollout_status *status, json_t *json)
{
    struct condition conditions[CONDITION_TYPES];
    memcpy(conditions, status->conditions, sizeof conditions);
    int order[CONDITION_TYPES], count = 0;
    for (int i = 0; i < CONDITION_TYPES; i++)
        if (conditions[i].status != CONDITION_ABSENT)
            order[count++] = i;
    if (!count)
        return;
    qsort_r(order, (size_t)count, sizeof *order, by_time, conditions);
    json_t *array = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(
            array, condition_write((enum condition_type)order[i], &status->conditions[order[i]]));
    json_object_set_new(json, "conditions", array);
}

static void condition_read(const json_t *json, struct rollout_status *status)
{
    enum condition_type type = condition_of(json_string_at(json, "/type"));
    const char *state = json_string_at(json, "/status");
    enum reason_code reason = reason_of(json_string_at(json, "/reason"));
    const char *message = json_string_at(json, "/message");
    if (type == CONDITION_TYPES || !(str_equal(state, "True") || str_equal(state, "False")))
        return;
    struct condition *condition = &status->conditions[type];
    condition->status = str_equal(state, "True") ? CONDITION_TRUE : CONDITION_FALSE;
    condition->since_ms = clock_parse(json_string_at(json, "/lastTransitionTime"));
    if (reason != REASON_CODES)
        condition->reason = reason;
    snprintf(condition->message, sizeof condition->message, "%s", message ? message : "");
}

static json_t *status_write(const struct rollout_status *status)
{
    json_t *json = json_object();
    states_write(status, json);
    members_write(status, json);
    conditions_write(status, json);
    return json;
}

static void status_read(const json_t *json, struct rollout_status *status)
{
    size_t index;
    json_t *condition;
    states_read(json, status);
    members_read(json, status);
    json_array_foreach (json_object_get(json, "conditions"), index, condition) {
        condition_read(condition, status);
    }
}

/* Where the record of a component stands: in components[], or at the top unless the top is about
 * another one. NULL when nothing is recorded of it. */
static const json_t *component_record(const json_t *status, const char *component)
{
    const json_t *components = json_object_get(status, "components");
    const char *only = json_string_at(status, "/component");
    if (!component)
        return status;
    if (components)
        return json_find(components, "/name", component);
    return !only || str_equal(only, component) ? status : NULL;
}

void approllout_status_read(const json_t *object, const char *component,
                            struct rollout_status *ret_status)
{
    const json_t *record = component_record(json_at(object, "/status"), component);
    const char *answered = json_string_at(object, "/status/answeredWish");
    status_new(ret_status);
    if (!record && answered) /* what is new was not there when it was asked for */
        snprintf(ret_status->answered, sizeof ret_status->answered, "%s", answered);
    status_read(record, ret_status);
}

void approllout_states_read(const json_t *object, enum rolling_state *ret_state,
                            enum reason_code *ret_reason)
{
    *ret_state = ROLLING_LOCATING; /* the first of each */
    *ret_reason = REASON_WAITING;
    rolling_read(json_at(object, "/status"), ret_state, ret_reason);
}

static bool record_under_way(const json_t *record)
{
    enum rolling_state state = ROLLING_LOCATING;
    enum reason_code reason;
    rolling_read(record, &state, &reason);
    return rolling_state_under_way(state);
}

bool approllout_under_way(const json_t *object)
{
    const json_t *status = json_at(object, "/status");
    json_t *component;
    size_t i;
    bool under_way = record_under_way(status);
    json_array_foreach (json_object_get(status, "components"), i, component)
        under_way = under_way || record_under_way(component);
    return under_way;
}

const json_t *approllout_rolls(const json_t *object, const char *component)
{
    return json_object_get(component_record(json_at(object, "/status"), component), "history");
}

/* How far a state is from the end. Those that lead back or away come first, so that the summary
 * shows them; an end counts only when all have reached one, and a failure is shown before a
 * success. */
static int state_rank(enum rolling_state state)
{
    static const int ranks[ROLLING_STATES] = {
        [ROLLING_DELETING] = 0,   [ROLLING_ABANDONING] = 1, [ROLLING_LOCATING] = 2,
        [ROLLING_VERIFYING] = 3,  [ROLLING_HOLDING] = 3,    [ROLLING_INITIALIZING] = 4,
        [ROLLING_IN_BATCHES] = 5, [ROLLING_FAILING] = 6,    [ROLLING_FINALISING] = 7,
        [ROLLING_FAILED] = 8,     [ROLLING_SUCCEEDED] = 9,
    };
    return ranks[state];
}

static bool status_behind(const struct rollout_status *a, const struct rollout_status *b)
{
    int left = state_rank(a->rolling), right = state_rank(b->rolling);
    if (left != right)
        return left < right;
    if (a->batch != b->batch)
        return a->batch < b->batch;
    return a->batch_state < b->batch_state;
}

static void size_add(int *sum, int size)
{
    if (size >= 0)
        *sum = *sum < 0 ? size : *sum + size;
}

/* The least advanced component stands for all; pods and sizes are added up. */
static json_t *summary_write(const struct component_status *components, size_t count)
{
    const struct rollout_status *last = components[0].status;
    int original = -1, target = -1, upgraded = 0, ready = 0;
    for (size_t i = 0; i < count; i++) {
        const struct rollout_status *status = components[i].status;
        if (status_behind(status, last))
            last = status;
        size_add(&original, status->original_size);
        size_add(&target, status->target_size);
        size_add(&upgraded, status->upgraded);
        size_add(&ready, status->upgraded_ready);
    }
    struct rollout_status sum = *last;
    sum.original_size = original;
    sum.target_size = target;
    sum.upgraded = upgraded;
    sum.upgraded_ready = ready;
    return status_write(&sum);
}

static json_t *component_write(const struct component_status *component)
{
    json_t *json = status_write(component->status);
    if (json_array_size(component->rolls))
        json_object_set(json, "history", (json_t *)(uintptr_t)component->rolls);
    return json;
}

json_t *approllout_status_write(const struct component_status *components, size_t count)
{
    if (count == 0)
        return json_object();
    if (count == 1) {
        json_t *only = component_write(&components[0]);
        if (components[0].name)
            json_object_set_new(only, "component", json_string(components[0].name));
        return only;
    }
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *entry = component_write(&components[i]);
        json_object_set_new(entry, "name", json_string(components[i].name));
        json_array_append_new(array, entry);
    }
    json_t *summary = summary_write(components, count);
    json_object_set_new(summary, "components", array);
    return summary;
}

/* Takes out what moves by itself while nothing is decided: the counters, the workload's revision,
 * what is waited for just now, and since when. A stop that a person has asked for shows in the
 * states and conditions too, but for the partition's. */
static void counters_remove(json_t *status)
{
    static const char *const moving[] = {"/upgradedReplicas", "/upgradedReadyReplicas",
                                         "/targetGeneration", "/standing", "/reason"};
    for (size_t i = 0; i < sizeof moving / sizeof *moving; i++)
        json_remove_at(status, moving[i]);
}

static json_t *without_counters(const json_t *status)
{
    size_t index;
    json_t *entry, *parts = json_array();
    json_t *copy = json_copy((json_t *)(uintptr_t)status); /* shares what isn't changed */
    counters_remove(copy);
    json_array_foreach (json_object_get(status, "components"), index, entry) {
        json_t *part = json_copy(entry);
        counters_remove(part);
        json_array_append_new(parts, part);
    }
    json_object_set_new(copy, "components", parts);
    return copy;
}

static bool at_partition(const json_t *status)
{
    return str_equal(json_string_at(status, "/reason/code"), reason_name(REASON_PARTITION_REACHED));
}

/* Whoever looks at that moment is the one who is waited for. */
static bool partition_reached(const json_t *before, const json_t *after)
{
    size_t index;
    json_t *part;
    const json_t *parts = json_object_get(before, "components");
    if (at_partition(after) && !at_partition(before))
        return true;
    json_array_foreach (json_object_get(after, "components"), index, part)
        if (at_partition(part) && !at_partition(json_array_get(parts, index)))
            return true;
    return false;
}

enum status_change approllout_status_compare(const json_t *before, const json_t *after)
{
    if (before == after || json_equal(before, after))
        return STATUS_SAME;
    json_t *left AUTO_JSON = without_counters(before);
    json_t *right AUTO_JSON = without_counters(after);
    bool counts_only = json_equal(left, right) && !partition_reached(before, after);
    return counts_only ? STATUS_COUNTERS : STATUS_DIFFERENT;
}
