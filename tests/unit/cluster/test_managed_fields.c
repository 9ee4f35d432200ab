// SPDX-License-Identifier: Apache-2.0
/* Who has written what, from managedFields as an API server keeps them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/json.h"
#include "cluster/managed_fields.h"

#include <stdlib.h>
#include <string.h>

#define TEMPLATE "/spec/template"

/* JSON with single quotes. */
static json_t *quoted(const char *text)
{
    char *copy AUTO_FREE = str_copy(text);
    for (char *quote; (quote = strchr(copy, '\''));)
        *quote = '"';
    json_t *json = json_loads(copy, 0, NULL);
    if (!json)
        fail_msg("no JSON: %s", copy);
    return json;
}

#define WEB(image) "{'name':'web','image':'" image "'}"
#define SPEC(containers)                                                                           \
    "'spec':{'replicas':5,'template':{'spec':{'containers':[{'name':'side','image':'s:1'}"         \
    "," containers "]}}}"
#define ENTRY(manager, operation, time, fields)                                                    \
    "{'manager':'" manager "','operation':'" operation "','time':'" time                           \
    "','fieldsV1':{'f:spec':{" fields "}}}"
#define IN_CONTAINERS(fields)                                                                      \
    "'f:template':{'f:spec':{'f:containers':{'.':{},'k:{\\'name\\':\\'web\\'}':{'.':{},"           \
    "'f:name':{}," fields "}}}}"
#define LIVE(spec, entries) "{'metadata':{'managedFields':[" entries "]}," spec "}"

#define OURS ENTRY("sluice", "Apply", "2026-01-01T00:00:09Z", IN_CONTAINERS("'f:image':{}"))

static void check(const char *live_text, const char *manager, const char *field, const char *found)
{
    json_t *live AUTO_JSON = quoted(live_text);
    json_t *wanted AUTO_JSON = quoted("{" SPEC(WEB("web:2")) "}");
    struct foreign_write write;
    assert_true(managed_foreign_write(live, wanted, TEMPLATE, "sluice", &write));
    assert_string_equal(write.manager, manager);
    assert_string_equal(write.field, field);
    if (found)
        assert_string_equal(json_string_value(write.found), found);
    free(write.field);
}

static void test_names_the_field_that_differs(void **state)
{
    check(
        LIVE(SPEC(WEB("web:1")), OURS "," ENTRY("kubectl", "Update", "2026-01-01T00:00:05Z",
                                                "'f:replicas':{}," IN_CONTAINERS("'f:image':{}"))),
        "kubectl", "spec.template.spec.containers[name=web].image", "web:1");
}

/* Whoever has written something else there is not to blame. */
static void test_a_writer_of_what_is_right_is_passed_over(void **state)
{
    check(
        LIVE(SPEC(WEB("web:1")),
             ENTRY(
                 "argocd", "Apply", "2026-01-01T00:00:05Z",
                 IN_CONTAINERS(
                     "'f:image':{}")) "," ENTRY("scaler", "Update", "2026-01-01T00:00:07Z",
                                                "'f:replicas':{}") "," ENTRY("namer", "Update",
                                                                             "2026-01-01T00:00:08Z",
                                                                             "'f:template':{'f:"
                                                                             "spec':{'f:containers'"
                                                                             ":{'k:{\\'name\\':\\'"
                                                                             "side\\'}':"
                                                                             "{'f:image':{}}}}}")),
        "argocd", "spec.template.spec.containers[name=web].image", "web:1");
}

static void test_the_latest_of_several(void **state)
{
    check(LIVE(SPEC(WEB("web:1")),
               ENTRY("early", "Apply", "2026-01-01T00:00:05Z",
                     IN_CONTAINERS("'f:image':{}")) "," ENTRY("late", "Update",
                                                              "2026-01-01T00:00:06Z",
                                                              IN_CONTAINERS("'f:image':{}"))),
          "late", "spec.template.spec.containers[name=web].image", "web:1");
}

/* What the target says nothing about was added. */
static void test_an_added_field(void **state)
{
    check(LIVE(SPEC("{'name':'web','image':'web:2','tty':true}"),
               ENTRY("adder", "Update", "2026-01-01T00:00:05Z",
                     IN_CONTAINERS("'f:image':{},'f:tty':{}"))),
          "adder", "spec.template.spec.containers[name=web].tty", NULL);
}

/* Nobody owns what isn't there any more. */
static void test_a_removed_field(void **state)
{
    check(LIVE(SPEC("{'name':'web'}"),
               ENTRY("remover", "Update", "2026-01-01T00:00:05Z", IN_CONTAINERS("'f:tty':{}"))),
          "remover", "spec.template", NULL);
}

static void test_values_of_sets_and_indices(void **state)
{
    json_t *live AUTO_JSON =
        quoted("{'metadata':{'managedFields':[{'manager':'m','fieldsV1':{'f:spec':{'f:a':"
               "{'v:\\'x\\'':{},'i:1':{}}}}}]},'spec':{'a':['y','x']}}");
    json_t *wanted AUTO_JSON = quoted("{'spec':{'a':['y','z']}}");
    struct foreign_write write;
    assert_true(managed_foreign_write(live, wanted, "/spec", "sluice", &write));
    assert_string_equal(write.field, "spec.a[1]");
    assert_string_equal(json_string_value(write.wanted), "z");
    assert_string_equal(write.time, "");
    free(write.field);
}

static void test_nobody_else(void **state)
{
    static const char *const texts[] = {
        "{'spec':{}}",
        "{'metadata':{'managedFields':7}}",
        LIVE(SPEC(WEB("web:1")), OURS),
        LIVE(SPEC(WEB("web:1")), "{'manager':'kubelet','subresource':'status','fieldsV1':"
                                 "{'f:spec':{'f:template':{}}}}"),
        LIVE(SPEC(WEB("web:1")), "7,{'manager':8,'fieldsV1':[]}"),
    };
    json_t *wanted AUTO_JSON = quoted("{" SPEC(WEB("web:2")) "}");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        json_t *live AUTO_JSON = quoted(texts[i]);
        struct foreign_write write;
        assert_false(managed_foreign_write(live, wanted, TEMPLATE, "sluice", &write));
    }
}

static bool taken(const char *live_text, struct foreign_write *ret_write)
{
    json_t *live AUTO_JSON = quoted(live_text);
    json_t *wanted AUTO_JSON = quoted("{'spec':{'partition':3}}");
    bool found = managed_taken(live, wanted, "/spec/partition", "sluice", ret_write);
    if (found)
        ret_write->manager = NULL; /* goes with the object */
    return found;
}

#define HELD(spec, owner)                                                                          \
    "{'metadata':{'managedFields':[" owner                                                         \
    "," ENTRY("flux", "Update", "2026-01-01T00:00:05Z", "'f:replicas':{}") "]},'spec':{" spec "}}"

static void test_a_field_of_ours_is_taken_by_whoever_has_it(void **state)
{
    struct foreign_write write;
    assert_true(taken(
        HELD("'partition':0", ENTRY("helm", "Apply", "2026-01-01T00:00:01Z", "'f:partition':{}")),
        &write));
    assert_string_equal(write.field, "spec.partition");
    free(write.field);
}

static void test_a_field_of_ours_that_is_gone_was_taken(void **state)
{
    struct foreign_write write;
    assert_true(
        taken(HELD("'x':0", ENTRY("sluice", "Apply", "2026-01-01T00:00:01Z", "'f:x':{}")), &write));
    assert_string_equal(write.field, "spec.partition");
    free(write.field);
}

static void test_a_field_that_is_ours_still_was_not_taken(void **state)
{
    struct foreign_write write;
    assert_false(taken(HELD("'partition':0",
                            ENTRY("sluice", "Update", "2026-01-01T00:00:01Z", "'f:partition':{}")),
                       &write));
}

/* An annotation's name has a slash, which a pointer writes as ~1 and managedFields doesn't. */
static void test_a_name_with_a_slash(void **state)
{
    json_t *live AUTO_JSON =
        quoted("{'metadata':{'annotations':{'x.io/size':'1'},'managedFields':[{'manager':'helm',"
               "'operation':'Apply','time':'then','fieldsV1':{'f:metadata':{'f:annotations':{"
               "'f:x.io/size':{}}}}}]}}");
    json_t *wanted AUTO_JSON = quoted("{'metadata':{'annotations':{'x.io/size':'2'}}}");
    struct foreign_write write;
    assert_true(managed_taken(live, wanted, "/metadata/annotations/x.io~1size", "sluice", &write));
    assert_string_equal(write.manager, "helm");
    assert_string_equal(write.field, "metadata.annotations.x.io/size");
    free(write.field);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_the_field_that_differs),
        cmocka_unit_test(test_a_writer_of_what_is_right_is_passed_over),
        cmocka_unit_test(test_the_latest_of_several),
        cmocka_unit_test(test_an_added_field),
        cmocka_unit_test(test_a_removed_field),
        cmocka_unit_test(test_values_of_sets_and_indices),
        cmocka_unit_test(test_nobody_else),
        cmocka_unit_test(test_a_field_of_ours_is_taken_by_whoever_has_it),
        cmocka_unit_test(test_a_field_of_ours_that_is_gone_was_taken),
        cmocka_unit_test(test_a_field_that_is_ours_still_was_not_taken),
        cmocka_unit_test(test_a_name_with_a_slash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
