// SPDX-License-Identifier: Apache-2.0
/* Maintenance windows: open or closed, and when the next one opens. */
#include "config/windows.h"

#include "base/alloc.h"
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static unsigned day(const char *name)
{
    return 1U << windows_day(name);
}

static struct windows *windows_of(const struct window *items, size_t count)
{
    struct windows *windows = mem_alloc(sizeof *windows + count * sizeof *items);
    windows->count = count;
    memcpy(windows->items, items, count * sizeof *items);
    return windows;
}

/* The 2nd of November 2026 was a Monday. opens: NULL: it is open. */
struct moment {
    const char *at, *opens;
};

static void assert_moments(const struct window *items, size_t count, const struct moment *moments)
{
    struct windows *windows = windows_of(items, count);
    for (; moments->at; moments++) {
        char found[CLOCK_TEXT_SIZE] = "open";
        int64_t opens_ms;
        if (windows_closed(windows, clock_parse(moments->at), &opens_ms))
            clock_format(opens_ms, found);
        if (strcmp(found, moments->opens ? moments->opens : "open") != 0)
            fail_msg("at %s: %s instead of %s", moments->at, found, moments->opens);
    }
    free(windows);
}

static void test_over_midnight(void **state)
{
    const struct window night = {day("Mon") | day("Wed"), 22 * 60, 6 * 60};
    static const struct moment moments[] = {
        {"2026-11-02T21:59:59.999Z", "2026-11-02T22:00:00Z"},
        {"2026-11-02T22:00:00Z", NULL},
        {"2026-11-03T05:59:59Z", NULL},
        {"2026-11-03T06:00:00Z", "2026-11-04T22:00:00Z"},
        {"2026-11-03T23:00:00Z", "2026-11-04T22:00:00Z"},
        {"2026-11-05T06:00:00Z", "2026-11-09T22:00:00Z"},
        {NULL, NULL},
    };
    assert_moments(&night, 1, moments);
}

static void test_over_the_end_of_the_week(void **state)
{
    const struct window night = {day("Sat"), 23 * 60, 60};
    static const struct moment moments[] = {
        {"2026-11-07T23:30:00Z", NULL},
        {"2026-11-08T00:59:00Z", NULL},
        {"2026-11-08T01:00:00Z", "2026-11-14T23:00:00Z"},
        {"1969-12-31T12:00:00Z", "1970-01-03T23:00:00Z"},
        {NULL, NULL},
    };
    assert_moments(&night, 1, moments);
}

/* The nearest of several counts, and so does any that is open. */
static void test_several(void **state)
{
    const struct window items[] = {{EVERY_DAY, 2 * 60, 4 * 60}, {day("Fri"), 0, 24 * 60}};
    static const struct moment moments[] = {
        {"2026-11-05T12:00:00Z", "2026-11-06T00:00:00Z"},
        {"2026-11-06T12:00:00Z", NULL},
        {"2026-11-06T23:59:59Z", NULL},
        {"2026-11-07T00:00:00Z", "2026-11-07T02:00:00Z"},
        {NULL, NULL},
    };
    assert_moments(items, 2, moments);
}

static void test_none(void **state)
{
    int64_t opens_ms;
    assert_false(windows_closed(NULL, 0, &opens_ms));
}

static void test_equal(void **state)
{
    const struct window night = {EVERY_DAY, 0, 60}, longer = {EVERY_DAY, 0, 61};
    struct windows *a = windows_of(&night, 1), *b = windows_of(&night, 1),
                   *c = windows_of(&longer, 1);
    assert_true(windows_equal(a, b));
    assert_false(windows_equal(a, c));
    assert_false(windows_equal(a, NULL));
    assert_true(windows_equal(NULL, NULL));
    free(a);
    free(b);
    free(c);
}

static void test_words(void **state)
{
    static const char *const no_times[] = {"", "6:00", "24:01", "12:60", "1200", "ab:cd", "12:3x"};
    for (size_t i = 0; i < sizeof no_times / sizeof *no_times; i++)
        assert_int_equal(windows_minute(no_times[i]), -1);
    assert_int_equal(windows_minute("00:00"), 0);
    assert_int_equal(windows_minute("23:59"), 23 * 60 + 59);
    assert_int_equal(windows_minute("24:00"), 24 * 60);
    assert_int_equal(windows_day("Sun"), 0);
    assert_int_equal(windows_day("sun"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_over_midnight), cmocka_unit_test(test_over_the_end_of_the_week),
        cmocka_unit_test(test_several),       cmocka_unit_test(test_none),
        cmocka_unit_test(test_equal),         cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
