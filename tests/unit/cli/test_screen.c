// SPDX-License-Identifier: Apache-2.0
#include "base/alloc.h"
#include "cli/screen.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct screen_look plain = {.columns = 6, .rows = 3};
static const struct screen_look coloured = {.columns = 20, .rows = 3, .colour = true};

static void assert_drawn(const char *old, const char *new, const struct screen_look *look,
                         const char *expected)
{
    struct text bytes AUTO(text_done) = {0};
    text_puts(&bytes, "");
    screen_draw(old, new, look, &bytes);
    assert_string_equal(bytes.at, expected);
}

static void test_all_is_drawn_at_first(void **state)
{
    (void)state;
    assert_drawn(NULL, "one\ntwo\n", &plain, "\033[1;1Hone\033[K\033[2;1Htwo\033[K\033[3;1H\033[J");
    assert_drawn(NULL, "", &plain, "\033[1;1H\033[J");
}

static void test_only_what_has_changed(void **state)
{
    (void)state;
    assert_drawn("one\ntwo\nsix\n", "one\ntwo\nsix\n", &plain, "");
    assert_drawn("one\ntwo\nsix\n", "one\nten\nsix\n", &plain, "\033[2;1Hten\033[K");
    assert_drawn("one\n", "one\n\n", &plain, "\033[2;1H\033[K");
    assert_drawn("one\ntwo\nsix\n", "one\n", &plain, "\033[2;1H\033[J");
}

/* What is different beyond the last column looks the same. */
static void test_cut(void **state)
{
    (void)state;
    assert_drawn("", "1234567\n", &plain, "\033[1;1H12345…");
    assert_drawn("1234567\n", "1234589\n", &plain, "");
    assert_drawn("", "123456\n", &plain, "\033[1;1H123456");
    assert_drawn("1\n2\n3\n", "1\n2\n3\n4\n", &plain, "");
    assert_drawn(NULL, "1\n2\n3\n4\n", &plain, "\033[1;1H1\033[K\033[2;1H2\033[K\033[3;1H3\033[K");
}

static void test_colours(void **state)
{
    (void)state;
    assert_drawn("", "a ●●○· 3/5\n", &coloured,
                 "\033[1;1Ha \033[32m●●\033[m\033[33m○\033[m\033[2m·\033[m 3/5\033[K");
}

/* Words from outside can't move the cursor or paint. */
static void test_control_characters(void **state)
{
    (void)state;
    assert_drawn("", "\033[2J\a\n", &plain, "\033[1;1H [2J \033[K");
    assert_drawn("", "a\302\233b\n", &plain, "\033[1;1Ha??b\033[K");
    assert_drawn("", "a\xff\n", &plain, "\033[1;1Ha?\033[K");
}

static void test_print(void **state)
{
    (void)state;
    struct text bytes AUTO(text_done) = {0};
    screen_print("1234567\n\n●\n4\n", &plain, &bytes);
    assert_string_equal(bytes.at, "12345…\n\n●\n4\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_is_drawn_at_first),
        cmocka_unit_test(test_only_what_has_changed),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_colours),
        cmocka_unit_test(test_control_characters),
        cmocka_unit_test(test_print),
    };
    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
