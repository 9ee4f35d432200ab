// SPDX-License-Identifier: Apache-2.0
/* The status of an AppRollout: out and in again without loss, whatever it holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/json.h"
#include "oam/approllout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 4000 };

static uint64_t seed;

static uint32_t any(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33);
}

static int below(int limit)
{
    return (int)(any() % (uint32_t)limit);
}

static bool maybe(void)
{
    return any() & 1;
}

/* Half of them empty; some with characters of several bytes, of quotes, of line ends. */
static void any_text(char *at, size_t size)
{
    static const char *const pieces[] = {"a",  "Z",  "9", "-",  ".", "\"",
                                         "\\", "\n", "é", "批", "😀"};
    size_t length = 0;
    at[0] = '\0';
    for (int i = maybe() ? below(40) : 0; i > 0; i--) {
        const char *piece = pieces[below(sizeof pieces / sizeof *pieces)];
        if (length + strlen(piece) < size)
            length += (size_t)snprintf(at + length, size - length, "%s", piece);
    }
}

static int64_t any_time(void)
{
    return maybe() ? 0 : 1600000000000 + (int64_t)any() * 1000 + below(1000);
}

static int any_size(void)
{
    return maybe() ? -1 : below(100000);
}

static void any_reason(struct rollout_status *status)
{
    status->reason.code = (enum reason_code)below(REASON_CODES);
    any_text(status->reason.message, sizeof status->reason.message);
    any_text(status->reason.object, sizeof status->reason.object);
    any_text(status->reason.field, sizeof status->reason.field);
    any_text(status->reason.expected, sizeof status->reason.expected);
    any_text(status->reason.found, sizeof status->reason.found);
    status->reason_since_ms = any_time();
}

static void any_conditions(struct rollout_status *status)
{
    for (int i = 0; i < CONDITION_TYPES; i++) {
        struct condition *condition = &status->conditions[i];
        if (maybe())
            continue;
        condition->status = maybe() ? CONDITION_TRUE : CONDITION_FALSE;
        condition->since_ms = any_time();
        condition->reason = (enum reason_code)below(REASON_CODES);
        any_text(condition->message, sizeof condition->message);
    }
}

static void any_status(struct rollout_status *status)
{
    memset(status, 0, sizeof *status);
    status->rolling = (enum rolling_state)below(ROLLING_STATES);
    status->batch_state = (enum batch_state)below(BATCH_STATES);
    status->batch = below(1000);
    status->scale = maybe();
    status->original_size = any_size();
    status->target_size = any_size();
    status->upgraded = below(1000);
    status->upgraded_ready = below(1000);
    status->step_target = any_size();
    status->step_at_ms = any_time();
    status->step_met = maybe();
    status->engaged = maybe();
    any_text(status->target, sizeof status->target);
    any_text(status->source, sizeof status->source);
    status->wanted_size = any_size();
    any_text(status->target_revision, sizeof status->target_revision);
    any_text(status->applied_revision, sizeof status->applied_revision);
    status->generation = below(1 << 30);
    any_text(status->answered, sizeof status->answered);
    status->gate = (struct gate){maybe() ? 0 : below(9), maybe() ? 0 : below(9), any_time()};
    any_reason(status);
    any_conditions(status);
}

/* Through text, as it goes to the apiserver and comes back. */
static json_t *as_object(json_t *status)
{
    json_t *object AUTO_JSON = json_pack("{s:o}", "status", status);
    char *text AUTO_FREE = json_text(object);
    json_t *again = NULL;
    assert_int_equal(json_parse(text, strlen(text), &again, NULL), OK);
    return again;
}

static void assert_same_reason(const struct reason *a, const struct reason *b)
{
    assert_int_equal(a->code, b->code);
    assert_string_equal(a->message, b->message);
    assert_string_equal(a->object, b->object);
    assert_string_equal(a->field, b->field);
    assert_string_equal(a->expected, b->expected);
    assert_string_equal(a->found, b->found);
}

static void assert_same_conditions(const struct rollout_status *a, const struct rollout_status *b)
{
    for (int i = 0; i < CONDITION_TYPES; i++) {
        assert_int_equal(a->conditions[i].status, b->conditions[i].status);
        assert_true(a->conditions[i].since_ms == b->conditions[i].since_ms);
        assert_int_equal(a->conditions[i].reason, b->conditions[i].reason);
        assert_string_equal(a->conditions[i].message, b->conditions[i].message);
    }
}

/* Every member by name, and then all bytes at once, so that a member which is added to the struct
 * and to none of these functions is noticed. */
static void assert_same_status(const struct rollout_status *a, const struct rollout_status *b)
{
    assert_string_equal(rolling_state_name(a->rolling), rolling_state_name(b->rolling));
    assert_string_equal(batch_state_name(a->batch_state), batch_state_name(b->batch_state));
    assert_int_equal(a->batch, b->batch);
    assert_int_equal(a->scale, b->scale);
    assert_int_equal(a->original_size, b->original_size);
    assert_int_equal(a->target_size, b->target_size);
    assert_int_equal(a->upgraded, b->upgraded);
    assert_int_equal(a->upgraded_ready, b->upgraded_ready);
    assert_int_equal(a->step_target, b->step_target);
    assert_true(a->step_at_ms == b->step_at_ms);
    assert_int_equal(a->step_met, b->step_met);
    assert_int_equal(a->engaged, b->engaged);
    assert_string_equal(a->target, b->target);
    assert_string_equal(a->source, b->source);
    assert_int_equal(a->wanted_size, b->wanted_size);
    assert_string_equal(a->target_revision, b->target_revision);
    assert_string_equal(a->applied_revision, b->applied_revision);
    assert_true(a->generation == b->generation);
    assert_string_equal(a->answered, b->answered);
    assert_int_equal(a->gate.passed, b->gate.passed);
    assert_int_equal(a->gate.attempts, b->gate.attempts);
    assert_true(a->gate.retry_at_ms == b->gate.retry_at_ms);
    assert_true(a->standing.since_ms == b->standing.since_ms);
    assert_int_equal(a->standing.ready, b->standing.ready);
    assert_same_reason(&a->reason, &b->reason);
    assert_true(a->reason_since_ms == b->reason_since_ms);
    assert_same_conditions(a, b);
}

static void test_round_trip(void **state)
{
    struct rollout_status out, in;
    for (seed = 1; seed <= ROUNDS; seed++) {
        uint64_t round = seed;
        any_status(&out);
        struct component_status one = {"web", &out, NULL};
        json_t *object AUTO_JSON = as_object(approllout_status_write(&one, 1));
        approllout_status_read(object, "web", &in);
        assert_same_status(&out, &in);
        seed = round;
    }
}

/* The struct grew: give the new member a place in status.c and in the functions above. */
_Static_assert(sizeof(struct rollout_status) == 12000, "struct rollout_status has changed");

static void test_round_trip_several(void **state)
{
    static const char *const names[] = {"a", "b", "c", "d", "e"};
    struct rollout_status out[5], in;
    struct component_status components[5];
    for (seed = 1; seed <= ROUNDS / 10; seed++) {
        uint64_t round = seed;
        size_t count = 2 + (size_t)below(4);
        for (size_t i = 0; i < count; i++) {
            any_status(&out[i]);
            components[i] = (struct component_status){names[i], &out[i], NULL};
        }
        json_t *object AUTO_JSON = as_object(approllout_status_write(components, count));
        for (size_t i = 0; i < count; i++) {
            approllout_status_read(object, names[i], &in);
            assert_same_status(&out[i], &in);
        }
        seed = round;
    }
}

static void test_nothing_recorded(void **state)
{
    struct rollout_status blank, in;
    status_new(&blank);
    json_t *object AUTO_JSON = json_object();
    approllout_status_read(object, NULL, &in);
    assert_same_status(&blank, &in);
    approllout_status_read(object, "web", &in);
    assert_same_status(&blank, &in);
}

/* A component that wasn't there when something was wished isn't asked for it. */
static void test_a_new_component_has_answered_what_all_have(void **state)
{
    struct rollout_status status[2], in;
    status_new(&status[0]);
    strcpy(status[0].answered, "4711");
    status[1] = status[0];
    struct component_status two[] = {{"a", &status[0], NULL}, {"b", &status[1], NULL}};
    json_t *object AUTO_JSON = as_object(approllout_status_write(two, 2));
    approllout_status_read(object, "c", &in);
    assert_string_equal(in.answered, "4711");
}

static void test_new_status_is_small(void **state)
{
    struct rollout_status blank;
    status_new(&blank);
    struct component_status one = {NULL, &blank, NULL};
    json_t *status AUTO_JSON = approllout_status_write(&one, 1);
    char *text AUTO_FREE = json_text(status);
    assert_string_equal(text, "{\"rollingState\":\"locatingTargetApp\","
                              "\"batchRollingState\":\"batchInitializing\","
                              "\"lastTargetAppRevision\":\"\",\"currentBatch\":0,"
                              "\"upgradedReplicas\":0,\"upgradedReadyReplicas\":0}");
}

static void test_wire_names(void **state)
{
    struct rollout_status status;
    status_new(&status);
    status.rolling = ROLLING_IN_BATCHES;
    status.batch_state = BATCH_VERIFYING;
    status.batch = 1;
    status.original_size = status.target_size = 5;
    status.upgraded = 3;
    status.upgraded_ready = 2;
    status.step_target = 3;
    status.step_at_ms = 1700000000123;
    status.engaged = true;
    status.generation = 7;
    status.gate = (struct gate){1, 2, 1700000001000};
    strcpy(status.target, "app-v2");
    strcpy(status.source, "app-v1");
    strcpy(status.target_revision, "web-abc");
    strcpy(status.applied_revision, "web-def");
    status.conditions[CONDITION_BATCH_READY] =
        (struct condition){CONDITION_TRUE, 1700000000002, REASON_BATCH_DONE, "done"};
    status.conditions[CONDITION_ROLLOUT_INITIALIZING] =
        (struct condition){CONDITION_TRUE, 1700000000001, REASON_TAKEN_OVER, ""};
    struct component_status one = {"web", &status, NULL};
    json_t *json AUTO_JSON = approllout_status_write(&one, 1);
    json_t *wanted AUTO_JSON = json_pack(
        "{s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:s, s:b, s:i, s:{s:i, s:i, s:s}, s:s, s:s, "
        "s:s, s:s, s:[{s:s, s:s, s:s, s:s}, {s:s, s:s, s:s, s:s, s:s}]}",
        "component", "web", "rollingState", "rollingInBatches", "batchRollingState",
        "batchVerifying", "currentBatch", 1, "rolloutOriginalSize", 5, "rolloutTargetSize", 5,
        "upgradedReplicas", 3, "upgradedReadyReplicas", 2, "stepTarget", 3, "stepTime",
        "2023-11-14T22:13:20.123000Z", "engaged", 1, "observedGeneration", 7, "gate", "passed", 1,
        "attempts", 2, "retryAt", "2023-11-14T22:13:21.000000Z", "lastTargetAppRevision", "app-v2",
        "LastSourceAppRevision", "app-v1", "targetGeneration", "web-abc",
        "lastAppliedPodTemplateIdentifier", "web-def", "conditions", "type", "RolloutInitializing",
        "status", "True", "lastTransitionTime", "2023-11-14T22:13:20.001000Z", "reason",
        "TakenOver", "type", "BatchReady", "status", "True", "lastTransitionTime",
        "2023-11-14T22:13:20.002000Z", "reason", "BatchDone", "message", "done");
    char *found AUTO_FREE = json_canonical(json);
    char *expected AUTO_FREE = json_canonical(wanted);
    assert_string_equal(found, expected);
}

static void test_conditions_in_order_of_time(void **state)
{
    for (seed = 1; seed <= 1000; seed++) {
        uint64_t round = seed;
        struct rollout_status status;
        any_status(&status);
        struct component_status one = {NULL, &status, NULL};
        json_t *json AUTO_JSON = approllout_status_write(&one, 1);
        const char *before = "";
        size_t index;
        json_t *condition;
        json_array_foreach (json_object_get(json, "conditions"), index, condition) {
            const char *time = json_string_at(condition, "/lastTransitionTime");
            assert_true(strcmp(before, time) <= 0);
            before = time;
        }
        seed = round;
    }
}

/* Whatever isn't understood is as if it weren't there, and spoils nothing else. */
static void test_what_is_not_understood(void **state)
{
    static const char text[] =
        "{\"status\":{\"rollingState\":\"sideways\",\"batchRollingState\":7,\"currentBatch\":\"1\","
        "\"rolloutTargetSize\":99999999999,\"upgradedReplicas\":4,\"engaged\":\"yes\","
        "\"stepTime\":\"yesterday\",\"targetGeneration\":[],\"reason\":\"none\",\"gate\":[],"
        "\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"},"
        "{\"type\":\"BatchReady\",\"status\":\"Unknown\"},7,"
        "{\"type\":\"BatchPaused\",\"status\":\"False\",\"reason\":\"?\"}]}}";
    struct rollout_status wanted, in;
    json_t *object AUTO_JSON = NULL;
    assert_int_equal(json_parse(text, sizeof text - 1, &object, NULL), OK);
    status_new(&wanted);
    wanted.upgraded = 4;
    wanted.conditions[CONDITION_BATCH_PAUSED].status = CONDITION_FALSE;
    approllout_status_read(object, NULL, &in);
    assert_same_status(&wanted, &in);
}

static void test_cut_text_is_mended(void **state)
{
    struct rollout_status status, in;
    status_new(&status);
    strcpy(status.target, "caf\xc3");
    struct component_status one = {NULL, &status, NULL};
    json_t *object AUTO_JSON = as_object(approllout_status_write(&one, 1));
    approllout_status_read(object, NULL, &in);
    assert_string_equal(in.target, "caf?");
}

static void set_up(struct rollout_status *status, enum rolling_state rolling, int batch, int size)
{
    status_new(status);
    status->rolling = rolling;
    status->batch = batch;
    status->original_size = status->target_size = size;
    status->upgraded = batch;
    status->upgraded_ready = 1;
}

static json_t *summary_of(enum rolling_state first, enum rolling_state second)
{
    struct rollout_status a, b;
    set_up(&a, first, 2, 5);
    set_up(&b, second, 1, 3);
    struct component_status both[] = {{"a", &a, NULL}, {"b", &b, NULL}};
    return approllout_status_write(both, 2);
}

static void assert_summary(enum rolling_state first, enum rolling_state second,
                           enum rolling_state shown)
{
    json_t *one AUTO_JSON = summary_of(first, second);
    json_t *other AUTO_JSON = summary_of(second, first);
    assert_string_equal(json_string_at(one, "/rollingState"), rolling_state_name(shown));
    assert_string_equal(json_string_at(other, "/rollingState"), rolling_state_name(shown));
}

static void test_summary_shows_the_least_advanced(void **state)
{
    assert_summary(ROLLING_SUCCEEDED, ROLLING_IN_BATCHES, ROLLING_IN_BATCHES);
    assert_summary(ROLLING_FAILED, ROLLING_IN_BATCHES, ROLLING_IN_BATCHES);
    assert_summary(ROLLING_FAILED, ROLLING_SUCCEEDED, ROLLING_FAILED);
    assert_summary(ROLLING_LOCATING, ROLLING_VERIFYING, ROLLING_LOCATING);
    assert_summary(ROLLING_ABANDONING, ROLLING_LOCATING, ROLLING_ABANDONING);
    assert_summary(ROLLING_DELETING, ROLLING_SUCCEEDED, ROLLING_DELETING);
    assert_summary(ROLLING_FINALISING, ROLLING_FAILING, ROLLING_FAILING);
    assert_summary(ROLLING_SUCCEEDED, ROLLING_SUCCEEDED, ROLLING_SUCCEEDED);
}

static void test_summary_adds_up(void **state)
{
    json_t *status AUTO_JSON = summary_of(ROLLING_IN_BATCHES, ROLLING_IN_BATCHES);
    assert_int_equal(json_int_at(status, "/rolloutTargetSize", 0), 8);
    assert_int_equal(json_int_at(status, "/rolloutOriginalSize", 0), 8);
    assert_int_equal(json_int_at(status, "/upgradedReplicas", 0), 3);
    assert_int_equal(json_int_at(status, "/upgradedReadyReplicas", 0), 2);
    assert_int_equal(json_int_at(status, "/currentBatch", -1), 1);
    assert_int_equal(json_int_at(status, "/components/0/upgradedReplicas", 0), 2);
    assert_string_equal(json_string_at(status, "/components/1/name"), "b");
    assert_null(json_at(status, "/component"));
}

static void test_summary_of_unknown_sizes(void **state)
{
    struct rollout_status a, b;
    set_up(&a, ROLLING_IN_BATCHES, 0, 5);
    status_new(&b);
    struct component_status both[] = {{"a", &a, NULL}, {"b", &b, NULL}};
    json_t *status AUTO_JSON = approllout_status_write(both, 2);
    assert_int_equal(json_int_at(status, "/rolloutTargetSize", 0), 5);
    both[0].status = &b;
    json_t *unknown AUTO_JSON = approllout_status_write(both, 2);
    assert_null(json_at(unknown, "/rolloutTargetSize"));
}

/* The list of components may change between two rollouts: nobody inherits another's record. */
static void test_components_that_come_and_go(void **state)
{
    struct rollout_status a, b, blank, in;
    set_up(&a, ROLLING_SUCCEEDED, 2, 5);
    set_up(&b, ROLLING_FAILED, 1, 3);
    status_new(&blank);
    struct component_status both[] = {{"a", &a, NULL}, {"b", &b, NULL}};
    json_t *one AUTO_JSON = as_object(approllout_status_write(both, 1));
    json_t *two AUTO_JSON = as_object(approllout_status_write(both, 2));
    approllout_status_read(one, "a", &in);
    assert_same_status(&a, &in);
    approllout_status_read(one, "b", &in);
    assert_same_status(&blank, &in);
    approllout_status_read(two, "b", &in);
    assert_same_status(&b, &in);
    approllout_status_read(two, "c", &in);
    assert_same_status(&blank, &in);
}

/* As KubeVela wrote it, without telling which component it is about. */
static void test_component_not_named(void **state)
{
    struct rollout_status a, in;
    set_up(&a, ROLLING_SUCCEEDED, 2, 5);
    struct component_status one = {NULL, &a, NULL};
    json_t *object AUTO_JSON = as_object(approllout_status_write(&one, 1));
    approllout_status_read(object, "web", &in);
    assert_same_status(&a, &in);
}

static void test_no_components(void **state)
{
    json_t *status AUTO_JSON = approllout_status_write(NULL, 0);
    assert_int_equal(json_object_size(status), 0);
}

static enum status_change compare(const struct rollout_status *a, const struct rollout_status *b)
{
    struct component_status before[] = {{"a", a, NULL}, {"b", a, NULL}};
    struct component_status after[] = {{"a", b, NULL}, {"b", b, NULL}};
    json_t *one AUTO_JSON = approllout_status_write(before, 1);
    json_t *other AUTO_JSON = approllout_status_write(after, 1);
    json_t *several AUTO_JSON = approllout_status_write(before, 2);
    json_t *others AUTO_JSON = approllout_status_write(after, 2);
    enum status_change change = approllout_status_compare(one, other);
    assert_int_equal(approllout_status_compare(several, others), change);
    return change;
}

static void test_compare(void **state)
{
    struct rollout_status before, after;
    set_up(&before, ROLLING_IN_BATCHES, 1, 5);
    before.reason.code = REASON_PODS_NOT_READY;
    strcpy(before.reason.message, "1 of 3 are ready");
    strcpy(before.reason.expected, "3");
    strcpy(before.reason.found, "1");
    after = before;
    assert_int_equal(compare(&before, &after), STATUS_SAME);
    after.upgraded = 4;
    after.upgraded_ready = 2;
    strcpy(after.reason.message, "2 of 3 are ready");
    strcpy(after.reason.found, "2");
    assert_int_equal(compare(&before, &after), STATUS_COUNTERS);
    after.reason.code = REASON_WORKLOAD_BEHIND;
    strcpy(after.target_revision, "web-6dfb5d4bbc");
    assert_int_equal(compare(&before, &after), STATUS_COUNTERS);
    after.reason.code = REASON_PARTITION_REACHED;
    assert_int_equal(compare(&before, &after), STATUS_DIFFERENT);
    assert_int_equal(compare(&after, &before), STATUS_COUNTERS);
    after = before;
    after.conditions[CONDITION_BATCH_PAUSED].status = CONDITION_TRUE;
    assert_int_equal(compare(&before, &after), STATUS_DIFFERENT);
    after = before;
    after.generation++;
    assert_int_equal(compare(&before, &after), STATUS_DIFFERENT);
    after = before;
    after.batch_state = BATCH_READY;
    assert_int_equal(compare(&before, &after), STATUS_DIFFERENT);
    after = before;
    after.conditions[CONDITION_BATCH_READY].status = CONDITION_TRUE;
    assert_int_equal(compare(&before, &after), STATUS_DIFFERENT);
}

static void test_compare_with_nothing(void **state)
{
    json_t *status AUTO_JSON = json_pack("{s:i}", "upgradedReplicas", 0);
    assert_int_equal(approllout_status_compare(NULL, NULL), STATUS_SAME);
    assert_int_equal(approllout_status_compare(NULL, status), STATUS_DIFFERENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_round_trip_several),
        cmocka_unit_test(test_nothing_recorded),
        cmocka_unit_test(test_a_new_component_has_answered_what_all_have),
        cmocka_unit_test(test_new_status_is_small),
        cmocka_unit_test(test_wire_names),
        cmocka_unit_test(test_conditions_in_order_of_time),
        cmocka_unit_test(test_what_is_not_understood),
        cmocka_unit_test(test_cut_text_is_mended),
        cmocka_unit_test(test_summary_shows_the_least_advanced),
        cmocka_unit_test(test_summary_adds_up),
        cmocka_unit_test(test_summary_of_unknown_sizes),
        cmocka_unit_test(test_components_that_come_and_go),
        cmocka_unit_test(test_component_not_named),
        cmocka_unit_test(test_no_components),
        cmocka_unit_test(test_compare),
        cmocka_unit_test(test_compare_with_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
