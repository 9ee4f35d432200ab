// SPDX-License-Identifier: Apache-2.0
/* The record of the last rolls: what becomes of it move by move. */
#include "base/alloc.h"
#include "base/json.h"
#include "oam/approllout.h"
#include "oam/rolls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

/* A rollout, and the clock. */
struct story {
    json_t *rolls;
    struct rollout_status before;
    struct decision decision;
    struct asked asked;
    int64_t now_ms;
};

static void story_begin(struct story *story)
{
    *story = (struct story){.now_ms = 1769860800000};
    status_new(&story->before);
}

static void wants(struct story *story, const char *target, const char *source)
{
    struct rollout_status *s = &story->decision.status;
    *s = story->before;
    s->target_size = 5;
    snprintf(s->target, sizeof s->target, "%s", target);
    snprintf(s->source, sizeof s->source, "%s", source);
    story->before = *s;
}

static void asks(struct story *story, const char *verb, const char *by)
{
    story->asked = (struct asked){.at_ms = story->now_ms};
    snprintf(story->asked.verb, sizeof story->asked.verb, "%s", verb);
    snprintf(story->asked.by, sizeof story->asked.by, "%s", by);
}

/* The moves that were added are decided, and count. */
static void decided(struct story *story)
{
    const struct rolls_news news = {&story->before, &story->decision, 3, &story->asked,
                                    story->now_ms};
    json_t *rolls = rolls_note(story->rolls, &news);
    json_decref(story->rolls);
    story->rolls = rolls;
    story->before = story->decision.status;
    story->decision.move_count = 0;
}

static struct move *moves(struct story *story, enum rolling_state from, enum rolling_state to)
{
    struct move *move = &story->decision.moves[story->decision.move_count++];
    *move = (struct move){.from = from, .to = to};
    story->decision.status.rolling = to;
    return move;
}

static void batch_moves(struct story *story, enum batch_state from, enum batch_state to)
{
    struct move *move = moves(story, ROLLING_IN_BATCHES, ROLLING_IN_BATCHES);
    move->batch_from = from;
    move->batch_to = to;
}

static void ends(struct story *story, enum rolling_state from, enum rolling_state to,
                 enum reason_code why, const char *message)
{
    struct move *move = moves(story, from, to);
    move->why.code = why;
    snprintf(move->why.message, sizeof move->why.message, "%s", message);
}

static void begins(struct story *story, const char *target, const char *source)
{
    wants(story, target, source);
    moves(story, ROLLING_VERIFYING, ROLLING_INITIALIZING);
    moves(story, ROLLING_INITIALIZING, ROLLING_IN_BATCHES);
    decided(story);
}

static void passes(struct story *story, int seconds)
{
    story->now_ms += seconds * 1000;
}

static void fails(struct story *story, enum reason_code why, const char *message)
{
    ends(story, ROLLING_IN_BATCHES, ROLLING_FAILING, why, message);
    decided(story);
    ends(story, ROLLING_FAILING, ROLLING_FAILED, REASON_FAILED, message);
    decided(story);
}

/* The roll as text, with ' for ". */
static void assert_roll(const struct story *story, size_t at, const char *wanted)
{
    char *text AUTO_FREE = json_canonical(json_array_get(story->rolls, at));
    for (char *c = text; *c; c++)
        if (*c == '"')
            *c = '\'';
    assert_string_equal(text, wanted);
}

static void story_end(struct story *story)
{
    json_decref(story->rolls);
}

static void test_a_roll_with_its_times(void **state)
{
    struct story story;
    story_begin(&story);
    begins(&story, "v2", "v1");
    assert_roll(&story, 0,
                "{'batchBegan':'2026-01-31T12:00:00.000000Z','batches':3,"
                "'began':'2026-01-31T12:00:00.000000Z','source':'v1','target':'v2'}");
    passes(&story, 12);
    batch_moves(&story, BATCH_FINALIZING, BATCH_READY);
    decided(&story);
    passes(&story, 1000); /* at the gate */
    asks(&story, "approve", "jo");
    batch_moves(&story, BATCH_READY, BATCH_INITIALIZING);
    decided(&story);
    passes(&story, 7);
    batch_moves(&story, BATCH_FINALIZING, BATCH_READY);
    moves(&story, ROLLING_IN_BATCHES, ROLLING_FINALISING);
    story.decision.status.upgraded = 5;
    ends(&story, ROLLING_FINALISING, ROLLING_SUCCEEDED, REASON_SUCCEEDED, "all is well");
    decided(&story);
    assert_int_equal(json_array_size(story.rolls), 1);
    assert_roll(&story, 0,
                "{'asked':[{'at':'2026-01-31T12:16:52Z','by':'jo','verb':'approve'}],"
                "'batchSeconds':[12,7],'batches':3,'batchesDone':2,"
                "'began':'2026-01-31T12:00:00.000000Z','ended':'2026-01-31T12:16:59.000000Z',"
                "'message':'all is well','size':5,'source':'v1','target':'v2','upgraded':5,"
                "'verdict':'Succeeded'}");
    story_end(&story);
}

static const char *verdict(const struct story *story, size_t at)
{
    return json_string_at(json_array_get(story->rolls, at), "/verdict");
}

static void test_verdicts(void **state)
{
    struct story story;
    story_begin(&story);
    begins(&story, "v2", "v1");
    fails(&story, REASON_HOOK_REJECTED, "no");
    begins(&story, "v3", "v1");
    fails(&story, REASON_ABORTED, "jo has aborted it");
    wants(&story, "v4", "v1");
    ends(&story, ROLLING_LOCATING, ROLLING_FAILED, REASON_ABORTED, "before a pod was moved");
    decided(&story);
    begins(&story, "v5", "v1");
    moves(&story, ROLLING_IN_BATCHES, ROLLING_ABANDONING);
    decided(&story);
    status_new(&story.decision.status); /* it begins anew */
    story.before.upgraded = 2;
    ends(&story, ROLLING_ABANDONING, ROLLING_LOCATING, REASON_ABANDONED, "the target has changed");
    decided(&story);
    begins(&story, "v6", "v1");
    ends(&story, ROLLING_IN_BATCHES, ROLLING_FAILING, REASON_ABORTED, "jo has aborted it");
    moves(&story, ROLLING_FAILING, ROLLING_ABANDONING);
    ends(&story, ROLLING_ABANDONING, ROLLING_LOCATING, REASON_ABANDONED, "the target has changed");
    decided(&story);
    assert_int_equal(json_array_size(story.rolls), 5);
    assert_string_equal(verdict(&story, 4), "Aborted");
    assert_string_equal(verdict(&story, 0), "Failed");
    assert_string_equal(verdict(&story, 1), "Aborted");
    assert_string_equal(verdict(&story, 2), "Aborted");
    assert_null(json_object_get(json_array_get(story.rolls, 2), "began"));
    assert_string_equal(verdict(&story, 3), "Abandoned");
    assert_int_equal(json_int_at(json_array_get(story.rolls, 3), "/upgraded", -1), 2);
    story_end(&story);
}

/* What is said again and again is said once. */
static void test_refusals(void **state)
{
    struct story story;
    story_begin(&story);
    begins(&story, "v1", "");
    fails(&story, REASON_HOOK_REJECTED, "no");
    for (int i = 0; i < 20; i++) {
        wants(&story, i < 19 ? "v2" : "v3", "v1");
        ends(&story, ROLLING_VERIFYING, ROLLING_FAILED, REASON_REFUSED, i < 18 ? "bad" : "worse");
        decided(&story);
    }
    assert_int_equal(json_array_size(story.rolls), 3);
    assert_string_equal(verdict(&story, 1), "Refused");
    assert_string_equal(json_string_at(json_array_get(story.rolls, 1), "/message"), "worse");
    story_end(&story);
}

static void test_what_is_no_roll(void **state)
{
    struct story story;
    story_begin(&story);
    wants(&story, "v1", "");
    asks(&story, "pause", "jo");
    moves(&story, ROLLING_VERIFYING, ROLLING_HOLDING);
    moves(&story, ROLLING_HOLDING, ROLLING_VERIFYING);
    moves(&story, ROLLING_VERIFYING, ROLLING_SUCCEEDED);
    moves(&story, ROLLING_SUCCEEDED, ROLLING_LOCATING);
    moves(&story, ROLLING_VERIFYING, ROLLING_LOCATING);
    decided(&story);
    assert_int_equal(json_array_size(story.rolls), 0);
    story_end(&story);
}

static const char *first_asked(const struct story *story, size_t at)
{
    return json_string_at(json_array_get(story->rolls, at), "/asked/0/verb");
}

/* It belongs to one roll: that which it has begun, or was under way. */
static void test_who_has_asked(void **state)
{
    struct story story;
    story_begin(&story);
    begins(&story, "v2", "v1");
    asks(&story, "rollback", "jo");
    moves(&story, ROLLING_IN_BATCHES, ROLLING_ABANDONING);
    decided(&story);
    decided(&story); /* it is being given back still */
    ends(&story, ROLLING_ABANDONING, ROLLING_LOCATING, REASON_ABANDONED, "");
    decided(&story);
    begins(&story, "v1", "v2");
    assert_null(first_asked(&story, 0));
    assert_string_equal(first_asked(&story, 1), "rollback");
    passes(&story, 5);
    asks(&story, "abort", "jo");
    fails(&story, REASON_ABORTED, "");
    assert_string_equal(json_string_at(json_array_get(story.rolls, 1), "/asked/1/verb"), "abort");
    begins(&story, "v3", "v1"); /* by whatever other way */
    assert_null(first_asked(&story, 2));
    story_end(&story);
}

static void test_it_is_bounded(void **state)
{
    struct story story;
    story_begin(&story);
    for (int i = 0; i < 30; i++) {
        char target[16];
        snprintf(target, sizeof target, "v%d", i);
        begins(&story, target, "");
        for (int k = 0; k < 60; k++) {
            asks(&story, k % 2 ? "pause" : "resume", "jo");
            passes(&story, 1);
            batch_moves(&story, BATCH_FINALIZING, BATCH_READY);
            batch_moves(&story, BATCH_READY, BATCH_INITIALIZING);
            decided(&story);
        }
        fails(&story, REASON_HOOK_REJECTED, "no");
    }
    assert_int_equal(json_array_size(story.rolls), ROLLS_MAX);
    const json_t *last = json_array_get(story.rolls, ROLLS_MAX - 1);
    assert_string_equal(json_string_at(last, "/target"), "v29");
    assert_int_equal(json_array_size(json_at(last, "/asked")), 10);
    assert_int_equal(json_array_size(json_at(last, "/batchSeconds")), 50);
    assert_int_equal(json_int_at(last, "/batchesDone", 0), 60);
    story_end(&story);
}

/* One whose beginning nobody has noted, as before an upgrade, is noted at its end. */
static void test_the_beginning_is_missing(void **state)
{
    struct story story;
    story_begin(&story);
    wants(&story, "v2", "v1");
    batch_moves(&story, BATCH_FINALIZING, BATCH_READY);
    ends(&story, ROLLING_FINALISING, ROLLING_SUCCEEDED, REASON_SUCCEEDED, "");
    decided(&story);
    assert_string_equal(verdict(&story, 0), "Succeeded");
    assert_null(json_object_get(json_array_get(story.rolls, 0), "began"));
    story_end(&story);
}

/* Its place in the status: beside what else is recorded of the component. */
static void test_in_the_status(void **state)
{
    struct rollout_status status;
    status_new(&status);
    json_t *one AUTO_JSON = json_pack("[{s:s}]", "target", "v2");
    json_t *two AUTO_JSON = json_pack("[{s:s}, {s:s}]", "target", "v2", "target", "v3");
    struct component_status parts[] = {{"a", &status, one}, {"b", &status, two}};
    json_t *alone AUTO_JSON = json_pack("{s:o}", "status", approllout_status_write(parts, 1));
    json_t *both AUTO_JSON = json_pack("{s:o}", "status", approllout_status_write(parts, 2));
    assert_true(json_equal((json_t *)(uintptr_t)approllout_rolls(alone, "a"), one));
    assert_true(json_equal((json_t *)(uintptr_t)approllout_rolls(alone, NULL), one));
    assert_true(json_equal((json_t *)(uintptr_t)approllout_rolls(both, "b"), two));
    assert_null(approllout_rolls(both, NULL));
    assert_null(approllout_rolls(both, "c"));
    json_t *more AUTO_JSON = approllout_status_write(&parts[1], 1);
    json_object_set_new(more, "component", json_string("a"));
    assert_int_equal(approllout_status_compare(json_at(alone, "/status"), more), STATUS_DIFFERENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_roll_with_its_times),
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_what_is_no_roll),
        cmocka_unit_test(test_who_has_asked),
        cmocka_unit_test(test_it_is_bounded),
        cmocka_unit_test(test_the_beginning_is_missing),
        cmocka_unit_test(test_in_the_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
