// SPDX-License-Identifier: Apache-2.0
/* Finishing what a template made. */
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

#define CLONESET "'apiVersion':'apps.kruise.io/v1alpha1','kind':'CloneSet'"

static json_t *finish(const char *output, int number, const char *holder)
{
    json_t *revision AUTO_JSON = sample_revision(number);
    json_t *rendered AUTO_JSON = sample_json(output);
    json_t *workload = NULL;
    struct error err = {0};
    if (workload_finish(revision, "web", rendered, holder, &workload, &err) != OK)
        fail_msg("%s: %s", err.path, err.text);
    return workload;
}

static void assert_json(const json_t *found, const char *wanted)
{
    json_t *json AUTO_JSON = sample_json(wanted);
    char *left AUTO_FREE = json_canonical(found);
    char *right AUTO_FREE = json_canonical(json);
    assert_string_equal(left, right);
}

static const char *mark_of(const json_t *workload)
{
    return json_string_value(
        json_object_get(json_at(workload, "/metadata/annotations"), MARK_APPLIED));
}

static void test_workload(void **state)
{
    json_t *workload AUTO_JSON =
        finish("{" CLONESET ",'metadata':{'labels':{'own':'x'}},'spec':{'replicas':5,"
               "'template':{'metadata':{'labels':{'app':'web'}}}}}",
               2, "prod/roll uid-1");
    char *mark AUTO_FREE = str_copy(mark_of(workload));
    json_object_del(json_at(workload, "/metadata/annotations"), MARK_APPLIED);
    assert_true(strlen(mark) == 64);
    assert_json(workload,
                "{" CLONESET ",'metadata':{'name':'web','namespace':'prod',"
                "'labels':{'own':'x','app.oam.dev/name':'shop','app.oam.dev/component':'web',"
                "'app.oam.dev/appRevision':'shop-v2'},"
                "'annotations':{'rollout.sluice.dev/holder':'prod/roll uid-1'},"
                "'ownerReferences':[{'apiVersion':'core.oam.dev/v1beta1','kind':'Application',"
                "'name':'shop','uid':'app-uid','controller':false,'blockOwnerDeletion':false}]},"
                "'spec':{'replicas':5,'template':{'metadata':{'labels':{'app':'web'}}}}}");
}

static void test_names_of_the_template_stand(void **state)
{
    json_t *workload AUTO_JSON =
        finish("{" CLONESET ",'metadata':{'name':'own','namespace':'prod','annotations':{'a':'b'},"
               "'ownerReferences':[{'kind':'Other','uid':'1'}]}}",
               2, NULL);
    assert_string_equal(json_string_at(workload, "/metadata/name"), "own");
    assert_string_equal(json_string_at(workload, "/metadata/annotations/a"), "b");
    assert_null(json_at(workload, "/metadata/annotations/rollout.sluice.dev~1holder"));
    assert_int_equal(json_array_size(json_at(workload, "/metadata/ownerReferences")), 2);
}

static void assert_marks(const char *one, int number, const char *other, int other_number,
                         bool equal)
{
    json_t *left AUTO_JSON = finish(one, number, "a");
    json_t *right AUTO_JSON = finish(other, other_number, "b");
    assert_int_equal(strcmp(mark_of(left), mark_of(right)) == 0, equal);
}

/* The mark follows what was rendered, and neither the revision's name nor who holds it. */
static void test_mark_of_what_was_applied(void **state)
{
    static const char one[] = "{" CLONESET ",'spec':{'replicas':5,'x':1}}";
    assert_marks(one, 1, one, 2, true);
    assert_marks(one, 1, "{" CLONESET ",'spec':{'x':1,'replicas':5}}", 1, true);
    assert_marks(one, 1, "{" CLONESET ",'spec':{'replicas':6,'x':1}}", 1, false);
    assert_marks(one, 1,
                 "{" CLONESET ",'metadata':{'labels':{'a':'b'}},'spec':{'replicas':5,'x':1}}", 1,
                 false);
}

/* Applying the same again must give the same again. */
static void test_finish_is_repeatable(void **state)
{
    json_t *one AUTO_JSON = finish("{" CLONESET "}", 1, "a");
    json_t *other AUTO_JSON = finish("{" CLONESET "}", 1, "a");
    assert_true(json_equal(one, other));
}

static void test_no_owner_without_uid(void **state)
{
    json_t *revision AUTO_JSON = sample_revision(1);
    json_t *output AUTO_JSON = sample_json("{" CLONESET "}");
    json_remove_at(revision, "/metadata/ownerReferences");
    json_t *workload AUTO_JSON = NULL;
    assert_int_equal(workload_finish(revision, "web", output, "a", &workload, NULL), OK);
    assert_null(json_at(workload, "/metadata/ownerReferences"));
}

static void assert_refused(const char *output, const char *path, const char *words)
{
    json_t *revision AUTO_JSON = sample_revision(1);
    json_t *rendered AUTO_JSON = sample_json(output);
    json_t *workload = NULL;
    struct error err = {0};
    assert_int_equal(workload_finish(revision, "web", rendered, "a", &workload, &err), ERR_INVALID);
    assert_null(workload);
    assert_string_equal(err.path, path);
    if (!strstr(err.text, words))
        fail_msg("\"%s\" lacks \"%s\"", err.text, words);
}

static void test_refused(void **state)
{
    assert_refused("[]", "output", "made no object");
    assert_refused("{'kind':'CloneSet'}", "output.apiVersion", "component web: the template must");
    assert_refused("{'apiVersion':'v1','kind':''}", "output.kind", "must set it");
    assert_refused("{'apiVersion':'v1','kind':7}", "output.kind", "must set it");
    assert_refused("{" CLONESET ",'metadata':[]}", "output.metadata", "expected an object");
    assert_refused("{" CLONESET ",'metadata':{'name':7}}", "output.metadata.name",
                   "expected a text");
    assert_refused("{" CLONESET ",'metadata':{'labels':[]}}", "output.metadata.labels",
                   "expected an object");
    assert_refused("{" CLONESET ",'metadata':{'annotations':'x'}}", "output.metadata.annotations",
                   "expected an object");
    assert_refused("{" CLONESET ",'metadata':{'namespace':'other'}}", "output.metadata.namespace",
                   "expected the Application's namespace prod, found \"other\"");
    assert_refused("{'apiVersion':'apps/v1','kind':'Deployment'}", "output.kind",
                   "declares apps.kruise.io/v1alpha1 CloneSet, but its template made apps/v1 "
                   "Deployment");
    assert_refused("{'apiVersion':'apps.kruise.io/v1beta1','kind':'CloneSet'}", "output.kind",
                   "made apps.kruise.io/v1beta1 CloneSet");
}

static void test_kind_not_declared(void **state)
{
    json_t *revision AUTO_JSON = sample_revision(1);
    json_t *output AUTO_JSON = sample_json("{'apiVersion':'apps/v1','kind':'Deployment'}");
    json_put_take(revision, "/spec/componentDefinitions/clonesetservice/spec/workload",
                  sample_json("{'type':'deployments.apps'}"));
    json_t *workload AUTO_JSON = NULL;
    assert_int_equal(workload_finish(revision, "web", output, "a", &workload, NULL), OK);
}

static void test_auxiliary(void **state)
{
    json_t *revision AUTO_JSON = sample_revision(3);
    json_t *output AUTO_JSON = sample_json("{'apiVersion':'v1','kind':'Service'}");
    json_t *object AUTO_JSON = NULL;
    assert_int_equal(auxiliary_finish(revision, "web", "my_Service", output, &object, NULL), OK);
    assert_json(object,
                "{'apiVersion':'v1','kind':'Service','metadata':{'name':'web-my-service',"
                "'namespace':'prod','labels':{'app.oam.dev/name':'shop',"
                "'app.oam.dev/component':'web','app.oam.dev/appRevision':'shop-v3'},"
                "'ownerReferences':[{'apiVersion':'core.oam.dev/v1beta1','kind':'Application',"
                "'name':'shop','uid':'app-uid','controller':false,'blockOwnerDeletion':false}]}}");
}

static void test_auxiliary_refused(void **state)
{
    json_t *revision AUTO_JSON = sample_revision(3);
    json_t *output AUTO_JSON = sample_json("{'kind':'Service'}");
    json_t *object = NULL;
    struct error err = {0};
    assert_int_equal(auxiliary_finish(revision, "web", "svc", output, &object, &err), ERR_INVALID);
    assert_string_equal(err.path, "outputs.svc.apiVersion");
    assert_null(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_workload),
        cmocka_unit_test(test_names_of_the_template_stand),
        cmocka_unit_test(test_mark_of_what_was_applied),
        cmocka_unit_test(test_finish_is_repeatable),
        cmocka_unit_test(test_no_owner_without_uid),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_kind_not_declared),
        cmocka_unit_test(test_auxiliary),
        cmocka_unit_test(test_auxiliary_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
