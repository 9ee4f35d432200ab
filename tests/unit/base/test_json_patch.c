// SPDX-License-Identifier: Apache-2.0
#include "base/alloc.h"
#include "base/json.h"
#include "base/json_patch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

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

static void assert_same(const json_t *found, const char *expected)
{
    json_t *wanted AUTO_JSON = parsed(expected);
    char *found_text AUTO_FREE = json_canonical(found), *text AUTO_FREE = json_canonical(wanted);
    assert_string_equal(found_text, text);
}

static const char document[] = "{'a':{'b/c':1},'l':[1,2]}";

static void assert_patched(const char *operations, const char *expected)
{
    json_t *object AUTO_JSON = parsed(document), *patch AUTO_JSON = parsed(operations);
    struct error err = {0};
    assert_int_equal(json_patch(&object, patch, &err), OK);
    assert_same(object, expected);
}

static void test_operations(void **state)
{
    assert_patched("[]", document);
    assert_patched("[{'op':'add','path':'/a/d','value':{'x':1}}]",
                   "{'a':{'b/c':1,'d':{'x':1}},'l':[1,2]}");
    assert_patched("[{'op':'add','path':'/l/0','value':0},{'op':'add','path':'/l/-','value':3}]",
                   "{'a':{'b/c':1},'l':[0,1,2,3]}");
    assert_patched("[{'op':'add','path':'','value':{}}]", "{}");
    assert_patched("[{'op':'remove','path':'/a/b~1c'},{'op':'remove','path':'/l/0'}]",
                   "{'a':{},'l':[2]}");
    assert_patched("[{'op':'replace','path':'/l/1','value':9},{'op':'replace','path':'/a','value':"
                   "null}]",
                   "{'a':null,'l':[1,9]}");
    assert_patched("[{'op':'test','path':'/l','value':[1,2]},{'op':'replace','path':'','value':1}]",
                   "1");
    assert_patched(
        "[{'op':'copy','from':'/l','path':'/a/l'},{'op':'move','from':'/l','path':'/m'}]",
        "{'a':{'b/c':1,'l':[1,2]},'m':[1,2]}");
}

/* Nothing is done when something can't be. */
static void assert_refused(const char *operation, int code, const char *words)
{
    json_t *object AUTO_JSON = parsed(document), *patch AUTO_JSON = json_array();
    struct error err = {0};
    json_array_append_new(patch, parsed("{'op':'add','path':'/new','value':1}"));
    json_array_append_new(patch, parsed(operation));
    assert_int_equal(json_patch(&object, patch, &err), code);
    if (!strstr(err.text, words))
        fail_msg("\"%s\" isn't in \"%s\"", words, err.text);
    assert_same(object, document);
}

static void test_refusals(void **state)
{
    assert_refused("{'op':'test','path':'/l/0','value':2}", ERR_CONFLICT,
                   "test /l/0: expected 2, found 1");
    assert_refused("{'op':'test','path':'/none','value':2}", ERR_CONFLICT, "found nothing");
    assert_refused("{'op':'remove','path':'/none'}", ERR_INVALID, "remove /none");
    assert_refused("{'op':'remove','path':''}", ERR_INVALID, "remove");
    assert_refused("{'op':'replace','path':'/none','value':1}", ERR_INVALID, "replace /none");
    assert_refused("{'op':'add','path':'/none/x','value':1}", ERR_INVALID, "add /none/x");
    assert_refused("{'op':'add','path':'/l/7','value':1}", ERR_INVALID, "add /l/7");
    assert_refused("{'op':'add','path':'/l/x','value':1}", ERR_INVALID, "add /l/x");
    assert_refused("{'op':'add','path':'/x'}", ERR_INVALID, "without a value");
    assert_refused("{'op':'copy','path':'/x'}", ERR_INVALID, "without from");
    assert_refused("{'op':'move','from':'/none','path':'/x'}", ERR_INVALID, "move /none");
    assert_refused("{'op':'turn','path':'/l','value':1}", ERR_INVALID, "no such operation");
    assert_refused("{'path':'/l'}", ERR_INVALID, "without op or path");
    assert_refused("{'op':'add','path':'l','value':1}", ERR_INVALID, "without op or path");
}

static void test_merge(void **state)
{
    json_t *object AUTO_JSON = parsed("{'a':{'b':1,'c':2},'d':[1],'e':3}");
    json_t *patch AUTO_JSON = parsed("{'a':{'b':null,'x':{'y':null,'z':1}},'d':[],'e':{'f':1}}");
    json_merge(object, patch);
    assert_same(object, "{'a':{'c':2,'x':{'z':1}},'d':[],'e':{'f':1}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_operations),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_merge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
