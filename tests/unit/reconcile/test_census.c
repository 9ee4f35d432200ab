// SPDX-License-Identifier: Apache-2.0
/* Counting rollouts as they change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "reconcile/census.h"

static void see(struct census *census, const char *key, const char *state, const char *reason)
{
    json_t *object AUTO_JSON =
        json_pack("{s:{s:s, s:{s:s}}}", "status", "rollingState", state, "reason", "code", reason);
    census_see(census, key, object);
}

static size_t sum(const size_t *counts, int count)
{
    size_t all = 0;
    for (int i = 0; i < count; i++)
        all += counts[i];
    return all;
}

static void test_each_is_counted_where_it_is(void **state)
{
    struct census census = {0};
    (void)state;
    see(&census, "a/one", "rollingInBatches", "PodsNotReady");
    see(&census, "a/two", "rollingInBatches", "Paused");
    see(&census, "a/two", "rolloutSucceed", "Succeeded");
    see(&census, "a/two", "rolloutSucceed", "Succeeded");
    assert_int_equal(census.states[ROLLING_IN_BATCHES], 1);
    assert_int_equal(census.states[ROLLING_SUCCEEDED], 1);
    assert_int_equal(census.reasons[reason_of("PodsNotReady")], 1);
    assert_int_equal(census.reasons[reason_of("Paused")], 0);
    assert_int_equal(sum(census.states, ROLLING_STATES), 2);
    assert_int_equal(sum(census.reasons, REASON_CODES), 2);
    census_done(&census);
}

static void test_what_has_gone_is_not_counted(void **state)
{
    struct census census = {0};
    (void)state;
    see(&census, "a/one", "rolloutFailed", "Failed");
    census_forget(&census, "a/one");
    census_forget(&census, "a/one");
    census_forget(&census, "a/never-seen");
    assert_int_equal(sum(census.states, ROLLING_STATES), 0);
    assert_int_equal(sum(census.reasons, REASON_CODES), 0);
    census_done(&census);
}

static void test_one_without_a_status_has_just_begun(void **state)
{
    struct census census = {0};
    json_t *object AUTO_JSON = json_object();
    (void)state;
    census_see(&census, "a/new", object);
    assert_int_equal(census.states[ROLLING_LOCATING], 1);
    census_done(&census);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_is_counted_where_it_is),
        cmocka_unit_test(test_what_has_gone_is_not_counted),
        cmocka_unit_test(test_one_without_a_status_has_just_begun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
