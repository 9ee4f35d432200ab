// SPDX-License-Identifier: Apache-2.0
/* What an Application says, and what of it can't be rolled. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/json.h"
#include "oam/revision.h"
#include "samples.h"

#include <string.h>

static bool is_template(const char *annotations)
{
    char *text AUTO_FREE = str_format("{'metadata':{'annotations':%s}}", annotations);
    json_t *application AUTO_JSON = sample_json(text);
    return application_is_template(application);
}

static void test_template_annotation(void **state)
{
    assert_true(is_template("{'app.oam.dev/rollout-template':'true'}"));
    assert_false(is_template("{'app.oam.dev/rollout-template':'True'}"));
    assert_false(is_template("{'app.oam.dev/rollout-template':'false'}"));
    assert_false(is_template("{'app.oam.dev/rollout-template':true}"));
    assert_false(is_template("{}"));
    assert_false(is_template("null"));
}

static void test_types_once_each(void **state)
{
    json_t *application AUTO_JSON =
        sample_json("{'spec':{'components':[{'name':'a','type':'x'},{'name':'b','type':'y'},"
                    "{'name':'c','type':'x'},{'name':'d'}]}}");
    json_t *types AUTO_JSON = application_types(application);
    json_t *wanted AUTO_JSON = sample_json("['x','y']");
    assert_true(json_equal(types, wanted));
}

static void hash_of(const char *text, char hash[HASH_HEX_SIZE])
{
    json_t *application AUTO_JSON = sample_json(text);
    application_hash(application, hash);
}

static void test_hash_is_of_the_spec(void **state)
{
    char one[HASH_HEX_SIZE], same[HASH_HEX_SIZE], other[HASH_HEX_SIZE];
    hash_of("{'spec':{'a':1,'b':[1,2]}}", one);
    hash_of("{'metadata':{'labels':{'x':'y'}},'spec':{'b':[1,2],'a':1},'status':{}}", same);
    hash_of("{'spec':{'a':1,'b':[2,1]}}", other);
    assert_string_equal(one, same);
    assert_string_not_equal(one, other);
    assert_true(strlen(one) == 32); /* a label holds 63 characters */
}

/* Pinned: another hash would write one more revision of every Application there is. */
static void test_hash_is_stable(void **state)
{
    char hash[HASH_HEX_SIZE];
    hash_of("{'spec':{'components':[{'name':'web','type':'t','properties':{'x':1.5}}]}}", hash);
    assert_string_equal(hash, "b9b5f5528b41ee6285f1dc75482d7784");
}

static void assert_accepted(const char *text)
{
    json_t *application AUTO_JSON = sample_json(text);
    struct error err = {0};
    if (application_check(application, &err) != OK)
        fail_msg("%s: %s: %s", text, err.path, err.text);
}

static void assert_refused(const char *text, const char *path, const char *words)
{
    json_t *application AUTO_JSON = sample_json(text);
    struct error err = {0};
    assert_int_equal(application_check(application, &err), ERR_INVALID);
    assert_string_equal(err.path, path);
    if (!strstr(err.text, words))
        fail_msg("\"%s\" lacks \"%s\"", err.text, words);
}

#define COMPONENTS(more) "{'spec':{'components':[{'name':'web','type':'t'" more "}]}}"
#define SPEC(more)       "{'spec':{'components':[{'name':'web','type':'t'}]" more "}}"

static void test_accepted(void **state)
{
    json_t *application AUTO_JSON = sample_application();
    struct error err = {0};
    assert_int_equal(application_check(application, &err), OK);
    assert_accepted(COMPONENTS(""));
    assert_accepted(COMPONENTS(",'properties':{'a':1}"));
    assert_accepted(COMPONENTS(",'properties':null,'traits':[],'scopes':{}"));
    assert_accepted(SPEC(",'policies':[],'workflow':null"));
}

static void test_what_cannot_be_rolled(void **state)
{
    assert_refused(COMPONENTS(",'traits':[{'type':'ingress'}]"), "spec.components[0].traits",
                   "traits is not supported");
    assert_refused(COMPONENTS(",'scopes':{'a':'b'}"), "spec.components[0].scopes", "scopes");
    assert_refused(COMPONENTS(",'externalRevision':'v3'"), "spec.components[0].externalRevision",
                   "expected only name, type and properties");
    assert_refused(COMPONENTS(",'inputs':[1]"), "spec.components[0].inputs", "inputs");
    assert_refused(COMPONENTS(",'outputs':[1]"), "spec.components[0].outputs", "outputs");
    assert_refused(COMPONENTS(",'dependsOn':['b']"), "spec.components[0].dependsOn", "dependsOn");
    assert_refused(SPEC(",'policies':[1]"), "spec.policies", "expected only components");
    assert_refused(SPEC(",'workflow':{'steps':[]}"), "spec.workflow", "workflow");
    assert_refused(SPEC(",'rolloutPlan':{'paused':true}"), "spec.rolloutPlan", "rolloutPlan");
}

static void test_bad_components(void **state)
{
    assert_refused("{'spec':{}}", "spec.components", "at least one");
    assert_refused("{'spec':{'components':[]}}", "spec.components", "at least one");
    assert_refused("{'spec':{'components':[7]}}", "spec.components[0].name", "found \"\"");
    assert_refused("{'spec':{'components':[{'name':'web'}]}}", "spec.components[0].type",
                   "is missing");
    assert_refused("{'spec':{'components':[{'name':'','type':'t'}]}}", "spec.components[0].name",
                   "found \"\"");
    assert_refused("{'spec':{'components':[{'name':'Web','type':'t'}]}}", "spec.components[0].name",
                   "found \"Web\"");
    assert_refused("{'spec':{'components':[{'name':'web-','type':'t'}]}}",
                   "spec.components[0].name", "found \"web-\"");
    assert_refused(
        "{'spec':{'components':[{'name':"
        "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','type':'t'}]}}",
        "spec.components[0].name", "up to 63");
    assert_refused("{'spec':{'components':[{'name':'a','type':'t'},{'name':'a','type':'t'}]}}",
                   "spec.components[1].name", "spec.components[0] is called a too");
    assert_refused(COMPONENTS(",'properties':[1]"), "spec.components[0].properties",
                   "expected an object");
}

static void test_name_leaves_room_for_the_revision(void **state)
{
    static const char longest[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    assert_true(sizeof longest - 1 == 55);
    char *fits AUTO_FREE = str_format(
        "{'metadata':{'name':'%s'},'spec':{'components':[{'name':'a','type':'t'}]}}", longest);
    char *too_long AUTO_FREE = str_format(
        "{'metadata':{'name':'%sb'},'spec':{'components':[{'name':'a','type':'t'}]}}", longest);
    assert_accepted(fits);
    assert_refused(too_long, "metadata.name", "is 56 characters long");
}

static void test_rolling_components_exist(void **state)
{
    assert_refused("{'metadata':{'annotations':{'app.oam.dev/rolling-components':'web, wobble'}},"
                   "'spec':{'components':[{'name':'web','type':'t'}]}}",
                   "metadata.annotations[app.oam.dev/rolling-components]", "names wobble");
    assert_accepted("{'metadata':{'annotations':{'app.oam.dev/rolling-components':' web ,'}},"
                    "'spec':{'components':[{'name':'web','type':'t'}]}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_template_annotation),
        cmocka_unit_test(test_types_once_each),
        cmocka_unit_test(test_hash_is_of_the_spec),
        cmocka_unit_test(test_hash_is_stable),
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_what_cannot_be_rolled),
        cmocka_unit_test(test_bad_components),
        cmocka_unit_test(test_name_leaves_room_for_the_revision),
        cmocka_unit_test(test_rolling_components_exist),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
