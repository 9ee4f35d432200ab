// SPDX-License-Identifier: Apache-2.0
/* Reading an AppRollout: what people want, and the plan. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "oam/approllout.h"

#include <string.h>

static json_t *parsed(const char *text)
{
    json_t *json = NULL;
    struct error err = {0};
    if (json_parse(text, strlen(text), &json, &err) < 0)
        fail_msg("%s", err.text);
    return json;
}

static void test_everything(void **state)
{
    json_t *object AUTO_JSON =
        parsed("{\"metadata\":{\"name\":\"r\",\"namespace\":\"ns\",\"uid\":\"u\",\"generation\":3,"
               "\"finalizers\":[\"other\",\"finalizers.approllout.oam.dev\"],"
               "\"deletionTimestamp\":\"2026-01-01T00:00:00Z\"},"
               "\"spec\":{\"targetAppRevisionName\":\"a-v2\",\"sourceAppRevisionName\":\"a-v1\","
               "\"componentList\":[\"web\"],\"revertOnDelete\":true,"
               "\"rolloutPlan\":{\"targetSize\":7,\"rolloutBatches\":[{\"replicas\":1},{}]}}}");
    struct approllout rollout;
    approllout_read(object, &rollout);
    assert_string_equal(rollout.ns, "ns");
    assert_string_equal(rollout.name, "r");
    assert_string_equal(rollout.uid, "u");
    assert_string_equal(rollout.intent.target, "a-v2");
    assert_string_equal(rollout.intent.source, "a-v1");
    assert_int_equal(rollout.intent.generation, 3);
    assert_true(rollout.intent.deleted);
    assert_true(rollout.intent.revert_on_delete);
    assert_true(rollout.has_finalizer);
    assert_int_equal(json_array_size(rollout.component_list), 1);
    assert_int_equal(rollout.plan_error.code, OK);
    assert_int_equal(rollout.plan->batch_count, 2);
    assert_int_equal(rollout.plan->target_size, 7);
    approllout_done(&rollout);
    assert_null(rollout.plan);
}

static void test_the_least(void **state)
{
    json_t *object AUTO_JSON =
        parsed("{\"metadata\":{\"name\":\"r\",\"namespace\":\"ns\",\"finalizers\":[\"other\"]},"
               "\"spec\":{\"targetAppRevisionName\":\"a-v1\",\"rolloutPlan\":{}}}");
    struct approllout rollout;
    approllout_read(object, &rollout);
    assert_string_equal(rollout.uid, "");
    assert_string_equal(rollout.intent.source, "");
    assert_false(rollout.intent.deleted);
    assert_false(rollout.intent.revert_on_delete);
    assert_false(rollout.has_finalizer);
    assert_null(rollout.component_list);
    assert_non_null(rollout.plan);
    approllout_done(&rollout);
}

/* A plan that is wrong is for the machine to judge; the rest is read all the same. */
static void test_bad_plan(void **state)
{
    json_t *object AUTO_JSON =
        parsed("{\"metadata\":{\"name\":\"r\"},\"spec\":{\"targetAppRevisionName\":\"a-v1\","
               "\"rolloutPlan\":{\"rolloutBatches\":[{\"replicas\":\"50\"}]}}}");
    struct approllout rollout;
    approllout_read(object, &rollout);
    assert_null(rollout.plan);
    assert_int_equal(rollout.plan_error.code, ERR_INVALID);
    assert_string_equal(rollout.plan_error.path, "spec.rolloutPlan.rolloutBatches[0].replicas");
    assert_string_equal(rollout.intent.target, "a-v1");
    approllout_done(&rollout);
}

static void test_empty_object(void **state)
{
    json_t *object AUTO_JSON = json_object();
    struct approllout rollout;
    approllout_read(object, &rollout);
    assert_string_equal(rollout.name, "");
    assert_string_equal(rollout.intent.target, "");
    assert_int_equal(rollout.plan_error.code, ERR_INVALID);
    assert_string_equal(rollout.plan_error.path, "spec.rolloutPlan");
    approllout_done(&rollout);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything),
        cmocka_unit_test(test_the_least),
        cmocka_unit_test(test_bad_plan),
        cmocka_unit_test(test_empty_object),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
