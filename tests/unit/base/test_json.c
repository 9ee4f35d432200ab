// SPDX-License-Identifier: Apache-2.0
#include "base/alloc.h"
#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *parsed(const char *text)
{
    json_t *json = NULL;
    struct error err = {0};
    if (json_parse(text, strlen(text), &json, &err) < 0)
        fail_msg("%s: %s", text, err.text);
    return json;
}

static void assert_json(const json_t *json, const char *text)
{
    char *found AUTO_FREE = json_text(json);
    assert_string_equal(found, text);
}

/* ---- parsing and writing ---- */

static void test_parse(void **state)
{
    json_t *json AUTO_JSON = parsed(" {\"b\": [1, 2.5, null, true], \"a\": \"ä\"} ");
    assert_json(json, "{\"b\":[1,2.5,null,true],\"a\":\"ä\"}");
    json_t *number AUTO_JSON = parsed("7");
    assert_int_equal(json_integer_value(number), 7);
}

static void assert_unparsed(const char *text, size_t length, const char *words)
{
    json_t *untouched = json_true(), *json = untouched;
    struct error err = {0};
    assert_int_equal(json_parse(text, length, &json, &err), ERR_INVALID);
    assert_int_equal(err.code, ERR_INVALID);
    assert_ptr_equal(json, untouched);
    if (!strstr(err.text, words))
        fail_msg("\"%s\" isn't in \"%s\"", words, err.text);
    assert_int_equal(json_parse(text, length, &json, NULL), ERR_INVALID);
}

static void test_parse_refuses(void **state)
{
    assert_unparsed("{\n \"a\": }", 9, "line 2, column 7: ");
    assert_unparsed("{\"a\":1,\"a\":2}", 13, "duplicate object key");
    assert_unparsed("{} {}", 5, "end of file expected");
    assert_unparsed("{}", 1, "line 1");
    assert_unparsed("", 0, "line 1");
    assert_unparsed("\"\xc3\"", 3, "unable to decode byte");
    assert_unparsed("\"\\u0000\"", 8, "line 1");
}

static void test_text_of_nothing(void **state)
{
    char *text AUTO_FREE = json_text(NULL), *canonical AUTO_FREE = json_canonical(NULL);
    assert_string_equal(text, "null");
    assert_string_equal(canonical, "null");
}

static void test_canonical_sorts_at_every_depth(void **state)
{
    json_t *json AUTO_JSON = parsed("{\"b\":{\"z\":1,\"y\":[{\"d\":1,\"c\":2}]},\"a\":0}");
    char *canonical AUTO_FREE = json_canonical(json);
    assert_string_equal(canonical, "{\"a\":0,\"b\":{\"y\":[{\"c\":2,\"d\":1}],\"z\":1}}");
    assert_json(json, "{\"b\":{\"z\":1,\"y\":[{\"d\":1,\"c\":2}]},\"a\":0}");
}

static void test_hash_knows_no_order(void **state)
{
    char a[HASH_HEX_SIZE], b[HASH_HEX_SIZE], c[HASH_HEX_SIZE];
    json_t *one AUTO_JSON = parsed("{\"a\":1,\"b\":[1,2]}");
    json_t *same AUTO_JSON = parsed("{\"b\":[1,2],\"a\":1}");
    json_t *other AUTO_JSON = parsed("{\"b\":[2,1],\"a\":1}");
    json_hash(one, a);
    json_hash(same, b);
    json_hash(other, c);
    assert_string_equal(a, b);
    assert_string_not_equal(a, c);
    hash_sha256("{\"a\":1,\"b\":[1,2]}", 17, b);
    assert_string_equal(a, b);
}

static void hash_of(const char *text, char ret_hex[HASH_HEX_SIZE])
{
    static const char *const pointers[] = {"/spec", "/more"};
    json_t *json AUTO_JSON = parsed(text);
    assert_true(json_hash_at(json, pointers, 2, ret_hex));
}

static bool hash_alike(const char *a, const char *b)
{
    char hash_a[HASH_HEX_SIZE], hash_b[HASH_HEX_SIZE];
    hash_of(a, hash_a);
    hash_of(b, hash_b);
    return strcmp(hash_a, hash_b) == 0;
}

static void test_hash_of_parts(void **state)
{
    assert_true(hash_alike("{\"spec\":{\"a\":1,\"b\":2},\"x\":1}", "{\"spec\":{\"b\":2,\"a\":1}}"));
    assert_false(hash_alike("{\"spec\":1}", "{\"more\":1}"));
    assert_false(hash_alike("{\"spec\":1}", "{\"spec\":1,\"more\":1}"));
}

static void test_hash_of_parts_knows_no_empty_members(void **state)
{
    static const char *const alike[] = {
        "{\"spec\":{\"a\":null,\"c\":[{\"n\":1}]}}",
        "{\"spec\":{\"a\":[],\"c\":[{\"n\":1,\"r\":{}}]}}",
        "{\"spec\":{\"a\":{\"b\":{\"d\":null}},\"c\":[{\"n\":1}]},\"more\":null}",
    };
    for (size_t i = 0; i < sizeof alike / sizeof *alike; i++)
        assert_true(hash_alike(alike[i], "{\"spec\":{\"c\":[{\"n\":1}]}}"));
    assert_false(hash_alike("{\"spec\":{\"c\":[{\"n\":1},{}]}}", "{\"spec\":{\"c\":[{\"n\":1}]}}"));
    assert_false(hash_alike("{\"spec\":{\"a\":0}}", "{\"spec\":{}}"));
    assert_false(hash_alike("{\"spec\":{\"a\":\"\"}}", "{\"spec\":{}}"));
}

/* ---- pointers ---- */

#define DOCUMENT                                                                                   \
    "{\"a\":{\"b\":[10,{\"c\":\"deep\"}],\"n\":null,\"t\":true},\"x/y\":1,\"m~n\":2,\"\":3,"       \
    "\"~1\":4}"

static void assert_at(const json_t *json, const char *pointer, const char *text)
{
    const json_t *found = json_at(json, pointer);
    if (!found && text)
        fail_msg("nothing at %s", pointer);
    if (text)
        assert_json(found, text);
    else
        assert_null(found);
}

static void test_at(void **state)
{
    json_t *json AUTO_JSON = parsed(DOCUMENT);
    assert_ptr_equal(json_at(json, ""), json);
    assert_at(json, "/a/b/0", "10");
    assert_at(json, "/a/b/1/c", "\"deep\"");
    assert_at(json, "/a/n", "null");
    assert_at(json, "/x~1y", "1");
    assert_at(json, "/m~0n", "2");
    assert_at(json, "/", "3");
    assert_at(json, "/~01", "4");
}

static void test_at_nothing(void **state)
{
    json_t *json AUTO_JSON = parsed(DOCUMENT);
    char *long_step AUTO_FREE = str_format("/%0600d", 0);
    assert_at(json, "/z", NULL);
    assert_at(json, "/a/b/2", NULL);
    assert_at(json, "/a/b/-1", NULL);
    assert_at(json, "/a/b/x", NULL);
    assert_at(json, "/a/b/0x", NULL);
    assert_at(json, "/a/b/", NULL);
    assert_at(json, "/a/t/x", NULL);
    assert_at(json, "/a/b/0/c", NULL);
    assert_at(json, "a", NULL);
    assert_at(json, long_step, NULL);
    assert_at(NULL, "/a", NULL);
    assert_at(NULL, "", NULL);
}

/* The longest step that is looked at, and one more. */
static void test_at_the_end_of_a_long_step(void **state)
{
    for (int length = 510; length <= 513; length++) {
        char *key AUTO_FREE = str_format("%0*d", length, 0);
        char *pointer AUTO_FREE = str_format("/%s", key);
        json_t *json AUTO_JSON = json_pack("{s:i}", key, length);
        assert_int_equal(json_int_at(json, pointer, 0), length < 512 ? length : 0);
    }
}

static void test_by_type(void **state)
{
    json_t *json AUTO_JSON = parsed("{\"s\":\"text\",\"i\":-5,\"r\":1.5,\"b\":false}");
    assert_string_equal(json_string_at(json, "/s"), "text");
    assert_null(json_string_at(json, "/i"));
    assert_null(json_string_at(json, "/none"));
    assert_int_equal(json_int_at(json, "/i", 9), -5);
    assert_int_equal(json_int_at(json, "/r", 9), 9);
    assert_int_equal(json_int_at(json, "/s", 9), 9);
    assert_int_equal(json_int_at(json, "/none", 9), 9);
    assert_false(json_bool_at(json, "/b", true));
    assert_true(json_bool_at(json, "/i", true));
    assert_false(json_bool_at(json, "/none", false));
}

/* ---- putting and removing ---- */

static void assert_put(const char *before, const char *pointer, const char *after)
{
    json_t *json AUTO_JSON = parsed(before);
    json_t *value = json_integer(7);
    json_incref(value);
    assert_int_equal(json_put_take(json, pointer, value), OK);
    assert_json(json, after);
    json_decref(value);
}

static void test_put(void **state)
{
    assert_put("{}", "/a", "{\"a\":7}");
    assert_put("{\"a\":1}", "/a", "{\"a\":7}");
    assert_put("{}", "/a/b/c", "{\"a\":{\"b\":{\"c\":7}}}");
    assert_put("{\"a\":{\"x\":1}}", "/a/b", "{\"a\":{\"x\":1,\"b\":7}}");
    assert_put("{\"a\":[1,2]}", "/a/1", "{\"a\":[1,7]}");
    assert_put("{\"a\":[{}]}", "/a/0/b", "{\"a\":[{\"b\":7}]}");
    assert_put("{}", "/x~1y/m~0n", "{\"x/y\":{\"m~n\":7}}");
    assert_put("{}", "/", "{\"\":7}");
}

/* It owns the value also when it fails: nothing leaks, and nothing is released twice. */
static void assert_unput(const char *before, const char *pointer)
{
    json_t *json AUTO_JSON = parsed(before);
    json_t *value = json_array();
    json_incref(value);
    assert_int_equal(json_put_take(json, pointer, value), ERR_BUG);
    assert_int_equal(value->refcount, 1);
    json_decref(value);
}

static void test_put_where_nothing_can_stand(void **state)
{
    char *long_step AUTO_FREE = str_format("/%0600d", 0);
    char *long_way AUTO_FREE = str_format("/%0600d/a", 0);
    assert_unput("{\"a\":1}", "/a/b");
    assert_unput("{\"a\":1}", "/a/b/c");
    assert_unput("{\"a\":\"text\"}", "/a/0");
    assert_unput("{\"a\":[1]}", "/a/1");
    assert_unput("{\"a\":[1]}", "/a/5/b");
    assert_unput("{\"a\":[1]}", "/a/x");
    assert_unput("3", "/a");
    assert_unput("{}", "");
    assert_unput("{}", "a");
    assert_unput("{}", long_step);
    assert_unput("{}", long_way);
    assert_unput("{}", "/\xff");
}

static void assert_removed(const char *before, const char *pointer, const char *after)
{
    json_t *json AUTO_JSON = parsed(before);
    json_remove_at(json, pointer);
    assert_json(json, after);
}

static void test_remove(void **state)
{
    assert_removed("{\"a\":1,\"b\":2}", "/a", "{\"b\":2}");
    assert_removed("{\"a\":{\"b\":{\"c\":1}}}", "/a/b/c", "{\"a\":{\"b\":{}}}");
    assert_removed("{\"a\":[1,2,3]}", "/a/1", "{\"a\":[1,3]}");
    assert_removed("{\"a\":[1,2,3]}", "/a/x", "{\"a\":[1,2,3]}");
    assert_removed("{\"x/y\":1}", "/x~1y", "{}");
    assert_removed("{\"a\":1}", "/b", "{\"a\":1}");
    assert_removed("{\"a\":1}", "/a/b", "{\"a\":1}");
    assert_removed("{\"a\":1}", "/b/c", "{\"a\":1}");
    assert_removed("{\"a\":[1]}", "/a/3", "{\"a\":[1]}");
    assert_removed("{\"a\":1}", "", "{\"a\":1}");
    assert_removed("{\"a\":1}", "a", "{\"a\":1}");
}

/* ---- picking ---- */

#define OBJECT                                                                                     \
    "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"n\",\"namespace\":\"s\","    \
    "\"uid\":\"u\",\"resourceVersion\":\"5\",\"generation\":2,\"labels\":{\"a\":\"b\"},"           \
    "\"managedFields\":[1]},\"spec\":{\"replicas\":3,\"template\":{\"x\":1}}}"

static void test_pick_keeps_the_identity(void **state)
{
    json_t *json AUTO_JSON = parsed(OBJECT), *picked AUTO_JSON = json_pick(json, NULL, 0);
    assert_json(picked, "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"n\","
                        "\"namespace\":\"s\",\"uid\":\"u\",\"resourceVersion\":\"5\","
                        "\"generation\":2}}");
}

static void test_pick(void **state)
{
    static const char *const pointers[] = {"/spec/replicas", "/metadata/labels", "/status/none",
                                           "/spec/template"};
    json_t *json AUTO_JSON = parsed(OBJECT), *picked AUTO_JSON = json_pick(json, pointers, 4);
    assert_json(json_at(picked, "/spec"), "{\"replicas\":3,\"template\":{\"x\":1}}");
    assert_json(json_at(picked, "/metadata/labels"), "{\"a\":\"b\"}");
    assert_null(json_at(picked, "/metadata/managedFields"));
    assert_null(json_at(picked, "/status"));
    /* Shared, not copied. */
    assert_ptr_equal(json_at(picked, "/spec/template"), json_at(json, "/spec/template"));
    assert_json(json, OBJECT);
}

static void test_pick_of_nothing(void **state)
{
    static const char *const pointers[] = {"/spec"};
    json_t *picked AUTO_JSON = json_pick(NULL, pointers, 1);
    assert_json(picked, "{}");
}

static void test_auto_json_releases(void **state)
{
    json_t *json = json_array();
    {
        json_t *held AUTO_JSON = json_incref(json);
        assert_int_equal(held->refcount, 2);
    }
    assert_int_equal(json->refcount, 1);
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_parse_refuses),
        cmocka_unit_test(test_text_of_nothing),
        cmocka_unit_test(test_canonical_sorts_at_every_depth),
        cmocka_unit_test(test_hash_knows_no_order),
        cmocka_unit_test(test_hash_of_parts),
        cmocka_unit_test(test_hash_of_parts_knows_no_empty_members),
        cmocka_unit_test(test_at),
        cmocka_unit_test(test_at_nothing),
        cmocka_unit_test(test_at_the_end_of_a_long_step),
        cmocka_unit_test(test_by_type),
        cmocka_unit_test(test_put),
        cmocka_unit_test(test_put_where_nothing_can_stand),
        cmocka_unit_test(test_remove),
        cmocka_unit_test(test_pick_keeps_the_identity),
        cmocka_unit_test(test_pick),
        cmocka_unit_test(test_pick_of_nothing),
        cmocka_unit_test(test_auto_json_releases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
