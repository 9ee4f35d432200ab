// SPDX-License-Identifier: Apache-2.0
/* What an API server asks the webhook, what is thought of it, and what is answered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/json.h"
#include "cli/judge.h"

#include <stdlib.h>
#include <string.h>

#define HEAD               "{'apiVersion':'admission.k8s.io/v1','kind':'AdmissionReview','request':{'uid':'u-1'"
#define META               "'apiVersion':'sluice.dev/v1alpha1','kind':'Rollout','metadata':{'name':'web'"
#define REF                "'workloadRef':{'apiVersion':'apps/v1','kind':'Deployment','name':'web'}"
#define ROLLOUT(plan)      "{" META "},'spec':{" REF ",'rolloutPlan':" plan "}}"
#define CREATE(plan)       HEAD ",'object':" ROLLOUT(plan) "}}"
#define UPDATE(plan, from) HEAD ",'object':" ROLLOUT(plan) ",'oldObject':" ROLLOUT(from) "}}"
#define HOOK(url)          "{'rolloutWebhooks':[{'type':'finalize-rollout','name':'n','url':'" url "'}]}"

static char *quoted(const char *text)
{
    char *copy = str_copy(text);
    for (char *at = copy; *at; at++)
        *at = *at == '\'' ? '"' : *at;
    return copy;
}

static int read_text(const char *text, struct review *ret_review, struct error *err)
{
    char *json AUTO_FREE = quoted(text);
    return review_read(json, strlen(json), ret_review, err);
}

static int judge_text(const char *text, const struct allow *allow, struct error *err)
{
    const struct config config = {.hook_allow = (struct allow *)(uintptr_t)allow};
    const struct judge judge = {.config = &config};
    struct review review;
    if (read_text(text, &review, err) < 0)
        fail_msg("%s: %s in %s", err->path, err->text, text);
    int code = judge_review(&judge, &review, err);
    review_done(&review);
    return code;
}

/* ---- reading ---- */

static void test_a_review(void **state)
{
    struct review review;
    struct error err = {0};
    (void)state;
    assert_int_equal(read_text(UPDATE("{'numBatches':2}", "{}"), &review, &err), OK);
    assert_string_equal(review.uid, "u-1");
    assert_string_equal(review.kind->info.kind, "Rollout");
    assert_int_equal(json_int_at(review.object, "/spec/rolloutPlan/numBatches", 0), 2);
    assert_non_null(review.before);
    review_done(&review);
}

static void test_what_is_no_review(void **state)
{
    static const struct {
        const char *text, *path, *words;
    } rows[] = {
        {"", "", ""},
        {"[", "", ""},
        {"[]", "", "expected AdmissionReview (admission.k8s.io/v1), found no kind (no apiVersion)"},
        {"{'apiVersion':'admission.k8s.io/v1beta1','kind':'AdmissionReview'}", "",
         "found AdmissionReview (admission.k8s.io/v1beta1)"},
        {"{'apiVersion':'admission.k8s.io/v1','kind':'AdmissionReview'}", "request.uid",
         "expected a text, found none"},
        {HEAD "}}", "request.object", "expected an object, found none"},
        {HEAD ",'object':7}}", "request.object", "expected an object, found none"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct review review;
        struct error err = {0};
        assert_int_equal(read_text(rows[i].text, &review, &err), ERR_INVALID);
        assert_string_equal(err.path, rows[i].path);
        assert_non_null(strstr(err.text, rows[i].words));
    }
}

/* ---- judging ---- */

static struct allow *only_gates(void)
{
    struct allow *allow = allow_new();
    assert_int_equal(allow_add(allow, "gates.svc", NULL), OK);
    return allow;
}

static void test_what_is_refused(void **state)
{
    static const struct {
        const char *review, *path, *words;
    } rows[] = {
        {CREATE("{'numBatches':0}"), "spec.rolloutPlan.numBatches", "whole number from 1"},
        {CREATE("{'onFailure':'Rollback'}"), "spec.rolloutPlan.onFailure", "expected Pause"},
        {HEAD ",'object':{" META "},'spec':{'rolloutPlan':{}}}}}", "spec.workloadRef", "expected"},
        {CREATE(HOOK("http://ask.svc/")), "spec.rolloutPlan.rolloutWebhooks[0].url",
         "found the host ask.svc; hooks.allow in the controller's config lets hooks go to "
         "gates.svc"},
        {CREATE(HOOK("http://")), "spec.rolloutPlan.rolloutWebhooks[0].url",
         "found what is no URL"},
    };
    struct allow *allow = only_gates();
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        assert_int_equal(judge_text(rows[i].review, allow, &err), ERR_INVALID);
        assert_string_equal(err.path, rows[i].path);
        assert_non_null(strstr(err.text, rows[i].words));
    }
    allow_unref(allow);
}

/* Without a list only what no hook may reach is refused. */
static void test_addresses(void **state)
{
    struct error err = {0};
    (void)state;
    assert_int_equal(judge_text(CREATE(HOOK("http://ask.svc/")), NULL, &err), OK);
    assert_int_equal(judge_text(CREATE(HOOK("http://10.0.0.1/")), NULL, &err), OK);
    assert_int_equal(judge_text(CREATE(HOOK("http://169.254.169.254/")), NULL, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "found 169.254.169.254, which is "));
    assert_int_equal(judge_text(CREATE(HOOK("http://[::1]:80/")), NULL, &err), ERR_INVALID);
}

static void test_what_is_let_pass(void **state)
{
    static const char *const reviews[] = {
        CREATE("{'rolloutBatches':[{'replicas':1},{}]}"),
        CREATE(HOOK("http://gates.svc/x")),
        /* what it was already, and what isn't about the plan */
        UPDATE("{'numBatches':0}", "{'numBatches':0}"),
        /* nothing of ours, and what goes */
        HEAD ",'object':{'apiVersion':'v1','kind':'Pod','spec':{}}}}",
        HEAD ",'oldObject':" ROLLOUT("{'numBatches':0}") "}}",
        HEAD ",'object':{" META ",'deletionTimestamp':'now'},'spec':{}}}}",
    };
    struct allow *allow = only_gates();
    (void)state;
    for (size_t i = 0; i < sizeof reviews / sizeof *reviews; i++) {
        struct error err = {0};
        if (judge_text(reviews[i], allow, &err) < 0)
            fail_msg("%s: %s of %s", err.path, err.text, reviews[i]);
        assert_string_equal(err.text, "");
    }
    allow_unref(allow);
}

/* Who wants to pause isn't asked to mend something else first, but told. */
static void test_what_was_wrong_before(void **state)
{
    struct error err = {0};
    (void)state;
    assert_int_equal(
        judge_text(UPDATE("{'numBatches':0,'paused':true}", "{'numBatches':0}"), NULL, &err), OK);
    assert_string_equal(err.path, "spec.rolloutPlan.numBatches");
    assert_int_equal(judge_text(UPDATE("{'numBatches':0}", "{'numBatches':2}"), NULL, &err),
                     ERR_INVALID);
    assert_int_equal(judge_text(UPDATE("{'targetSize':-1}", "{'numBatches':0}"), NULL, &err),
                     ERR_INVALID);
}

/* ---- answering ---- */

static json_t *answer(const struct error *refusal, const char *warning)
{
    const struct review review = {.uid = "u-1"};
    char *text AUTO_FREE = review_answer(&review, refusal, warning);
    json_t *made = NULL;
    assert_int_equal(json_parse(text, strlen(text), &made, NULL), OK);
    assert_string_equal(json_string_at(made, "/kind"), "AdmissionReview");
    assert_string_equal(json_string_at(made, "/response/uid"), "u-1");
    return made;
}

static void test_answers(void **state)
{
    struct error err = {.path = "spec.a", .text = "expected b, found c"};
    json_t *yes AUTO_JSON = answer(NULL, NULL), *warned AUTO_JSON = answer(NULL, "so and so");
    json_t *no AUTO_JSON = answer(&err, NULL);
    (void)state;
    assert_true(json_bool_at(yes, "/response/allowed", false));
    assert_null(json_at(yes, "/response/warnings"));
    assert_true(json_bool_at(warned, "/response/allowed", false));
    assert_string_equal(json_string_at(warned, "/response/warnings/0"), "so and so");
    assert_false(json_bool_at(no, "/response/allowed", true));
    assert_string_equal(json_string_at(no, "/response/status/message"),
                        "spec.a: expected b, found c");
    assert_int_equal(json_int_at(no, "/response/status/code", 0), 422);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_review),         cmocka_unit_test(test_what_is_no_review),
        cmocka_unit_test(test_what_is_refused),  cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_what_is_let_pass), cmocka_unit_test(test_what_was_wrong_before),
        cmocka_unit_test(test_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
