// SPDX-License-Identifier: Apache-2.0
#include "base/alloc.h"
#include "base/json.h"
#include "cli/yaml_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_yaml(const char *json, const char *expected)
{
    json_t *value AUTO_JSON = NULL;
    struct text text AUTO(text_done) = {0};
    assert_int_equal(json_parse(json, strlen(json), &value, NULL), OK);
    yaml_text(value, &text);
    assert_string_equal(text.at, expected);
}

static void test_structure(void **state)
{
    (void)state;
    assert_yaml("{\"a\": {\"b\": [1, {\"c\": null, \"d\": true}]}, \"e\": [], \"f\": {}}",
                "a:\n  b:\n  - 1\n  - c: null\n    d: true\ne: []\nf: {}\n");
}

static void test_what_looks_like_something_else_is_quoted(void **state)
{
    (void)state;
    assert_yaml("[\"web\", \"no\", \"1\", \"0.1.0\", \"\", \"50%\", \"a: b\", \"~\", \"Größe\"]",
                "- web\n- 'no'\n- '1'\n- '0.1.0'\n- ''\n- '50%'\n- 'a: b'\n- '~'\n- Größe\n");
    assert_yaml("{\"y\": \"two\\nlines\"}", "'y': |-\n  two\n  lines\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_structure),
        cmocka_unit_test(test_what_looks_like_something_else_is_quoted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
