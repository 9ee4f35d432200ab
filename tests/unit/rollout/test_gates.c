// SPDX-License-Identifier: Apache-2.0
/* What holds a rollout on its way: hooks, pause, partition, intervals, plans edited under way. */
#include "asserts.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

/* ---- hooks ---- */

static void test_hooks_are_called_in_order(void **state)
{
    struct world world;
    world_init(&world,
               "{'rolloutBatches':[{'replicas':1},{'replicas':4,'batchRolloutWebhooks':["
               "{'type':'pre-batch-rollout','name':'yes-second','url':'http://h'},"
               "{'type':'post-batch-rollout','name':'yes-second','url':'http://h'}]}],"
               "'rolloutWebhooks':[{'type':'initialize-rollout','name':'yes-1','url':'http://h'},"
               "{'type':'initialize-rollout','name':'yes-2','url':'http://h'},"
               "{'type':'pre-batch-rollout','name':'yes-3','url':'http://h'},"
               "{'type':'finalize-rollout','name':'yes-4','url':'http://h'}]}");
    world_run(&world);
    assert_happened(&world, "verifyingSpec\ninitializing\n"
                            "call initialize-rollout yes-1 0\ncall initialize-rollout yes-2 0\n"
                            "begin\nrollingInBatches\n"
                            "call pre-batch-rollout yes-3 0\n"
                            "batchInRolling 0\nbatchVerifying 0\ntold 1\n"
                            "batchFinalizing 0\nbatchReady 0\nbatchInitializing 1\n"
                            "call pre-batch-rollout yes-3 1\ncall pre-batch-rollout yes-second 1\n"
                            "batchInRolling 1\nbatchVerifying 1\ntold 5\nbatchFinalizing 1\n"
                            "call post-batch-rollout yes-second 1\n"
                            "batchReady 1\nfinalising\nfinish succeeded\n"
                            "call finalize-rollout yes-4 1\nrolloutSucceed\n");
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    world_done(&world);
}

static void assert_rejected(const char *plan, int updated, const char *message)
{
    struct world world;
    world_init(&world, plan);
    world_run(&world);
    assert_ended(&world, ROLLING_FAILED, updated, 5);
    assert_string_equal(world.recorded.reason.message, message);
    assert_string_equal(world.recorded.conditions[CONDITION_ROLLOUT_FAILED].message, message);
    assert_string_equal(world.recorded.conditions[CONDITION_ROLLOUT_FAILING].message, message);
    assert_string_equal(world.recorded.applied_revision, "");
    if (updated < 5) /* frozen where it was */
        assert_true(world.workload.told == updated || world.workload.told == ALL_PODS);
    world_done(&world);
}

static void test_a_no_fails_the_rollout(void **state)
{
    assert_rejected(HOOKED("initialize-rollout", "no"), 5,
                    "initialize-rollout hook no says no: no said so");
    assert_rejected(HOOKED("pre-batch-rollout", "no"), 0,
                    "pre-batch-rollout hook no says no: no said so");
    assert_rejected(HOOKED("post-batch-rollout", "no"), 1,
                    "post-batch-rollout hook no says no: no said so");
    assert_rejected(HOOKED("finalize-rollout", "no"), 5,
                    "finalize-rollout hook no says no: no said so");
}

static void test_what_a_no_looks_like(void **state)
{
    struct world world;
    world_init(&world, HOOKED("post-batch-rollout", "no"));
    world_run(&world);
    assert_non_null(strstr(world.journal.at, "batchFinalizing 0\n"
                                             "call post-batch-rollout no 0\n"
                                             "batchVerifyFailed 0\nrolloutFailing\n"
                                             "finish failed\nrolloutFailed\n"));
    assert_int_equal(world.workload.told, 1);
    assert_int_equal(world.warnings, 2);
    const struct condition *failed = &world.recorded.conditions[CONDITION_BATCH_ROLLOUT_FAILED];
    assert_int_equal(failed->status, CONDITION_TRUE);
    assert_int_equal(failed->reason, REASON_HOOK_REJECTED);
    assert_int_equal(world.recorded.conditions[CONDITION_ROLLOUT_IN_PROGRESS].status,
                     CONDITION_FALSE);
    world_done(&world);
}

/* How long after the first call each further one came. */
static void test_trouble_is_tried_again_with_back_off(void **state)
{
    struct world world;
    world_init(&world, HOOKED("pre-batch-rollout", "never"));
    world_run_to(&world, ROLLING_IN_BATCHES);
    int64_t calls[10];
    int count = 0;
    bool running = false;
    while (count < 10) {
        world_pass(&world);
        if (world.call.running && !running)
            calls[count++] = world.now_ms;
        running = world.call.running;
        assert_true(world_wait_for_next(&world));
    }
    /* 200 ms for the answer that didn't come, then the back-off. */
    static const int64_t waits[] = {1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000};
    for (int i = 0; i < 9; i++)
        assert_int_equal(calls[i + 1] - calls[i], 200 + waits[i]);
    assert_int_equal(world.recorded.batch_state, BATCH_INITIALIZING);
    assert_int_equal(world.recorded.reason.code, REASON_HOOK_TROUBLE);
    assert_string_equal(world.recorded.reason.message,
                        "pre-batch-rollout hook never is called again: never said so");
    world_done(&world);
}

static void test_trouble_that_passes(void **state)
{
    struct world world;
    world_init(&world, HOOKED("finalize-rollout", "later"));
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    const char *first = strstr(world.journal.at, "call finalize-rollout later 2\n");
    assert_non_null(first);
    assert_non_null(strstr(first + 1, "call finalize-rollout later 2\n"));
    world_done(&world);
}

/* On the way out nothing that a hook says, or doesn't, holds the rollout. */
static void test_the_way_out_is_not_barred(void **state)
{
    static const char *const names[] = {"no", "never"};
    static const int calls[] = {1, 5};
    for (int i = 0; i < 2; i++) {
        char *plan AUTO_FREE = str_format(HOOKED("finalize-rollout", "%s"), names[i]);
        struct world world;
        world_init(&world, plan);
        world_run_to_batch(&world, BATCH_VERIFYING, 1);
        text_clear(&world.journal);
        world_delete(&world);
        world_run(&world);
        assert_true(world.gone);
        int called = 0;
        for (const char *at = world.journal.at; (at = strstr(at, "call ")); at++)
            called++;
        assert_int_equal(called, calls[i]);
        world_done(&world);
    }
}

static struct machine_input *input_at_gate(struct world *world)
{
    struct machine_input *input = mem_alloc(sizeof *input);
    world_run_to_batch(world, BATCH_INITIALIZING, 1);
    *input = (struct machine_input){
        .plan = world->plan,
        .intent = {.target = "v2", .source = "v1", .generation = world->generation},
        .status = world->recorded,
        .observation = {.target = "v2",
                        .object = "CloneSet default/web",
                        .exists = true,
                        .held = true,
                        .applied = true,
                        .settled = true,
                        .size = 5,
                        .updated = 1,
                        .updated_ready = 1,
                        .ready = 5},
        .hook = {.result = HOOK_PASSED, .gate = HOOK_PRE_BATCH, .batch = 1, .attempt = 1},
        .now_ms = world->now_ms};
    return input;
}

/* Only the answer to the very call counts. */
static void test_answers_to_other_calls(void **state)
{
    struct world world;
    world_init(&world, HOOKED("pre-batch-rollout", "yes"));
    struct machine_input *input AUTO_FREE = input_at_gate(&world);
    struct hook_outcome right = input->hook;
    struct decision *decision AUTO_FREE = mem_alloc(sizeof *decision);
    for (int wrong = 0; wrong < 4; wrong++) {
        input->hook = right;
        input->hook.gate = wrong == 0 ? HOOK_POST_BATCH : HOOK_PRE_BATCH;
        input->hook.batch = wrong == 1 ? 0 : 1;
        input->hook.index = wrong == 2 ? 1 : 0;
        input->hook.attempt = wrong == 3 ? 2 : 1;
        machine_decide(input, decision);
        assert_int_equal(decision->status.gate.passed, 0);
        assert_int_equal(decision->effects[decision->effect_count - 1].kind, EFFECT_HOOK);
    }
    for (int attempt = 0; attempt < 2; attempt++) { /* 0: a caller that doesn't count them */
        input->hook = right;
        input->hook.attempt = attempt;
        machine_decide(input, decision);
        assert_int_equal(decision->status.gate.passed, 1);
        input->hook.result = HOOK_TROUBLE; /* counts once */
        machine_decide(input, decision);
        assert_int_equal(decision->status.gate.passed, 0);
        assert_int_equal(decision->status.gate.attempts, 1);
        assert_int_equal(decision->wake_at_ms, input->now_ms + 1000);
    }
    world_done(&world);
}

/* An answer is in the record before the workload hears of what follows from it. */
static void test_answers_are_recorded_first(void **state)
{
    struct world world;
    world_init(&world, HOOKED("pre-batch-rollout", "yes"));
    struct machine_input *input AUTO_FREE = input_at_gate(&world);
    struct decision *decision AUTO_FREE = mem_alloc(sizeof *decision);
    machine_decide(input, decision);
    assert_int_equal(decision->status.batch_state, BATCH_INITIALIZING);
    assert_int_equal(decision->status.reason.code, REASON_GATE_OPEN);
    assert_int_equal(decision->wake_at_ms, input->now_ms);
    assert_int_equal(decision->effect_count, 1);
    assert_int_equal(decision->effects[0].goal, 1);
    input->status = decision->status;
    input->hook.result = HOOK_NONE;
    machine_decide(input, decision);
    assert_int_equal(decision->status.batch_state, BATCH_VERIFYING);
    assert_int_equal(decision->effects[0].goal, 3);
    world_done(&world);
}

/* ---- pause ---- */

#define PAUSED "{'paused':true,'rolloutBatches':[{'replicas':1},{'replicas':2},{'replicas':2}]}"

static void test_pause_and_resume_in_a_batch(void **state)
{
    struct world world;
    world_init(&world, THREE);
    world_run_to_batch(&world, BATCH_VERIFYING, 1);
    text_clear(&world.journal);
    world_plan(&world, PAUSED);
    assert_waits(&world, ROLLING_IN_BATCHES, REASON_PAUSED,
                 "paused in batch 2 of 3; set spec.rolloutPlan.paused to false to go on");
    assert_happened(&world, "hold still\n");
    assert_true(world.workload.paused);
    assert_int_equal(world.recorded.batch_state, BATCH_VERIFYING);
    const struct condition *paused = &world.recorded.conditions[CONDITION_BATCH_PAUSED];
    assert_int_equal(paused->status, CONDITION_TRUE);
    assert_int_equal(paused->reason, REASON_PAUSED);
    int64_t since = paused->since_ms;
    world_wait(&world, 100000);
    world_pass(&world);
    assert_int_equal(paused->since_ms, since);

    world_plan(&world, THREE);
    world_run(&world);
    assert_non_null(strstr(world.journal.at, "batchVerifying 2\ngo on\ntold 5\n"));
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    assert_int_equal(paused->status, CONDITION_FALSE);
    assert_true(paused->since_ms > since);
    world_done(&world);
}

static void test_paused_from_the_beginning(void **state)
{
    struct world world;
    world_init(&world, PAUSED);
    assert_waits(&world, ROLLING_IN_BATCHES, REASON_PAUSED,
                 "paused in batch 1 of 3; set spec.rolloutPlan.paused to false to go on");
    assert_int_equal(world.recorded.batch_state, BATCH_INITIALIZING);
    assert_int_equal(world.workload.counts.updated, 0);
    assert_int_equal(world.recorded.conditions[CONDITION_BATCH_INITIALIZING].status,
                     CONDITION_FALSE);
    world_plan(&world, THREE);
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    world_done(&world);
}

static void test_pause_while_a_hook_is_awaited(void **state)
{
    struct world world;
    world_init(&world, HOOKED("pre-batch-rollout", "yes"));
    world_run_to_batch(&world, BATCH_INITIALIZING, 1);
    world_plan(&world, PAUSED);
    world_pass(&world);
    assert_true(world.workload.paused);
    world_plan(&world, HOOKED("pre-batch-rollout", "never"));
    world_wait(&world, 200);
    world_pass(&world);
    assert_false(world.workload.paused);
    assert_int_equal(world.recorded.batch_state, BATCH_INITIALIZING);
    world_done(&world);
}

/* A hook doesn't open a batch while one of the pods before it has gone. */
static void test_pod_lost_at_a_gate(void **state)
{
    struct world world;
    world_init(&world, "{'rolloutBatches':[{'replicas':2},{'batchRolloutWebhooks':[{'type':"
                       "'pre-batch-rollout','name':'later','url':'http://h'}]}]}");
    world_run_to_batch(&world, BATCH_INITIALIZING, 1);
    for (int i = 0; i < world.workload.pod_count; i++) {
        struct pod *pod = &world.workload.pods[i];
        if (pod->revision == 2)
            *pod = (struct pod){.revision = 2, .ready_at = INT64_MAX};
    }
    assert_waits(&world, ROLLING_IN_BATCHES, REASON_PODS_NOT_READY,
                 "batch 1: 2 of 2 pods are updated, 0 of them ready");
    assert_int_equal(world.recorded.batch_state, BATCH_INITIALIZING);
    world_heal(&world, 2);
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    world_done(&world);
}

/* ---- partition ---- */

static const char *partitioned(int partition)
{
    static char plan[200];
    snprintf(plan, sizeof plan,
             "{'batchPartition':%d,'rolloutBatches':[{'replicas':1},{'replicas':'50%%'},"
             "{'replicas':'50%%'}]}",
             partition);
    return plan;
}

static void test_partition_holds_until_it_is_raised(void **state)
{
    struct world world;
    world_init(&world, partitioned(1));
    assert_waits(&world, ROLLING_IN_BATCHES, REASON_PARTITION_REACHED,
                 "batch 2 of 3 is ready; batchPartition is 1, raise it to go on");
    assert_reason(&world, "spec.rolloutPlan.batchPartition", "at least 2", "1");
    assert_int_equal(world.recorded.batch_state, BATCH_READY);
    assert_int_equal(world.recorded.upgraded, 4);
    assert_int_equal(world.workload.counts.updated, 4);
    world_plan(&world, partitioned(2));
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    world_done(&world);
}

static void test_lower_partition_means_no_further(void **state)
{
    struct world world;
    world_init(&world, partitioned(2));
    world_run_to_batch(&world, BATCH_VERIFYING, 1);
    world_plan(&world, partitioned(0));
    assert_waits(&world, ROLLING_IN_BATCHES, REASON_PARTITION_REACHED,
                 "batch 2 of 3 is ready; batchPartition is 0, raise it to go on");
    assert_int_equal(world.workload.counts.updated, 4);
    world_plan(&world, PERCENT);
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    world_done(&world);
}

/* ---- one pod after the other ---- */

static void test_interval_between_pods(void **state)
{
    struct world world;
    world_init(&world, "{'rolloutBatches':[{'replicas':1},{'instanceInterval':30}]}");
    int64_t told_at[6] = {0};
    while (world.recorded.rolling != ROLLING_SUCCEEDED) {
        world_pass(&world);
        int told = world.workload.told;
        if (told > 0 && told <= 5 && !told_at[told])
            told_at[told] = world.now_ms;
        if (world.recorded.rolling != ROLLING_SUCCEEDED)
            assert_true(world_wait_for_next(&world));
    }
    for (int i = 1; i < 5; i++)
        assert_int_equal(told_at[i + 1] - told_at[i], 30000);
    world_done(&world);
}

static void test_interval_is_told(void **state)
{
    struct world world;
    world_init(&world, "{'rolloutBatches':[{'instanceInterval':30}]}");
    world_run_to_batch(&world, BATCH_IN_ROLLING, 0);
    for (int i = 0; i < 20; i++) {
        world_wait(&world, 500);
        world_pass(&world);
    }
    assert_int_equal(world.recorded.step_target, 1);
    assert_int_equal(world.recorded.reason.code, REASON_INSTANCE_INTERVAL);
    assert_string_equal(world.recorded.reason.message, "the next pod of batch 1 is due 30 s after "
                                                       "the last one (instanceInterval)");
    assert_true(world.wake_at_ms > world.now_ms);
    world_done(&world);
}

static void test_interval_while_scaling_down(void **state)
{
    struct world world;
    world_init(&world, "{'targetSize':2,'rolloutBatches':[{'instanceInterval':1}]}");
    world_target(&world, 1, 0);
    world_run(&world);
    assert_non_null(strstr(world.journal.at, "told 4\ntold 3\nbatchVerifying 0\ntold 2\n"));
    assert_ended(&world, ROLLING_SUCCEEDED, 2, 2);
    world_done(&world);
}

/* A pause stops the clock of nobody, but no pod is told in it. */
static void test_pause_between_pods(void **state)
{
    struct world world;
    world_init(&world, "{'rolloutBatches':[{'instanceInterval':10}]}");
    world_run_to_batch(&world, BATCH_IN_ROLLING, 0);
    world_plan(&world, "{'paused':true,'rolloutBatches':[{'instanceInterval':10}]}");
    for (int i = 0; i < 10; i++) {
        world_pass(&world);
        world_wait(&world, 10000);
    }
    assert_int_equal(world.recorded.step_target, 1);
    assert_int_equal(world.workload.told, 1);
    world_plan(&world, "{'rolloutBatches':[{'instanceInterval':10}]}");
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    world_done(&world);
}

/* ---- plans edited under way ---- */

/* The batch that is past the last now was told less than all: the rest comes in one more, and is
 * waited for. */
static void test_fewer_batches(void **state)
{
    struct world world;
    world_init(&world, "{'numBatches':5}");
    world_run_to_batch(&world, BATCH_VERIFYING, 2);
    text_clear(&world.journal);
    world_plan(&world, "{'numBatches':2}");
    world_run(&world);
    assert_happened(&world, "batchFinalizing 2\nbatchReady 2\nbatchInitializing 3\n"
                            "batchInRolling 3\nbatchVerifying 3\ntold 5\nbatchFinalizing 3\n"
                            "batchReady 3\nfinalising\nfinish succeeded\nrolloutSucceed\n");
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    world_done(&world);
}

/* The messages count what there is, also when the plan has become shorter than the way. */
static void test_fewer_batches_at_a_stop(void **state)
{
    struct world world;
    world_init(&world, "{'numBatches':5,'batchPartition':2}");
    world_run_to_batch(&world, BATCH_READY, 2);
    world_plan(&world, "{'numBatches':2,'batchPartition':0}");
    assert_waits(&world, ROLLING_IN_BATCHES, REASON_PARTITION_REACHED,
                 "batch 3 of 3 is ready; batchPartition is 0, raise it to go on");
    assert_reason(&world, "spec.rolloutPlan.batchPartition", "at least 1", "0");
    assert_int_equal(world.workload.counts.updated, 3);
    world_plan(&world, "{'numBatches':2,'batchPartition':1}");
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    world_done(&world);
}

static void test_a_bad_plan_under_way_waits(void **state)
{
    struct world world;
    world_init(&world, THREE);
    world_run_to_batch(&world, BATCH_VERIFYING, 1);
    text_clear(&world.journal);
    world_plan(&world, "{'rolloutBatches':[{'replicas':'150%'}]}");
    assert_waits(&world, ROLLING_IN_BATCHES, REASON_PLAN_INVALID,
                 "spec.rolloutPlan.rolloutBatches[0].replicas: expected a percentage from 1% to "
                 "100%, or a number of pods, found \"150%\"");
    assert_string_equal(world.recorded.reason.field, "spec.rolloutPlan.rolloutBatches[0].replicas");
    world_plan(&world, "{'rolloutBatches':[{'replicas':9}]}");
    assert_waits(&world, ROLLING_IN_BATCHES, REASON_PLAN_INVALID,
                 "spec.rolloutPlan.rolloutBatches: the batches overshoot: 9, but there are 5 pods; "
                 "make the whole numbers add up to 5, or use percentages");
    assert_happened(&world, "");
    world_plan(&world, THREE);
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    world_done(&world);
}

static void test_a_bad_plan_while_taking_over_or_giving_back(void **state)
{
    static const char *const types[] = {"initialize-rollout", "finalize-rollout"};
    static const enum rolling_state states[] = {ROLLING_INITIALIZING, ROLLING_FINALISING};
    for (int i = 0; i < 2; i++) {
        char *plan AUTO_FREE = str_format(HOOKED("%s", "never"), types[i]);
        struct world world;
        world_init(&world, plan);
        world_run_to(&world, states[i]);
        world_plan(&world, "{'x':1}");
        assert_waits(&world, states[i], REASON_PLAN_INVALID, "spec.rolloutPlan.x: unknown field");
        world_plan(&world, THREE);
        world_run(&world);
        assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
        world_done(&world);
    }
}

/* Larger batches move the goal at once only for batches that are still to come. */
static void test_larger_batches(void **state)
{
    struct world world;
    world_init(&world, "{'rolloutBatches':[{'replicas':1},{'replicas':1},{}]}");
    world.broken[2] = true;
    world_run_to_batch(&world, BATCH_VERIFYING, 0);
    text_clear(&world.journal);
    world_plan(&world, "{'rolloutBatches':[{'replicas':3},{'replicas':1},{}]}");
    world_run(&world);
    assert_happened(&world, "");
    world_heal(&world, 2);
    world_run(&world);
    assert_non_null(strstr(world.journal.at, "batchVerifying 1\ntold 4\n"));
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    world_done(&world);
}

/* Smaller batches take nothing back. */
static void test_smaller_batches(void **state)
{
    struct world world;
    world_init(&world, "{'rolloutBatches':[{'replicas':3},{'replicas':1},{}]}");
    world_run_to_batch(&world, BATCH_VERIFYING, 0);
    text_clear(&world.journal);
    world_plan(&world, "{'rolloutBatches':[{'replicas':1},{'replicas':1},{}]}");
    world_run(&world);
    assert_happened(&world, "batchFinalizing 0\nbatchReady 0\nbatchInitializing 1\n"
                            "batchInRolling 1\nbatchVerifying 1\nbatchFinalizing 1\nbatchReady 1\n"
                            "batchInitializing 2\nbatchInRolling 2\nbatchVerifying 2\ntold 5\n"
                            "batchFinalizing 2\nbatchReady 2\nfinalising\nfinish succeeded\n"
                            "rolloutSucceed\n");
    world_done(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hooks_are_called_in_order),
        cmocka_unit_test(test_a_no_fails_the_rollout),
        cmocka_unit_test(test_what_a_no_looks_like),
        cmocka_unit_test(test_trouble_is_tried_again_with_back_off),
        cmocka_unit_test(test_trouble_that_passes),
        cmocka_unit_test(test_the_way_out_is_not_barred),
        cmocka_unit_test(test_answers_to_other_calls),
        cmocka_unit_test(test_answers_are_recorded_first),
        cmocka_unit_test(test_pause_and_resume_in_a_batch),
        cmocka_unit_test(test_paused_from_the_beginning),
        cmocka_unit_test(test_pause_while_a_hook_is_awaited),
        cmocka_unit_test(test_pod_lost_at_a_gate),
        cmocka_unit_test(test_partition_holds_until_it_is_raised),
        cmocka_unit_test(test_lower_partition_means_no_further),
        cmocka_unit_test(test_interval_between_pods),
        cmocka_unit_test(test_interval_is_told),
        cmocka_unit_test(test_interval_while_scaling_down),
        cmocka_unit_test(test_pause_between_pods),
        cmocka_unit_test(test_fewer_batches),
        cmocka_unit_test(test_fewer_batches_at_a_stop),
        cmocka_unit_test(test_a_bad_plan_under_way_waits),
        cmocka_unit_test(test_a_bad_plan_while_taking_over_or_giving_back),
        cmocka_unit_test(test_larger_batches),
        cmocka_unit_test(test_smaller_batches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
