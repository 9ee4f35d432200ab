// SPDX-License-Identifier: Apache-2.0
/* A rollout that follows its workload: it is held between its rolls, and each change of its
 * template, by whomever, is rolled. */
#include "asserts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define HELD "verifyingSpec\nholding\nhold\nverifyingSpec\nrolloutSucceed\n"

static void setup(struct world *world, const char *plan)
{
    world_follow(world, plan);
    world_run(world);
    assert_int_equal(world->recorded.rolling, ROLLING_SUCCEEDED);
    assert_int_equal(world->recorded.reason.code, REASON_HELD);
    text_done(&world->journal);
}

/* How many pods are at the template that is on it. */
static int updated(const struct world *world)
{
    return world->workload.counts.updated;
}

static void assert_held(struct world *world, int revision)
{
    world_run(world);
    assert_int_equal(world->recorded.rolling, ROLLING_SUCCEEDED);
    assert_int_equal(world->recorded.reason.code, REASON_HELD);
    assert_int_equal(world->workload.revision, revision);
    assert_int_equal(updated(world), world->workload.size);
    assert_true(world->workload.holder == US && world->workload.rests);
    assert_int_equal(world->workload.told, 0);
}

static void test_held_without_moving_a_pod(void **state)
{
    struct world world;
    world_follow(&world, THREE);
    world_run(&world);
    assert_happened(&world, HELD);
    assert_held(&world, 1);
    assert_string_equal(world.recorded.target, "v1");
    assert_string_equal(world.recorded.source, "");
    world_done(&world);
}

static void test_a_new_template_is_rolled(void **state)
{
    struct world world;
    setup(&world, THREE);
    world_template(&world, 2);
    world_wait(&world, 60000);
    assert_int_equal(updated(&world), 0);
    assert_held(&world, 2);
    assert_non_null(strstr(world.journal.at, "told 1\n"));
    assert_non_null(strstr(world.journal.at, "told 3\n"));
    assert_non_null(strstr(world.journal.at, "told 5\n"));
    assert_string_equal(world.recorded.target, "v2");
    assert_string_equal(world.recorded.source, "v1");
    assert_int_equal(world.recorded.upgraded_ready, 5);
    assert_int_equal(world.workload.rolled, 2);
    world_done(&world);
}

/* Changed and changed back before anything was begun. */
static void test_nothing_to_roll(void **state)
{
    struct world world;
    setup(&world, "{'paused':true}");
    world_template(&world, 2);
    world_template(&world, 1);
    assert_held(&world, 1);
    assert_null(strstr(world.journal.at ? world.journal.at : "", "begin"));
    world_done(&world);
}

static void test_another_template_on_the_way(void **state)
{
    struct world world;
    setup(&world, THREE);
    world_template(&world, 2);
    world_run_to_batch(&world, BATCH_VERIFYING, 1);
    world_template(&world, 3);
    text_done(&world.journal);
    assert_held(&world, 3);
    assert_memory_equal(world.journal.at, "rolloutAbandoning\nhold\nlocatingTargetApp\n", 36);
    assert_string_equal(world.recorded.target, "v3");
    assert_string_equal(world.recorded.source, "v1");
    world_done(&world);
}

static void test_back_on_the_way(void **state)
{
    struct world world;
    setup(&world, THREE);
    world_template(&world, 2);
    world_run_to_batch(&world, BATCH_VERIFYING, 1);
    world_template(&world, 1);
    assert_held(&world, 1);
    assert_string_equal(world.recorded.source, "v2");
    world_done(&world);
}

/* A batch counts as ready though a new pod isn't, and an old one stands in for it: were the
 * workload brought to rest now, that one would stay. */
static void test_old_pods_are_gone_before_it_rests(void **state)
{
    struct world world;
    setup(&world, "{'rolloutBatches':[{'maxUnavailable':1}]}");
    world_template(&world, 2);
    world_run_to_batch(&world, BATCH_VERIFYING, 0);
    world_wait(&world, world.lag_ms);
    world_wait(&world, world.ready_ms);
    world.workload.counts.updated_ready = 4;
    world_pass(&world);
    assert_int_equal(world.recorded.rolling, ROLLING_FINALISING);
    assert_int_equal(world.recorded.reason.code, REASON_PODS_LEAVING);
    assert_false(world.workload.rests);
    world_wait(&world, 1000);
    assert_held(&world, 2);
    world_done(&world);
}

/* Old pods are going, and an autoscaler brings one more of them. */
static void scale_before_it_rests(struct world *world)
{
    setup(world, "{'rolloutBatches':[{'maxUnavailable':1}]}");
    world_template(world, 2);
    world_run_to_batch(world, BATCH_VERIFYING, 0);
    world_wait(world, world->lag_ms);
    world_wait(world, world->ready_ms);
    world->workload.counts.updated_ready = 4;
    world_pass(world);
    assert_int_equal(world->recorded.reason.code, REASON_PODS_LEAVING);
    world->workload.pods[world->workload.pod_count++] = (struct pod){.revision = 1, .ready = true};
    world_scale(world, 6);
}

/* What comes is brought to the target too, or it would never be. */
static void test_scaled_before_it_rests(void **state)
{
    struct world world;
    scale_before_it_rests(&world);
    assert_held(&world, 2);
    assert_int_equal(updated(&world), 6);
    world_done(&world);
}

/* A pause holds there too. */
static void test_paused_before_it_rests(void **state)
{
    struct world world;
    scale_before_it_rests(&world);
    world_plan(&world, "{'paused':true,'rolloutBatches':[{'maxUnavailable':1}]}");
    assert_waits(&world, ROLLING_FINALISING, REASON_PAUSED,
                 "paused in batch 1 of 1; set spec.rolloutPlan.paused to false to go on");
    assert_int_equal(updated(&world), 5);
    world_plan(&world, "{'rolloutBatches':[{'maxUnavailable':1}]}");
    assert_held(&world, 2);
    world_done(&world);
}

/* Nobody can say whether it rests while it can't be looked up: then that is the reason. */
static void test_leaving_what_cannot_be_looked_up(void **state)
{
    struct world world;
    setup(&world, THREE);
    world_template(&world, 2);
    world_run_to_batch(&world, BATCH_VERIFYING, 0);
    world_wait(&world, 60000);
    world_wish(&world, WISH_ABORT);
    world.missing[2] = true;
    assert_waits(&world, ROLLING_FAILING, REASON_REVISION_MISSING, "the revision isn't there");
    world.missing[2] = false;
    world_run(&world);
    assert_int_equal(world.recorded.rolling, ROLLING_FAILED);
    assert_true(world.workload.rests);
    world_done(&world);
}

static void test_changed_while_nobody_looks(void **state)
{
    struct world world;
    setup(&world, THREE);
    world_crash(&world);
    world_template(&world, 2);
    world_wait(&world, 3600000);
    assert_int_equal(updated(&world), 0);
    assert_held(&world, 2);
    world_done(&world);
}

/* It had begun to roll natively when the rollout came: what is left goes by the plan. */
static void test_taken_in_the_middle(void **state)
{
    struct world world;
    world_follow(&world, THREE);
    world.workload.told = 2;
    world_template(&world, 2);
    world_wait(&world, 60000);
    assert_int_equal(updated(&world), 2);
    world_run_to(&world, ROLLING_IN_BATCHES);
    assert_int_equal(updated(&world), 2);
    assert_held(&world, 2);
    world_done(&world);
}

/* While a person is waited for it stands still, and another template moves nothing. */
static void test_stands_still_at_the_partition(void **state)
{
    struct world world;
    setup(&world, "{'batchPartition':0,'rolloutBatches':[{'replicas':1},{'replicas':4}]}");
    world_template(&world, 2);
    world_run(&world);
    assert_int_equal(world.recorded.reason.code, REASON_PARTITION_REACHED);
    assert_true(world.workload.paused);
    world_template(&world, 3);
    world_wait(&world, 60000);
    assert_int_equal(updated(&world), 0);
    world_run(&world);
    assert_int_equal(updated(&world), 1);
    world_plan(&world, "{'rolloutBatches':[{'replicas':1},{'replicas':4}]}");
    assert_held(&world, 3);
    world_done(&world);
}

/* Nobody is told that it stands at the partition as long as it would take another template. */
static void test_a_surplus_goes_before_it_stands_still(void **state)
{
    struct world world;
    setup(&world, "{'batchPartition':0,'rolloutBatches':[{'replicas':1},{'replicas':4}]}");
    world_template(&world, 2);
    world_run_to_batch(&world, BATCH_VERIFYING, 0);
    world_wait(&world, 60000); /* its controller has seen it */
    world_wait(&world, 60000); /* the pod is ready */
    world.workload.counts.ready = world.workload.size + 1;
    world_pass(&world);
    assert_int_equal(world.recorded.batch_state, BATCH_READY);
    assert_int_equal(world.recorded.reason.code, REASON_PODS_LEAVING);
    assert_false(world.workload.paused);
    world_wait(&world, 60000); /* the surplus has gone */
    world_run(&world);
    assert_int_equal(world.recorded.reason.code, REASON_PARTITION_REACHED);
    assert_true(world.workload.paused);
    world_done(&world);
}

/* As many pods as there are to be have the template already, but one of before still stands in for
 * one of them: it would stay if that counted as rolled. */
static void test_one_of_before_stands_in(void **state)
{
    struct world world;
    setup(&world, "{'rolloutBatches':[{'replicas':1},{'replicas':4}]}");
    world_template(&world, 2);
    world_wait(&world, 60000);
    world.workload.counts = (struct counts){.updated = 5, .updated_ready = 4, .ready = 5};
    while (world.recorded.rolling == ROLLING_SUCCEEDED ||
           world.recorded.rolling == ROLLING_LOCATING)
        assert_true(world_pass(&world));
    assert_int_equal(world.recorded.rolling, ROLLING_INITIALIZING);
    world_done(&world);
}

static void test_scaled_at_rest(void **state)
{
    struct world world;
    setup(&world, THREE);
    world_scale(&world, 9);
    assert_held(&world, 1);
    assert_int_equal(world.workload.pod_count, 9);
    world_done(&world);
}

static void test_a_size_to_go_to(void **state)
{
    struct world world;
    setup(&world, THREE);
    world_plan(&world, "{'targetSize':8,'numBatches':3}");
    assert_held(&world, 1);
    assert_int_equal(world.workload.size, 8);
    assert_null(strstr(world.journal.at, "begin"));
    world_done(&world);
}

static void test_somebody_elses(void **state)
{
    struct world world;
    world_follow(&world, THREE);
    world_hold(&world, SOMEBODY);
    assert_waits(&world, ROLLING_VERIFYING, REASON_WORKLOAD_HELD,
                 "CloneSet default/web is held by AppRollout default/other");
    assert_int_equal(world.workload_writes, 0);
    world_hold(&world, NOBODY);
    assert_held(&world, 1);
    world_done(&world);
}

/* One that comes anew is held as soon as it is there. */
static void test_the_workload_goes_and_comes(void **state)
{
    struct world world;
    setup(&world, THREE);
    struct workload before = world.workload;
    world_no_workload(&world);
    world_run(&world);
    assert_int_equal(world.recorded.reason.code, REASON_WORKLOAD_MISSING);
    world.workload = before;
    world.workload.holder = NOBODY;
    world.workload.rests = false;
    world.workload.told = ALL_PODS;
    assert_held(&world, 1);
    world_done(&world);
}

/* Its own controller brings it up, whatever the plan says: there is nothing to go from. */
static void test_a_workload_that_is_new(void **state)
{
    struct world world;
    world_follow(&world, "{'batchPartition':0,'rolloutBatches':[{'replicas':1},{'replicas':4}]}");
    world.workload.pod_count = 0;
    world.workload.counts = (struct counts){0};
    world_template(&world, 1);
    world_pass(&world);
    assert_int_equal(world.recorded.rolling, ROLLING_VERIFYING);
    assert_int_equal(world.recorded.reason.code, REASON_WORKLOAD_COMING);
    assert_string_equal(world.recorded.reason.message,
                        "CloneSet default/web: 0 of 5 pods are there, and none of another "
                        "template; it is held once they all are");
    assert_int_equal(world.workload_writes, 0);
    assert_held(&world, 1);
    world_wait(&world, 60000);
    assert_int_equal(world.recorded.upgraded_ready, 5);
    assert_null(strstr(world.journal.at, "begin"));
    world_done(&world);
}

/* The same of one that comes anew in the place of one that was held. */
static void test_a_new_workload_of_the_same_name(void **state)
{
    struct world world;
    setup(&world, THREE);
    world.workload = (struct workload){.exists = true, .size = 5, .revision = 1, .told = ALL_PODS};
    world_scale(&world, 5);
    int writes = world.workload_writes;
    world_pass(&world);
    assert_int_equal(world.workload_writes, writes);
    assert_held(&world, 1);
    assert_int_equal(world.workload.pod_count, 5);
    world_done(&world);
}

static void test_a_plan_that_cant_be(void **state)
{
    struct world world;
    world_follow(&world, THREE);
    world.refuses = true;
    world_run(&world);
    assert_int_equal(world.recorded.rolling, ROLLING_FAILED);
    assert_int_equal(world.workload_writes, 0);
    world.refuses = false;
    world_plan(&world, THREE);
    assert_held(&world, 1);
    world_done(&world);
}

/* One that comes to such a plan while it is held stays held. */
static void test_a_plan_that_cant_be_any_more(void **state)
{
    struct world world;
    setup(&world, THREE);
    world_plan(&world, "{'rolloutBatches':[{'replicas':7}]}");
    world_template(&world, 2);
    world_run(&world);
    assert_int_equal(world.recorded.rolling, ROLLING_FAILED);
    assert_true(world.workload.rests);
    assert_int_equal(updated(&world), 0);
    world_plan(&world, THREE);
    assert_held(&world, 2);
    world_done(&world);
}

static void test_a_hook_says_no(void **state)
{
    struct world world;
    setup(&world, HOOKED("post-batch-rollout", "no"));
    world_template(&world, 2);
    world_run(&world);
    assert_int_equal(world.recorded.rolling, ROLLING_FAILED);
    assert_true(world.workload.rests);
    assert_int_equal(updated(&world), 1);
    world_plan(&world, THREE);
    world_template(&world, 3);
    assert_held(&world, 3);
    world_done(&world);
}

static void assert_gone(struct world *world, const char *finish, int at_template)
{
    world_run(world);
    world_wait(world, 60000);
    assert_true(world->gone);
    assert_non_null(strstr(world->journal.at, finish));
    assert_int_equal(world->workload.holder, NOBODY);
    assert_int_equal(updated(world), at_template);
}

static void test_deleted_at_rest(void **state)
{
    struct world world;
    setup(&world, THREE);
    world_delete(&world);
    assert_gone(&world, "finish succeeded", 5);
    assert_int_equal(world.workload.told, ALL_PODS);
    world_done(&world);
}

/* What waits isn't rolled behind anybody's back. */
static void test_deleted_before_the_first_batch(void **state)
{
    struct world world;
    setup(&world, "{'paused':true}");
    world_template(&world, 2);
    world_run(&world);
    world_delete(&world);
    assert_gone(&world, "finish deleted", 0);
    world_done(&world);
}

static void test_deleted_on_the_way(void **state)
{
    struct world world;
    setup(&world, THREE);
    world_template(&world, 2);
    world_run_to_batch(&world, BATCH_VERIFYING, 1);
    world_delete(&world);
    assert_gone(&world, "finish deleted", 3);
    world_done(&world);
}

static void test_reverted_on_delete(void **state)
{
    struct world world;
    setup(&world, THREE);
    world.revert = true;
    world_template(&world, 2);
    world_run_to_batch(&world, BATCH_VERIFYING, 1);
    world_delete(&world);
    assert_gone(&world, "finish rolledBack", 5);
    assert_int_equal(world.workload.revision, 1);
    world_done(&world);
}

static void test_deleted_before_it_had_anything(void **state)
{
    struct world world;
    world_follow(&world, THREE);
    world_hold(&world, SOMEBODY);
    world_run(&world);
    world_delete(&world);
    world_run(&world);
    assert_true(world.gone);
    assert_int_equal(world.workload_writes, 0);
    world_done(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_held_without_moving_a_pod),
        cmocka_unit_test(test_a_new_template_is_rolled),
        cmocka_unit_test(test_nothing_to_roll),
        cmocka_unit_test(test_another_template_on_the_way),
        cmocka_unit_test(test_back_on_the_way),
        cmocka_unit_test(test_old_pods_are_gone_before_it_rests),
        cmocka_unit_test(test_scaled_before_it_rests),
        cmocka_unit_test(test_paused_before_it_rests),
        cmocka_unit_test(test_leaving_what_cannot_be_looked_up),
        cmocka_unit_test(test_changed_while_nobody_looks),
        cmocka_unit_test(test_taken_in_the_middle),
        cmocka_unit_test(test_stands_still_at_the_partition),
        cmocka_unit_test(test_a_surplus_goes_before_it_stands_still),
        cmocka_unit_test(test_one_of_before_stands_in),
        cmocka_unit_test(test_scaled_at_rest),
        cmocka_unit_test(test_a_size_to_go_to),
        cmocka_unit_test(test_somebody_elses),
        cmocka_unit_test(test_the_workload_goes_and_comes),
        cmocka_unit_test(test_a_workload_that_is_new),
        cmocka_unit_test(test_a_new_workload_of_the_same_name),
        cmocka_unit_test(test_a_plan_that_cant_be),
        cmocka_unit_test(test_a_plan_that_cant_be_any_more),
        cmocka_unit_test(test_a_hook_says_no),
        cmocka_unit_test(test_deleted_at_rest),
        cmocka_unit_test(test_deleted_before_the_first_batch),
        cmocka_unit_test(test_deleted_on_the_way),
        cmocka_unit_test(test_reverted_on_delete),
        cmocka_unit_test(test_deleted_before_it_had_anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
