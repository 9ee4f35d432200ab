// SPDX-License-Identifier: Apache-2.0
/* Reading plans: what is understood, and what is refused, by field and with which words. */
#include "plans.h"

#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- what is understood ---- */

static void test_nothing_but_defaults(void **state)
{
    struct plan *plan = plan_of("{}");
    assert_int_equal(plan->strategy, STRATEGY_INCREASE_FIRST);
    assert_int_equal(plan->target_size, -1);
    assert_true(plan->even);
    assert_int_equal(plan->batch_count, 1);
    assert_false(plan->strategy_given);
    assert_false(plan_in_steps(plan));
    assert_int_equal(plan->partition, -1);
    assert_false(plan->paused);
    assert_int_equal(plan->hook_count, 0);
    assert_int_equal(plan->batches[0].replicas.unit, AMOUNT_OMITTED);
    plan_free(plan);
}

static void test_one_batch_may_have_steps(void **state)
{
    struct plan *plan = plan_of("{'rolloutStrategy':'IncreaseFirst',"
                                "'rolloutBatches':[{'instanceInterval':5}]}");
    assert_true(plan->strategy_given);
    assert_int_equal(plan->strategy, STRATEGY_INCREASE_FIRST);
    assert_true(plan_in_steps(plan));
    plan_free(plan);
}

/* What isn't a batch of the plan has what the plan says for all. */
static void test_deadline_of_no_batch(void **state)
{
    struct plan *plan = plan_of("{'progressDeadlineSeconds':60,'rolloutBatches':["
                                "{'progressDeadlineSeconds':10}]}");
    assert_int_equal(plan_deadline(plan, -1).seconds, 60);
    assert_int_equal(plan_deadline(plan, 0).seconds, 10);
    assert_int_equal(plan_deadline(plan, 1).seconds, 60);
    plan_free(plan);
}

static void test_null_is_as_good_as_absent(void **state)
{
    struct plan *plan =
        plan_of("{'rolloutStrategy':null,'targetSize':null,'numBatches':null,'rolloutBatches':null,"
                "'batchPartition':null,'paused':null,'rolloutWebhooks':null,'canaryMetric':null}");
    assert_true(plan->even);
    assert_int_equal(plan->partition, -1);
    plan_free(plan);
}

static void test_every_field(void **state)
{
    struct plan *plan = plan_of(
        "{'rolloutStrategy':'DecreaseFirst','targetSize':9,'numBatches':3,'batchPartition':1,"
        "'paused':true,'canaryMetric':[],'progressDeadlineSeconds':60,'onFailure':'Abandon',"
        "'rolloutBatches':["
        "{'replicas':2,'maxUnavailable':0,'instanceInterval':7,'canaryMetric':[]},"
        "{'podList':['a','b'],'maxUnavailable':'10%'},"
        "{'replicas':'5%','batchRolloutWebhooks':[],'onFailure':'Rollback'}]}");
    assert_int_equal(plan->strategy, STRATEGY_DECREASE_FIRST);
    assert_true(plan->strategy_given);
    assert_true(plan_in_steps(plan));
    assert_int_equal(plan->target_size, 9);
    assert_false(plan->even);
    assert_int_equal(plan->batch_count, 3);
    assert_int_equal(plan->partition, 1);
    assert_true(plan->paused);
    assert_int_equal(plan->deadline.seconds, 60);
    assert_int_equal(plan_deadline(plan, 1).then, ON_FAILURE_ABANDON);
    assert_int_equal(plan_deadline(plan, 2).seconds, 60);
    assert_int_equal(plan_deadline(plan, 2).then, ON_FAILURE_ROLLBACK);
    assert_true(plan_rolls_back(plan));
    assert_int_equal(plan->batches[0].replicas.unit, AMOUNT_PODS);
    assert_int_equal(plan->batches[0].replicas.value, 2);
    assert_int_equal(plan->batches[0].max_unavailable.unit, AMOUNT_PODS);
    assert_int_equal(plan->batches[0].instance_interval_s, 7);
    assert_null(plan->batches[0].pods);
    assert_int_equal(plan->batches[1].replicas.unit, AMOUNT_PODS);
    assert_int_equal(plan->batches[1].replicas.value, 2);
    assert_int_equal(json_array_size(plan->batches[1].pods), 2);
    assert_int_equal(plan->batches[1].max_unavailable.unit, AMOUNT_PERCENT);
    assert_int_equal(plan->batches[1].max_unavailable.value, 10);
    assert_int_equal(plan->batches[2].replicas.unit, AMOUNT_PERCENT);
    assert_int_equal(plan->batches[2].replicas.value, 5);
    plan_free(plan);
}

static void test_no_pod_may_be_missing(void **state)
{
    struct plan *plan = plan_of("{'rolloutBatches':[{'maxUnavailable':'0%'}]}");
    assert_int_equal(plan->batches[0].max_unavailable.unit, AMOUNT_PERCENT);
    assert_int_equal(plan->batches[0].max_unavailable.value, 0);
    plan_free(plan);
}

static void test_hooks(void **state)
{
    struct plan *plan =
        plan_of("{'rolloutWebhooks':[{'type':'initialize-rollout','name':'a','url':'http://h/1'},"
                "{'type':'finalize-rollout','name':'b','url':'https://h/2','method':'put',"
                "'expectedStatus':[200,599],'metadata':{'k':'v'}}]}");
    assert_int_equal(plan->hook_count, 2);
    assert_int_equal(plan->hooks[0].type, HOOK_INITIALIZE);
    assert_string_equal(plan->hooks[0].name, "a");
    assert_string_equal(plan->hooks[0].url, "http://h/1");
    assert_string_equal(plan->hooks[0].method, "POST");
    assert_int_equal(plan->hooks[0].expected_count, 0);
    assert_null(plan->hooks[0].metadata);
    assert_int_equal(plan->hooks[1].type, HOOK_FINALIZE);
    assert_string_equal(plan->hooks[1].method, "PUT");
    assert_int_equal(plan->hooks[1].expected_count, 2);
    assert_int_equal(plan->hooks[1].expected[1], 599);
    assert_string_equal(json_string_at(plan->hooks[1].metadata, "/k"), "v");
    plan_free(plan);
}

/* The document may change, or be gone, before the plan is. */
static void test_plan_stands_alone(void **state)
{
    struct plan *plan = NULL;
    json_t *json = quoted_json("{'rolloutBatches':[{'podList':['a']},{}],'rolloutWebhooks':["
                               "{'type':'finalize-rollout','name':'b','url':'http://h',"
                               "'metadata':{'k':'v'}}]}");
    assert_int_equal(plan_read(json, "p", &plan, NULL), OK);
    json_array_clear(json_at(json, "/rolloutBatches/0/podList"));
    json_object_clear(json_at(json, "/rolloutWebhooks/0/metadata"));
    json_decref(json);
    assert_string_equal(json_string_at(plan->batches[0].pods, "/0"), "a");
    assert_string_equal(json_string_at(plan->hooks[0].metadata, "/k"), "v");
    plan_free(plan);
}

/* ---- what is refused ---- */

struct refusal {
    const char *plan, *path, *message;
};

static void assert_refused(const struct refusal *refusal)
{
    json_t *json AUTO_JSON = quoted_json(refusal->plan);
    struct plan *untouched = (struct plan *)&json, *plan = untouched;
    struct error err = {0};
    int code = plan_read(json, "spec.rolloutPlan", &plan, &err);
    if (code != ERR_INVALID || err.code != ERR_INVALID)
        fail_msg("%s: accepted", refusal->plan);
    assert_ptr_equal(plan, untouched);
    if (strcmp(err.path, refusal->path) != 0 || strcmp(err.text, refusal->message) != 0)
        fail_msg("%s\n  says     %s: %s\n  instead of %s: %s", refusal->plan, err.path, err.text,
                 refusal->path, refusal->message);
}

static void assert_all_refused(const struct refusal *refusals, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_refused(&refusals[i]);
}

#define P  "spec.rolloutPlan"
#define B0 P ".rolloutBatches[0]"

static void test_refused_plans(void **state)
{
    static const struct refusal refusals[] = {
        {"null", P, "is missing"},
        {"[]", P, "expected an object, found []"},
        {"'x'", P, "expected an object, found \"x\""},
        {"{'batches':[]}", P ".batches", "unknown field"},
        {"{'rolloutBatch':[]}", P ".rolloutBatch",
         "unknown field; did you mean \"rolloutBatches\"?"},
        {"{'rolloutStrategy':'Canary'}", P ".rolloutStrategy",
         "expected IncreaseFirst or DecreaseFirst, found \"Canary\""},
        {"{'rolloutStrategy':'increasefirst'}", P ".rolloutStrategy",
         "expected IncreaseFirst or DecreaseFirst, found \"increasefirst\""},
        {"{'rolloutStrategy':3}", P ".rolloutStrategy",
         "expected IncreaseFirst or DecreaseFirst, found 3"},
        {"{'targetSize':-1}", P ".targetSize",
         "expected a whole number from 0 to 1000000, found -1"},
        {"{'targetSize':2.5}", P ".targetSize",
         "expected a whole number from 0 to 1000000, found 2.5"},
        {"{'targetSize':'5'}", P ".targetSize",
         "expected a whole number from 0 to 1000000, found \"5\""},
        {"{'targetSize':4294967299}", P ".targetSize",
         "expected a whole number from 0 to 1000000, found 4294967299"},
        {"{'numBatches':0}", P ".numBatches", "expected a whole number from 1 to 1000, found 0"},
        {"{'numBatches':1001}", P ".numBatches",
         "expected a whole number from 1 to 1000, found 1001"},
        {"{'numBatches':3,'rolloutBatches':[{}]}", P ".numBatches",
         "numBatches is 3, but rolloutBatches has 1; leave one of them out"},
        {"{'batchPartition':-1}", P ".batchPartition",
         "expected a whole number from 0 to 2147483647, found -1"},
        {"{'batchPartition':1}", P ".batchPartition",
         "batchPartition is 1, but the last batch is 0 (batches are counted from 0); leave it out "
         "to roll them all"},
        {"{'numBatches':3,'batchPartition':3}", P ".batchPartition",
         "batchPartition is 3, but the last batch is 2 (batches are counted from 0); leave it out "
         "to roll them all"},
        {"{'rolloutBatches':[{'replicas':1},{}],'batchPartition':1000000000}", P ".batchPartition",
         "batchPartition is 1000000000, but the last batch is 1 (batches are counted from 0); "
         "leave it out to roll them all"},
        {"{'paused':'true'}", P ".paused", "expected true or false, found \"true\""},
        {"{'canaryMetric':[{'name':'m'}]}", P ".canaryMetric",
         "canaryMetric is not supported yet; remove it, or check the metric in a "
         "post-batch-rollout webhook"},
        {"{'canaryMetric':{}}", P ".canaryMetric",
         "canaryMetric is not supported yet; remove it, or check the metric in a "
         "post-batch-rollout webhook"},
        {"{'rolloutBatches':[]}", P ".rolloutBatches",
         "expected a list of 1 to 1000 batches, found []"},
        {"{'rolloutBatches':{}}", P ".rolloutBatches",
         "expected a list of 1 to 1000 batches, found {}"},
    };
    assert_all_refused(refusals, COUNT(refusals));
}

static void test_refused_sizes(void **state)
{
    static const struct refusal refusals[] = {
        {"{'rolloutBatches':[{'replicas':-1}]}", B0 ".replicas",
         "expected 1 to 1000000 pods, or a percentage such as \"20%\", found -1"},
        {"{'rolloutBatches':[{'replicas':0}]}", B0 ".replicas",
         "expected 1 to 1000000 pods, or a percentage such as \"20%\", found 0"},
        {"{'rolloutBatches':[{'replicas':1000001}]}", B0 ".replicas",
         "expected 1 to 1000000 pods, or a percentage such as \"20%\", found 1000001"},
        {"{'rolloutBatches':[{'replicas':1.5}]}", B0 ".replicas",
         "expected 1 to 1000000 pods, or a percentage such as \"20%\", found 1.5"},
        {"{'rolloutBatches':[{'replicas':true}]}", B0 ".replicas",
         "expected 1 to 1000000 pods, or a percentage such as \"20%\", found true"},
        {"{'rolloutBatches':[{'replicas':'101%'}]}", B0 ".replicas",
         "expected a percentage from 1% to 100%, or a number of pods, found \"101%\""},
        {"{'rolloutBatches':[{'replicas':'0%'}]}", B0 ".replicas",
         "expected a percentage from 1% to 100%, or a number of pods, found \"0%\""},
        {"{'rolloutBatches':[{'replicas':'05%'}]}", B0 ".replicas",
         "expected \"5%\", found \"05%\""},
        {"{'rolloutBatches':[{'replicas':'-5%'}]}", B0 ".replicas",
         "expected a percentage from 1% to 100%, or a number of pods, found \"-5%\""},
        {"{'rolloutBatches':[{'replicas':'5.5%'}]}", B0 ".replicas",
         "expected a percentage from 1% to 100%, or a number of pods, found \"5.5%\""},
        {"{'rolloutBatches':[{'replicas':' 5%'}]}", B0 ".replicas",
         "expected a percentage from 1% to 100%, or a number of pods, found \" 5%\""},
        {"{'rolloutBatches':[{'replicas':'5%%'}]}", B0 ".replicas",
         "expected a percentage from 1% to 100%, or a number of pods, found \"5%%\""},
        {"{'rolloutBatches':[{'replicas':'%'}]}", B0 ".replicas",
         "expected a percentage from 1% to 100%, or a number of pods, found \"%\""},
        {"{'rolloutBatches':[{'replicas':''}]}", B0 ".replicas",
         "expected a percentage from 1% to 100%, or a number of pods, found \"\""},
        {"{'rolloutBatches':[{'replicas':'99999999999999999999%'}]}", B0 ".replicas",
         "expected a percentage from 1% to 100%, or a number of pods, found "
         "\"99999999999999999999%\""},
        {"{'rolloutBatches':[{'replicas':'50'}]}", B0 ".replicas",
         "expected 50 for pods or \"50%\" for a percentage, found \"50\""},
        {"{'rolloutBatches':[{'maxUnavailable':-1}]}", B0 ".maxUnavailable",
         "expected 0 to 1000000 pods, or a percentage such as \"20%\", found -1"},
        {"{'rolloutBatches':[{'maxUnavailable':'200%'}]}", B0 ".maxUnavailable",
         "expected a percentage from 0% to 100%, or a number of pods, found \"200%\""},
    };
    assert_all_refused(refusals, COUNT(refusals));
}

static void test_refused_batches(void **state)
{
    static const struct refusal refusals[] = {
        {"{'rolloutBatches':[3]}", B0, "expected an object, found 3"},
        {"{'rolloutBatches':[null]}", B0, "expected an object, found nothing"},
        {"{'rolloutBatches':[{'podList':['','a']}]}", B0 ".podList[0]",
         "expected a pod name, found \"\""},
        {"{'rolloutBatches':[{'partition':3}]}", B0 ".partition", "unknown field"},
        {"{'rolloutBatches':[{},{'replicas':1}]}", B0,
         "replicas is missing; only the last batch may leave it out, and then takes all the rest"},
        {"{'rolloutBatches':[{'instanceInterval':-1}]}", B0 ".instanceInterval",
         "expected a whole number from 0 to 86400, found -1"},
        {"{'rolloutBatches':[{'instanceInterval':86401}]}", B0 ".instanceInterval",
         "expected a whole number from 0 to 86400, found 86401"},
        {"{'rolloutBatches':[{'instanceInterval':'10s'}]}", B0 ".instanceInterval",
         "expected a whole number from 0 to 86400, found \"10s\""},
        {"{'rolloutBatches':[{'progressDeadlineSeconds':0}]}", B0 ".progressDeadlineSeconds",
         "expected a whole number from 1 to 604800, found 0"},
        {"{'rolloutBatches':[{'onFailure':'pause'}]}", B0 ".onFailure",
         "expected Pause, Abandon or Rollback, found \"pause\""},
        {"{'rolloutBatches':[{'onFailure':3}]}", B0 ".onFailure",
         "expected Pause, Abandon or Rollback, found 3"},
        {"{'rolloutBatches':[{'canaryMetric':[{}]}]}", B0 ".canaryMetric",
         "canaryMetric is not supported yet; remove it, or check the metric in a "
         "post-batch-rollout webhook"},
        {"{'rolloutBatches':[{'podList':['a'],'replicas':1}]}", B0 ".podList",
         "podList and replicas exclude each other; the batch is as large as its podList"},
        {"{'rolloutBatches':[{'podList':[]}]}", B0 ".podList",
         "expected a list of 1 to 1000 pod names, found []"},
        {"{'rolloutBatches':[{'podList':'a'}]}", B0 ".podList",
         "expected a list of 1 to 1000 pod names, found \"a\""},
        {"{'rolloutBatches':[{'podList':['a',1]}]}", B0 ".podList[1]",
         "expected a pod name, found 1"},
        {"{'rolloutBatches':[{'podList':['']}]}", B0 ".podList[0]",
         "expected a pod name, found \"\""},
        {"{'rolloutBatches':[{'podList':['a','b','a']}]}", B0 ".podList[2]",
         "pod a is named twice"},
    };
    assert_all_refused(refusals, COUNT(refusals));
}

#define HOOK(rest)  "{'rolloutWebhooks':[{" rest "}]}"
#define BATCH(rest) "{'rolloutBatches':[{'batchRolloutWebhooks':[{" rest "}]}]}"
#define H0          P ".rolloutWebhooks[0]"
#define BH0         B0 ".batchRolloutWebhooks[0]"
#define GOOD        "'type':'finalize-rollout','name':'n','url':'http://h'"

static void test_refused_hooks(void **state)
{
    static const struct refusal refusals[] = {
        {"{'rolloutWebhooks':{}}", P ".rolloutWebhooks",
         "expected a list of 0 to 16 webhooks, found {}"},
        {"{'rolloutWebhooks':['x']}", H0, "expected an object, found \"x\""},
        {HOOK(GOOD ",'retries':3"), H0 ".retries", "unknown field"},
        {HOOK("'name':'n','url':'http://h'"), H0 ".type",
         "expected initialize-rollout, pre-batch-rollout, post-batch-rollout or finalize-rollout, "
         "found nothing"},
        {HOOK("'type':'before','name':'n','url':'http://h'"), H0 ".type",
         "expected initialize-rollout, pre-batch-rollout, post-batch-rollout or finalize-rollout, "
         "found \"before\""},
        {BATCH("'type':'initialize-rollout','name':'n','url':'http://h'"), BH0 ".type",
         "expected pre-batch-rollout or post-batch-rollout (the others belong in "
         "rolloutWebhooks), found \"initialize-rollout\""},
        {BATCH("'type':'finalize-rollout','name':'n','url':'http://h'"), BH0 ".type",
         "expected pre-batch-rollout or post-batch-rollout (the others belong in "
         "rolloutWebhooks), found \"finalize-rollout\""},
        {HOOK("'type':'finalize-rollout','url':'http://h'"), H0 ".name",
         "expected a name, found nothing"},
        {HOOK("'type':'finalize-rollout','name':'','url':'http://h'"), H0 ".name",
         "expected a name, found \"\""},
        {HOOK("'type':'finalize-rollout','name':'n'"), H0 ".url",
         "expected a URL that begins with http:// or https://, found nothing"},
        {HOOK("'type':'finalize-rollout','name':'n','url':'ftp://h'"), H0 ".url",
         "expected a URL that begins with http:// or https://, found \"ftp://h\""},
        {HOOK("'type':'finalize-rollout','name':'n','url':'http:/h'"), H0 ".url",
         "expected a URL that begins with http:// or https://, found \"http:/h\""},
        {HOOK(GOOD ",'method':'DELETE'"), H0 ".method",
         "expected POST, PUT, PATCH or GET, found \"DELETE\""},
        {HOOK(GOOD ",'method':1"), H0 ".method", "expected POST, PUT, PATCH or GET, found 1"},
        {HOOK(GOOD ",'expectedStatus':200"), H0 ".expectedStatus",
         "expected a list of 0 to 100 statuses, found 200"},
        {HOOK(GOOD ",'expectedStatus':[200,99]"), H0 ".expectedStatus[1]",
         "expected a whole number from 100 to 599, found 99"},
        {HOOK(GOOD ",'expectedStatus':[600]"), H0 ".expectedStatus[0]",
         "expected a whole number from 100 to 599, found 600"},
        {HOOK(GOOD ",'expectedStatus':[null]"), H0 ".expectedStatus[0]",
         "expected an HTTP status, found nothing"},
        {HOOK(GOOD ",'metadata':[]"), H0 ".metadata", "expected an object of texts, found []"},
        {HOOK(GOOD ",'metadata':{'a':1}"), H0 ".metadata.a", "expected a text, found 1"},
    };
    assert_all_refused(refusals, COUNT(refusals));
}

/* Too many of anything is refused with the number that was found. */
static void assert_too_many(const char *pointer, const char *item, int count, const char *message)
{
    struct error err = {0};
    struct plan *plan = NULL;
    json_t *list = json_array(), *json AUTO_JSON = quoted_json("{'rolloutBatches':[{}]}");
    json_t *entry AUTO_JSON = quoted_json(item);
    for (int i = 0; i < count; i++)
        json_array_append(list, entry);
    assert_int_equal(json_put_take(json, pointer, list), OK);
    assert_int_equal(plan_read(json, P, &plan, &err), ERR_INVALID);
    assert_string_equal(err.text, message);
}

static void test_too_many(void **state)
{
    assert_too_many("/rolloutBatches", "{'replicas':1}", 1001,
                    "expected a list of 1 to 1000 batches, found 1001");
    assert_too_many("/rolloutBatches/0/podList", "'a'", 1001,
                    "expected a list of 1 to 1000 pod names, found 1001");
    assert_too_many("/rolloutWebhooks", "{" GOOD "}", 17,
                    "expected a list of 0 to 16 webhooks, found 17");
    assert_too_many("/rolloutBatches/0/batchRolloutWebhooks", "{}", 17,
                    "expected a list of 0 to 16 webhooks, found 17");
}

static void test_the_largest_are_accepted(void **state)
{
    json_t *json AUTO_JSON = json_object(), *batch AUTO_JSON = quoted_json("{'replicas':'100%'}");
    json_t *hook AUTO_JSON = quoted_json("{" GOOD "}");
    struct plan *plan = NULL;
    for (int i = 0; i < 1000; i++) {
        char pointer[40] = "/rolloutBatches";
        if (!i)
            json_put_take(json, pointer, json_array());
        json_array_append(json_at(json, pointer), batch);
    }
    json_put_take(json, "/rolloutWebhooks", json_array());
    for (int i = 0; i < 16; i++)
        json_array_append(json_at(json, "/rolloutWebhooks"), hook);
    assert_int_equal(plan_read(json, P, &plan, NULL), OK);
    assert_int_equal(plan_target(plan, (struct span){0, 1000000000}, 998), 1000000000);
    assert_int_equal(plan_check(plan, (struct span){0, 1000000000}, NULL), OK);
    plan_free(plan);
}

/* What is quoted is cut between characters, so that the message stays UTF-8. */
static void test_long_finds_are_cut(void **state)
{
    struct error err = {0};
    struct plan *plan = NULL;
    for (int lead = 0; lead < 4; lead++) {
        char text[320] = "";
        for (int i = 0; i < lead; i++)
            strcat(text, "x");
        for (int i = 0; i < 60; i++)
            strcat(text, "ä€");
        json_t *json AUTO_JSON = json_pack("{s:s}", "rolloutStrategy", text);
        assert_int_equal(plan_read(json, P, &plan, &err), ERR_INVALID);
        json_t *words AUTO_JSON = json_string(err.text);
        assert_non_null(words);
        assert_true(strlen(err.text) < 160);
        assert_string_equal(err.text + strlen(err.text) - 3, "…");
    }
}

/* The path begins with where the plan stands. */
static void test_path_of_another_kind(void **state)
{
    struct error err = {0};
    struct plan *plan = NULL;
    json_t *json AUTO_JSON = quoted_json("{'targetSize':-1}");
    assert_int_equal(plan_read(json, "plan", &plan, &err), ERR_INVALID);
    assert_string_equal(err.path, "plan.targetSize");
    assert_int_equal(plan_read(NULL, "plan", &plan, &err), ERR_INVALID);
    assert_string_equal(err.path, "plan");
    assert_int_equal(plan_read(json, "plan", &plan, NULL), ERR_INVALID);
}

/* A Rollout's workload has an owner, to whom its template belongs. */
static void test_whose_template_it_is(void **state)
{
    static const struct {
        const char *plan, *path; /* NULL: it may be a Rollout's */
    } rows[] = {
        {"{'onFailure':'Abandon','rolloutBatches':[{'replicas':1,'onFailure':'Pause'},{}]}", NULL},
        {"{'onFailure':'Rollback'}", P ".onFailure"},
        {"{'rolloutBatches':[{'replicas':1},{'onFailure':'Rollback'}]}",
         P ".rolloutBatches[1].onFailure"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct plan *plan = NULL;
        json_t *json AUTO_JSON = quoted_json(rows[i].plan);
        assert_int_equal(plan_read(json, P, &plan, &err), OK);
        assert_int_equal(plan_check_followed(plan, &err), rows[i].path ? ERR_INVALID : OK);
        assert_int_equal(plan_rolls_back(plan), rows[i].path != NULL);
        assert_string_equal(err.path, rows[i].path ? rows[i].path : "");
        plan_free(plan);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_but_defaults),
        cmocka_unit_test(test_no_pod_may_be_missing),
        cmocka_unit_test(test_one_batch_may_have_steps),
        cmocka_unit_test(test_deadline_of_no_batch),
        cmocka_unit_test(test_null_is_as_good_as_absent),
        cmocka_unit_test(test_every_field),
        cmocka_unit_test(test_hooks),
        cmocka_unit_test(test_plan_stands_alone),
        cmocka_unit_test(test_refused_plans),
        cmocka_unit_test(test_refused_sizes),
        cmocka_unit_test(test_refused_batches),
        cmocka_unit_test(test_refused_hooks),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_the_largest_are_accepted),
        cmocka_unit_test(test_long_finds_are_cut),
        cmocka_unit_test(test_whose_template_it_is),
        cmocka_unit_test(test_path_of_another_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
