// SPDX-License-Identifier: Apache-2.0
#include "base/alloc.h"
#include "cli/bar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_bar(struct pods pods, const char *expected)
{
    struct text text AUTO(text_done) = {0};
    text_puts(&text, "");
    bar_add(&text, pods);
    assert_string_equal(text.at, expected);
}

static void test_a_sign_a_pod(void **state)
{
    (void)state;
    assert_bar((struct pods){.ready = 1, .updated = 2, .size = 4}, "●○··");
    assert_bar((struct pods){.ready = 4, .updated = 4, .size = 4}, "●●●●");
    assert_bar((struct pods){.size = 2}, "··");
    assert_bar((struct pods){.size = 0}, "");
    assert_bar((struct pods){.size = -1}, "");
    assert_bar((struct pods){.ready = 3, .updated = 2, .size = 4}, "●●··"); /* counted in between */
    assert_bar((struct pods){.ready = 9, .updated = 9, .size = 2}, "●●");
}

static void test_more_pods_than_signs(void **state)
{
    (void)state;
    assert_bar((struct pods){.ready = 50, .updated = 75, .size = 100}, "●●●●●●●●●●○○○○○·····");
    /* One is seen, and the last one that is missing too. */
    assert_bar((struct pods){.ready = 1, .updated = 1, .size = 1000}, "●···················");
    assert_bar((struct pods){.ready = 999, .updated = 1000, .size = 1000}, "●●●●●●●●●●●●●●●●●●●○");
}

static void assert_age(int64_t ms, const char *expected)
{
    struct text text AUTO(text_done) = {0};
    age_add(&text, ms);
    assert_string_equal(text.at, expected);
}

static void test_age(void **state)
{
    (void)state;
    assert_age(-5, "0s"); /* clocks differ */
    assert_age(119999, "119s");
    assert_age(120000, "2m");
    assert_age(2 * 3600 * 1000 - 1, "119m");
    assert_age(2 * 3600 * 1000, "2h");
    assert_age(INT64_C(86400) * 3 * 1000, "3d");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_sign_a_pod),
        cmocka_unit_test(test_more_pods_than_signs),
        cmocka_unit_test(test_age),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
