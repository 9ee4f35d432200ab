// SPDX-License-Identifier: Apache-2.0
#include "adapters.h"

#include "adapter/schema.h"
#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_schema(const char *text, const char *refusal)
{
    json_t *schema AUTO_JSON = json(text);
    struct error err = {0};
    assert_int_equal(schema_check(schema, "options", &err), refusal ? ERR_INVALID : OK);
    if (refusal)
        assert_contains(err.text, refusal);
}

static void schemas(void **state)
{
    assert_schema("{}", NULL);
    assert_schema("{\"type\":\"object\",\"title\":\"t\",\"description\":\"d\",\"default\":{},"
                  "\"required\":[\"a\"],\"properties\":{\"a\":{\"type\":\"number\",\"minimum\":1}},"
                  "\"additionalProperties\":false}",
                  NULL);
    assert_schema("[]", "options: expected a schema (an object), found array");
    assert_schema("{\"type\":\"text\"}", "options.type: expected the name of one JSON type");
    assert_schema("{\"type\":[\"string\"]}", "options.type: expected the name of one JSON type");
    assert_schema("{\"required\":\"a\"}", "options.required: expected an array of strings");
    assert_schema("{\"additionalProperties\":{}}", "expected true or false, found object");
    assert_schema("{\"enum\":[]}", "options.enum: expected an array that isn't empty");
    assert_schema("{\"minimum\":\"1\"}", "options.minimum: expected a number, found string");
    assert_schema("{\"properties\":{\"a\":{\"items\":{\"oneOf\":[]}}}}",
                  "options.properties.a.items.oneOf: unknown keyword");
}

static void assert_value(const char *schema_text, const char *value_text, const char *refusal)
{
    json_t *schema AUTO_JSON = json(schema_text), *value AUTO_JSON = json(value_text);
    struct error err = {0};
    assert_int_equal(schema_validate(schema, value, "options", &err), refusal ? ERR_INVALID : OK);
    if (refusal)
        assert_contains(err.text, refusal);
}

static void values(void **state)
{
    assert_value("{}", "[1,{\"a\":null}]", NULL);
    assert_value("{\"type\":\"number\"}", "3", NULL);
    assert_value("{\"type\":\"integer\"}", "3.5", "expected integer, found number 3.5");
    assert_value("{\"type\":\"boolean\"}", "true", NULL);
    assert_value("{\"type\":\"null\"}", "false", "expected null, found boolean false");
    assert_value("{\"enum\":[1,\"a\"]}", "\"a\"", NULL);
    assert_value("{\"enum\":[1,\"a\"]}", "2", "expected one of [1,\"a\"], found 2");
    assert_value("{\"properties\":{\"a\":{\"type\":\"string\"}}}", "{\"b\":1}", NULL);
    assert_value("{\"properties\":{\"a\":{\"properties\":{\"b\":{\"maximum\":2}}}}}",
                 "{\"a\":{\"b\":3}}", "options.a.b: expected at most 2, found 3");
    assert_value("{\"items\":{\"items\":{\"type\":\"string\"}}}", "[[],[\"a\",1]]",
                 "options[1][1]: expected string, found integer 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schemas),
        cmocka_unit_test(values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
