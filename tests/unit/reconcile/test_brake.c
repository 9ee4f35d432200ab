// SPDX-License-Identifier: Apache-2.0
/* When an adapter is left alone, and when it is asked again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "reconcile/brake.h"
#include "reconcile/task.h"

enum { MANY = 100 };

/* A component with an adapter, of a rollout. */
struct stand {
    struct pass pass;
    struct task task;
    struct component component;
    struct adapters *set, *others;
};

static struct adapters *load(const char *name)
{
    char *file AUTO_FREE = str_format("%s/%s.so", HOSTILE_DIR, name);
    const struct adapter_entry entry = {.name = "hostile", .file = file};
    return adapters_load("/nowhere", &entry, 1);
}

static int setup(void **state)
{
    struct stand *stand = mem_alloc(sizeof *stand);
    stand->set = load("sound1");
    stand->others = load("sound2");
    stand->task.pass = &stand->pass;
    stand->component.task = &stand->task;
    stand->component.adapter = adapters_nth(stand->set, 0);
    stand->pass.rollout.intent.generation = 3;
    *state = stand;
    return 0;
}

static int teardown(void **state)
{
    struct stand *stand = *state;
    brake_done(&stand->task.brake);
    adapters_free(stand->set);
    adapters_free(stand->others);
    free(stand);
    return 0;
}

/* A round in which that came of the effects, and in which nothing moved. */
static bool round_of(struct stand *stand, enum acted acted)
{
    stand->component.acted = acted;
    return brake_round(&stand->task.brake, &stand->component, false);
}

static bool holds(struct stand *stand)
{
    return brake_holds(&stand->task.brake, &stand->component);
}

static void put_on(struct stand *stand)
{
    assert_true(round_of(stand, ACTED_IN_VAIN));
    assert_true(holds(stand));
}

static void a_patch_in_vain_is_enough(void **state)
{
    struct stand *stand = *state;
    assert_false(holds(stand));
    put_on(stand);
    assert_string_equal(stand->task.brake.why,
                        "adapter hostile: it asks for a patch that leaves the workload as it is");
}

static void and_its_field_is_told(void **state)
{
    struct stand *stand = *state;
    strcpy(stand->component.in_vain_at, "/spec/paused");
    put_on(stand);
    assert_string_equal(stand->task.brake.why,
                        "adapter hostile: it asks for a patch that leaves the workload as it is; "
                        "the server doesn't take /spec/paused");
}

static void so_are_many_changes_of_which_nothing_comes(void **state)
{
    struct stand *stand = *state;
    int rounds = 1;
    while (!round_of(stand, ACTED_PATCHED))
        assert_true(++rounds < MANY);
    assert_int_equal(rounds, 8);
    assert_true(holds(stand));
    assert_string_equal(
        stand->task.brake.why,
        "adapter hostile: it has asked for 8 changes in a row and nothing came of them");
}

static void who_comes_to_an_end_is_never_held(void **state)
{
    struct stand *stand = *state;
    for (int i = 0; i < MANY; i++) {
        assert_false(round_of(stand, ACTED_PATCHED));
        assert_false(round_of(stand, ACTED_NOT));
        assert_false(round_of(stand, ACTED_DELETED));
    }
    assert_false(holds(stand));
}

static void who_gets_somewhere_is_never_held(void **state)
{
    struct stand *stand = *state;
    stand->component.acted = ACTED_PATCHED;
    for (int i = 0; i < MANY; i++)
        assert_false(brake_round(&stand->task.brake, &stand->component, true));
    assert_false(holds(stand));
}

static void a_move_lets_go(void **state)
{
    struct stand *stand = *state;
    put_on(stand);
    assert_false(brake_round(&stand->task.brake, &stand->component, true));
    assert_false(holds(stand));
}

static void an_edit_lets_go(void **state)
{
    struct stand *stand = *state;
    put_on(stand);
    stand->pass.rollout.intent.generation++;
    assert_false(holds(stand));
}

static void another_adapter_lets_go(void **state)
{
    struct stand *stand = *state;
    put_on(stand);
    stand->component.adapter = adapters_nth(stand->others, 0);
    assert_false(holds(stand));
}

static void each_time_it_holds_longer(void **state)
{
    struct stand *stand = *state;
    static const int64_t pauses_ms[] = {1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000};
    for (size_t i = 0; i < sizeof pauses_ms / sizeof *pauses_ms; i++) {
        put_on(stand);
        assert_int_equal(stand->task.brake.pause_ms, pauses_ms[i]);
        stand->task.brake.until_ms = 1; /* that was long ago */
        assert_false(holds(stand));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_patch_in_vain_is_enough, setup, teardown),
        cmocka_unit_test_setup_teardown(and_its_field_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(so_are_many_changes_of_which_nothing_comes, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(who_comes_to_an_end_is_never_held, setup, teardown),
        cmocka_unit_test_setup_teardown(who_gets_somewhere_is_never_held, setup, teardown),
        cmocka_unit_test_setup_teardown(a_move_lets_go, setup, teardown),
        cmocka_unit_test_setup_teardown(an_edit_lets_go, setup, teardown),
        cmocka_unit_test_setup_teardown(another_adapter_lets_go, setup, teardown),
        cmocka_unit_test_setup_teardown(each_time_it_holds_longer, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
