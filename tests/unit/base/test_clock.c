// SPDX-License-Identifier: Apache-2.0
/* Times, hashes and log lines. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- clock ---- */

static void assert_formats(int64_t wall_ms, const char *text, const char *micro)
{
    char found[CLOCK_TEXT_SIZE];
    clock_format(wall_ms, found);
    assert_string_equal(found, text);
    clock_format_micro(wall_ms, found);
    assert_string_equal(found, micro);
}

static void test_format(void **state)
{
    assert_formats(0, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000Z");
    assert_formats(1769860800123, "2026-01-31T12:00:00Z", "2026-01-31T12:00:00.123000Z");
    assert_formats(1709164799007, "2024-02-28T23:59:59Z", "2024-02-28T23:59:59.007000Z");
    assert_formats(253402300799999, "9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999000Z");
}

static void test_parse(void **state)
{
    assert_int_equal(clock_parse("1970-01-01T00:00:01Z"), 1000);
    assert_int_equal(clock_parse("2026-01-31T12:00:00Z"), 1769860800000);
    assert_int_equal(clock_parse("2026-01-31T12:00:00.123456Z"), 1769860800123);
    assert_int_equal(clock_parse("2026-01-31T12:00:00.5Z"), 1769860800500);
    assert_int_equal(clock_parse("2024-02-29T00:00:00Z"), 1709164800000);
}

static void test_parse_of_anything_else(void **state)
{
    assert_int_equal(clock_parse(NULL), 0);
    assert_int_equal(clock_parse(""), 0);
    assert_int_equal(clock_parse("yesterday"), 0);
    assert_int_equal(clock_parse("2026-01-31"), 0);
    assert_int_equal(clock_parse("2026-13-31T12:00:00Z"), 0);
}

/* What was written is read back to the millisecond, in any time zone. */
static void test_round_trip(void **state)
{
    char text[CLOCK_TEXT_SIZE];
    setenv("TZ", "America/St_Johns", 1);
    for (int64_t ms = 1; ms < 4000000000000; ms = ms * 3 + 7) {
        clock_format_micro(ms, text);
        assert_int_equal(clock_parse(text), ms);
        clock_format(ms, text);
        assert_int_equal(clock_parse(text), ms - ms % 1000);
    }
    unsetenv("TZ");
}

/* What would be written again as another time isn't taken for one. */
static void test_before_1970(void **state)
{
    assert_int_equal(clock_parse("1969-12-31T23:59:59.999Z"), 0);
    assert_int_equal(clock_parse("0609-01-31T12:00:00Z"), 0);
    assert_int_equal(clock_parse("1970-01-01T00:00:00.001Z"), 1);
}

static void test_fractions(void **state)
{
    assert_int_equal(clock_parse("1970-01-01T00:00:01.5Z"), 1500);
    assert_int_equal(clock_parse("1970-01-01T00:00:01.0019999999999Z"), 1001);
    assert_int_equal(clock_parse("1970-01-01T00:00:01.12e300Z"), 1120);
    assert_int_equal(clock_parse("1970-01-01T00:00:01."), 1000);
}

static void test_every_millisecond(void **state)
{
    char text[CLOCK_TEXT_SIZE];
    for (int64_t ms = 1769860800000; ms < 1769860801000; ms++) {
        clock_format_micro(ms, text);
        assert_int_equal(clock_parse(text), ms);
    }
}

static void test_clocks_run(void **state)
{
    assert_true(clock_wall_ms() > 1700000000000);
    int64_t before = clock_monotonic_ms(), now = before;
    for (int i = 0; i < 10000 && now == before; i++, now = clock_monotonic_ms())
        usleep(100);
    assert_true(now > before && now < before + 60000);
}

/* ---- hash ---- */

static void test_sha256(void **state)
{
    char hex[HASH_HEX_SIZE];
    hash_sha256("", 0, hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    hash_sha256("abc", 3, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    hash_sha256("abc\0", 4, hex);
    assert_string_not_equal(hex,
                            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

/* ---- log ---- */

/* Everything that goes to stderr while `write_lines` runs. The caller frees it. */
static char *captured(void (*write_lines)(void))
{
    char name[] = "/tmp/sluice-log-XXXXXX", bytes[8192];
    int file = mkstemp(name), stderr_before = dup(STDERR_FILENO);
    unlink(name);
    dup2(file, STDERR_FILENO);
    write_lines();
    dup2(stderr_before, STDERR_FILENO);
    close(stderr_before);
    ssize_t count = pread(file, bytes, sizeof bytes, 0);
    close(file);
    return str_copy_n(bytes, count > 0 ? (size_t)count : 0);
}

static void one_line(void)
{
    log_write(LOG_WARN,
              (struct log_about){.topic = "rollout", .object = "AppRollout a/b", .batch = 2},
              "a \"quoted\"\n%d", 7);
}

static void test_a_line_is_an_object(void **state)
{
    char *lines AUTO_FREE = captured(one_line);
    assert_int_equal(lines[strlen(lines) - 1], '\n');
    assert_ptr_equal(strchr(lines, '\n'), lines + strlen(lines) - 1);
    json_t *line AUTO_JSON = NULL;
    assert_int_equal(json_parse(lines, strlen(lines), &line, NULL), OK);
    assert_int_equal(json_object_size(line), 6);
    assert_true(clock_parse(json_string_at(line, "/time")) > 1700000000000);
    assert_string_equal(json_string_at(line, "/level"), "warn");
    assert_string_equal(json_string_at(line, "/topic"), "rollout");
    assert_string_equal(json_string_at(line, "/object"), "AppRollout a/b");
    assert_int_equal(json_int_at(line, "/batch", 0), 2);
    assert_string_equal(json_string_at(line, "/message"), "a \"quoted\"\n7");
}

static void lines_of_all_levels(void)
{
    for (int level = LOG_DEBUG; level <= LOG_ERROR; level++)
        log_write((enum log_level)level, (struct log_about){0}, "%d", level);
}

static void test_levels(void **state)
{
    for (int threshold = LOG_DEBUG; threshold <= LOG_ERROR; threshold++) {
        log_set_level((enum log_level)threshold);
        char *lines AUTO_FREE = captured(lines_of_all_levels);
        int count = 0;
        for (const char *at = lines; *at; at++)
            count += *at == '\n';
        assert_int_equal(count, LOG_ERROR - threshold + 1);
        assert_null(strstr(lines, "topic"));
        assert_null(strstr(lines, "batch"));
    }
    log_set_level(LOG_INFO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_parse_of_anything_else),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_before_1970),
        cmocka_unit_test(test_fractions),
        cmocka_unit_test(test_every_millisecond),
        cmocka_unit_test(test_clocks_run),
        cmocka_unit_test(test_sha256),
        cmocka_unit_test(test_a_line_is_an_object),
        cmocka_unit_test(test_levels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
