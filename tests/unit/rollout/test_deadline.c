// SPDX-License-Identifier: Apache-2.0
/* Batches that don't get on within their deadline, and what is done about them. */
#include "asserts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define BATCHES "'rolloutBatches':[{'replicas':1},{'replicas':2},{'replicas':2}]"
#define WITHIN  "'progressDeadlineSeconds':60"
#define STUCK                                                                                      \
    "no progress within 60 s (progressDeadlineSeconds): batch 1: 1 of 1 pods are updated, 0 of "   \
    "them ready"

static void test_without_one_it_waits(void **state)
{
    struct world world;
    world_init(&world, THREE);
    world.broken[2] = true;
    assert_waits(&world, ROLLING_IN_BATCHES, REASON_PODS_NOT_READY,
                 "batch 1: 1 of 1 pods are updated, 0 of them ready");
    assert_int_equal(world.warnings, 0);
    world_done(&world);
}

/* Held still and said once; it goes on when its pods are ready after all. */
static void test_pause(void **state)
{
    struct world world;
    world_init(&world, "{" BATCHES "," WITHIN "}");
    world.broken[2] = true;
    int64_t began = world.now_ms;
    assert_waits(&world, ROLLING_IN_BATCHES, REASON_DEADLINE_EXCEEDED,
                 STUCK "; no further pod is moved until it gets on");
    assert_reason(&world, "updatedReady", "at least 1", "0");
    assert_true(world.now_ms - began >= 60000);
    assert_true(world.workload.paused);
    assert_int_equal(world.events, 2); /* that it begins, and that it stands */
    world_heal(&world, 2);
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    world_done(&world);
}

/* The workload's controller has its reasons not to move a pod yet. Nothing of what has moved is in
 * doubt, so what was told stays told: held still, the batch could never get on. */
static void test_pause_before_a_pod_has_moved(void **state)
{
    struct world world;
    world_init(&world, "{" BATCHES "," WITHIN "}");
    world_run_to_batch(&world, BATCH_VERIFYING, 0);
    world_wait(&world, 100);
    struct workload moved = world.workload;
    world.workload.counts.updated = world.workload.counts.updated_ready = 0;
    world_pass(&world);
    world.now_ms += 61000;
    world_pass(&world);
    assert_int_equal(world.recorded.reason.code, REASON_DEADLINE_EXCEEDED);
    assert_non_null(strstr(world.recorded.reason.message, "; it goes on when that has come"));
    assert_false(world.workload.paused);
    assert_int_equal(world.workload.told, moved.told);
    world_wait(&world, 1000); /* and then it moves one */
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    world_done(&world);
}

static void test_abandon(void **state)
{
    struct world world;
    world_init(&world, "{" BATCHES "," WITHIN ",'onFailure':'Abandon'}");
    world_run_to_batch(&world, BATCH_VERIFYING, 1);
    world.broken[2] = true;
    text_clear(&world.journal);
    world_run(&world);
    assert_non_null(strstr(world.journal.at, "rolloutFailing\nfinish failed\nrolloutFailed\n"));
    assert_int_equal(world.recorded.rolling, ROLLING_FAILED);
    assert_string_equal(world.recorded.reason.message,
                        "no progress within 60 s (progressDeadlineSeconds): batch 2: 3 of 3 pods "
                        "are updated, 1 of them ready; the workload stays where it is");
    assert_int_equal(world.workload.counts.updated, 3);
    assert_int_equal(world.workload.holder, NOBODY);
    world_done(&world);
}

static void test_rollback(void **state)
{
    struct world world;
    world_init(&world, "{" BATCHES "," WITHIN ",'onFailure':'Rollback'}");
    world.broken[2] = true;
    world_run_to_batch(&world, BATCH_VERIFYING, 0);
    text_clear(&world.journal);
    world_run(&world);
    assert_happened(&world, "rolloutFailing\nfinish rolledBack\nrolloutFailed\n");
    assert_string_equal(world.recorded.reason.message, STUCK "; the workload goes back");
    assert_int_equal(world.workload.revision, 1);
    assert_ended(&world, ROLLING_FAILED, 5, 5);
    world_done(&world);
}

/* A batch says it otherwise than the plan, or only the half of it. */
static void test_of_one_batch(void **state)
{
    struct world world;
    world_init(&world, "{'onFailure':'Abandon','rolloutBatches':[{'replicas':1,"
                       "'progressDeadlineSeconds':10},{}]}");
    world.broken[2] = true;
    int64_t began = world.now_ms;
    world_run(&world);
    assert_int_equal(world.recorded.rolling, ROLLING_FAILED);
    assert_true(world.now_ms - began < 60000);
    world_done(&world);
    world_init(&world, "{" WITHIN ",'onFailure':'Abandon','rolloutBatches':[{'replicas':1,"
                       "'onFailure':'Pause'},{}]}");
    world.broken[2] = true;
    world_run(&world);
    assert_int_equal(world.recorded.reason.code, REASON_DEADLINE_EXCEEDED);
    assert_int_equal(world.recorded.rolling, ROLLING_IN_BATCHES);
    world_done(&world);
}

/* Every pod more begins the time anew; one that has been ready before doesn't. */
static void test_progress(void **state)
{
    struct world world;
    world_init(&world, "{" WITHIN ",'onFailure':'Abandon','rolloutBatches':[{'replicas':3},{}]}");
    world.broken[2] = true;
    world_run_to_batch(&world, BATCH_VERIFYING, 0);
    world_wait(&world, 40000);
    world_pass(&world);
    struct pod *pods = world.workload.pods;
    for (int i = 0; i < 3; i++) {
        pods[i].ready_at = world.now_ms + 1;
        world_wait(&world, 40000);
        world_pass(&world);
        assert_int_equal(world.recorded.rolling, ROLLING_IN_BATCHES);
    }
    world_done(&world);
    world_init(&world, "{" WITHIN ",'onFailure':'Abandon','rolloutBatches':[{'replicas':3},{}]}");
    world.broken[2] = true;
    world_run_to_batch(&world, BATCH_VERIFYING, 0);
    for (int i = 0; i < 6; i++) { /* it comes and goes */
        world.workload.pods[0].ready = false;
        world.workload.pods[0].ready_at = world.now_ms + 1;
        world_wait(&world, 20000);
        world_pass(&world);
        world.workload.pods[0].ready = false;
        world.workload.pods[0].ready_at = INT64_MAX;
        world_wait(&world, 1000);
        world_pass(&world);
    }
    assert_int_equal(world.recorded.rolling, ROLLING_FAILED);
    world_done(&world);
}

/* What the plan or a person has asked for is no lack of progress. */
static void test_planned_waits(void **state)
{
    struct world world;
    world_init(&world, "{" WITHIN ",'onFailure':'Abandon','rolloutBatches':"
                       "[{'replicas':3,'instanceInterval':100},{}]}");
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    world_done(&world);
    world_init(&world, "{" BATCHES "," WITHIN ",'onFailure':'Abandon','batchPartition':0}");
    world_run(&world);
    world_wait(&world, 3600000);
    world_plan(&world, "{" BATCHES "," WITHIN ",'onFailure':'Abandon','paused':true}");
    world_run(&world);
    world_wait(&world, 3600000);
    world_plan(&world, "{" BATCHES "," WITHIN ",'onFailure':'Abandon'}");
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    world_done(&world);
}

static const char hook_plan[] = "{" BATCHES "," WITHIN ",'onFailure':'%s','rolloutWebhooks':"
                                "[{'type':'post-batch-rollout','name':'%s','url':'http://h'}]}";

static void run_hooked(struct world *world, const char *then, const char *hook)
{
    char plan[512];
    snprintf(plan, sizeof plan, hook_plan, then, hook);
    world_init(world, plan);
    world_run(world);
}

static void test_hooks(void **state)
{
    struct world world;
    run_hooked(&world, "Abandon", "never");
    assert_int_equal(world.recorded.rolling, ROLLING_FAILED);
    assert_int_equal(world.workload.counts.updated, 1);
    world_done(&world);
    run_hooked(&world, "Rollback", "no"); /* it fails by the hook's word */
    assert_ended(&world, ROLLING_FAILED, 5, 5);
    assert_int_equal(world.workload.revision, 1);
    world_done(&world);
    run_hooked(&world, "Pause", "no");
    assert_int_equal(world.recorded.rolling, ROLLING_FAILED);
    assert_int_equal(world.workload.counts.updated, 1);
    world_done(&world);
}

/* Each takes its time within the deadline; together they take longer. */
static void test_hook_after_hook(void **state)
{
    struct world world;
    world_init(&world, "{" BATCHES "," WITHIN ",'onFailure':'Abandon','rolloutWebhooks':["
                       "{'type':'post-batch-rollout','name':'a','url':'http://h'},"
                       "{'type':'post-batch-rollout','name':'b','url':'http://h'}]}");
    world.hook_ms = 40000;
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    world_done(&world);
}

/* Up: pods that don't get ready. Down: pods that don't go; each that goes begins the time anew. */
static void test_scaling(void **state)
{
    struct world world;
    world_init(&world, "{'targetSize':7," WITHIN ",'onFailure':'Rollback','numBatches':2}");
    world_target(&world, 1, 0);
    world.broken[1] = true;
    world_run(&world);
    assert_int_equal(world.recorded.rolling, ROLLING_FAILED);
    assert_int_equal(world.workload.size, 6); /* a size isn't taken back */
    world_done(&world);
    world_init(&world, "{'targetSize':1," WITHIN ",'onFailure':'Abandon','numBatches':2}");
    world_target(&world, 1, 0);
    world_run_to_batch(&world, BATCH_VERIFYING, 0);
    world_wait(&world, 200); /* its controller has seen it */
    for (int ready = 5; ready > 3; ready--) {
        world.workload.counts.ready = world.workload.counts.updated_ready = ready;
        world_pass(&world);
        world.now_ms += 10000; /* what is waited for is recorded a little later */
        world_pass(&world);
        assert_int_equal(world.recorded.reason.code, REASON_PODS_LEAVING);
        world.now_ms += 30000;
    }
    world_pass(&world);
    assert_int_equal(world.recorded.rolling, ROLLING_IN_BATCHES);
    world.now_ms += 30000;
    world_pass(&world);
    assert_int_equal(world.recorded.rolling, ROLLING_FAILED);
    assert_non_null(strstr(world.recorded.reason.message, "no progress within 60 s"));
    world_done(&world);
}

/* Its controller never looks at what it was told. */
static void test_behind_all_the_time(void **state)
{
    struct world world;
    world_init(&world, "{" BATCHES "," WITHIN ",'onFailure':'Abandon'}");
    world_run_to_batch(&world, BATCH_VERIFYING, 0);
    world.workload.settles_at = INT64_MAX;
    world_pass(&world);
    assert_int_equal(world.recorded.reason.code, REASON_WORKLOAD_BEHIND);
    world.now_ms += 61000;
    world_pass(&world);
    assert_int_equal(world.recorded.rolling, ROLLING_FAILED);
    assert_non_null(strstr(world.recorded.reason.message, "no progress within 60 s"));
    world_done(&world);
}

/* A plan that was edited into one that may not be: the template stays its owner's. */
static void test_a_followed_template_stays_its_owners(void **state)
{
    struct world world;
    world_follow(&world, "{" BATCHES "," WITHIN ",'onFailure':'Abandon'}");
    world_run(&world);
    world_template(&world, 2);
    world.broken[2] = true;
    world_run_to_batch(&world, BATCH_VERIFYING, 0);
    world_plan(&world, "{" BATCHES "," WITHIN ",'onFailure':'Rollback'}");
    text_clear(&world.journal);
    world_run(&world);
    assert_int_equal(world.recorded.rolling, ROLLING_FAILED);
    assert_int_equal(world.workload.revision, 2);
    assert_int_equal(world.workload.counts.updated, 1);
    world_done(&world);
}

/* A batch that is told more because somebody scales the workload has that to do anew. */
static void test_scaled_on_the_way(void **state)
{
    struct world world;
    world_init(&world,
               "{'rolloutBatches':[{'replicas':'40%'},{}]," WITHIN ",'onFailure':'Abandon'}");
    world.broken[2] = true;
    world_run_to_batch(&world, BATCH_VERIFYING, 0);
    world_wait(&world, 1000);
    world_pass(&world);
    world.now_ms += 50000;
    world_scale(&world, 10);
    for (int i = 0; i < 5; i++) { /* its controller has seen it, it is told, and that is seen */
        world_wait(&world, 1000);
        world_pass(&world);
    }
    assert_int_equal(world.recorded.step_target, 4);
    world.now_ms += 50000;
    world_pass(&world);
    assert_int_equal(world.recorded.rolling, ROLLING_IN_BATCHES);
    world.now_ms += 20000;
    world_pass(&world);
    assert_int_equal(world.recorded.rolling, ROLLING_FAILED);
    world_done(&world);
}

/* The time that a gate took isn't the pods'. */
static void test_a_gate_and_then_pods(void **state)
{
    struct world world;
    world_init(&world, "{" BATCHES "," WITHIN ",'onFailure':'Abandon','rolloutWebhooks':["
                       "{'type':'pre-batch-rollout','name':'a','url':'http://h'}]}");
    world.hook_ms = 40000;
    world.ready_ms = 40000;
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    world_done(&world);
}

/* Without a source there is nothing to go back to. */
static void test_nothing_to_go_back_to(void **state)
{
    struct world world;
    world_init(&world, "{" BATCHES "," WITHIN ",'onFailure':'Rollback'}");
    world_target(&world, 2, 0);
    world.broken[2] = true;
    world_run(&world);
    assert_int_equal(world.recorded.rolling, ROLLING_FAILED);
    assert_int_equal(world.workload.revision, 2);
    assert_int_equal(world.workload.counts.updated, 1);
    world_done(&world);
}

static void test_a_followed_template_is_its_owners(void **state)
{
    struct world world;
    world_follow(&world, "{" BATCHES "," WITHIN ",'onFailure':'Rollback'}");
    world_run(&world);
    assert_int_equal(world.recorded.rolling, ROLLING_FAILED);
    assert_non_null(
        strstr(world.recorded.reason.message, "expected Pause or Abandon, found Rollback"));
    world_done(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_one_it_waits),
        cmocka_unit_test(test_pause),
        cmocka_unit_test(test_pause_before_a_pod_has_moved),
        cmocka_unit_test(test_abandon),
        cmocka_unit_test(test_rollback),
        cmocka_unit_test(test_of_one_batch),
        cmocka_unit_test(test_progress),
        cmocka_unit_test(test_planned_waits),
        cmocka_unit_test(test_hooks),
        cmocka_unit_test(test_hook_after_hook),
        cmocka_unit_test(test_scaling),
        cmocka_unit_test(test_behind_all_the_time),
        cmocka_unit_test(test_a_followed_template_stays_its_owners),
        cmocka_unit_test(test_scaled_on_the_way),
        cmocka_unit_test(test_a_gate_and_then_pods),
        cmocka_unit_test(test_nothing_to_go_back_to),
        cmocka_unit_test(test_a_followed_template_is_its_owners),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
