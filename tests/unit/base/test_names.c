// SPDX-License-Identifier: Apache-2.0
#include "base/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void each_once_and_in_order(void **state)
{
    static const char *const more[] = {"b", "c", "a"};
    struct names names = {0};
    char word[] = "a";
    assert_false(names_have(&names, "a"));
    names_add(&names, word);
    word[0] = 'x'; /* it has a copy */
    names_add_all(&names, more, 3);
    assert_int_equal(names.count, 3);
    assert_string_equal(names.at[0], "a");
    assert_string_equal(names.at[1], "b");
    assert_string_equal(names.at[2], "c");
    assert_true(names_have(&names, "c"));
    assert_false(names_have(&names, "x"));
    names_done(&names);
    assert_int_equal(names.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_once_and_in_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
