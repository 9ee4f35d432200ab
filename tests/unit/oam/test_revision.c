// SPDX-License-Identifier: Apache-2.0
/* Records of Applications: what they hold, whether they were touched, what is rendered from them.
 */
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

static void assert_json(const json_t *found, const char *wanted)
{
    json_t *json AUTO_JSON = sample_json(wanted);
    char *left AUTO_FREE = json_canonical(found);
    char *right AUTO_FREE = json_canonical(json);
    assert_string_equal(left, right);
}

static void assert_words(const struct error *err, const char *words)
{
    if (!strstr(err->text, words))
        fail_msg("\"%s\" lacks \"%s\"", err->text, words);
}

static void test_identity(void **state)
{
    json_t *revision AUTO_JSON = sample_revision(4);
    json_t *application AUTO_JSON = sample_application();
    char hash[HASH_HEX_SIZE];
    application_hash(application, hash);
    assert_string_equal(json_string_at(revision, "/apiVersion"), "core.oam.dev/v1beta1");
    assert_string_equal(json_string_at(revision, "/kind"), "ApplicationRevision");
    assert_string_equal(json_string_at(revision, "/metadata/name"), "shop-v4");
    assert_string_equal(json_string_at(revision, "/metadata/namespace"), "prod");
    assert_string_equal(json_string_at(revision, "/metadata/labels/app.oam.dev~1name"), "shop");
    assert_string_equal(revision_hash(revision), hash);
    assert_json(json_at(revision, "/metadata/ownerReferences"),
                "[{'apiVersion':'core.oam.dev/v1beta1','kind':'Application','name':'shop',"
                "'uid':'app-uid','controller':true,'blockOwnerDeletion':false}]");
}

static void test_record_without_noise(void **state)
{
    json_t *revision AUTO_JSON = sample_revision(1);
    assert_json(
        json_at(revision, "/spec/application"),
        "{'apiVersion':'core.oam.dev/v1beta1','kind':'Application',"
        "'metadata':{'name':'shop','namespace':'prod','uid':'app-uid','generation':4,"
        "'labels':{'team':'blue'},'annotations':{'app.oam.dev/rollout-template':'true'}},"
        "'spec':{'components':["
        "{'name':'web','type':'clonesetservice','properties':{'image':'web:1','replicas':5}},"
        "{'name':'worker','type':'clonesetservice','properties':{'image':'worker:1'}}]}}");
    assert_json(json_at(revision, "/spec/componentDefinitions"),
                "{'clonesetservice':{'apiVersion':'core.oam.dev/v1beta1',"
                "'kind':'ComponentDefinition','metadata':{'name':'clonesetservice',"
                "'namespace':'vela-system'},"
                "'spec':{'workload':{'definition':{'apiVersion':'apps.kruise.io/v1alpha1',"
                "'kind':'CloneSet'}},'schematic':{'cue':{'template':'output: {}'}}}}}");
}

/* The record is a copy: what happens to the Application later doesn't reach it. */
static void test_record_is_a_copy(void **state)
{
    json_t *application AUTO_JSON = sample_application();
    json_t *definitions AUTO_JSON = sample_definitions();
    json_t *revision AUTO_JSON = revision_build(application, definitions, 1);
    json_put_take(application, "/spec/components/0/properties/image", json_string("web:2"));
    assert_string_equal(
        json_string_at(revision, "/spec/application/spec/components/0/properties/image"), "web:1");
    assert_string_equal(json_string_at(application, "/metadata/resourceVersion"), "77");
}

static void test_no_uid_no_owner(void **state)
{
    json_t *application AUTO_JSON = sample_application();
    json_t *definitions AUTO_JSON = json_object();
    json_remove_at(application, "/metadata/uid");
    json_t *revision AUTO_JSON = revision_build(application, definitions, 1);
    assert_null(json_at(revision, "/metadata/ownerReferences"));
}

static void assert_tampered(const char *pointer, const char *value)
{
    json_t *revision AUTO_JSON = sample_revision(1);
    struct error err = {0};
    assert_int_equal(revision_check(revision, &err), OK);
    json_put_take(revision, pointer, json_string(value));
    assert_int_equal(revision_check(revision, &err), ERR_INVALID);
    assert_string_equal(err.path, "spec");
    assert_words(&err, "shop-v1 was changed after it had been recorded");
}

static void test_tampering_is_noticed(void **state)
{
    assert_tampered("/spec/application/spec/components/0/properties/image", "evil:1");
    assert_tampered("/spec/application/spec/more", "x");
    assert_tampered("/spec/componentDefinitions/clonesetservice/spec/schematic/cue/template", "x");
    assert_tampered("/spec/componentDefinitions/other", "x");
}

static void test_labels_are_not_content(void **state)
{
    json_t *revision AUTO_JSON = sample_revision(1);
    json_put_take(revision, "/metadata/labels/more", json_string("x"));
    json_put_take(revision, "/metadata/resourceVersion", json_string("9"));
    assert_int_equal(revision_check(revision, NULL), OK);
}

/* KubeVela's own revisions have no such hash. */
static void test_without_hash_it_is_taken_as_it_is(void **state)
{
    json_t *revision AUTO_JSON = sample_revision(1);
    json_remove_at(revision, "/metadata/annotations");
    json_remove_at(revision, "/metadata/labels");
    assert_int_equal(revision_check(revision, NULL), OK);
    assert_string_equal(revision_hash(revision), "");
}

static void test_component(void **state)
{
    json_t *revision AUTO_JSON = sample_revision(12);
    struct render_input input;
    struct error err = {0};
    assert_int_equal(revision_component(revision, "web", &input, &err), OK);
    assert_string_equal(input.template, "output: {}");
    assert_string_equal(input.api_version, "apps.kruise.io/v1alpha1");
    assert_string_equal(input.kind, "CloneSet");
    assert_json(input.parameter, "{'image':'web:1','replicas':5}");
    assert_json(input.context,
                "{'name':'web','namespace':'prod','appName':'shop','appRevision':'shop-v12',"
                "'appRevisionNum':12,'revision':'web-v12','appLabels':{'team':'blue'},"
                "'appAnnotations':{'app.oam.dev/rollout-template':'true'}}");
    render_input_done(&input);
    assert_null(input.template);
}

static int number_of(const char *name)
{
    json_t *revision AUTO_JSON = sample_revision(1);
    json_put_take(revision, "/metadata/name", json_string(name));
    struct render_input input;
    assert_int_equal(revision_component(revision, "web", &input, NULL), OK);
    int number = (int)json_int_at(input.context, "/appRevisionNum", -1);
    render_input_done(&input);
    return number;
}

static void test_revision_number(void **state)
{
    assert_int_equal(number_of("shop-v7"), 7);
    assert_int_equal(number_of("my-shop-v2-v10"), 10);
    assert_int_equal(number_of("shop"), 0);
    assert_int_equal(number_of("shop-v"), 0);
    assert_int_equal(number_of("shop-vx"), 0);
    assert_int_equal(number_of("shop-v3x"), 0);
    assert_int_equal(number_of("shop-v-3"), 0);
    assert_int_equal(number_of("shop-v99999999999"), 0);
}

static void test_no_properties(void **state)
{
    json_t *revision AUTO_JSON = sample_revision(1);
    json_remove_at(revision, "/spec/application/spec/components/0/properties");
    struct render_input input;
    assert_int_equal(revision_component(revision, "web", &input, NULL), OK);
    assert_json(input.parameter, "{}");
    render_input_done(&input);
}

static void test_component_missing(void **state)
{
    json_t *revision AUTO_JSON = sample_revision(1);
    struct render_input input;
    struct error err = {0};
    assert_int_equal(revision_component(revision, "wep", &input, &err), ERR_MISSING);
    assert_words(&err, "shop-v1 has no component wep; its components are web and worker");
}

static void assert_unusable(json_t *revision, const char *words)
{
    struct render_input input;
    struct error err = {0};
    assert_int_equal(revision_component(revision, "web", &input, &err), ERR_INVALID);
    assert_words(&err, words);
}

static void test_definition_missing(void **state)
{
    json_t *revision AUTO_JSON = sample_revision(1);
    json_remove_at(revision, "/spec/componentDefinitions/clonesetservice");
    assert_unusable(revision, "no ComponentDefinition clonesetservice for component web");
}

static void test_definition_of_another_schematic(void **state)
{
    json_t *revision AUTO_JSON = sample_revision(1);
    json_put_take(revision, "/spec/componentDefinitions/clonesetservice/spec/schematic",
                  sample_json("{'helm':{'release':{}}}"));
    assert_unusable(revision, "expected cue.template, found helm");
    json_remove_at(revision, "/spec/componentDefinitions/clonesetservice/spec/schematic");
    assert_unusable(revision, "expected cue.template, found none");
    json_put_take(revision, "/spec/componentDefinitions/clonesetservice/spec/schematic",
                  sample_json("{'cue':{'template':''}}"));
    assert_unusable(revision, "expected cue.template, found cue");
}

static void test_workload_by_type(void **state)
{
    json_t *revision AUTO_JSON = sample_revision(1);
    json_put_take(revision, "/spec/componentDefinitions/clonesetservice/spec/workload",
                  sample_json("{'type':'clonesets.apps.kruise.io'}"));
    struct render_input input;
    assert_int_equal(revision_component(revision, "web", &input, NULL), OK);
    assert_null(input.api_version);
    assert_null(input.kind);
    render_input_done(&input);
}

/* Both revisions with the given components, and the rolling-components of the target. */
static int common(const char *target, const char *source, const char *rolling, json_t **ret_names,
                  struct error *err)
{
    json_t *to AUTO_JSON =
        json_pack("{s:{s:{s:{s:{}}, s:{s:o}}}}", "spec", "application", "metadata", "annotations",
                  "spec", "components", sample_json(target));
    json_t *from AUTO_JSON = source ? json_pack("{s:{s:{s:{s:o}}}}", "spec", "application", "spec",
                                                "components", sample_json(source))
                                    : NULL;
    if (rolling)
        json_put_take(to, "/spec/application/metadata/annotations/app.oam.dev~1rolling-components",
                      json_string(rolling));
    return revision_common_components(to, from, ret_names, err);
}

static void assert_common(const char *target, const char *source, const char *rolling,
                          const char *wanted)
{
    json_t *names = NULL;
    struct error err = {0};
    if (common(target, source, rolling, &names, &err) != OK)
        fail_msg("%s", err.text);
    assert_json(names, wanted);
    json_decref(names);
}

static void assert_none_common(const char *target, const char *source, const char *words)
{
    json_t *names = NULL;
    struct error err = {0};
    assert_int_equal(common(target, source, NULL, &names, &err), ERR_INVALID);
    assert_string_equal(err.path, "spec.componentList");
    assert_words(&err, words);
    assert_null(names);
}

#define A  "[{'name':'a'}]"
#define AB "[{'name':'a'},{'name':'b'}]"
#define BC "[{'name':'b'},{'name':'c'}]"

static void test_common_components(void **state)
{
    assert_common(A, NULL, NULL, "['a']");
    assert_common(A, AB, NULL, "['a']");
    assert_common(AB, BC, NULL, "['b']");
    assert_common(AB, AB, "b", "['b']");
    assert_common(AB, NULL, "a, b", "['a','b']");
    assert_common(AB, A, "a,b", "['a']");
    assert_common(AB, A, " , ", "['a']");
}

static void test_no_common_component(void **state)
{
    assert_none_common(A, BC, "no component in common");
    assert_none_common(AB, NULL, "name those to roll, of a and b");
    assert_none_common(AB, AB, "more than one component");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_identity),
        cmocka_unit_test(test_record_without_noise),
        cmocka_unit_test(test_record_is_a_copy),
        cmocka_unit_test(test_no_uid_no_owner),
        cmocka_unit_test(test_tampering_is_noticed),
        cmocka_unit_test(test_labels_are_not_content),
        cmocka_unit_test(test_without_hash_it_is_taken_as_it_is),
        cmocka_unit_test(test_component),
        cmocka_unit_test(test_revision_number),
        cmocka_unit_test(test_no_properties),
        cmocka_unit_test(test_component_missing),
        cmocka_unit_test(test_definition_missing),
        cmocka_unit_test(test_definition_of_another_schematic),
        cmocka_unit_test(test_workload_by_type),
        cmocka_unit_test(test_common_components),
        cmocka_unit_test(test_no_common_component),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
