// SPDX-License-Identifier: Apache-2.0
#include "base/alloc.h"
#include "cli/layout.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_width(void **state)
{
    (void)state;
    assert_int_equal(layout_width(""), 0);
    assert_int_equal(layout_width("abc"), 3);
    assert_int_equal(layout_width("●●·"), 3);
    assert_int_equal(layout_width("日本"), 4);
    assert_int_equal(layout_width("e\u0301"), 1); /* a letter with a combining accent */
    assert_int_equal(layout_width("a\xff"
                                  "b"),
                     3); /* no UTF-8 */
    assert_int_equal(layout_width("a\tb"), 3);
}

static void assert_cut(const char *text, int columns, const char *expected)
{
    char *cut AUTO_FREE = layout_cut(text, columns);
    assert_string_equal(cut, expected);
}

static void test_cut(void **state)
{
    (void)state;
    assert_cut("abcdef", 6, "abcdef");
    assert_cut("abcdef", 5, "abcd…");
    assert_cut("日本語", 5, "日本…");
    assert_cut("日本語", 4, "日…");
    assert_cut("abcdef", 1, "…");
    assert_cut("abcdef", 0, "");
}

static void test_wrap(void **state)
{
    (void)state;
    struct text text AUTO(text_done) = {0};
    layout_wrap(&text, "one two three four", 0, 4, 9);
    assert_string_equal(text.at, "one two\n    three\n    four\n");
    text_clear(&text);
    layout_wrap(&text, "averylongwordthatdoesntfit in", 2, 2, 9);
    assert_string_equal(text.at, "averylongwordthatdoesntfit\n  in\n");
    text_clear(&text);
    layout_wrap(&text, "", 0, 0, 9);
    assert_string_equal(text.at, "\n");
}

static void test_paragraphs(void **state)
{
    (void)state;
    struct text text AUTO(text_done) = {0};
    layout_paragraphs(&text, "one two three\nfour\n\n  as it    is, whatever its width\nfive", 9);
    assert_string_equal(text.at,
                        "one two\nthree\nfour\n\n  as it    is, whatever its width\nfive\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_width),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_wrap),
        cmocka_unit_test(test_paragraphs),
    };
    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
