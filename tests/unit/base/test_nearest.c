// SPDX-License-Identifier: Apache-2.0
#include "base/nearest.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char *const verbs[] = {"status", "states", "lint", "plan", "version", NULL};

static void assert_hint(const char *word, const char *expected)
{
    char *hint AUTO_FREE = nearest_hint(word, verbs);
    assert_string_equal(hint, expected);
}

static void test_a_slip(void **state)
{
    (void)state;
    assert_hint("lnit", "; did you mean \"lint\"?"); /* one swap */
    assert_hint("plans", "; did you mean \"plan\"?");
    assert_hint("verion", "; did you mean \"version\"?");
    assert_hint("LINT", "; did you mean \"lint\"?");
}

static void test_several_the_likest_first(void **state)
{
    (void)state;
    assert_hint("state", "; did you mean \"states\" or \"status\"?");
    assert_hint("statu", "; did you mean \"status\" or \"states\"?");
}

static void test_the_beginning_of_a_name(void **state)
{
    (void)state;
    assert_hint("ver", "; did you mean \"version\"?");
    assert_hint("ve", "");
}

static void test_nothing_like_it(void **state)
{
    (void)state;
    assert_hint("rollback", "");
    assert_hint("", "");
    assert_hint("sssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss",
                "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_slip),
        cmocka_unit_test(test_several_the_likest_first),
        cmocka_unit_test(test_the_beginning_of_a_name),
        cmocka_unit_test(test_nothing_like_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
