// SPDX-License-Identifier: Apache-2.0
#include "base/alloc.h"
#include "base/pack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXTS = 200 };

/* As objects of one collection are: the same words, with another name and time. */
static char *object(int number)
{
    return str_format(
        "{\"metadata\":{\"name\":\"web-%d\",\"uid\":\"5a-%d\"},\"spec\":{\"replicas\":4,"
        "\"strategy\":{\"type\":\"RollingUpdate\"}},\"status\":{\"conditions\":[{"
        "\"type\":\"Available\",\"reason\":\"MinimumReplicasAvailable\",\"at\":%d}]}}",
        number, number * 7919, number * 104729);
}

/* Nothing of it is found a second time. */
static char *noise(size_t length, unsigned seed)
{
    char *text = mem_alloc(length + 1);
    for (size_t i = 0; i < length; i++) {
        seed = seed * 1103515245 + 12345;
        text[i] = (char)('!' + (seed >> 16) % 90);
    }
    return text;
}

static void assert_text(const struct packed *packed, const char *expected)
{
    size_t length;
    char *text AUTO_FREE = packed_text(packed, &length);
    assert_int_equal(length, strlen(expected));
    assert_string_equal(text, expected);
}

static struct packed *put(struct pack *pack, const char *text)
{
    return pack_text(pack, text, strlen(text));
}

static void each_is_what_it_was(void **state)
{
    struct pack pack = {0};
    struct packed *packed[TEXTS];
    for (int i = 0; i < TEXTS; i++) {
        char *text AUTO_FREE = object(i);
        packed[i] = put(&pack, text);
    }
    for (int i = 0; i < TEXTS; i++) {
        char *text AUTO_FREE = object(i);
        assert_text(packed[i], text);
        packed_free(packed[i]);
    }
    pack_done(&pack);
}

static void what_resembles_another_takes_a_part_of_it(void **state)
{
    struct pack pack = {0};
    char *first AUTO_FREE = object(1), *second AUTO_FREE = object(2);
    struct packed *a = put(&pack, first), *b = put(&pack, second);
    assert_true(packed_size(b) < strlen(second) / 4);
    packed_free(a);
    packed_free(b);
    pack_done(&pack);
}

/* So does what resembles that. */
static void what_resembles_nothing_becomes_the_pattern(void **state)
{
    struct pack pack = {0};
    char *first AUTO_FREE = object(1), *other AUTO_FREE = noise(2000, 1);
    struct packed *a = put(&pack, first);
    struct packed *b = put(&pack, other);
    other[1000] = '!';
    struct packed *c = put(&pack, other);
    assert_true(packed_size(c) < 100);
    assert_text(a, first);
    assert_text(c, other);
    packed_free(a);
    packed_free(b);
    packed_free(c);
    pack_done(&pack);
}

static void a_text_outlives_its_pattern_and_its_pack(void **state)
{
    struct pack pack = {0};
    char *first AUTO_FREE = object(1), *second AUTO_FREE = object(2);
    struct packed *a = put(&pack, first), *b = put(&pack, second);
    packed_free(a);
    pack_done(&pack);
    assert_text(b, second);
    packed_free(b);
}

static void a_long_text_is_no_pattern(void **state)
{
    struct pack pack = {0};
    char *longer AUTO_FREE = noise(100 * 1000, 1), *text AUTO_FREE = object(1);
    struct packed *a = put(&pack, longer);
    assert_null(pack.pattern);
    struct packed *b = put(&pack, text);
    assert_text(a, longer);
    assert_text(b, text);
    packed_free(a);
    packed_free(b);
    pack_done(&pack);
}

static void nothing_is_a_text_too(void **state)
{
    struct pack pack = {0};
    struct packed *packed = put(&pack, "");
    assert_text(packed, "");
    packed_free(packed);
    packed_free(NULL);
    pack_done(&pack);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_what_it_was),
        cmocka_unit_test(what_resembles_another_takes_a_part_of_it),
        cmocka_unit_test(what_resembles_nothing_becomes_the_pattern),
        cmocka_unit_test(a_text_outlives_its_pattern_and_its_pack),
        cmocka_unit_test(a_long_text_is_no_pattern),
        cmocka_unit_test(nothing_is_a_text_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
