// SPDX-License-Identifier: Apache-2.0
/* The arithmetic of plans: the examples of the design, and what must hold for every plan. */
#include "plans.h"
#include "random.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- examples ---- */

static void assert_targets(const char *text, struct span span, const int *targets)
{
    struct plan *plan = plan_of(text);
    struct error err = {0};
    assert_int_equal(plan_check(plan, span, &err), OK);
    for (int i = 0; i < (int)plan->batch_count; i++)
        if (plan_target(plan, span, i) != targets[i])
            fail_msg("%s: batch %d leads to %d, not %d", text, i, plan_target(plan, span, i),
                     targets[i]);
    plan_free(plan);
}

#define TARGETS(text, from, to, ...)                                                               \
    assert_targets(text, (struct span){from, to}, (const int[]){__VA_ARGS__})

static void test_examples_of_the_design(void **state)
{
    TARGETS("{'rolloutBatches':[{'replicas':'10%'},{'replicas':'40%'},{'replicas':'50%'}]}", 0, 5,
            1, 3, 5);
    TARGETS("{'rolloutBatches':[{'replicas':1},{'replicas':2},{'replicas':2}]}", 0, 5, 1, 3, 5);
    TARGETS("{'rolloutBatches':[{'replicas':1},{'replicas':'50%'},{'replicas':'50%'}]}", 0, 5, 1, 4,
            5);
    TARGETS("{'rolloutBatches':[{'replicas':'20%'},{'replicas':'20%'},{'replicas':'20%'},"
            "{'replicas':'20%'},{'replicas':'20%'}]}",
            0, 3, 1, 2, 2, 3, 3);
}

static void test_last_batch_takes_the_rest(void **state)
{
    TARGETS("{'rolloutBatches':[{'replicas':1},{}]}", 0, 5, 1, 5);
    TARGETS("{'rolloutBatches':[{'replicas':1},{'replicas':null}]}", 0, 5, 1, 5);
    TARGETS("{'rolloutBatches':[{}]}", 0, 5, 5);
    TARGETS("{'rolloutBatches':[{'replicas':5},{}]}", 0, 5, 5, 5);
    TARGETS("{'rolloutBatches':[{'replicas':'100%'},{'replicas':'10%'}]}", 0, 5, 5, 5);
}

static void test_batches_dealt_out_evenly(void **state)
{
    TARGETS("{}", 0, 5, 5);
    TARGETS("{'numBatches':1}", 0, 5, 5);
    TARGETS("{'numBatches':3}", 0, 9, 3, 6, 9);
    TARGETS("{'numBatches':3}", 0, 10, 3, 6, 10);
    TARGETS("{'numBatches':4}", 0, 2, 0, 1, 1, 2);
    TARGETS("{'numBatches':2}", 0, 0, 0, 0);
    TARGETS("{'numBatches':2}", 10, 4, 7, 4);
}

static void test_scaling_counts_the_distance(void **state)
{
    TARGETS("{'rolloutBatches':[{'replicas':1},{'replicas':4}]}", 5, 10, 6, 10);
    TARGETS("{'rolloutBatches':[{'replicas':'40%'},{'replicas':'60%'}]}", 5, 10, 7, 10);
    TARGETS("{'rolloutBatches':[{'replicas':'40%'},{'replicas':'60%'}]}", 10, 5, 8, 5);
    TARGETS("{'rolloutBatches':[{'replicas':'1%'},{}]}", 3, 0, 2, 0);
    TARGETS("{'rolloutBatches':[{'replicas':'50%'},{'replicas':'50%'}]}", 4, 4, 4, 4);
}

static void test_pod_list_is_the_size(void **state)
{
    TARGETS("{'rolloutBatches':[{'podList':['a','b']},{'replicas':1}]}", 0, 3, 2, 3);
}

static void test_batches_outside_of_the_plan(void **state)
{
    struct plan *plan =
        plan_of("{'rolloutBatches':[{'replicas':1},{'replicas':2},{'replicas':2}]}");
    struct span span = {0, 5}, down = {9, 4};
    assert_int_equal(plan_target(plan, span, -1), 0);
    assert_int_equal(plan_target(plan, down, -1), 9);
    assert_int_equal(plan_target(plan, span, 3), 5);
    assert_int_equal(plan_target(plan, span, 1000000), 5);
    assert_int_equal(plan_target(plan, down, 3), 4);
    plan_free(plan);
}

static void test_a_size_that_changes_on_the_way_strands_nothing(void **state)
{
    /* The plan was checked against 5 pods; now there are 3, then 8. */
    struct plan *plan =
        plan_of("{'rolloutBatches':[{'replicas':1},{'replicas':3},{'replicas':1}]}");
    assert_int_equal(plan_target(plan, (struct span){0, 3}, 1), 3);
    assert_int_equal(plan_target(plan, (struct span){0, 3}, 2), 3);
    assert_int_equal(plan_target(plan, (struct span){0, 8}, 1), 4);
    assert_int_equal(plan_target(plan, (struct span){0, 8}, 2), 8);
    plan_free(plan);
}

static void test_tolerance(void **state)
{
    struct plan *plan =
        plan_of("{'rolloutBatches':[{'replicas':1},{'replicas':1,'maxUnavailable':2},"
                "{'maxUnavailable':'25%'}]}");
    assert_int_equal(plan_tolerance(plan, 0, 10), 0);
    assert_int_equal(plan_tolerance(plan, 1, 10), 2);
    assert_int_equal(plan_tolerance(plan, 2, 10), 3);
    assert_int_equal(plan_tolerance(plan, 2, 0), 0);
    assert_int_equal(plan_tolerance(plan, 3, 10), 0);
    assert_int_equal(plan_tolerance(plan, -1, 10), 0);
    plan_free(plan);
}

/* ---- refusals ---- */

static void assert_misfit(const char *text, struct span span, const char *message)
{
    struct plan *plan = plan_of(text);
    struct error err = {0};
    assert_int_equal(plan_check(plan, span, &err), ERR_INVALID);
    assert_int_equal(err.code, ERR_INVALID);
    assert_string_equal(err.path, "spec.rolloutPlan.rolloutBatches");
    assert_string_equal(err.text, message);
    assert_int_equal(plan_check(plan, span, NULL), ERR_INVALID);
    plan_free(plan);
}

static void test_overshoot_shows_the_sum(void **state)
{
    assert_misfit("{'rolloutBatches':[{'replicas':3},{'replicas':3}]}", (struct span){0, 5},
                  "the batches overshoot: 3 + 3 = 6, but there are 5 pods; make the whole numbers "
                  "add up to 5, or use percentages");
    assert_misfit("{'rolloutBatches':[{'replicas':6},{'replicas':'10%'}]}", (struct span){0, 5},
                  "the batches overshoot: 6 + 10% of 5 = 7, but there are 5 pods; make the whole "
                  "numbers add up to 5, or use percentages");
    assert_misfit("{'rolloutBatches':[{'replicas':6},{}]}", (struct span){10, 5},
                  "the batches overshoot: 6 = 6, but there are 5 replicas to add or remove; make "
                  "the whole numbers add up to 5, or use percentages");
    assert_misfit("{'rolloutBatches':[{'replicas':1}]}", (struct span){0, 0},
                  "the batches overshoot: 1, but there are 0 pods; make the whole numbers add "
                  "up to 0, or use percentages");
}

static void test_falling_short_shows_the_sum(void **state)
{
    assert_misfit("{'rolloutBatches':[{'replicas':1},{'replicas':'40%'}]}", (struct span){0, 5},
                  "the batches don't reach the end: 1 + 40% of 5 = 3, but there are 5 pods; 2 "
                  "would be in no batch; leave the last batch's replicas out to take all the rest");
    assert_misfit("{'rolloutBatches':[{'replicas':1},{'replicas':2}]}", (struct span){3, 10},
                  "the batches don't reach the end: 1 + 2 = 3, but there are 7 replicas to add or "
                  "remove; 4 would be in no batch; leave the last batch's replicas out to take all "
                  "the rest");
}

static void test_a_long_sum_is_cut(void **state)
{
    assert_misfit("{'rolloutBatches':[{'replicas':1},{'replicas':1},{'replicas':1},{'replicas':1},"
                  "{'replicas':1},{'replicas':1},{'replicas':1},{'replicas':1},{'replicas':1},"
                  "{'replicas':1},{'replicas':1},{'replicas':1},{'replicas':1},{'replicas':1}]}",
                  (struct span){0, 20},
                  "the batches don't reach the end: 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 "
                  "+ … = 14, but there are 20 pods; 6 would be in no batch; leave the last "
                  "batch's replicas out to take all the rest");
}

/* ---- hooks ---- */

static void test_hooks_of_a_gate_in_order(void **state)
{
    struct plan *plan =
        plan_of("{'rolloutWebhooks':[{'type':'pre-batch-rollout','name':'p1','url':'http://a'},"
                "{'type':'initialize-rollout','name':'i1','url':'http://a'},"
                "{'type':'pre-batch-rollout','name':'p2','url':'http://a'},"
                "{'type':'finalize-rollout','name':'f1','url':'http://a'}],"
                "'rolloutBatches':[{'replicas':1},{'batchRolloutWebhooks':["
                "{'type':'post-batch-rollout','name':'b1','url':'http://a'},"
                "{'type':'pre-batch-rollout','name':'b2','url':'http://a'}]}]}");
    assert_string_equal(plan_hook(plan, HOOK_INITIALIZE, 0, 0)->name, "i1");
    assert_null(plan_hook(plan, HOOK_INITIALIZE, 0, 1));
    assert_string_equal(plan_hook(plan, HOOK_PRE_BATCH, 0, 0)->name, "p1");
    assert_string_equal(plan_hook(plan, HOOK_PRE_BATCH, 0, 1)->name, "p2");
    assert_null(plan_hook(plan, HOOK_PRE_BATCH, 0, 2));
    assert_string_equal(plan_hook(plan, HOOK_PRE_BATCH, 1, 0)->name, "p1");
    assert_string_equal(plan_hook(plan, HOOK_PRE_BATCH, 1, 2)->name, "b2");
    assert_null(plan_hook(plan, HOOK_PRE_BATCH, 1, 3));
    assert_null(plan_hook(plan, HOOK_POST_BATCH, 0, 0));
    assert_string_equal(plan_hook(plan, HOOK_POST_BATCH, 1, 0)->name, "b1");
    assert_string_equal(plan_hook(plan, HOOK_FINALIZE, 1, 0)->name, "f1");
    /* A batch that the plan no longer has keeps the plan's own hooks. */
    assert_string_equal(plan_hook(plan, HOOK_PRE_BATCH, 7, 1)->name, "p2");
    assert_null(plan_hook(plan, HOOK_PRE_BATCH, 7, 2));
    assert_null(plan_hook(plan, HOOK_PRE_BATCH, -1, 2));
    assert_null(plan_hook(plan, HOOK_PRE_BATCH, 0, -1));
    plan_free(plan);
}

static void test_names(void **state)
{
    assert_string_equal(hook_type_name(HOOK_INITIALIZE), "initialize-rollout");
    assert_string_equal(hook_type_name(HOOK_PRE_BATCH), "pre-batch-rollout");
    assert_string_equal(hook_type_name(HOOK_POST_BATCH), "post-batch-rollout");
    assert_string_equal(hook_type_name(HOOK_FINALIZE), "finalize-rollout");
    assert_string_equal(strategy_name(STRATEGY_INCREASE_FIRST), "IncreaseFirst");
    assert_string_equal(strategy_name(STRATEGY_DECREASE_FIRST), "DecreaseFirst");
    plan_free(NULL);
}

/* ---- every plan ---- */

enum { PLANS = 1000000, BATCHES = 12 };

struct draw {
    struct plan plan;
    struct batch batches[BATCHES];
    struct span span;
};

static struct amount random_amount(struct random *random, int length)
{
    if (random_chance(random, 50))
        return (struct amount){AMOUNT_PERCENT, random_int(random, 1, 100)};
    return (struct amount){AMOUNT_PODS, random_int(random, 1, length / 2 + 2)};
}

static void draw_plan(struct random *random, struct draw *draw)
{
    int size_max = random_chance(random, 5) ? 1000000 : random_chance(random, 50) ? 12 : 300;
    draw->span = (struct span){random_chance(random, 60) ? 0 : random_int(random, 0, size_max),
                               random_int(random, 0, size_max)};
    int length = abs(draw->span.to - draw->span.from);
    memset(draw->batches, 0, sizeof draw->batches);
    draw->plan = (struct plan){.target_size = -1,
                               .batches = draw->batches,
                               .batch_count = (size_t)random_int(random, 1, BATCHES),
                               .even = random_chance(random, 20),
                               .partition = -1};
    for (size_t i = 0; i < draw->plan.batch_count && !draw->plan.even; i++)
        draw->batches[i].replicas = random_amount(random, length);
    if (random_chance(random, 40))
        draw->batches[draw->plan.batch_count - 1].replicas = (struct amount){0};
    if (random_chance(random, 30))
        draw->plan.partition = random_int(random, 0, (int)draw->plan.batch_count - 1);
}

/* The arithmetic once more, written as the design says it: whole numbers plus percentages of the
 * span, rounded up once. */
static int64_t covered_by(const struct draw *draw, int batch)
{
    int64_t pods = 0, percent = 0, length = labs((long)draw->span.to - draw->span.from);
    for (int i = 0; i <= batch; i++) {
        struct amount amount = draw->batches[i].replicas;
        pods += amount.unit == AMOUNT_PODS ? amount.value : 0;
        percent += amount.unit == AMOUNT_PERCENT ? amount.value : 0;
    }
    int64_t hundredths = percent * length;
    return pods + hundredths / 100 + (hundredths % 100 ? 1 : 0);
}

static int expected_target(const struct draw *draw, int batch)
{
    int64_t length = labs((long)draw->span.to - draw->span.from), done;
    int last = (int)draw->plan.batch_count - 1;
    if (batch >= last)
        done = length;
    else if (draw->plan.even)
        done = length * (batch + 1) / (last + 1);
    else
        done = covered_by(draw, batch);
    done = done > length ? length : done;
    return draw->span.from + (int)(draw->span.to < draw->span.from ? -done : done);
}

static bool expected_to_fit(const struct draw *draw)
{
    int64_t pods = 0, length = labs((long)draw->span.to - draw->span.from);
    int last = (int)draw->plan.batch_count - 1;
    for (int i = 0; i <= last; i++)
        if (draw->batches[i].replicas.unit == AMOUNT_PODS)
            pods += draw->batches[i].replicas.value;
    bool open_end = draw->batches[last].replicas.unit == AMOUNT_OMITTED;
    return draw->plan.even || (pods <= length && (open_end || covered_by(draw, last) >= length));
}

/* Never falls, never leaves the span, reaches its end; up to the partition and not further. */
static void check_targets(const struct draw *draw, uint64_t seed)
{
    const struct plan *plan = &draw->plan;
    struct span span = draw->span;
    int before = span.from, last = (int)plan->batch_count - 1;
    for (int i = 0; i <= last + 2; i++) {
        int target = plan_target(plan, span, i);
        bool forward = span.to >= span.from ? target >= before && target <= span.to
                                            : target <= before && target >= span.to;
        if (!forward || target != expected_target(draw, i))
            fail_msg("seed %#llx: batch %d leads to %d", (unsigned long long)seed, i, target);
        before = target;
    }
    if (before != span.to || plan_target(plan, span, -1) != span.from)
        fail_msg("seed %#llx: doesn't go from end to end", (unsigned long long)seed);
    if (plan->partition >= 0 && plan->partition < last &&
        plan_target(plan, span, plan->partition) != expected_target(draw, plan->partition))
        fail_msg("seed %#llx: the partition isn't where it was", (unsigned long long)seed);
}

static void check_verdict(const struct draw *draw, uint64_t seed)
{
    struct error err = {0};
    char sum[40];
    bool fits = plan_check(&draw->plan, draw->span, &err) == OK;
    if (fits != expected_to_fit(draw))
        fail_msg("seed %#llx: %s", (unsigned long long)seed, fits ? "accepted" : err.text);
    if (fits)
        return;
    snprintf(sum, sizeof sum, "%lld, but there are",
             (long long)covered_by(draw, (int)draw->plan.batch_count - 1));
    if (!strstr(err.text, sum))
        fail_msg("seed %#llx: \"%s\" isn't in \"%s\"", (unsigned long long)seed, sum, err.text);
}

static void test_every_plan(void **state)
{
    struct random random = {.state = 20240117};
    struct draw draw;
    int fitting = 0;
    print_message("%d plans from seed %llu\n", PLANS, (unsigned long long)random.state);
    for (int i = 0; i < PLANS; i++) {
        uint64_t seed = random.state;
        draw_plan(&random, &draw);
        check_targets(&draw, seed);
        check_verdict(&draw, seed);
        fitting += expected_to_fit(&draw);
    }
    /* Both kinds must have come up often, or little was tested. */
    assert_in_range(fitting, PLANS / 5, PLANS * 4 / 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples_of_the_design),
        cmocka_unit_test(test_last_batch_takes_the_rest),
        cmocka_unit_test(test_batches_dealt_out_evenly),
        cmocka_unit_test(test_scaling_counts_the_distance),
        cmocka_unit_test(test_pod_list_is_the_size),
        cmocka_unit_test(test_batches_outside_of_the_plan),
        cmocka_unit_test(test_a_size_that_changes_on_the_way_strands_nothing),
        cmocka_unit_test(test_tolerance),
        cmocka_unit_test(test_overshoot_shows_the_sum),
        cmocka_unit_test(test_falling_short_shows_the_sum),
        cmocka_unit_test(test_a_long_sum_is_cut),
        cmocka_unit_test(test_hooks_of_a_gate_in_order),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_every_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
