// SPDX-License-Identifier: Apache-2.0
/* Waves that are alike stand for those that weren't played, others don't. */
#include "cli/fleet.h"

#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Of two copies: so many writes at once and as many ten seconds later. */
static void add(struct fleet *fleet, int writes, int failed)
{
    struct error err = {0};
    json_t *report AUTO_JSON = json_pack(
        "{s:i, s:[{s:s, s:s, s:i, s:f, s:[[i,i,i,i],[i,i,i,i]]}], s:{s:i, s:i}}", "copies", 2,
        "steps", "did", "applied", "object", "Rollout web", "copies", 2, "seconds", 10.0, "load", 0,
        1, writes, 3, 10, 0, writes, 1, "ends", "succeeded", 2 - failed, "failed", failed);
    assert_int_equal(fleet_add_wave(fleet, report, &err), OK);
}

static void test_the_same_second_is_added_up(void **state)
{
    struct fleet fleet = {0};
    add(&fleet, 100, 0);
    add(&fleet, 101, 1);
    assert_int_equal(fleet.played, 4);
    assert_int_equal(fleet.step_count, 1);
    assert_int_equal(fleet.steps[0].load.seconds[0].writes, 201);
    assert_int_equal(fleet.steps[0].load.seconds[10].writes, 201);
    assert_int_equal(load_total(&fleet.steps[0].load).events, 8);
    assert_int_equal(load_peak(&fleet.steps[0].load).events, 6);
    assert_int_equal(fleet.ends[END_SUCCEEDED], 3);
    assert_int_equal(fleet.ends[END_FAILED], 1);
    fleet_done(&fleet);
}

static void test_alike(void **state)
{
    struct fleet fleet = {0};
    add(&fleet, 1000, 0);
    add(&fleet, 1001, 0);
    assert_true(fleet_is_alike(&fleet));
    assert_true(fleet.spread > 0.0005 && fleet.spread < 0.0015);
    fleet_count_rest(&fleet, 1000);
    assert_int_equal(fleet.ends[END_SUCCEEDED], 1000);
    assert_int_equal(fleet.steps[0].copies, 1000);
    assert_int_equal(fleet.steps[0].load.seconds[10].writes, 2001 * 250);
    fleet_done(&fleet);
}

static void test_another_load(void **state)
{
    struct fleet fleet = {0};
    add(&fleet, 1000, 0);
    add(&fleet, 1020, 0);
    assert_false(fleet_is_alike(&fleet));
    fleet_done(&fleet);
}

static void test_another_end(void **state)
{
    struct fleet fleet = {0};
    add(&fleet, 1000, 0);
    add(&fleet, 1000, 1);
    assert_false(fleet_is_alike(&fleet));
    fleet_done(&fleet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_same_second_is_added_up),
        cmocka_unit_test(test_alike),
        cmocka_unit_test(test_another_load),
        cmocka_unit_test(test_another_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
