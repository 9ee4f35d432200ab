// SPDX-License-Identifier: Apache-2.0
/* Deleting, leaving and aborting a rollout, from wherever it stands: it always ends, and nothing is
 * left behind. */
#include "asserts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

/* ---- worlds in which a rollout stands still in a given state ---- */

static void stand_in_locating(struct world *world)
{
    world_init(world, THREE);
    world->missing[2] = true;
}

static void stand_in_verifying(struct world *world)
{
    world_init(world, THREE);
    world_hold(world, SOMEBODY);
}

static void stand_in_initializing(struct world *world)
{
    world_init(world, HOOKED("initialize-rollout", "never"));
}

static void stand_in_batch_initializing(struct world *world)
{
    world_init(world, HOOKED("pre-batch-rollout", "never"));
}

static void stand_in_batch_in_rolling(struct world *world)
{
    world_init(world, "{'rolloutBatches':[{'instanceInterval':3600}]}");
}

static void stand_in_batch_verifying(struct world *world)
{
    world_init(world, THREE);
    world->ready_ms = 3600000;
}

static void stand_in_batch_finalizing(struct world *world)
{
    world_init(world, HOOKED("post-batch-rollout", "never"));
}

static void stand_in_batch_ready(struct world *world)
{
    world_init(world, "{'batchPartition':1,'numBatches':3}");
}

static void stand_in_finalising(struct world *world)
{
    world_init(world, HOOKED("finalize-rollout", "never"));
}

static void stand_in_failing(struct world *world)
{
    world_init(world, "{'rolloutWebhooks':[{'type':'pre-batch-rollout','name':'no','url':"
                      "'http://h'},{'type':'finalize-rollout','name':'never','url':'http://h'}]}");
}

static void stand_in_abandoning(struct world *world)
{
    world_init(world, HOOKED("finalize-rollout", "never"));
    world_run_to_batch(world, BATCH_VERIFYING, 1);
    world_target(world, 3, 2);
}

static void stand_in_success(struct world *world)
{
    world_init(world, THREE);
}

static void stand_in_failure(struct world *world)
{
    world_init(world, "{'x':1}");
}

struct stand {
    void (*make)(struct world *world);
    enum rolling_state rolling;
    enum batch_state batch_state;
    bool touched; /* the workload is held there */
};

static const struct stand stands[] = {
    {stand_in_locating, ROLLING_LOCATING, BATCH_INITIALIZING, false},
    {stand_in_verifying, ROLLING_VERIFYING, BATCH_INITIALIZING, false},
    {stand_in_initializing, ROLLING_INITIALIZING, BATCH_INITIALIZING, false},
    {stand_in_batch_initializing, ROLLING_IN_BATCHES, BATCH_INITIALIZING, true},
    {stand_in_batch_in_rolling, ROLLING_IN_BATCHES, BATCH_IN_ROLLING, true},
    {stand_in_batch_verifying, ROLLING_IN_BATCHES, BATCH_VERIFYING, true},
    {stand_in_batch_finalizing, ROLLING_IN_BATCHES, BATCH_FINALIZING, true},
    {stand_in_batch_ready, ROLLING_IN_BATCHES, BATCH_READY, true},
    {stand_in_finalising, ROLLING_FINALISING, BATCH_READY, false},
    {stand_in_failing, ROLLING_FAILING, BATCH_VERIFY_FAILED, false},
    {stand_in_abandoning, ROLLING_ABANDONING, BATCH_VERIFYING, false},
    {stand_in_success, ROLLING_SUCCEEDED, BATCH_READY, false},
    {stand_in_failure, ROLLING_FAILED, BATCH_INITIALIZING, false},
};
enum { STANDS = sizeof stands / sizeof *stands };

static void stand(struct world *world, const struct stand *where)
{
    where->make(world);
    if (where->rolling == ROLLING_IN_BATCHES)
        world_run_to_batch(world, where->batch_state, where->batch_state == BATCH_READY ? 1 : 0);
    else
        world_run_to(world, where->rolling);
    while (where->touched && world->workload.holder != US && world_pass(world))
        world_wait_for_next(world);
    assert_int_equal(world->workload.holder == US, where->touched);
    text_clear(&world->journal);
}

static void assert_gone(struct world *world)
{
    const struct workload *w = &world->workload;
    int told = w->told;
    world_run(world);
    assert_true(world->gone);
    assert_int_not_equal(w->holder, US);
    assert_false(w->paused);
    /* Frozen: no pod moves any more than had been told, unless all had. */
    assert_true(w->told == ALL_PODS || w->told <= told);
    assert_int_equal(w->pod_count, 5);
}

static void test_deleted_in_every_state(void **state)
{
    for (int i = 0; i < STANDS; i++) {
        struct world world;
        stand(&world, &stands[i]);
        world_delete(&world);
        world_pass(&world);
        assert_int_equal(strncmp(world.journal.at, "RolloutDeletingState\n", 21), 0);
        assert_gone(&world);
        bool finished = world.journal.at && strstr(world.journal.at, "finish deleted\n");
        assert_int_equal(finished, stands[i].touched);
        world_done(&world);
    }
}

static void test_deleted_without_its_revision(void **state)
{
    for (int i = 0; i < STANDS; i++) {
        struct world world;
        stand(&world, &stands[i]);
        world.missing[2] = world.missing[3] = true;
        world_delete(&world);
        assert_gone(&world);
        assert_int_equal(strstr(world.journal.at, "finish deleted\n") != NULL, stands[i].touched);
        world_done(&world);
    }
}

static void test_deleted_without_its_workload(void **state)
{
    for (int i = 0; i < STANDS; i++) {
        struct world world;
        stand(&world, &stands[i]);
        world_no_workload(&world);
        world_delete(&world);
        world_run(&world);
        assert_true(world.gone);
        world_done(&world);
    }
}

static void test_deleted_with_a_bad_plan(void **state)
{
    for (int i = 0; i < STANDS; i++) {
        struct world world;
        stand(&world, &stands[i]);
        world_plan(&world, "{'x':1}");
        world_delete(&world);
        assert_gone(&world);
        world_done(&world);
    }
}

/* Trouble that passes holds the finalizer only where there is something to give back. */
static void test_deleted_in_trouble(void **state)
{
    for (int i = 0; i < STANDS; i++) {
        struct world world;
        stand(&world, &stands[i]);
        bool engaged = world.recorded.engaged;
        world.trouble = true;
        world_delete(&world);
        world_run(&world);
        assert_int_equal(world.gone, !engaged);
        if (engaged)
            assert_int_equal(world.recorded.reason.code, REASON_CLUSTER_TROUBLE);
        world.trouble = false;
        assert_gone(&world);
        world_done(&world);
    }
}

static void test_retargeted_in_every_state(void **state)
{
    for (int i = 0; i < STANDS; i++) {
        struct world world;
        stand(&world, &stands[i]);
        world_plan(&world, THREE);
        world_target(&world, 4, 2);
        world_hold(&world, world.workload.holder == SOMEBODY ? NOBODY : world.workload.holder);
        world.ready_ms = 100;
        world_run(&world);
        assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
        assert_int_equal(world.workload.revision, 4);
        bool abandoned = strstr(world.journal.at, "rolloutAbandoning\n") != NULL;
        enum rolling_state was = stands[i].rolling;
        assert_int_equal(abandoned, was == ROLLING_INITIALIZING || was == ROLLING_IN_BATCHES ||
                                        was == ROLLING_FINALISING || was == ROLLING_FAILING);
        world_done(&world);
    }
}

/* ---- wishes ---- */

/* Is there something to abort in the state? */
static bool is_under_way(enum rolling_state state)
{
    return state == ROLLING_LOCATING || state == ROLLING_VERIFYING ||
           state == ROLLING_INITIALIZING || state == ROLLING_IN_BATCHES ||
           state == ROLLING_FINALISING;
}

static void test_aborted_in_every_state(void **state)
{
    for (int i = 0; i < STANDS; i++) {
        struct world world;
        stand(&world, &stands[i]);
        if (stands[i].rolling == ROLLING_ABANDONING)
            world_plan(&world, THREE); /* or the new roll never ends */
        int told = world.workload.told;
        world_wish(&world, WISH_ABORT);
        world_run(&world);
        const char *said = strstr(world.recorded.reason.message, "jo has aborted it");
        assert_int_equal(said != NULL, is_under_way(stands[i].rolling));
        assert_int_equal(strstr(world.journal.at ? world.journal.at : "", "finish failed\n") !=
                             NULL,
                         stands[i].touched);
        assert_string_equal(world.recorded.answered, world.wish.id);
        if (said) {
            assert_int_equal(world.recorded.rolling, ROLLING_FAILED);
            assert_true(world.workload.told == ALL_PODS || world.workload.told <= told);
            assert_int_not_equal(world.workload.holder, US);
        }
        int writes = world.writes;
        world_run(&world);
        assert_int_equal(world.writes, writes);
        world_done(&world);
    }
}

static void test_what_was_aborted_stays_so(void **state)
{
    struct world world;
    stand(&world, &stands[0]); /* nothing was touched yet */
    world_wish(&world, WISH_ABORT);
    world_run(&world);
    world.missing[2] = false;
    world_plan(&world, "{'numBatches':2}"); /* an edit alone doesn't begin it again */
    world_run(&world);
    assert_int_equal(world.recorded.rolling, ROLLING_FAILED);
    world_target(&world, 3, 1); /* and the wish was for the other target */
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    world_target(&world, 2, 3);
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    world_done(&world);
}

static void test_aborted_and_retried(void **state)
{
    struct world world;
    world_init(&world, THREE);
    world_run_to_batch(&world, BATCH_VERIFYING, 1);
    text_clear(&world.journal);
    world_wish(&world, WISH_ABORT);
    world_run(&world);
    assert_happened(&world, "rolloutFailing\nfinish failed\nrolloutFailed\n");
    assert_string_equal(world.recorded.reason.message,
                        "jo has aborted it in batch 2; the workload stays where it is");
    assert_ended(&world, ROLLING_FAILED, 3, 5);
    world_wish(&world, WISH_RETRY);
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    world_done(&world);
}

/* Of a workload that stays held, the hold stays too. */
static void test_followed_aborted_and_retried(void **state)
{
    struct world world;
    world_follow(&world, THREE);
    world_run(&world);
    world_template(&world, 2);
    world_run_to_batch(&world, BATCH_VERIFYING, 1);
    world_wait(&world, world.lag_ms);
    world_wish(&world, WISH_ABORT);
    world_run(&world);
    assert_int_equal(world.recorded.rolling, ROLLING_FAILED);
    assert_int_equal(world.workload.holder, US);
    assert_true(world.workload.rests);
    assert_int_equal(world.workload.counts.updated, 3);
    world_wish(&world, WISH_RETRY);
    world_run(&world);
    assert_int_equal(world.recorded.rolling, ROLLING_SUCCEEDED);
    assert_int_equal(world.workload.counts.updated, 5);
    world_done(&world);
}

/* To begin anew means something only for what has failed, and doesn't mean it later. */
static void test_retried_before_it_has_failed(void **state)
{
    struct world world;
    world_init(&world, THREE);
    world_run_to_batch(&world, BATCH_VERIFYING, 1);
    world_wish(&world, WISH_RETRY);
    world_pass(&world);
    assert_int_equal(world.recorded.rolling, ROLLING_IN_BATCHES);
    world.wish = (struct wish){WISH_ABORT, "v2", "another", "jo"};
    world_run(&world);
    assert_int_equal(world.recorded.rolling, ROLLING_FAILED);
    world.wish = (struct wish){WISH_RETRY, "v3", "of another roll", "jo"};
    world_run(&world);
    assert_int_equal(world.recorded.rolling, ROLLING_FAILED);
    world_done(&world);
}

static void test_retried_while_it_is_failing(void **state)
{
    struct world world;
    world_init(&world, HOOKED("finalize-rollout", "never"));
    world_run_to_batch(&world, BATCH_VERIFYING, 1);
    world_wish(&world, WISH_ABORT);
    world_run_to(&world, ROLLING_FAILING);
    world_plan(&world, THREE);
    world_wish(&world, WISH_RETRY);
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    world_done(&world);
}

/* What is asked of the new roll waits until the old one is left. */
static void test_aborted_while_the_last_roll_is_left(void **state)
{
    struct world world;
    stand_in_abandoning(&world);
    world_run_to(&world, ROLLING_ABANDONING);
    world.wish = (struct wish){WISH_ABORT, "v3", "1", "jo"};
    world_run(&world);
    assert_int_equal(world.recorded.rolling, ROLLING_FAILED);
    assert_string_equal(world.recorded.target, "v3");
    assert_int_equal(world.workload.revision, 2);
    world_done(&world);
}

static void test_deletion_comes_before_a_wish(void **state)
{
    struct world world;
    world_init(&world, THREE);
    world_run_to_batch(&world, BATCH_VERIFYING, 1);
    world_wish(&world, WISH_ABORT);
    world_delete(&world);
    assert_gone(&world);
    assert_null(strstr(world.journal.at, "rolloutFailing\n"));
    world_done(&world);
}

/* ---- taking it back ---- */

static void test_deleted_and_reverted(void **state)
{
    struct world world;
    world_init(&world, THREE);
    world.revert = true;
    world_run_to_batch(&world, BATCH_VERIFYING, 1);
    text_clear(&world.journal);
    world_delete(&world);
    world_run(&world);
    assert_happened(&world, "RolloutDeletingState\nfinish rolledBack\ngone\n");
    world_wait(&world, 200);
    world_wait(&world, 5000);
    assert_int_equal(world.workload.revision, 1);
    assert_int_equal(world.workload.counts.updated_ready, 5);
    world_done(&world);
}

/* Nothing to go back to: then it only stays where it is. */
static void test_nothing_to_revert_to(void **state)
{
    struct world world;
    world_init(&world, THREE);
    world.revert = true;
    world_target(&world, 2, 0);
    world_run_to_batch(&world, BATCH_VERIFYING, 1);
    world_delete(&world);
    world_run(&world);
    assert_non_null(strstr(world.journal.at, "finish deleted\n"));
    world_done(&world);

    world_init(&world, "{'targetSize':9,'numBatches':2}");
    world.revert = true;
    world_target(&world, 1, 1);
    world_run_to_batch(&world, BATCH_VERIFYING, 0);
    world_delete(&world);
    world_run(&world);
    assert_non_null(strstr(world.journal.at, "finish deleted\n"));
    assert_int_equal(world.workload.size, 7);
    world_done(&world);
}

/* An ended rollout has nothing to give back: what it has rolled stays. */
static void test_deleted_after_success_reverts_nothing(void **state)
{
    struct world world;
    world_init(&world, THREE);
    world.revert = true;
    world_run(&world);
    text_clear(&world.journal);
    int events = world.events;
    world_delete(&world);
    world_run(&world);
    assert_happened(&world, "RolloutDeletingState\ngone\n");
    assert_int_equal(world.events, events);
    assert_int_equal(world.workload.revision, 2);
    world_done(&world);
}

/* While its controller is behind, the counts are about something else, so nothing is built on
 * them. */
static void test_frozen_while_the_controller_is_behind(void **state)
{
    struct world world;
    world_init(&world, THREE);
    world.lag_ms = 10000;
    world_run_to_batch(&world, BATCH_VERIFYING, 1);
    assert_int_not_equal(world.workload.observed, world.workload.generation);
    world_delete(&world);
    world_run(&world);
    assert_int_equal(world.workload.told, 3);
    world_wait(&world, 100000);
    assert_int_equal(world.workload.counts.updated, 3);
    world_done(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deleted_in_every_state),
        cmocka_unit_test(test_deleted_without_its_revision),
        cmocka_unit_test(test_deleted_without_its_workload),
        cmocka_unit_test(test_deleted_with_a_bad_plan),
        cmocka_unit_test(test_deleted_in_trouble),
        cmocka_unit_test(test_retargeted_in_every_state),
        cmocka_unit_test(test_aborted_in_every_state),
        cmocka_unit_test(test_what_was_aborted_stays_so),
        cmocka_unit_test(test_aborted_and_retried),
        cmocka_unit_test(test_followed_aborted_and_retried),
        cmocka_unit_test(test_retried_before_it_has_failed),
        cmocka_unit_test(test_retried_while_it_is_failing),
        cmocka_unit_test(test_aborted_while_the_last_roll_is_left),
        cmocka_unit_test(test_deletion_comes_before_a_wish),
        cmocka_unit_test(test_deleted_and_reverted),
        cmocka_unit_test(test_nothing_to_revert_to),
        cmocka_unit_test(test_deleted_after_success_reverts_nothing),
        cmocka_unit_test(test_frozen_while_the_controller_is_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
