// SPDX-License-Identifier: Apache-2.0
/* The ways of rollouts, from their beginning to their end, told by what happens on them. */
#include "asserts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

/* ---- the straight ways ---- */

#define SECOND_AND_THIRD                                                                           \
    "batchFinalizing 0\nbatchReady 0\nbatchInitializing 1\nbatchInRolling 1\nbatchVerifying 1\n"   \
    "told 3\n"                                                                                     \
    "batchFinalizing 1\nbatchReady 1\nbatchInitializing 2\nbatchInRolling 2\nbatchVerifying 2\n"   \
    "told 5\n"                                                                                     \
    "batchFinalizing 2\nbatchReady 2\nfinalising\nfinish succeeded\nrolloutSucceed\n"

#define WHOLE_ROLL                                                                                 \
    "verifyingSpec\ninitializing\nbegin\n"                                                         \
    "rollingInBatches\nbatchInRolling 0\nbatchVerifying 0\ntold 1\n" SECOND_AND_THIRD

static void test_roll(void **state)
{
    struct world world;
    world_init(&world, THREE);
    world_run(&world);
    assert_happened(&world, WHOLE_ROLL);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    const struct rollout_status *s = &world.recorded;
    assert_int_equal(s->batch, 2);
    assert_int_equal(s->batch_state, BATCH_READY);
    assert_false(s->scale);
    assert_int_equal(s->original_size, 5);
    assert_int_equal(s->target_size, 5);
    assert_int_equal(s->upgraded, 5);
    assert_int_equal(s->upgraded_ready, 5);
    assert_false(s->engaged);
    assert_string_equal(s->target, "v2");
    assert_string_equal(s->source, "v1");
    assert_string_equal(s->target_revision, "v2");
    assert_string_equal(s->applied_revision, "v2");
    assert_int_equal(s->reason.code, REASON_SUCCEEDED);
    assert_string_equal(s->reason.message, "CloneSet default/web: all 5 pods are at v2");
    assert_int_equal(s->wanted_size, -1);
    world_done(&world);
}

/* The seed's three batches: at most 12 writes (one more is the finalizer) and 5 Events. */
static void test_roll_is_cheap(void **state)
{
    struct world world;
    world_init(&world, THREE);
    world.ready_ms = 0;
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    assert_true(world.writes <= 11);
    assert_int_equal(world.workload_writes, 5);
    assert_int_equal(world.events, 5);
    assert_int_equal(world.warnings, 0);
    world_done(&world);
}

static void test_nothing_is_written_at_rest(void **state)
{
    struct world world;
    world_init(&world, THREE);
    world_run(&world);
    int writes = world.writes;
    for (int i = 0; i < 5; i++) {
        world_wait(&world, 3600000);
        assert_false(world_pass(&world));
    }
    assert_int_equal(world.writes, writes);
    world_done(&world);
}

static void test_first_deployment(void **state)
{
    struct world world;
    world_init(&world, PERCENT);
    world_no_workload(&world);
    world_target(&world, 1, 0);
    world_run(&world);
    assert_happened(&world, WHOLE_ROLL);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    assert_true(world.recorded.scale);
    assert_int_equal(world.recorded.original_size, 0);
    assert_int_equal(world.recorded.upgraded, 5);
    world_done(&world);
}

static void test_first_deployment_of_another_size(void **state)
{
    struct world world;
    world_init(&world, "{'targetSize':3,'numBatches':3}");
    world_no_workload(&world);
    world_target(&world, 1, 0);
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 3, 3);
    assert_int_equal(world.recorded.target_size, 3);
    world_done(&world);
}

/* Of a kind that has a pod on every node: all come at once, and batch after batch is waited for. */
static void test_first_deployment_of_fixed_size(void **state)
{
    struct world world;
    world_init(&world, THREE);
    world_no_workload(&world);
    world.fixed_size = 5;
    world.rendered_size = 0;
    world_target(&world, 1, 0);
    world_run_to_batch(&world, BATCH_VERIFYING, 0);
    assert_int_equal(world.recorded.original_size, 5);
    assert_int_equal(world.recorded.target_size, 5);
    assert_false(world.recorded.scale);
    assert_int_equal(world.workload.counts.updated, 5);
    assert_int_equal(world.workload.counts.ready, 0);
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    assert_int_equal(world.recorded.upgraded_ready, 5);
    world_done(&world);
}

/* Made before the cluster had a node for it. */
static void test_first_deployment_before_there_are_nodes(void **state)
{
    struct world world;
    world_init(&world, THREE);
    world_no_workload(&world);
    world.fixed_size = 5;
    world_target(&world, 1, 0);
    world_run_to(&world, ROLLING_INITIALIZING);
    world_pass(&world);
    world_scale(&world, 0);
    assert_waits(&world, ROLLING_IN_BATCHES, REASON_PLAN_INVALID,
                 "spec.rolloutPlan.rolloutBatches: the batches overshoot: 1 + 2 + 2 = 5, but there "
                 "are 0 pods; make the whole numbers add up to 0, or use percentages");
    world_scale(&world, 5);
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    world_done(&world);
}

/* Nobody could know it before. */
static void test_plan_that_does_not_fit_what_was_made(void **state)
{
    struct world world;
    world_init(&world, THREE);
    world_no_workload(&world);
    world.fixed_size = 3;
    world_target(&world, 1, 0);
    assert_waits(&world, ROLLING_IN_BATCHES, REASON_PLAN_INVALID,
                 "spec.rolloutPlan.rolloutBatches: the batches overshoot: 1 + 2 + 2 = 5, but there "
                 "are 3 pods; make the whole numbers add up to 3, or use percentages");
    world_plan(&world, "{'numBatches':3}");
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 3, 3);
    world_done(&world);
}

static void test_fixed_size_cannot_be_set(void **state)
{
    struct world world;
    world_init(&world, "{'targetSize':6,'numBatches':3}");
    world.fixed_size = 5;
    world_run(&world);
    assert_ended(&world, ROLLING_FAILED, 5, 5);
    assert_string_equal(world.recorded.reason.field, "spec.rolloutPlan.targetSize");
    assert_non_null(strstr(world.recorded.reason.message,
                           "targetSize is 6, but the size of CloneSet default/web isn't"));
    assert_int_equal(world.workload_writes, 0);
    world_plan(&world, "{'targetSize':5,'numBatches':3}");
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    world_done(&world);
}

static void test_scale_up(void **state)
{
    struct world world;
    world_init(&world, "{'targetSize':10,'rolloutBatches':[{'replicas':1},{'replicas':4}]}");
    world_target(&world, 1, 0);
    world_run(&world);
    assert_happened(&world, "verifyingSpec\ninitializing\nbegin\n"
                            "rollingInBatches\nbatchInRolling 0\nbatchVerifying 0\ntold 6\n"
                            "batchFinalizing 0\nbatchReady 0\nbatchInitializing 1\n"
                            "batchInRolling 1\nbatchVerifying 1\ntold 10\n"
                            "batchFinalizing 1\nbatchReady 1\n"
                            "finalising\nfinish succeeded\nrolloutSucceed\n");
    assert_ended(&world, ROLLING_SUCCEEDED, 10, 10);
    assert_int_equal(world.recorded.original_size, 5);
    assert_int_equal(world.recorded.target_size, 10);
    world_done(&world);
}

static void test_scale_down(void **state)
{
    struct world world;
    world_init(&world, "{'targetSize':1,'rolloutBatches':[{'replicas':'50%'},{}]}");
    world_target(&world, 1, 0);
    world_run(&world);
    assert_happened(&world, "verifyingSpec\ninitializing\nbegin\n"
                            "rollingInBatches\nbatchInRolling 0\nbatchVerifying 0\ntold 3\n"
                            "batchFinalizing 0\nbatchReady 0\nbatchInitializing 1\n"
                            "batchInRolling 1\nbatchVerifying 1\ntold 1\n"
                            "batchFinalizing 1\nbatchReady 1\n"
                            "finalising\nfinish succeeded\nrolloutSucceed\n");
    assert_ended(&world, ROLLING_SUCCEEDED, 1, 1);
    world_done(&world);
}

/* A tolerance must not let a batch pass before anything has happened. */
static void test_scale_up_with_tolerance(void **state)
{
    struct world world;
    world_init(&world, "{'targetSize':7,'rolloutBatches':[{'replicas':1,'maxUnavailable':1},"
                       "{'maxUnavailable':1}]}");
    world_target(&world, 1, 0);
    world.broken[1] = true;
    world_run_to_batch(&world, BATCH_VERIFYING, 0);
    assert_int_equal(world.workload.size, 6);
    assert_waits(&world, ROLLING_IN_BATCHES, REASON_PODS_NOT_READY,
                 "batch 2: 5 of 7 pods are ready");
    assert_reason(&world, "ready", "at least 6", "5");
    assert_int_equal(world.workload.size, 7);
    world_done(&world);
}

static void test_pods_that_are_slow_to_leave(void **state)
{
    struct world world;
    world_init(&world, "{'targetSize':3,'numBatches':2}");
    world_target(&world, 1, 0);
    world_run_to_batch(&world, BATCH_VERIFYING, 0);
    world_wait(&world, 200);
    world.workload.counts.ready = 5;
    world_pass(&world);
    world.now_ms += 10000;
    world_pass(&world);
    assert_int_equal(world.recorded.batch_state, BATCH_VERIFYING);
    assert_int_equal(world.recorded.reason.code, REASON_PODS_LEAVING);
    assert_string_equal(world.recorded.reason.message,
                        "batch 1: 5 pods are ready, all but 4 are to go");
    assert_reason(&world, "ready", "at most 4", "5");
    world_done(&world);
}

static void test_scale_to_nothing(void **state)
{
    struct world world;
    world_init(&world, "{'targetSize':0}");
    world_target(&world, 1, 0);
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 0, 0);
    world_done(&world);
}

/* Somebody makes another workload of that name: marks alone would not make it the target. */
static void test_scaling_of_what_is_not_the_target(void **state)
{
    struct world world;
    world_init(&world, "{'targetSize':9,'numBatches':2}");
    world_target(&world, 1, 0);
    world_run_to_batch(&world, BATCH_VERIFYING, 0);
    text_clear(&world.journal);
    world.workload.revision = world.workload.applied = 2;
    assert_waits(&world, ROLLING_IN_BATCHES, REASON_WORKLOAD_CHANGED,
                 "CloneSet default/web got another revision while it was being scaled; roll it to "
                 "v1 first");
    assert_happened(&world, "");
    world_done(&world);
}

/* Another size wanted afterwards is another rollout; the same one isn't. */
static void test_scale_again(void **state)
{
    struct world world;
    world_init(&world, "{'targetSize':7}");
    world_target(&world, 1, 0);
    world_run(&world);
    world_plan(&world, "{'targetSize':7,'numBatches':2}");
    text_clear(&world.journal);
    world_run(&world);
    assert_happened(&world, "");
    world_plan(&world, "{'targetSize':9}");
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 9, 9);
    world_done(&world);
}

/* Many batches with nothing to do pass without anybody waiting, but not all in one call. */
static void test_many_batches_pass_at_once(void **state)
{
    struct world world;
    world_init(&world, "{'numBatches':40}");
    world_target(&world, 1, 0);
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    assert_int_equal(world.recorded.batch, 39);
    assert_int_equal(world.now_ms, 1700000000100 + 100);
    world_done(&world);
}

static void test_conditions_tell_the_way(void **state)
{
    static const enum condition_type way[] = {
        CONDITION_ROLLOUT_LOCATING,     CONDITION_ROLLOUT_SPEC_VERIFYING,
        CONDITION_ROLLOUT_INITIALIZING, CONDITION_ROLLOUT_IN_PROGRESS,
        CONDITION_BATCH_INITIALIZING,   CONDITION_BATCH_IN_ROLLING,
        CONDITION_BATCH_VERIFYING,      CONDITION_BATCH_FINALIZING,
        CONDITION_BATCH_READY,          CONDITION_ROLLOUT_FINALIZING,
        CONDITION_ROLLOUT_SUCCEED};
    struct world world;
    world_init(&world, THREE); /* what is left is the way of the last batch */
    world_run(&world);
    int64_t before = 0, in_progress = 0;
    for (size_t i = 0; i < sizeof way / sizeof *way; i++) {
        const struct condition *condition = &world.recorded.conditions[way[i]];
        assert_int_equal(condition->status, CONDITION_TRUE);
        /* The roll is done after the last batch, so its time is later than theirs. */
        if (way[i] == CONDITION_ROLLOUT_IN_PROGRESS) {
            in_progress = condition->since_ms;
            continue;
        }
        assert_true(condition->since_ms > before);
        before = condition->since_ms;
    }
    assert_true(in_progress > world.recorded.conditions[CONDITION_BATCH_FINALIZING].since_ms);
    assert_int_equal(world.recorded.conditions[CONDITION_BATCH_PAUSED].status, CONDITION_ABSENT);
    assert_int_equal(world.recorded.conditions[CONDITION_ROLLOUT_FAILED].status, CONDITION_ABSENT);
    world_done(&world);
}

static void assert_started(struct world *world, const char *words)
{
    world_run_to(world, ROLLING_IN_BATCHES);
    assert_string_equal(world->recorded.conditions[CONDITION_ROLLOUT_IN_PROGRESS].message, words);
    assert_int_equal(world->recorded.conditions[CONDITION_ROLLOUT_IN_PROGRESS].status,
                     CONDITION_FALSE);
    world_done(world);
}

static void test_what_a_beginning_says(void **state)
{
    struct world world;
    world_init(&world, THREE);
    assert_started(&world, "CloneSet default/web: 5 pods to v2 from v1 in 3 batches");
    world_init(&world, "{}");
    world_target(&world, 2, 0);
    assert_started(&world, "CloneSet default/web: 5 pods to v2 in 1 batch");
    world_init(&world, "{'targetSize':8,'numBatches':2}");
    world_target(&world, 1, 0);
    assert_started(&world, "CloneSet default/web: from 5 to 8 pods of v1 in 2 batches");
}

static void test_what_a_batch_says(void **state)
{
    struct world world;
    world_init(&world, "{'numBatches':2,'batchPartition':0}");
    world_run(&world);
    assert_string_equal(world.recorded.conditions[CONDITION_BATCH_READY].message,
                        "batch 1 of 2 is done: 2 of 5 pods upgraded");
    world_done(&world);
    world_init(&world, "{'numBatches':2,'batchPartition':0,'targetSize':9}");
    world_target(&world, 1, 0);
    world_run(&world);
    assert_string_equal(world.recorded.conditions[CONDITION_BATCH_READY].message,
                        "batch 1 of 2 is done: 7 of 9 replicas");
    world_done(&world);
}

/* The record is written although nothing was decided, once enough time has gone by. */
static void let_it_be_written(struct world *world)
{
    world->now_ms += 10000;
    world_pass(world);
}

/* What is counted counts only when it is about the target, and not older than what was told. */
static void test_counters_of_something_else(void **state)
{
    struct world world;
    world_init(&world, THREE);
    world.broken[2] = true;
    world_run_to_batch(&world, BATCH_VERIFYING, 0);
    world_wait(&world, 200);
    let_it_be_written(&world);
    assert_int_equal(world.recorded.upgraded, 1);
    world.workload.counts.updated = 5;
    world.workload.generation++;
    let_it_be_written(&world);
    assert_int_equal(world.recorded.upgraded, 1);
    world.workload.generation--;
    world.workload.applied = 7;
    let_it_be_written(&world);
    assert_int_equal(world.recorded.upgraded, 1);
    world_done(&world);
}

/* Since when it waits: anew for another reason, and for another batch. */
static void test_since_when_it_waits(void **state)
{
    struct world world;
    world_init(&world, THREE);
    world.ready_ms = 60000;
    world_run_to_batch(&world, BATCH_VERIFYING, 0);
    world_wait(&world, 200);
    let_it_be_written(&world);
    int64_t first = world.recorded.reason_since_ms;
    assert_int_equal(world.recorded.reason.code, REASON_PODS_NOT_READY);
    let_it_be_written(&world);
    assert_int_equal(world.recorded.reason_since_ms, first);
    world.trouble = true;
    let_it_be_written(&world);
    int64_t second = world.recorded.reason_since_ms;
    assert_true(second > first);
    world.trouble = false;
    let_it_be_written(&world);
    int64_t third = world.recorded.reason_since_ms;
    assert_true(third > second);
    world.lag_ms = 0; /* straight from waiting for one batch to waiting for the next */
    world_run_to_batch(&world, BATCH_VERIFYING, 1);
    assert_int_equal(world.recorded.reason.code, REASON_PODS_NOT_READY);
    assert_true(world.recorded.reason_since_ms > third);
    world_done(&world);
}

/* A name that doesn't fit into the record is still the same name. */
static void test_endless_names(void **state)
{
    struct machine_input *input = calloc(1, sizeof *input);
    struct decision *decision = calloc(1, sizeof *decision);
    char target[400], source[400];
    struct world world;
    world_init(&world, THREE);
    memset(target, 't', sizeof target - 1);
    memset(source, 's', sizeof source - 1);
    target[399] = source[399] = '\0';
    *input = (struct machine_input){.plan = world.plan,
                                    .intent = {.target = target, .source = source},
                                    .observation = {.exists = true, .settled = true, .size = 5},
                                    .now_ms = world.now_ms};
    memcpy(input->observation.target, target, NAME_SIZE - 1);
    status_new(&input->status);
    for (int i = 0; i < 3; i++) {
        machine_decide(input, decision);
        assert_int_equal(decision->status.rolling, ROLLING_INITIALIZING);
        input->status = decision->status;
    }
    free(input);
    free(decision);
    world_done(&world);
}

/* ---- what is waited for ---- */

static void test_unready_pods_are_named(void **state)
{
    struct world world;
    world_init(&world, "{'rolloutBatches':[{'replicas':2,'maxUnavailable':1},{}]}");
    world.broken[2] = true;
    assert_waits(&world, ROLLING_IN_BATCHES, REASON_PODS_NOT_READY,
                 "batch 1: 2 of 2 pods are updated, 0 of them ready");
    assert_reason(&world, "updatedReady", "at least 1", "0");
    assert_string_equal(world.recorded.reason.object, "CloneSet default/web");
    assert_int_equal(world.workload.counts.ready, 3);
    world_done(&world);
}

static void test_tolerance_lets_pods_be_missing(void **state)
{
    struct world world;
    world_init(&world, "{'rolloutBatches':[{'replicas':2,'maxUnavailable':1},{}]}");
    world_run_to_batch(&world, BATCH_VERIFYING, 0);
    world_wait(&world, 100);
    world.workload.pods[0].ready_at = INT64_MAX;
    world.workload.pods[0].ready = false;
    world_run_to_batch(&world, BATCH_VERIFYING, 1);
    assert_int_equal(world.workload.counts.updated_ready, 1);
    world_done(&world);
}

static void test_missing_revision_is_waited_for(void **state)
{
    struct world world;
    world_init(&world, THREE);
    world.missing[2] = true;
    assert_waits(&world, ROLLING_LOCATING, REASON_REVISION_MISSING, "the revision isn't there");
    assert_string_equal(world.recorded.reason.field, "spec.targetAppRevisionName");
    assert_int_equal(world.events, 1);
    world.missing[2] = false;
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    world_done(&world);
}

static void test_revision_missing_for_a_while_in_every_state(void **state)
{
    struct world world;
    world_init(&world, THREE);
    for (int i = 0; i < 40; i++) {
        world.missing[2] = true;
        world_pass(&world);
        world.missing[2] = false;
        world_pass(&world);
        world_wait_for_next(&world);
    }
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    world_done(&world);
}

static void test_workload_of_somebody_else(void **state)
{
    struct world world;
    world_init(&world, THREE);
    world_hold(&world, SOMEBODY);
    assert_waits(&world, ROLLING_VERIFYING, REASON_WORKLOAD_HELD,
                 "CloneSet default/web is held by AppRollout default/other");
    assert_int_equal(world.events, 1);
    assert_int_equal(world.workload.revision, 1);
    world_hold(&world, NOBODY);
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    world_done(&world);
}

static void test_workload_taken_away_on_the_way(void **state)
{
    struct world world;
    world_init(&world, THREE);
    world_run_to_batch(&world, BATCH_VERIFYING, 1);
    text_clear(&world.journal);
    world_hold(&world, SOMEBODY);
    assert_waits(&world, ROLLING_IN_BATCHES, REASON_WORKLOAD_HELD,
                 "CloneSet default/web is held by AppRollout default/other");
    assert_happened(&world, "");
    world_hold(&world, NOBODY);
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    world_done(&world);
}

static void test_workload_gone_on_the_way(void **state)
{
    struct world world;
    world_init(&world, THREE);
    world_run_to_batch(&world, BATCH_VERIFYING, 1);
    world_no_workload(&world);
    assert_waits(&world, ROLLING_IN_BATCHES, REASON_WORKLOAD_MISSING,
                 "CloneSet default/web isn't there any more");
    text_clear(&world.journal);
    world_delete(&world);
    world_run(&world);
    assert_happened(&world, "RolloutDeletingState\ngone\n");
    world_done(&world);
}

/* Somebody has taken it away: nobody puts it there again behind his back. */
static void test_first_deployment_taken_away(void **state)
{
    struct world world;
    world_init(&world, THREE);
    world_no_workload(&world);
    world_target(&world, 1, 0);
    world_run_to_batch(&world, BATCH_VERIFYING, 1);
    text_clear(&world.journal);
    world_no_workload(&world);
    assert_waits(&world, ROLLING_IN_BATCHES, REASON_WORKLOAD_MISSING,
                 "CloneSet default/web isn't there any more");
    assert_happened(&world, "");
    world_done(&world);
}

/* A roll of what isn't there any more must not end as the success of nothing. */
static void test_workload_gone_before_it_was_taken(void **state)
{
    struct world world;
    world_init(&world, "{'rolloutWebhooks':[{'type':'initialize-rollout','name':'yes',"
                       "'url':'http://h'}]}");
    world_run_to(&world, ROLLING_INITIALIZING);
    world_no_workload(&world);
    assert_waits(&world, ROLLING_INITIALIZING, REASON_WORKLOAD_MISSING,
                 "CloneSet default/web isn't there any more");
    assert_int_equal(world.workload_writes, 0);
    world_done(&world);
}

static void test_trouble_is_waited_out(void **state)
{
    struct world world;
    world_init(&world, THREE);
    world_run_to_batch(&world, BATCH_VERIFYING, 0);
    world.trouble = true;
    assert_waits(&world, ROLLING_IN_BATCHES, REASON_CLUSTER_TROUBLE, "the cluster doesn't answer");
    world.trouble = false;
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    world_done(&world);
}

/* ---- refusals ---- */

static void assert_refused(struct world *world, const char *message)
{
    world_run(world);
    assert_int_equal(world->recorded.rolling, ROLLING_FAILED);
    assert_string_equal(world->recorded.reason.message, message);
    assert_int_equal(world->recorded.reason.code, REASON_FAILED);
    assert_int_equal(world->workload_writes, 0);
    assert_int_equal(world->events, 1);
    assert_int_equal(world->warnings, 1);
}

static void test_bad_plan_is_refused_and_looked_at_again(void **state)
{
    struct world world;
    world_init(&world, "{'rolloutBatches':[{'replicas':'50'}]}");
    assert_refused(&world, "spec.rolloutPlan.rolloutBatches[0].replicas: expected 50 for pods or "
                           "\"50%\" for a percentage, found \"50\"");
    assert_string_equal(world.recorded.reason.field, "spec.rolloutPlan.rolloutBatches[0].replicas");
    text_clear(&world.journal);
    world_plan(&world, "{'rolloutBatches':[{'replicas':'50'}],'paused':true}");
    world_run(&world);
    assert_happened(&world, "locatingTargetApp\nverifyingSpec\nrolloutFailed\n");
    world_plan(&world, THREE);
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    world_done(&world);
}

static void test_a_percentage_has_no_zero_before_it(void **state)
{
    struct world world;
    world_init(&world, "{'rolloutBatches':[{'replicas':'05%'}]}");
    assert_refused(&world, "spec.rolloutPlan.rolloutBatches[0].replicas: expected \"5%\", found "
                           "\"05%\"");
    world_done(&world);
}

/* Also while somebody else holds the workload: there is nothing to wait for. */
static void test_bad_plan_is_refused_at_once(void **state)
{
    struct world world;
    world_init(&world, "{'rolloutStrategy':'Canary'}");
    world_hold(&world, SOMEBODY);
    assert_refused(&world, "spec.rolloutPlan.rolloutStrategy: expected IncreaseFirst or "
                           "DecreaseFirst, found \"Canary\"");
    world_done(&world);
}

static void test_plan_that_misses_the_workload(void **state)
{
    struct world world;
    world_init(&world, "{'rolloutBatches':[{'replicas':1},{'replicas':2}]}");
    assert_refused(&world,
                   "spec.rolloutPlan.rolloutBatches: the batches don't reach the end: 1 + 2 = 3, "
                   "but there are 5 pods; 2 would be in no batch; leave the last batch's replicas "
                   "out to take all the rest");
    world_done(&world);
}

static void test_size_and_revision_at_once(void **state)
{
    struct world world;
    world_init(&world, "{'targetSize':8}");
    assert_refused(&world, "spec.rolloutPlan.targetSize: targetSize is 8, but CloneSet default/web "
                           "has 5 replicas and gets a new revision; change one at a time");
    world_plan(&world, "{'targetSize':5}");
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    assert_false(world.recorded.scale);
    world_done(&world);
}

/* Another size in the middle of a roll: no scaling is begun that would be called a success with
 * pods of before in it. Left out, the roll goes on. */
static void test_a_size_in_the_middle_of_a_roll(void **state)
{
    struct world world;
    world_init(&world, THREE);
    world_run_to_batch(&world, BATCH_VERIFYING, 1);
    world_plan(&world, "{'targetSize':8}");
    assert_waits(&world, ROLLING_VERIFYING, REASON_PLAN_INVALID,
                 "targetSize is 8, but 2 pods of CloneSet default/web aren't at v2 yet; leave it "
                 "out until they are");
    assert_string_equal(world.recorded.reason.field, "spec.rolloutPlan.targetSize");
    assert_int_equal(world.workload.size, 5);
    world_plan(&world, THREE);
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    world_plan(&world, "{'targetSize':8}");
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 8, 8);
    world_done(&world);
}

/* None of before was ready when the size was asked for, and one is in the end. */
static void test_a_scaling_ends_at_the_target(void **state)
{
    struct world world;
    world_init(&world, THREE);
    world_run_to_batch(&world, BATCH_VERIFYING, 1);
    for (int i = 0; i < world.workload.pod_count; i++)
        if (world.workload.pods[i].revision == 1)
            world.workload.pods[i] = (struct pod){.revision = 1, .ready_at = world.now_ms + 1000};
    world_plan(&world, "{'targetSize':6}");
    world_run_to(&world, ROLLING_FINALISING);
    assert_waits(&world, ROLLING_FINALISING, REASON_PLAN_INVALID,
                 "targetSize is 6, but 3 pods of CloneSet default/web aren't at v2 yet; leave it "
                 "out until they are");
    for (int i = 0; i < world.workload.pod_count; i++) /* nor when they break again */
        if (world.workload.pods[i].revision == 1)
            world.workload.pods[i] = (struct pod){.revision = 1, .ready_at = INT64_MAX};
    world_wait(&world, 1);
    world_run(&world);
    assert_int_equal(world.recorded.rolling, ROLLING_FINALISING);
    world_plan(&world, "{'numBatches':2}");
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 6, 6);
    world_done(&world);
}

/* The batch that is under way has become the last, but was told less than all. */
static void test_cut_short_in_the_last_batch(void **state)
{
    struct world world;
    world_init(&world, "{'rolloutBatches':[{'replicas':1},{}],'rolloutWebhooks':"
                       "[{'type':'post-batch-rollout','name':'later','url':'http://h'}]}");
    world_run_to_batch(&world, BATCH_FINALIZING, 0);
    world_plan(&world, "{'numBatches':1}");
    text_clear(&world.journal);
    world_run(&world);
    assert_happened(&world, "batchReady 0\nbatchInitializing 1\nbatchInRolling 1\n"
                            "batchVerifying 1\ntold 5\nbatchFinalizing 1\nbatchReady 1\n"
                            "finalising\nfinish succeeded\nrolloutSucceed\n");
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    world_done(&world);
}

/* Its own controller chooses which pods come and go. */
static void test_scaling_with_named_pods(void **state)
{
    struct world world;
    world_init(&world, "{'targetSize':3,'rolloutBatches':[{'replicas':1},{'podList':['web-4']}]}");
    world_target(&world, 1, 0);
    assert_refused(&world, "spec.rolloutPlan.rolloutBatches[1].podList: this rollout makes or "
                           "scales the workload, which has no order for its pods; use replicas");
    world_done(&world);
}

static void test_adapter_refuses(void **state)
{
    struct world world;
    world_init(&world, THREE);
    world.refuses = true;
    assert_refused(&world, "spec.rolloutPlan.rolloutStrategy: not with this");
    world_done(&world);
}

static void test_unusable_revision(void **state)
{
    struct world world;
    world_init(&world, THREE);
    world.unusable[2] = true;
    assert_refused(&world, "spec.targetAppRevisionName: the revision doesn't render");
    world_target(&world, 3, 1);
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    world_done(&world);
}

/* What has failed on the way, and not by what is written, is not tried again by an edit. */
static void test_an_edit_does_not_revive_what_has_failed(void **state)
{
    struct world world;
    world_init(&world, "{'rolloutWebhooks':[{'type':'pre-batch-rollout','name':'no',"
                       "'url':'http://h'}]}");
    world_run(&world);
    assert_ended(&world, ROLLING_FAILED, 0, 5);
    text_clear(&world.journal);
    world_plan(&world, THREE);
    world_run(&world);
    assert_happened(&world, "");
    world_done(&world);
}

/* ---- another target ---- */

static void test_retarget_mid_batch(void **state)
{
    struct world world;
    world_init(&world, THREE);
    world_run_to_batch(&world, BATCH_VERIFYING, 1);
    text_clear(&world.journal);
    world_target(&world, 3, 2);
    world_pass(&world);
    assert_happened(&world, "rolloutAbandoning\nfinish abandoned\nlocatingTargetApp\n"
                            "verifyingSpec\n");
    assert_string_equal(world.recorded.conditions[CONDITION_ROLLOUT_ABANDONING].message,
                        "the target has changed from v2 to v3; the workload stays where it is "
                        "until the new roll begins");
    assert_int_equal(world.recorded.conditions[CONDITION_ROLLOUT_ABANDONING].status,
                     CONDITION_TRUE);
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    assert_int_equal(world.workload.revision, 3);
    assert_string_equal(world.recorded.source, "v2");
    world_done(&world);
}

static void test_rollback_by_swapping(void **state)
{
    struct world world;
    world_init(&world, THREE);
    world_run_to_batch(&world, BATCH_VERIFYING, 1);
    world_target(&world, 1, 2);
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    assert_int_equal(world.workload.revision, 1);
    world_done(&world);
}

/* Given back before the new target is there: nothing is held for something that may never come. */
static void test_retarget_to_what_is_not_there(void **state)
{
    struct world world;
    world_init(&world, THREE);
    world.missing[3] = true;
    world_run_to_batch(&world, BATCH_VERIFYING, 1);
    world_target(&world, 3, 2);
    assert_waits(&world, ROLLING_LOCATING, REASON_REVISION_MISSING, "the revision isn't there");
    assert_int_equal(world.workload.holder, NOBODY);
    assert_int_equal(world.workload.counts.updated, 3);
    assert_int_equal(world.workload.told, 3);
    world.missing[3] = false;
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    world_done(&world);
}

static void test_retarget_when_the_old_target_is_gone(void **state)
{
    struct world world;
    world_init(&world, THREE);
    world_run_to_batch(&world, BATCH_VERIFYING, 1);
    world.missing[2] = true;
    world_target(&world, 3, 1);
    text_clear(&world.journal);
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    assert_non_null(strstr(world.journal.at, "finish abandoned\n"));
    world_done(&world);
}

static void test_retarget_twice(void **state)
{
    struct world world;
    world_init(&world, "{'numBatches':3,'rolloutWebhooks':[{'type':'finalize-rollout',"
                       "'name':'yes','url':'http://h'}]}");
    world_run_to_batch(&world, BATCH_VERIFYING, 1);
    world_target(&world, 3, 2);
    world_pass(&world);
    assert_int_equal(world.recorded.rolling, ROLLING_ABANDONING);
    text_clear(&world.journal);
    world_target(&world, 4, 2);
    world_pass(&world);
    assert_happened(&world, "");
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    assert_int_equal(world.workload.revision, 4);
    world_done(&world);
}

/* Source and size are part of what is wanted. */
static void test_other_source_or_size(void **state)
{
    struct world world;
    world_init(&world, THREE);
    world_run_to_batch(&world, BATCH_VERIFYING, 0);
    world_target(&world, 2, 0);
    text_clear(&world.journal);
    world_pass(&world);
    assert_string_equal(world.recorded.conditions[CONDITION_ROLLOUT_ABANDONING].message,
                        "the source has changed from \"v1\" to \"\"; the workload stays where it "
                        "is until the new roll begins");
    world_run_to_batch(&world, BATCH_VERIFYING, 1);
    world_plan(&world, "{'targetSize':5}");
    world_pass(&world);
    assert_string_equal(world.recorded.conditions[CONDITION_ROLLOUT_ABANDONING].message,
                        "targetSize has changed; the workload stays where it is until the new "
                        "roll begins");
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    world_done(&world);
}

static void test_next_roll_after_the_last(void **state)
{
    struct world world;
    world_init(&world, THREE);
    world_run(&world);
    text_clear(&world.journal);
    world_target(&world, 3, 2);
    world_run(&world);
    assert_happened(&world, "locatingTargetApp\n" WHOLE_ROLL);
    assert_int_equal(world.recorded.conditions[CONDITION_ROLLOUT_ABANDONING].status,
                     CONDITION_ABSENT);
    world_done(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_roll),
        cmocka_unit_test(test_roll_is_cheap),
        cmocka_unit_test(test_nothing_is_written_at_rest),
        cmocka_unit_test(test_first_deployment),
        cmocka_unit_test(test_first_deployment_of_another_size),
        cmocka_unit_test(test_first_deployment_of_fixed_size),
        cmocka_unit_test(test_first_deployment_before_there_are_nodes),
        cmocka_unit_test(test_plan_that_does_not_fit_what_was_made),
        cmocka_unit_test(test_fixed_size_cannot_be_set),
        cmocka_unit_test(test_scale_up),
        cmocka_unit_test(test_scale_down),
        cmocka_unit_test(test_scale_up_with_tolerance),
        cmocka_unit_test(test_pods_that_are_slow_to_leave),
        cmocka_unit_test(test_scale_to_nothing),
        cmocka_unit_test(test_scaling_of_what_is_not_the_target),
        cmocka_unit_test(test_scale_again),
        cmocka_unit_test(test_many_batches_pass_at_once),
        cmocka_unit_test(test_conditions_tell_the_way),
        cmocka_unit_test(test_what_a_beginning_says),
        cmocka_unit_test(test_what_a_batch_says),
        cmocka_unit_test(test_counters_of_something_else),
        cmocka_unit_test(test_since_when_it_waits),
        cmocka_unit_test(test_endless_names),
        cmocka_unit_test(test_unready_pods_are_named),
        cmocka_unit_test(test_tolerance_lets_pods_be_missing),
        cmocka_unit_test(test_missing_revision_is_waited_for),
        cmocka_unit_test(test_revision_missing_for_a_while_in_every_state),
        cmocka_unit_test(test_workload_of_somebody_else),
        cmocka_unit_test(test_workload_taken_away_on_the_way),
        cmocka_unit_test(test_workload_gone_on_the_way),
        cmocka_unit_test(test_first_deployment_taken_away),
        cmocka_unit_test(test_workload_gone_before_it_was_taken),
        cmocka_unit_test(test_trouble_is_waited_out),
        cmocka_unit_test(test_bad_plan_is_refused_and_looked_at_again),
        cmocka_unit_test(test_bad_plan_is_refused_at_once),
        cmocka_unit_test(test_a_percentage_has_no_zero_before_it),
        cmocka_unit_test(test_plan_that_misses_the_workload),
        cmocka_unit_test(test_size_and_revision_at_once),
        cmocka_unit_test(test_a_size_in_the_middle_of_a_roll),
        cmocka_unit_test(test_a_scaling_ends_at_the_target),
        cmocka_unit_test(test_cut_short_in_the_last_batch),
        cmocka_unit_test(test_scaling_with_named_pods),
        cmocka_unit_test(test_adapter_refuses),
        cmocka_unit_test(test_unusable_revision),
        cmocka_unit_test(test_an_edit_does_not_revive_what_has_failed),
        cmocka_unit_test(test_retarget_mid_batch),
        cmocka_unit_test(test_rollback_by_swapping),
        cmocka_unit_test(test_retarget_to_what_is_not_there),
        cmocka_unit_test(test_retarget_when_the_old_target_is_gone),
        cmocka_unit_test(test_retarget_twice),
        cmocka_unit_test(test_other_source_or_size),
        cmocka_unit_test(test_next_roll_after_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
