// SPDX-License-Identifier: Apache-2.0
/* Parsing what the server sends: managedFields are stepped over, and nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/json.h"
#include "cluster/object_text.h"

#include <string.h>

typedef json_t *parse_fn(const char *bytes, size_t count);

/* Parses from a buffer of exactly the text's size, so that reading past its end is noticed. */
static json_t *parse(parse_fn *how, const char *text)
{
    size_t length = strlen(text);
    char *bytes AUTO_FREE = mem_copy(text, length);
    return how(bytes, length);
}

static void check(parse_fn *how, const char *text, const char *expected)
{
    json_t *json AUTO_JSON = parse(how, text);
    char *found AUTO_FREE = json_canonical(json);
    assert_non_null(json);
    assert_string_equal(found, expected);
}

static void test_managed_fields_are_left_out(void **state)
{
    check(object_parse,
          "{\"metadata\":{\"managedFields\":[{\"a\":\"}],\\\"\"}],\"name\":\"x\"},\"spec\":1}",
          "{\"metadata\":{\"name\":\"x\"},\"spec\":1}");
    check(object_parse, " { \"metadata\" : { \"name\":\"x\" , \"managedFields\" : null } } ",
          "{\"metadata\":{\"name\":\"x\"}}");
    check(object_parse, "{\"n\":-1,\"metadata\":{\"managedFields\":[]}}",
          "{\"metadata\":{},\"n\":-1}");
    check(event_parse,
          "{\"type\":\"ADDED\",\"object\":{\"kind\":\"K\",\"metadata\":{\"managedFields\":[1],"
          "\"name\":\"x\"}}}",
          "{\"object\":{\"kind\":\"K\",\"metadata\":{\"name\":\"x\"}},\"type\":\"ADDED\"}");
}

static void test_namesakes_elsewhere_stay(void **state)
{
    static const char *const texts[] = {
        "{\"metadata\":{\"name\":\"x\"},\"spec\":{\"managedFields\":[1]}}",
        "{\"metadata\":{\"annotations\":{\"managedFields\":\"1\"}}}",
        "{\"managedFields\":[1],\"metadata\":{\"a\":\"managedFields\"}}",
        "{\"spec\":{\"metadata\":{\"managedFields\":[1]}}}",
        "{\"object\":{\"metadata\":{\"managedFields\":[1]}}}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        check(object_parse, texts[i], texts[i]);
}

static void test_what_is_no_json_is_refused(void **state)
{
    static const char text[] = "{\"metadata\":{\"managedFields\":[{\"a\\\"\":1}],\"n\":2}}";
    for (size_t length = 0; length < sizeof text - 1; length++) {
        char *cut AUTO_FREE = str_copy_n(text, length);
        assert_null(parse(object_parse, cut));
        assert_null(parse(event_parse, cut));
    }
    assert_null(parse(object_parse, "{\"metadata\" {\"managedFields\":[]}}"));
    assert_null(parse(object_parse, "{\"metadata\":{\"managedFields\":[]}}x"));
}

static void test_integers_beyond_64_bits(void **state)
{
    check(object_parse,
          "{\"a\":100000000000000000000,\"b\":-9223372036854775808,\"c\":\"100000000000000000000\","
          "\"d\":[1,20000000000000000000]}",
          "{\"a\":1e20,\"b\":-9.2233720368547758e18,\"c\":\"100000000000000000000\","
          "\"d\":[1,2e19]}");
    check(object_parse, "{\"a\":9223372036854775807}", "{\"a\":9223372036854775807}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_managed_fields_are_left_out),
        cmocka_unit_test(test_namesakes_elsewhere_stay),
        cmocka_unit_test(test_what_is_no_json_is_refused),
        cmocka_unit_test(test_integers_beyond_64_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
