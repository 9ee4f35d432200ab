// SPDX-License-Identifier: Apache-2.0
/* The process dies between any two writes and starts again: the roll ends as it would have, and on
 * the way no batch is skipped, done twice or taken back. */
#include "asserts.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS_MAX = 3000 };

struct example {
    const char *name;
    void (*begin)(struct world *world);
    /* What somebody does when the second batch has been told; NULL: nothing. */
    void (*disturb)(struct world *world);
};

/* ---- examples ---- */

static void first_deployment(struct world *world)
{
    world_init(world, PERCENT);
    world_no_workload(world);
    world_target(world, 1, 0);
}

static void roll(struct world *world)
{
    world_init(world, THREE);
}

static void roll_of_ready_pods(struct world *world)
{
    world_init(world, PERCENT);
    world->ready_ms = 0;
    world->lag_ms = 0;
}

static void roll_with_hooks(struct world *world)
{
    world_init(world, "{'numBatches':3,'rolloutWebhooks':["
                      "{'type':'initialize-rollout','name':'yes','url':'http://h'},"
                      "{'type':'pre-batch-rollout','name':'later','url':'http://h'},"
                      "{'type':'post-batch-rollout','name':'yes','url':'http://h'},"
                      "{'type':'finalize-rollout','name':'yes','url':'http://h'}]}");
}

static void roll_that_is_rejected(struct world *world)
{
    world_init(world, "{'rolloutWebhooks':[{'type':'finalize-rollout','name':'yes','url':"
                      "'http://h'}],'rolloutBatches':[{'replicas':1},{'batchRolloutWebhooks':["
                      "{'type':'post-batch-rollout','name':'no','url':'http://h'}]}]}");
}

static void roll_that_stands(struct world *world)
{
    world_init(world, "{'progressDeadlineSeconds':60,'onFailure':'Abandon','rolloutBatches':["
                      "{'replicas':1},{'replicas':2},{}]}");
    world->broken[2] = true;
}

static void roll_that_goes_back(struct world *world)
{
    world_init(world, "{'progressDeadlineSeconds':60,'onFailure':'Rollback','rolloutBatches':["
                      "{'replicas':1},{'replicas':2},{}]}");
    world->broken[2] = true;
}

static void roll_pod_by_pod(struct world *world)
{
    world_init(world, "{'rolloutBatches':[{'replicas':2,'instanceInterval':2},"
                      "{'instanceInterval':5}]}");
}

static void scale_up(struct world *world)
{
    world_init(world, "{'targetSize':11,'numBatches':3}");
    world_target(world, 1, 0);
}

static void scale_down(struct world *world)
{
    world_init(world, "{'targetSize':0,'rolloutBatches':[{'replicas':'30%'},{'replicas':1},{}]}");
    world_target(world, 1, 0);
}

static void follow_taken(struct world *world)
{
    world_follow(world, THREE);
}

/* It has changed by the time that the process begins. */
static void follow(struct world *world)
{
    world_follow(world, THREE);
    world_run(world);
    world_template(world, 2);
}

static void another_template(struct world *world)
{
    world_template(world, 3);
}

static void the_old_template(struct world *world)
{
    world_template(world, 1);
}

static void retarget(struct world *world)
{
    world_target(world, 3, 2);
}

static void roll_back(struct world *world)
{
    world_target(world, 1, 2);
}

static void delete_and_revert(struct world *world)
{
    world->revert = true;
    world_delete(world);
}

/* When the workload's controller has seen what it was told. */
static void abort_it(struct world *world)
{
    world_wait(world, world->lag_ms);
    world_wish(world, WISH_ABORT);
}

static const struct example examples[] = {
    {"first deployment", first_deployment, NULL},
    {"roll", roll, NULL},
    {"roll of pods that are ready at once", roll_of_ready_pods, NULL},
    {"roll with hooks", roll_with_hooks, NULL},
    {"roll that is rejected", roll_that_is_rejected, NULL},
    {"roll that stands", roll_that_stands, NULL},
    {"roll that goes back", roll_that_goes_back, NULL},
    {"roll pod by pod", roll_pod_by_pod, NULL},
    {"scale up", scale_up, NULL},
    {"scale down", scale_down, NULL},
    {"retarget", roll, retarget},
    {"retarget with hooks", roll_with_hooks, retarget},
    {"roll back", roll, roll_back},
    {"abort", roll, abort_it},
    {"abort with hooks", roll_with_hooks, abort_it},
    {"delete", roll, world_delete},
    {"delete with hooks", roll_with_hooks, world_delete},
    {"delete and revert", roll, delete_and_revert},
    {"delete a first deployment", first_deployment, world_delete},
    {"taken to be followed", follow_taken, NULL},
    {"followed", follow, NULL},
    {"followed to another template", follow, another_template},
    {"followed back", follow, the_old_template},
    {"followed and aborted", follow, abort_it},
    {"followed and deleted", follow, world_delete},
    {"followed, deleted and reverted", follow, delete_and_revert},
};
enum { EXAMPLES = sizeof examples / sizeof *examples };

/* ---- running one, with deaths ---- */

/* After how many writes it dies, one life after the other; -1: it lives on. */
struct deaths {
    int after[2];
    int count;
};

static void live_again(struct world *world, struct deaths *deaths)
{
    world_crash(world);
    if (++deaths->count < 2)
        world->writes_left = deaths->after[deaths->count];
}

static bool second_batch_told(const struct world *world)
{
    return world->recorded.rolling == ROLLING_IN_BATCHES && world->recorded.batch == 1 &&
           world->recorded.batch_state == BATCH_VERIFYING;
}

/* True when there is nothing more to do. */
static bool step(struct world *world, struct deaths *deaths)
{
    bool wrote = world_pass(world);
    if (world->dead) {
        live_again(world, deaths);
        return false;
    }
    return world->gone || (!wrote && !world_wait_for_next(world));
}

static void run_example(const struct example *example, struct deaths deaths, struct world *world)
{
    bool disturbed = !example->disturb, done = false;
    example->begin(world);
    world->strict = true;
    world->writes_left = deaths.after[0];
    for (int i = 0; i < STEPS_MAX && !done; i++) {
        if (!disturbed && second_batch_told(world)) {
            example->disturb(world);
            disturbed = true;
        }
        done = step(world, &deaths);
    }
    /* What was told before it went may still be under way. */
    for (int i = 0; i < 3; i++)
        world_wait(world, 1000000);
    if (!done || !disturbed)
        fail_msg("%s with deaths after %d and %d writes comes to no end:\n%s", example->name,
                 deaths.after[0], deaths.after[1], world->journal.at);
}

/* ---- comparing ---- */

/* Every goal that the workload was told, in order: "told 1 told 3 told 5 ". The caller frees it. */
static char *goals_of(const struct world *world)
{
    struct text goals = {0};
    const char *at = world->journal.at;
    while ((at = strstr(at, "told "))) {
        size_t length = strcspn(at, "\n");
        text_add(&goals, at, length);
        text_puts(&goals, " ");
        at += length;
    }
    return text_steal(&goals);
}

static void assert_same_end(const struct example *example, struct deaths deaths,
                            const struct world *undisturbed, const struct world *world)
{
    const struct workload *a = &undisturbed->workload, *b = &world->workload;
    const struct rollout_status *s = &undisturbed->recorded, *t = &world->recorded;
    char *goals AUTO_FREE = goals_of(undisturbed), *goals_now AUTO_FREE = goals_of(world);
    bool same_workload = a->exists == b->exists && a->size == b->size &&
                         a->revision == b->revision && a->told == b->told &&
                         a->holder == b->holder && a->applied == b->applied &&
                         a->paused == b->paused && a->counts.updated == b->counts.updated &&
                         a->counts.ready == b->counts.ready;
    bool same_record = undisturbed->gone
                           ? world->gone
                           : s->rolling == t->rolling && s->batch == t->batch &&
                                 s->batch_state == t->batch_state && s->upgraded == t->upgraded &&
                                 s->target_size == t->target_size &&
                                 strcmp(s->reason.message, t->reason.message) == 0 &&
                                 strcmp(s->applied_revision, t->applied_revision) == 0;
    /* A template that its owner changes on the way moves pods of itself, sooner or later. */
    bool same_goals = (world->follows && example->disturb) || strcmp(goals, goals_now) == 0;
    const char *what = !same_workload ? "with another workload"
                       : !same_record ? "with another record"
                       : !same_goals  ? "by other goals"
                                      : NULL;
    if (what)
        fail_msg("%s with deaths after %d and %d writes ends %s:\n%s\ninstead of\n%s",
                 example->name, deaths.after[0], deaths.after[1], what, world->journal.at,
                 undisturbed->journal.at);
}

static void try_deaths(const struct example *example, struct deaths deaths,
                       const struct world *undisturbed)
{
    struct world *world = mem_alloc(sizeof *world);
    run_example(example, deaths, world);
    assert_same_end(example, deaths, undisturbed, world);
    world_done(world);
    free(world);
}

static void test_one_death_at_every_write(void **state)
{
    int runs = 0;
    for (int i = 0; i < EXAMPLES; i++) {
        struct world *undisturbed = mem_alloc(sizeof *undisturbed);
        run_example(&examples[i], (struct deaths){.after = {-1, -1}}, undisturbed);
        for (int n = 0; n < undisturbed->writes; n++, runs++)
            try_deaths(&examples[i], (struct deaths){.after = {n, -1}}, undisturbed);
        world_done(undisturbed);
        free(undisturbed);
    }
    print_message("%d deaths\n", runs);
    assert_true(runs > 150);
}

static void test_two_deaths(void **state)
{
    static const int chosen[] = {0, 2, 8};
    for (size_t i = 0; i < sizeof chosen / sizeof *chosen; i++) {
        const struct example *example = &examples[chosen[i]];
        struct world *undisturbed = mem_alloc(sizeof *undisturbed);
        run_example(example, (struct deaths){.after = {-1, -1}}, undisturbed);
        for (int n = 0; n < undisturbed->writes; n++)
            for (int m = 0; m + n < undisturbed->writes; m++)
                try_deaths(example, (struct deaths){.after = {n, m}}, undisturbed);
        world_done(undisturbed);
        free(undisturbed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_death_at_every_write),
        cmocka_unit_test(test_two_deaths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
