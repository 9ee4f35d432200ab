// SPDX-License-Identifier: Apache-2.0
/* Whose turn it is where not all may roll at once. */
#include "passes.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "reconcile/turns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct line {
    struct passes passes;
    struct turns turns;
};

static void setup(struct line *line, struct turns_limits limits)
{
    *line = (struct line){0};
    passes_init(&line->passes, 8);
    line->passes.ending = END_WELL;
    turns_limit(&line->turns, limits);
}

static void teardown(struct line *line)
{
    turns_done(&line->turns);
    passes_done(&line->passes);
}

static struct turns_of who(struct line *line, const char *key)
{
    return (struct turns_of){"Rollout", key, line->passes.queue};
}

static void see(struct line *line, const char *key, const char *state, const char *reason,
                int64_t since_ms)
{
    char since[CLOCK_TEXT_SIZE];
    clock_format_micro(since_ms, since);
    json_t *object AUTO_JSON = json_pack("{s:{s:s, s:{s:s, s:s}}}", "status", "rollingState", state,
                                         "reason", "code", reason, "since", since);
    const struct turns_of of = who(line, key);
    turns_see(&line->turns, &of, object);
}

static void rolls(struct line *line, const char *key)
{
    see(line, key, "rollingInBatches", "PodsNotReady", 1000);
}

static void waits(struct line *line, const char *key, int64_t since_ms)
{
    see(line, key, "verifyingSpec", "Queued", since_ms);
}

static void ends(struct line *line, const char *key)
{
    see(line, key, "rolloutSucceed", "Succeeded", 1000);
}

static bool takes(struct line *line, const char *key, bool must, char *why)
{
    const struct turns_of of = who(line, key);
    const struct turns_wish wish = {.must = must, .since_ms = 5000};
    return turns_take(&line->turns, &of, &wish, why, 160);
}

static void pass_over(struct line *line, const char *key)
{
    const struct turns_of of = who(line, key);
    turns_pass_ended(&line->turns, &of);
}

/* Who was called, in order, since the last time this was asked. */
static void assert_called(struct line *line, const char *keys)
{
    char found[256] = "";
    size_t from = line->passes.count;
    passes_after(&line->passes, 5);
    for (size_t i = from; i < line->passes.count; i++)
        snprintf(found + strlen(found), sizeof found - strlen(found), "%s%s", *found ? " " : "",
                 line->passes.keys[i]);
    assert_string_equal(found, keys);
}

static void test_no_limit(void **state)
{
    struct line line;
    char why[160] = "";
    setup(&line, (struct turns_limits){0});
    rolls(&line, "a/1");
    assert_true(takes(&line, "a/2", false, why));
    assert_string_equal(why, "");
    teardown(&line);
}

static void test_limit_of_all(void **state)
{
    struct line line;
    char why[160];
    setup(&line, (struct turns_limits){.all = 2});
    rolls(&line, "a/1");
    assert_true(takes(&line, "b/1", false, why));
    assert_false(takes(&line, "c/1", false, why));
    assert_string_equal(
        why, "waits for its turn: 2 rolls may be under way at the same time (rolls.atOnce)");
    rolls(&line, "b/1");
    pass_over(&line, "b/1");
    assert_called(&line, "");
    ends(&line, "a/1");
    assert_called(&line, "c/1");
    assert_false(takes(&line, "d/1", false, why)); /* the place is c/1's */
    assert_true(takes(&line, "c/1", false, why));
    teardown(&line);
}

static void test_limit_in_a_namespace(void **state)
{
    struct line line;
    char why[160];
    setup(&line, (struct turns_limits){.in_namespace = 1});
    rolls(&line, "a/1");
    assert_false(takes(&line, "a/2", false, why));
    assert_string_equal(why, "waits for its turn: 1 roll may be under way in namespace a "
                             "(rolls.atOncePerNamespace)");
    assert_true(takes(&line, "b/1", false, why));
    teardown(&line);
}

/* Before who has waited longest comes the namespace that has the fewest under way. */
static void test_fair(void **state)
{
    struct line line;
    setup(&line, (struct turns_limits){.all = 3});
    rolls(&line, "a/1");
    rolls(&line, "a/2");
    rolls(&line, "b/1");
    waits(&line, "a/3", 1000);
    waits(&line, "a/4", 500);
    waits(&line, "b/2", 2000);
    waits(&line, "c/1", 9000);
    assert_called(&line, "");
    ends(&line, "a/1");
    assert_called(&line, "c/1");
    ends(&line, "a/2");
    assert_called(&line, "a/4");
    ends(&line, "b/1");
    assert_called(&line, "b/2");
    teardown(&line);
}

/* One that was called and doesn't begin gives the next one the place, and isn't called again before
 * it asks. */
static void test_a_place_that_is_not_used(void **state)
{
    struct line line;
    char why[160];
    setup(&line, (struct turns_limits){.all = 1});
    rolls(&line, "a/1");
    waits(&line, "b/1", 1000);
    waits(&line, "b/2", 2000);
    ends(&line, "a/1");
    assert_called(&line, "b/1");
    pass_over(&line, "b/1"); /* one that was under way when it was called */
    assert_called(&line, "b/1");
    pass_over(&line, "b/1");
    assert_called(&line, "b/2");
    assert_false(takes(&line, "b/1", false, why));
    pass_over(&line, "b/2");
    pass_over(&line, "b/2");
    assert_called(&line, "b/2 b/1");
    teardown(&line);
}

/* What began and couldn't be recorded hasn't begun. */
static void test_a_place_that_was_taken_in_vain(void **state)
{
    struct line line;
    char why[160];
    setup(&line, (struct turns_limits){.all = 1});
    assert_true(takes(&line, "a/1", false, why));
    assert_false(takes(&line, "a/2", false, why));
    pass_over(&line, "a/1");
    assert_called(&line, "a/2");
    teardown(&line);
}

static void test_one_that_must_begin(void **state)
{
    struct line line;
    char why[160];
    setup(&line, (struct turns_limits){.all = 1});
    rolls(&line, "a/1");
    assert_true(takes(&line, "a/2", true, why));
    rolls(&line, "a/2");
    pass_over(&line, "a/2");
    waits(&line, "a/3", 1000);
    ends(&line, "a/1");
    assert_called(&line, ""); /* there is still one */
    ends(&line, "a/2");
    assert_called(&line, "a/3");
    teardown(&line);
}

static void test_one_that_goes(void **state)
{
    struct line line;
    setup(&line, (struct turns_limits){.all = 1});
    rolls(&line, "a/1");
    waits(&line, "a/2", 1000);
    waits(&line, "a/3", 2000);
    const struct turns_of second = who(&line, "a/2"), first = who(&line, "a/1");
    turns_see(&line.turns, &second, NULL);
    turns_see(&line.turns, &first, NULL);
    assert_called(&line, "a/3");
    teardown(&line);
}

static void test_another_limit(void **state)
{
    struct line line;
    setup(&line, (struct turns_limits){.all = 1});
    rolls(&line, "a/1");
    waits(&line, "a/2", 1000);
    waits(&line, "a/3", 2000);
    turns_limit(&line.turns, (struct turns_limits){.all = 2});
    assert_called(&line, "a/2");
    turns_limit(&line.turns, (struct turns_limits){0});
    assert_called(&line, "a/3");
    teardown(&line);
}

/* Who doesn't act calls nobody, and knows all the same. */
static void test_held(void **state)
{
    struct line line;
    setup(&line, (struct turns_limits){.all = 1});
    turns_hold(&line.turns, true);
    waits(&line, "a/2", 1000);
    rolls(&line, "a/1");
    ends(&line, "a/1");
    assert_called(&line, "");
    turns_hold(&line.turns, false);
    assert_called(&line, "a/2");
    teardown(&line);
}

/* Of a rollout with several components each has its place when one of them has. */
static void test_several_components(void **state)
{
    struct line line;
    char why[160];
    setup(&line, (struct turns_limits){.all = 1});
    json_t *object AUTO_JSON =
        json_pack("{s:{s:s, s:[{s:s}, {s:s}]}}", "status", "rollingState", "verifyingSpec",
                  "components", "rollingState", "verifyingSpec", "rollingState", "finalising");
    const struct turns_of of = who(&line, "a/1");
    turns_see(&line.turns, &of, object);
    assert_true(takes(&line, "a/1", false, why));
    assert_false(takes(&line, "a/2", false, why));
    teardown(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_limit),
        cmocka_unit_test(test_limit_of_all),
        cmocka_unit_test(test_limit_in_a_namespace),
        cmocka_unit_test(test_fair),
        cmocka_unit_test(test_a_place_that_is_not_used),
        cmocka_unit_test(test_a_place_that_was_taken_in_vain),
        cmocka_unit_test(test_one_that_must_begin),
        cmocka_unit_test(test_one_that_goes),
        cmocka_unit_test(test_another_limit),
        cmocka_unit_test(test_held),
        cmocka_unit_test(test_several_components),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
