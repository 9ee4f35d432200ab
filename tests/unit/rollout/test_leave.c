// SPDX-License-Identifier: Apache-2.0
/* What an operator's rules hold back: windows in which rolls and batches may begin, and a line for
 * those who are too many. Neither holds what is worse off waiting. */
#include "asserts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

enum { HOUR_MS = 3600 * 1000 };

static void close_window(struct world *world)
{
    snprintf(world->leave.closed, sizeof world->leave.closed, "the window opens later");
    world->leave.opens_at_ms = world->now_ms + HOUR_MS;
}

static void open_window(struct world *world)
{
    world->leave = (struct leave){0};
}

static void stand_in_line(struct world *world)
{
    snprintf(world->leave.queued, sizeof world->leave.queued, "others are before it");
}

/* Passes, until there is nothing to do at this moment. */
static void pass_all(struct world *world)
{
    while (world_pass(world))
        ;
}

/* Nothing is touched before it opens, and it is asked again just then. */
static void test_a_roll_begins_in_a_window(void **state)
{
    struct world world;
    world_init(&world, THREE);
    close_window(&world);
    int64_t opens_at_ms = world.leave.opens_at_ms;
    pass_all(&world);
    assert_int_equal(world.recorded.rolling, ROLLING_VERIFYING);
    assert_int_equal(world.recorded.reason.code, REASON_WINDOW_CLOSED);
    assert_string_equal(world.recorded.reason.message, "the window opens later");
    assert_int_equal(world.wake_at_ms, opens_at_ms);
    assert_int_equal(world.workload_writes, 0);
    open_window(&world);
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    world_done(&world);
}

/* The batch that has begun is brought to its end, and the next one waits. */
static void test_a_batch_begins_in_a_window(void **state)
{
    struct world world;
    world_init(&world, THREE);
    world_run_to_batch(&world, BATCH_VERIFYING, 1);
    close_window(&world);
    world_run_to_batch(&world, BATCH_READY, 1);
    world_wait(&world, 60000);
    pass_all(&world);
    assert_int_equal(world.recorded.batch_state, BATCH_READY);
    assert_int_equal(world.recorded.reason.code, REASON_WINDOW_CLOSED);
    assert_int_equal(world.workload.counts.updated, 3);
    world_crash(&world);
    pass_all(&world);
    assert_int_equal(world.recorded.reason.code, REASON_WINDOW_CLOSED);
    open_window(&world);
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    world_done(&world);
}

/* Who waits for a person first is told so, and then that a window is waited for. */
static void test_the_partition_comes_first(void **state)
{
    struct world world;
    world_init(&world, "{'batchPartition':0,'rolloutBatches':[{'replicas':1},{'replicas':4}]}");
    world_run(&world);
    close_window(&world);
    world_run(&world);
    assert_int_equal(world.recorded.reason.code, REASON_PARTITION_REACHED);
    world_plan(&world, "{'rolloutBatches':[{'replicas':1},{'replicas':4}]}");
    pass_all(&world);
    assert_int_equal(world.recorded.reason.code, REASON_WINDOW_CLOSED);
    assert_int_equal(world.workload.counts.updated, 1);
    world_done(&world);
}

/* Another template on a workload that stands still moves nothing either. */
static void test_one_that_is_followed_stands_still(void **state)
{
    struct world world;
    world_follow(&world, "{'rolloutBatches':[{'replicas':1},{'replicas':4}]}");
    world_run(&world);
    world_template(&world, 2);
    world_run_to_batch(&world, BATCH_VERIFYING, 0);
    close_window(&world);
    world_run_to_batch(&world, BATCH_READY, 0);
    world_wait(&world, 60000);
    pass_all(&world);
    assert_int_equal(world.recorded.reason.code, REASON_WINDOW_CLOSED);
    assert_true(world.workload.paused);
    world_done(&world);
}

/* A workload whose pods are of two templates is brought to one of them at any hour, and whoever is
 * in the line. */
static void test_half_way_is_not_held(void **state)
{
    struct world world;
    world_init(&world, THREE);
    world_run_to_batch(&world, BATCH_VERIFYING, 1);
    close_window(&world);
    stand_in_line(&world);
    world_target(&world, 1, 2);
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    assert_int_equal(world.workload.revision, 1);
    world_done(&world);
}

/* Nor is what ends a roll. */
static void test_the_ways_out_are_open(void **state)
{
    struct world world;
    world_init(&world, THREE);
    world_run_to_batch(&world, BATCH_VERIFYING, 1);
    close_window(&world);
    world_wish(&world, WISH_ABORT);
    world_run_to(&world, ROLLING_FAILED);
    world_delete(&world);
    world_run(&world);
    assert_true(world.gone);
    world_done(&world);
}

static void test_it_waits_for_its_turn(void **state)
{
    struct world world;
    world_init(&world, THREE);
    stand_in_line(&world);
    assert_waits(&world, ROLLING_VERIFYING, REASON_QUEUED, "others are before it");
    assert_int_equal(world.workload_writes, 0);
    open_window(&world);
    world_run_to_batch(&world, BATCH_VERIFYING, 0);
    stand_in_line(&world); /* whoever has begun isn't asked again */
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    world_done(&world);
}

/* Nobody waits only to hear that he was refused. */
static void test_what_is_wrong_is_told_before(void **state)
{
    struct world world;
    world_init(&world, "{'rolloutBatches':[{'replicas':1}]}");
    close_window(&world);
    stand_in_line(&world);
    world_run_to(&world, ROLLING_FAILED);
    assert_int_equal(world.recorded.conditions[CONDITION_ROLLOUT_FAILED].reason, REASON_REFUSED);
    world_done(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_roll_begins_in_a_window),
        cmocka_unit_test(test_a_batch_begins_in_a_window),
        cmocka_unit_test(test_the_partition_comes_first),
        cmocka_unit_test(test_one_that_is_followed_stands_still),
        cmocka_unit_test(test_half_way_is_not_held),
        cmocka_unit_test(test_the_ways_out_are_open),
        cmocka_unit_test(test_it_waits_for_its_turn),
        cmocka_unit_test(test_what_is_wrong_is_told_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
