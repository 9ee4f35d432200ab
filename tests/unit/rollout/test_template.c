// SPDX-License-Identifier: Apache-2.0
/* Somebody else puts another template on the workload in the middle of a roll. */
#include "asserts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define STOPPED                                                                                    \
    "kubectl has put another template on CloneSet default/web, by spec.template: no pod is moved " \
    "until it is that of v2 again, or the rollout goes to another revision"

/* Where the second batch waits for its pods, the template of v1 comes back. */
static void begin(struct world *world)
{
    world_init(world, THREE);
    world_run_to_batch(world, BATCH_VERIFYING, 1);
    world_template(world, 1);
    text_clear(&world->journal);
}

static void test_stops_and_says_who_it_was(void **state)
{
    struct world world;
    begin(&world);
    int told = world.workload.told;
    assert_waits(&world, ROLLING_IN_BATCHES, REASON_TEMPLATE_CHANGED, STOPPED);
    assert_happened(&world, "hold still\n");
    assert_string_equal(world.recorded.reason.field, "spec.template");
    assert_int_equal(world.workload.told, told);
    world_done(&world);
}

/* As much of it as is known. */
static void test_says_what_is_known_of_it(void **state)
{
    static const struct {
        struct other_write write;
        const char *says, *field;
    } cases[] = {
        {{.who = ""},
         "somebody else has put another template on CloneSet default/web: no pod",
         "spec.template"},
        {{.who = "helm", .how = "Update at 2006-01-02T15:04:05Z", .field = "spec.template.x"},
         "helm has put another template on CloneSet default/web, by spec.template.x (Update at "
         "2006-01-02T15:04:05Z): no pod",
         "spec.template.x"},
    };
    struct world world;
    begin(&world);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        world.template_write = &cases[i].write;
        world_run(&world);
        const struct reason *why = &world.recorded.reason;
        assert_int_equal(strncmp(why->message, cases[i].says, strlen(cases[i].says)), 0);
        assert_string_equal(why->field, cases[i].field);
    }
    world_done(&world);
}

/* Its counts are about the other template: they say nothing about this roll. */
static void test_counts_of_another_template_count_for_nothing(void **state)
{
    struct world world;
    begin(&world);
    world_run(&world);
    assert_int_equal(world.workload.counts.updated, 4);
    assert_in_range(world.recorded.upgraded, 1, 3);
    assert_string_equal(world.recorded.target_revision, "v2");
    world_done(&world);
}

static void test_goes_on_when_the_template_is_back(void **state)
{
    struct world world;
    begin(&world);
    world_run(&world);
    world_template(&world, 2);
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    world_done(&world);
}

static void test_another_target_is_free_to_come(void **state)
{
    struct world world;
    begin(&world);
    world_run(&world);
    world_target(&world, 3, 2);
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    assert_string_equal(world.recorded.target, "v3");
    world_done(&world);
}

/* What is applied again and is the target's template is no other one. */
static void test_a_copy_of_the_target_stops_nothing(void **state)
{
    struct world world;
    world_init(&world, THREE);
    world_run_to_batch(&world, BATCH_VERIFYING, 1);
    world_template(&world, 2);
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    assert_int_equal(world.warnings, 0);
    world_done(&world);
}

/* After the last batch, before the workload is given back. */
static void test_no_success_with_another_template(void **state)
{
    struct world world;
    world_init(&world, HOOKED("post-batch-rollout", "later"));
    world_run_to_batch(&world, BATCH_FINALIZING, 2);
    world_template(&world, 1);
    assert_waits(&world, ROLLING_IN_BATCHES, REASON_TEMPLATE_CHANGED, STOPPED);
    assert_int_equal(world.workload.holder, US);
    world_template(&world, 2);
    world_run(&world);
    assert_ended(&world, ROLLING_SUCCEEDED, 5, 5);
    world_done(&world);
}

/* The same where all batches are done: what has slipped meanwhile is waited for. */
static void test_finalising_waits_for_pods_that_slipped(void **state)
{
    struct world world;
    struct machine_input input = {.now_ms = 1700000000000};
    struct decision decision;
    world_init(&world, THREE);
    world_run_to_batch(&world, BATCH_VERIFYING, 2);
    input.plan = world.plan;
    input.intent = (struct intent){.target = "v2", .source = "v1"};
    input.status = world.recorded;
    input.status.rolling = ROLLING_FINALISING;
    input.observation = (struct observation){.target = "v2",
                                             .object = "CloneSet default/web",
                                             .exists = true,
                                             .held = true,
                                             .applied = true,
                                             .settled = true,
                                             .size = 5,
                                             .updated = 2,
                                             .updated_ready = 2,
                                             .ready = 5};
    machine_decide(&input, &decision);
    assert_int_equal(decision.status.rolling, ROLLING_FINALISING);
    assert_int_equal(decision.effect_count, 1);
    assert_int_equal(decision.effects[0].kind, EFFECT_ADVANCE);
    assert_string_equal(decision.status.reason.message, "2 of 5 pods are at the target");
    input.observation.template_changed = true;
    machine_decide(&input, &decision);
    assert_int_equal(decision.status.rolling, ROLLING_FINALISING);
    assert_true(decision.effects[0].template_changed);
    input.observation.template_changed = false;
    input.observation.updated = 5;
    machine_decide(&input, &decision);
    assert_int_equal(decision.effects[0].kind, EFFECT_FINISH);
    world_done(&world);
}

/* Leaving doesn't wait for anybody. */
static void test_deletion_goes_on(void **state)
{
    struct world world;
    begin(&world);
    world_run(&world);
    world_delete(&world);
    world_run(&world);
    assert_true(world.gone);
    assert_int_equal(world.workload.holder, NOBODY);
    world_done(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stops_and_says_who_it_was),
        cmocka_unit_test(test_says_what_is_known_of_it),
        cmocka_unit_test(test_counts_of_another_template_count_for_nothing),
        cmocka_unit_test(test_goes_on_when_the_template_is_back),
        cmocka_unit_test(test_another_target_is_free_to_come),
        cmocka_unit_test(test_a_copy_of_the_target_stops_nothing),
        cmocka_unit_test(test_no_success_with_another_template),
        cmocka_unit_test(test_finalising_waits_for_pods_that_slipped),
        cmocka_unit_test(test_deletion_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
