// SPDX-License-Identifier: Apache-2.0
/* A random walk: people, the cluster, the clock and death do whatever comes to them, and after
 * every decision all invariants hold. When they let it be, the rollout comes to an end. */
#include "asserts.h"
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

enum { WALKS = 2000, STEPS = 250, CALM_ROLLS = 5000 };

/* 7, or what was given on the command line. */
static uint64_t seed = 7;

/* ---- plans ---- */

static void add_hooks(struct random *random, struct text *plan, const char *field, bool in_batch)
{
    static const char *const types[] = {"initialize-rollout", "finalize-rollout",
                                        "pre-batch-rollout", "post-batch-rollout"};
    static const char *const names[] = {"yes", "yes", "yes", "later", "never", "no"};
    int count = random_int(random, 0, 2);
    text_addf(plan, ",'%s':[", field);
    for (int i = 0; i < count; i++)
        text_addf(plan, "%s{'type':'%s','name':'%s','url':'http://h'}", i ? "," : "",
                  types[random_int(random, in_batch ? 2 : 0, 3)], names[random_int(random, 0, 5)]);
    text_puts(plan, "]");
}

static void add_batch(struct random *random, struct text *plan, bool last)
{
    bool percent = random_chance(random, 60);
    text_puts(plan, "{'canaryMetric':[]");
    if (!last)
        text_addf(plan, percent ? ",'replicas':'%d%%'" : ",'replicas':%d",
                  percent ? random_int(random, 1, 60) : random_int(random, 1, 2));
    if (random_chance(random, 30))
        text_addf(plan, ",'maxUnavailable':%d", random_int(random, 0, 2));
    if (random_chance(random, 20))
        text_addf(plan, ",'instanceInterval':%d", random_int(random, 1, 20));
    if (random_chance(random, 15))
        add_hooks(random, plan, "batchRolloutWebhooks", true);
    text_puts(plan, "}");
}

static void random_plan(struct random *random, struct world *world)
{
    struct text plan AUTO(text_done) = {0};
    int batches = random_int(random, 1, 6);
    text_addf(&plan, "{'paused':%s", random_chance(random, 10) ? "true" : "false");
    if (random_chance(random, 30)) {
        text_addf(&plan, ",'numBatches':%d", batches);
    } else {
        text_puts(&plan, ",'rolloutBatches':[");
        for (int i = 0; i < batches; i++) {
            text_puts(&plan, i ? "," : "");
            add_batch(random, &plan, i + 1 == batches);
        }
        text_puts(&plan, "]");
    }
    if (random_chance(random, 25))
        text_addf(&plan, ",'batchPartition':%d", random_int(random, 0, batches));
    if (random_chance(random, 8))
        text_addf(&plan, ",'targetSize':%d", random_int(random, 0, 20));
    if (random_chance(random, 20))
        add_hooks(random, &plan, "rolloutWebhooks", false);
    text_puts(&plan, "}");
    world_plan(world, plan.at);
}

/* ---- what comes to people and to the world ---- */

static void random_flap(struct random *random, struct world *world)
{
    struct workload *w = &world->workload;
    if (!w->pod_count)
        return;
    struct pod *pod = &w->pods[random_int(random, 0, w->pod_count - 1)];
    pod->ready = false;
    pod->ready_at = world->now_ms + random_int(random, 1, 5000);
    world_wait(world, 0);
}

/* Hardly anybody takes a workload away; somebody brings one back. */
static void random_workload(struct random *random, struct world *world)
{
    struct workload *w = &world->workload;
    if (w->exists && random_chance(random, 20)) {
        world_no_workload(world);
    } else if (!w->exists) {
        *w = (struct workload){.exists = true, .revision = 1, .applied = 1, .told = ALL_PODS};
        world_scale(world, random_int(random, 0, 8));
    }
}

static void random_target(struct random *random, struct world *world)
{
    world_target(world, random_int(random, 1, 4), random_int(random, 0, 4));
}

/* Somebody takes the workload, or lets it go; seldom out of our hands. */
static void random_holder(struct random *random, struct world *world)
{
    if (!world->workload.exists || (world->workload.holder == US && random_chance(random, 90)))
        return;
    world_hold(world, random_chance(random, 50) ? SOMEBODY : NOBODY);
    world->workload.paused = false; /* what we have left on it is his to put right */
}

/* Somebody else applies a copy of his own, of whatever revision. */
static void random_template(struct random *random, struct world *world)
{
    if (world->workload.exists)
        world_template(world, random_int(random, 1, 4));
}

static void random_trouble(struct random *random, struct world *world)
{
    int revision = random_int(random, 1, 4);
    world->trouble = random_chance(random, 30);
    world->missing[revision] = random_chance(random, 30);
    world->unusable[revision] = random_chance(random, 10);
    world->broken[revision] = random_chance(random, 20);
}

static void random_death(struct random *random, struct world *world)
{
    world->writes_left = random_int(random, 0, 3);
    world_pass(world);
    world_crash(world);
}

static void random_wish(struct random *random, struct world *world)
{
    world_wish(world, random_chance(random, 50) ? WISH_ABORT : WISH_RETRY);
}

static void random_event(struct random *random, struct world *world)
{
    int what = random_int(random, 1, 1000);
    if (what <= 500)
        world_pass(world);
    else if (what <= 700)
        world_wait(world, random_int(random, 1, 3000));
    else if (what <= 800)
        world_wait_for_next(world);
    else if (what <= 850)
        random_flap(random, world);
    else if (what <= 890)
        random_death(random, world);
    else if (what <= 920)
        random_plan(random, world);
    else if (what <= 940)
        world_scale(world, random_int(random, 0, 20));
    else if (what <= 955)
        random_trouble(random, world);
    else if (what <= 970)
        random_holder(random, world);
    else if (what <= 980)
        random_target(random, world);
    else if (what <= 985)
        random_workload(random, world);
    else if (what <= 992)
        random_template(random, world);
    else if (what <= 997)
        random_wish(random, world);
    else if (what == 1000 && random_chance(random, 30))
        world_delete(world);
}

/* ---- and when they let it be ---- */

static void let_it_be(struct world *world)
{
    struct workload *w = &world->workload;
    world->trouble = world->refuses = false;
    world->wish = (struct wish){0};
    memset(world->missing, 0, sizeof world->missing);
    memset(world->unusable, 0, sizeof world->unusable);
    memset(world->broken, 0, sizeof world->broken);
    for (int i = 0; i < w->pod_count; i++)
        if (!w->pods[i].ready)
            w->pods[i].ready_at = world->now_ms + 10;
    if (!w->exists) {
        *w = (struct workload){.exists = true, .revision = 1, .applied = 1, .told = ALL_PODS};
        world_scale(world, 4);
    }
    if (w->holder == SOMEBODY)
        world_hold(world, NOBODY);
    if (world->recorded.scale) /* what is being scaled is what it was */
        w->applied = w->put = w->revision = world->target;
    if (world->recorded.scale && world->recorded.step_target >= 0) /* nor scaled back */
        world_scale(world, world->recorded.step_target);
    if (w->holder == US)
        world_template(world, w->put);
    world_plan(world, "{'numBatches':3}");
}

/* A success that came about in peace says what the workload looks like. */
static void assert_at_an_end(const struct world *world, bool in_peace, uint64_t start)
{
    const struct workload *w = &world->workload;
    bool at_an_end = world->gone || rolling_state_terminal(world->recorded.rolling);
    bool free = w->holder != US && !w->paused;
    bool rolled = !in_peace || world->recorded.rolling != ROLLING_SUCCEEDED || world->gone ||
                  (w->counts.updated == w->size && w->revision == world->target);
    if (!at_an_end || !free || !rolled)
        fail_msg("the walk from %#llx ends in %s, %d of %d pods updated, held by %d\n%s",
                 (unsigned long long)start, rolling_state_name(world->recorded.rolling),
                 w->counts.updated, w->size, w->holder, world->journal.at);
}

/* Where the walks have been: a walk that never gets anywhere tests nothing. */
static int visits[ROLLING_STATES], batch_visits[BATCH_STATES];

static void walk(struct random *random)
{
    uint64_t start = random->state;
    struct world *world = mem_alloc(sizeof *world);
    world_init(world, THREE);
    random_plan(random, world);
    if (random_chance(random, 30))
        world_no_workload(world);
    if (random_chance(random, 30))
        world->fixed_size = random_int(random, 1, 8);
    world->ready_ms = random_int(random, 0, 2000);
    world->lag_ms = random_int(random, 0, 300);
    for (int i = 0; i < STEPS && !world->gone; i++) {
        random_event(random, world);
        visits[world->recorded.rolling]++;
        if (world->recorded.rolling == ROLLING_IN_BATCHES)
            batch_visits[world->recorded.batch_state]++;
    }
    bool in_peace = world->recorded.rolling <= ROLLING_IN_BATCHES;
    let_it_be(world);
    world_run(world);
    assert_at_an_end(world, in_peace, start);
    world_done(world);
    free(world);
}

static void test_walks(void **state)
{
    struct random random = {.state = seed};
    print_message("%d steps from seed %llu\n", WALKS * STEPS, (unsigned long long)seed);
    for (int i = 0; i < WALKS; i++)
        walk(&random);
    for (int i = 0; i < ROLLING_STATES; i++)
        if (visits[i] < WALKS / 20 && i != ROLLING_HOLDING) /* of another kind of rollout */
            fail_msg("%s was visited %d times", rolling_state_name((enum rolling_state)i),
                     visits[i]);
    for (int i = 0; i < BATCH_STATES; i++)
        if (batch_visits[i] < WALKS / 20 && i != BATCH_VERIFY_FAILED)
            fail_msg("%s was visited %d times", batch_state_name((enum batch_state)i),
                     batch_visits[i]);
}

/* ---- rolls that nobody disturbs ---- */

/* A plan of some batches with tolerances, which may stop at one of them. */
static void calm_plan(struct random *random, struct world *world)
{
    struct text plan AUTO(text_done) = {0};
    int batches = random_int(random, 1, 6);
    text_puts(&plan, "{'rolloutBatches':[");
    for (int i = 0; i < batches; i++) {
        text_addf(&plan, "%s{'maxUnavailable':'%d%%'", i ? "," : "",
                  random_chance(random, 70) ? 0 : random_int(random, 1, 100));
        if (i + 1 < batches)
            text_addf(&plan, ",'replicas':'%d%%'", random_int(random, 1, 50));
        text_puts(&plan, "}");
    }
    text_puts(&plan, "]");
    if (random_chance(random, 40))
        text_addf(&plan, ",'batchPartition':%d", random_int(random, 0, batches - 1));
    text_puts(&plan, "}");
    world_plan(world, plan.at);
}

/* Not more pods are updated than were told, and not more are missing than the plan allows: those of
 * the batch, and those that may be missing from the batch before. */
static void assert_available(const struct world *world, int size)
{
    const struct rollout_status *s = &world->recorded;
    const struct workload *w = &world->workload;
    const struct span span = {0, size};
    if (s->rolling != ROLLING_IN_BATCHES)
        return;
    int batch = s->batch_state == BATCH_INITIALIZING ? s->batch - 1 : s->batch;
    int before = plan_target(world->plan, span, batch - 1);
    int missing = plan_target(world->plan, span, batch) - before +
                  plan_tolerance(world->plan, batch - 1, size);
    if (w->counts.updated > plan_target(world->plan, span, batch) ||
        w->counts.ready < size - missing)
        fail_msg("%d of %d pods are ready, %d are updated in batch %d\n%s", w->counts.ready, size,
                 w->counts.updated, batch, world->journal.at);
}

static void assert_stopped(const struct world *world, int size)
{
    const struct plan *plan = world->plan;
    int last = (int)plan->batch_count - 1;
    bool all = plan->partition < 0 || plan->partition == last;
    int goal = all ? size : plan_target(plan, (struct span){0, size}, plan->partition);
    enum rolling_state end = all ? ROLLING_SUCCEEDED : ROLLING_IN_BATCHES;
    if (world->recorded.rolling != end || world->workload.counts.updated != goal ||
        world->workload.counts.ready != size)
        fail_msg("%d of %d pods are updated in the end, not %d\n%s", world->workload.counts.updated,
                 size, goal, world->journal.at);
}

static void test_calm_rolls(void **state)
{
    struct random random = {.state = seed};
    struct world *world = mem_alloc(sizeof *world);
    print_message("%d rolls from seed %llu\n", CALM_ROLLS, (unsigned long long)seed);
    for (int i = 0; i < CALM_ROLLS; i++) {
        int size = random_int(&random, 0, 30);
        world_init(world, THREE);
        world_scale(world, size);
        world_wait(world, 1000);
        world_wait(world, 5000);
        calm_plan(&random, world);
        world->ready_ms = random_int(&random, 0, 500);
        world->lag_ms = random_int(&random, 0, 100);
        for (bool going = true; going;) {
            going = world_pass(world) || world_wait_for_next(world);
            assert_available(world, size);
        }
        assert_stopped(world, size);
        world_done(world);
    }
    free(world);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        seed = strtoull(argv[1], NULL, 0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walks),
        cmocka_unit_test(test_calm_rolls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
