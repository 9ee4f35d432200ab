// SPDX-License-Identifier: Apache-2.0
#include "base/alloc.h"
#include "base/json.h"
#include "failure.h"
#include "jsonpath.h"
#include "kinds.h"
#include "strategic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

/* Single quotes stand for double ones, as everywhere below. */
static json_t *parsed(const char *text)
{
    char *quoted AUTO_FREE = str_copy(text);
    for (char *at = quoted; *at; at++)
        if (*at == '\'')
            *at = '"';
    json_t *json = json_loads(quoted, JSON_DECODE_ANY, NULL);
    assert_non_null(json);
    return json;
}

struct fixture {
    struct store *store;
    struct registry *kinds;
    struct schema pod_spec, metadata;
};

static int set_up(void **state)
{
    struct fixture *fixture = mem_alloc(sizeof *fixture);
    fixture->store = store_new(10);
    fixture->kinds = registry_new(fixture->store);
    const struct kind *pods = registry_find(fixture->kinds, "", "v1", "pods");
    fixture->pod_spec = schema_member(pods->schema, "spec");
    fixture->metadata = schema_member(pods->schema, "metadata");
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    registry_free(fixture->kinds);
    store_free(fixture->store);
    free(fixture);
    return 0;
}

static void assert_merged(struct schema schema, const char *object, const char *patch,
                          const char *expected)
{
    json_t *was AUTO_JSON = parsed(object), *change AUTO_JSON = parsed(patch);
    json_t *wanted AUTO_JSON = parsed(expected);
    struct failure failure = {0};
    assert_int_equal(strategic_merge(schema, was, change, &failure), 0);
    char *found_text AUTO_FREE = json_canonical(was), *text AUTO_FREE = json_canonical(wanted);
    assert_string_equal(found_text, text);
}

static void test_lists_by_key(void **state)
{
    const struct fixture *fixture = *state;
    const char *spec = "{'containers':[{'name':'a','image':'a:1'},{'name':'b','image':'b:1'}]}";
    assert_merged(fixture->pod_spec, spec, "{'containers':[{'name':'b','image':'b:2'}]}",
                  "{'containers':[{'name':'a','image':'a:1'},{'name':'b','image':'b:2'}]}");
    assert_merged(fixture->pod_spec, spec, "{'containers':[{'name':'c','image':'c:1'}]}",
                  "{'containers':[{'name':'c','image':'c:1'},{'name':'a','image':'a:1'},"
                  "{'name':'b','image':'b:1'}]}");
    assert_merged(fixture->pod_spec, spec, "{'containers':[{'$patch':'delete','name':'a'}]}",
                  "{'containers':[{'name':'b','image':'b:1'}]}");
    assert_merged(fixture->pod_spec, spec,
                  "{'containers':[{'name':'c','image':'c:1'},{'$patch':'replace'}]}",
                  "{'containers':[{'name':'c','image':'c:1'}]}");
}

static void test_order(void **state)
{
    const struct fixture *fixture = *state;
    assert_merged(fixture->pod_spec, "{'containers':[{'name':'a'},{'name':'x'},{'name':'b'}]}",
                  "{'$setElementOrder/containers':[{'name':'c'},{'name':'b'},{'name':'a'}],"
                  "'containers':[{'name':'c'}]}",
                  "{'containers':[{'name':'c'},{'name':'x'},{'name':'b'},{'name':'a'}]}");
}

static void test_plain_lists(void **state)
{
    const struct fixture *fixture = *state;
    assert_merged(fixture->metadata, "{'finalizers':['a','b']}", "{'finalizers':['b','c']}",
                  "{'finalizers':['a','b','c']}");
    assert_merged(fixture->metadata, "{'finalizers':['a','b']}",
                  "{'$deleteFromPrimitiveList/finalizers':['a']}", "{'finalizers':['b']}");
    assert_merged(fixture->pod_spec, "{'containers':[{'name':'a','args':['1','2']}]}",
                  "{'containers':[{'name':'a','args':['3']}]}",
                  "{'containers':[{'name':'a','args':['3']}]}");
}

static void test_objects(void **state)
{
    const struct fixture *fixture = *state;
    assert_merged(fixture->metadata, "{'labels':{'a':'1','b':'2'}}", "{'labels':{'a':null}}",
                  "{'labels':{'b':'2'}}");
    assert_merged(fixture->metadata, "{'labels':{'a':'1'}}",
                  "{'labels':{'$patch':'replace','b':'2'}}", "{'labels':{'b':'2'}}");
    assert_merged(fixture->metadata, "{'labels':{'a':'1'}}", "{'labels':{'$patch':'delete'}}",
                  "{'labels':{}}");
    assert_merged(fixture->metadata, "{'labels':{'a':'1','b':'2'}}",
                  "{'labels':{'$retainKeys':['b','c'],'c':'3'}}", "{'labels':{'b':'2','c':'3'}}");
}

static void test_an_item_without_its_key(void **state)
{
    const struct fixture *fixture = *state;
    json_t *object AUTO_JSON = parsed("{}");
    json_t *patch AUTO_JSON = parsed("{'containers':[{'image':'a'}]}");
    struct failure failure = {0};
    assert_int_equal(strategic_merge(fixture->pod_spec, object, patch, &failure), -1);
    assert_int_equal(failure.code, 400);
    failure_done(&failure);
}

static void assert_path(const char *path, const char *expected)
{
    json_t *object AUTO_JSON = parsed("{'a':{'b.c':[{'t':'X','v':1},{'t':'Y','v':2}]}}");
    json_t *found AUTO_JSON = jsonpath_first(object, path);
    char *text AUTO_FREE = found ? json_text(found) : str_copy("nothing");
    assert_string_equal(text, expected);
}

static void test_json_paths(void **state)
{
    (void)state;
    assert_path(".a.b\\.c[0].v", "1");
    assert_path(".a['b.c'][1].t", "\"Y\"");
    assert_path(".a.b\\.c[?(@.t==\"Y\")].v", "2");
    assert_path(".a.b\\.c[?(@.t=='Z')].v", "nothing");
    assert_path(".a.none.more", "nothing");
    assert_path("a", "nothing");
    assert_path(".a[", "nothing");
    assert_path(".a[?(@.t)]", "nothing");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists_by_key), cmocka_unit_test(test_order),
        cmocka_unit_test(test_plain_lists),  cmocka_unit_test(test_objects),
        cmocka_unit_test(test_json_paths),   cmocka_unit_test(test_an_item_without_its_key),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
