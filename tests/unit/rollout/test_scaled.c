// SPDX-License-Identifier: Apache-2.0
/* Workloads that somebody else scales in the middle of a roll, or of a scaling. */
#include "asserts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_scaled_up_on_the_way(void **state)
{
    struct world world;
    world_init(&world, THREE);
    world_run_to_batch(&world, BATCH_VERIFYING, 1);
    text_clear(&world.journal);
    world_scale(&world, 10);
    world_run(&world);
    assert_happened(&world, "told 6\nbatchFinalizing 1\nbatchReady 1\nbatchInitializing 2\n"
                            "batchInRolling 2\nbatchVerifying 2\ntold 10\nbatchFinalizing 2\n"
                            "batchReady 2\nfinalising\nfinish succeeded\nrolloutSucceed\n");
    assert_ended(&world, ROLLING_SUCCEEDED, 10, 10);
    assert_int_equal(world.recorded.original_size, 5);
    assert_int_equal(world.recorded.target_size, 10);
    world_done(&world);
}

static void test_scaled_down_on_the_way(void **state)
{
    struct world world;
    world_init(&world, THREE);
    world_run_to_batch(&world, BATCH_VERIFYING, 1);
    world_scale(&world, 2);
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 2, 2);
    world_done(&world);
}

static void test_scaled_to_nothing_and_back(void **state)
{
    struct world world;
    world_init(&world, THREE);
    world_run_to_batch(&world, BATCH_VERIFYING, 0);
    world_scale(&world, 0);
    world_pass(&world);
    world_wait(&world, 200);
    world_pass(&world);
    world_scale(&world, 4);
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 4, 4);
    world_done(&world);
}

#define PARTITIONED(batch)                                                                         \
    "{'batchPartition':" #batch ",'rolloutBatches':[{'replicas':2},{'replicas':1},{}]}"

/* What a batch that waits for its leave gets meanwhile is verified before the next begins. */
static void test_scaled_up_at_a_partition(void **state)
{
    struct world world;
    world_init(&world, PARTITIONED(0));
    world_run_to_batch(&world, BATCH_READY, 0);
    world.broken[2] = true;
    world_scale(&world, 10);
    assert_waits(&world, ROLLING_IN_BATCHES, REASON_PARTITION_REACHED,
                 "batch 1 of 3 is ready; batchPartition is 0, raise it to go on");
    world_plan(&world, PARTITIONED(1));
    assert_waits(&world, ROLLING_IN_BATCHES, REASON_PODS_NOT_READY,
                 "batch 1: 4 of 4 pods are updated, 2 of them ready");
    assert_reason(&world, "updatedReady", "at least 4", "2");
    assert_int_equal(world.workload.told, 4);
    world_heal(&world, 2);
    world_run(&world);
    assert_int_equal(world.workload.counts.updated_ready, 6);
    world_plan(&world, PARTITIONED(2));
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 10, 10);
    world_done(&world);
}

/* Sizes that go up and down for ever don't push the roll past a gate. */
static void test_scaling_to_and_fro_does_not_creep(void **state)
{
    struct world world;
    world_init(&world, "{'rolloutBatches':[{'replicas':1},{'replicas':2},{'replicas':2,"
                       "'batchRolloutWebhooks':[{'type':'pre-batch-rollout','name':'never',"
                       "'url':'http://h'}]}]}");
    world_run_to_batch(&world, BATCH_INITIALIZING, 2);
    for (int i = 0; i < 20; i++) {
        world_scale(&world, i % 2 ? 5 : 6);
        for (int k = 0; k < 20; k++) {
            world_pass(&world);
            world_wait(&world, 500);
        }
    }
    assert_int_equal(world.recorded.batch_state, BATCH_INITIALIZING);
    assert_int_equal(world.recorded.step_target, 3);
    assert_true(world.workload.counts.updated <= 4);
    world_done(&world);
}

#define UP_TO_NINE "'targetSize':9,'rolloutBatches':[{'replicas':1},{}]"

/* A scaling keeps what somebody else has done already, and doesn't take it back. */
static void test_scaled_further_while_scaling(void **state)
{
    struct world world;
    world_init(&world, "{" UP_TO_NINE ",'batchPartition':0}");
    world_target(&world, 1, 0);
    world_run_to_batch(&world, BATCH_READY, 0);
    assert_int_equal(world.workload.size, 6);
    world_scale(&world, 8);
    world_run(&world);
    assert_int_equal(world.workload.size, 8);
    world_plan(&world, "{" UP_TO_NINE "}");
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 9, 9);
    world_done(&world);
}

/* Nor is he fought who takes replicas back: it is said, and goes on when they are there again. */
static void test_scaled_back_while_scaling(void **state)
{
    struct world world;
    world_init(&world, "{" UP_TO_NINE ",'batchPartition':0}");
    world_target(&world, 1, 0);
    world_run_to_batch(&world, BATCH_READY, 0);
    world_scale(&world, 4);
    world_plan(&world, "{" UP_TO_NINE "}");
    world_run(&world);
    assert_int_equal(world.workload.size, 4);
    assert_int_equal(world.recorded.reason.code, REASON_SCALED_BACK);
    assert_string_equal(world.recorded.reason.message,
                        "batch 2: CloneSet default/web was scaled to 6, and somebody else has "
                        "scaled it to 4; let it have 6 (is there an autoscaler?), or change "
                        "spec.rolloutPlan.targetSize");
    world_scale(&world, 6);
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 9, 9);
    world_done(&world);
}

/* An autoscaler's bound that lies before the end of the scaling. */
static void test_scaling_beyond_a_bound(void **state)
{
    struct world world;
    world_init(&world, "{" UP_TO_NINE "}");
    world_target(&world, 1, 0);
    world_run_to_batch(&world, BATCH_VERIFYING, 1);
    world_pass(&world);
    assert_int_equal(world.workload.size, 9);
    world_scale(&world, 7); /* before its controller has seen the 9 */
    world_run(&world);
    assert_int_equal(world.workload.size, 7);
    assert_int_equal(world.recorded.reason.code, REASON_SCALED_BACK);
    world_plan(&world, "{'targetSize':7}");
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 7, 7);
    world_done(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scaled_up_on_the_way),
        cmocka_unit_test(test_scaled_down_on_the_way),
        cmocka_unit_test(test_scaled_to_nothing_and_back),
        cmocka_unit_test(test_scaled_up_at_a_partition),
        cmocka_unit_test(test_scaling_to_and_fro_does_not_creep),
        cmocka_unit_test(test_scaled_further_while_scaling),
        cmocka_unit_test(test_scaled_back_while_scaling),
        cmocka_unit_test(test_scaling_beyond_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
