// SPDX-License-Identifier: Apache-2.0
#include "base/alloc.h"
#include "cli/table.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_written(const struct table *table, int width, const char *expected)
{
    struct text text AUTO(text_done) = {0};
    table_write(table, width, &text);
    assert_string_equal(text.at, expected);
}

static void test_table(void **state)
{
    (void)state;
    struct table table AUTO(table_done) = {
        .columns = 3, .heads = (const char *const[]){"NAME", "PODS", "STATE"}, .indent = 1};
    table_cell(&table, "web");
    table_cell(&table, "%s", "●●·");
    table_cell(&table, "waits for %d pods", 2);
    table_cell(&table, "a-longer-name");
    table_cell(&table, "%s", "");
    table_cell(&table, "done");
    table_cell(&table, "last");
    assert_written(&table, 0,
                   " NAME           PODS  STATE\n"
                   " web            ●●·   waits for 2 pods\n"
                   " a-longer-name        done\n"
                   " last\n");
    assert_written(&table, 32,
                   " NAME           PODS  STATE\n"
                   " web            ●●·   waits for…\n"
                   " a-longer-name        done\n"
                   " last\n");
    assert_written(&table, 10, /* too narrow for anything: the last column is but a sign */
                   " NAME           PODS  …\n"
                   " web            ●●·   …\n"
                   " a-longer-name        …\n"
                   " last\n");
}

static void test_wrapped(void **state)
{
    (void)state;
    struct table table AUTO(table_done) = {.columns = 2, .wrap = true};
    table_cell(&table, "a");
    table_cell(&table, "one two three four");
    table_cell(&table, "b");
    table_cell(&table, "%s", "");
    assert_written(&table, 14, "a  one two\n   three four\nb\n");
    assert_written(&table, 9, "a  one t…\nb\n"); /* no room to wrap into */
    assert_written(&table, 0, "a  one two three four\nb\n");
}

static void test_empty(void **state)
{
    (void)state;
    struct table bare = {.columns = 2};
    struct text text AUTO(text_done) = {0};
    table_write(&bare, 0, &text);
    assert_int_equal(text.len, 0);
    struct table headed = {.columns = 2, .heads = (const char *const[]){"A", "B"}};
    assert_written(&headed, 0, "A  B\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_wrapped),
        cmocka_unit_test(test_empty),
    };
    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
