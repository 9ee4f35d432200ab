// SPDX-License-Identifier: Apache-2.0
/* Who has taken the hold off a workload, as the server knows it. */
#include "world.h"

#include "follow/ledger.h"
#include "oam/revision.h"
#include "reconcile/contest.h"
#include "reconcile/task.h"

#include <stdlib.h>
#include <string.h>

/* A rollout's workload, and a server that says who owns its partition. */
struct stand {
    struct world *world;
    struct controller controller;
    struct workload_kind kind;
    struct pass pass;
    struct task task;
    struct component component;
    struct decision decision; /* of one effect */
    const char *owner;
    struct actions actions;
    bool went_on;
};

static void on_request(void *data, const struct fake_request *request)
{
    const struct stand *stand = data;
    char *list AUTO_FREE =
        str_format("{\"items\":[{\"metadata\":{\"name\":\"web\",\"managedFields\":[{\"manager\":"
                   "\"%s\",\"operation\":\"Apply\",\"time\":\"then\",\"fieldsV1\":{\"f:spec\":{"
                   "\"f:partition\":{}}}}]},\"spec\":{\"partition\":0}}]}",
                   stand->owner);
    fake_answer(request->connection, 200, "", list);
}

static int setup(void **state)
{
    static char ns[] = "shop", kind[] = "Web", api[] = "x.io/v1", plural[] = "webs";
    struct stand *stand = mem_alloc(sizeof *stand);
    stand->world = world_new("{token: t}", NULL);
    stand->world->on_request = on_request;
    stand->world->data = stand;
    stand->controller.cluster = stand->world->cluster;
    stand->kind.info = (struct kind_info){api, kind, plural, true};
    stand->task.controller = &stand->controller;
    stand->pass.rollout.ns = ns;
    stand->task.pass = &stand->pass;
    stand->component.task = &stand->task;
    stand->component.decision = &stand->decision;
    stand->decision.effects[0].kind = EFFECT_ADVANCE;
    stand->component.kind = &stand->kind;
    stand->component.workload = json_pack("{s:{s:s}}", "metadata", "name", "web");
    *state = stand;
    return 0;
}

static int teardown(void **state)
{
    struct stand *stand = *state;
    contest_done(&stand->task.contest);
    actions_done(&stand->actions);
    component_forget(&stand->component);
    world_free(stand->world);
    free(stand);
    return 0;
}

/* What an adapter emits that finds 0 where it has put 3. */
static struct actions suspicion(void)
{
    struct actions actions = {.items = mem_alloc(2 * sizeof(struct action)), .count = 2};
    actions.items[0] =
        (struct action){.kind = ACTION_EVENT,
                        .body = json_pack("{s:s, s:s, s:s}", "type", "Warning", "reason",
                                          "HoldTakenOff", "message", "the partition was changed")};
    actions.items[1] =
        (struct action){.kind = ACTION_PATCH,
                        .patch = PATCH_KIND_JSON,
                        .body = json_pack("[{s:s, s:s, s:i}, {s:s, s:s, s:i}]", "op", "test",
                                          "path", "/spec/partition", "value", 0, "op", "replace",
                                          "path", "/spec/partition", "value", 3)};
    return actions;
}

static struct stand *judged; /* the callback gets a component and no more */

static void on_judged(struct component *component, struct actions *actions)
{
    assert_ptr_equal(component, &judged->component);
    judged->actions = *actions;
    judged->went_on = true;
}

static bool went_on(void *data)
{
    return ((const struct stand *)data)->went_on;
}

static void judge_take(struct stand *stand, const char *owner, struct actions actions)
{
    assert_true(contest_suspected(&stand->component, &actions));
    stand->owner = owner;
    judged = stand;
    contest_judge_take(&stand->component, &actions, on_judged);
    assert_int_equal(actions.count, 0);
    world_until(stand->world, went_on, stand);
}

static void who_has_done_it_is_told(void **state)
{
    struct stand *stand = *state;
    judge_take(stand, "flux", suspicion());
    assert_int_equal(stand->actions.count, 2);
    assert_string_equal(json_string_at(stand->actions.items[0].body, "/message"),
                        "the partition was changed: flux (Apply at then) has put 0 in "
                        "spec.partition, where 3 has to stand");
    assert_true(stand->component.put_back);
    assert_int_equal(stand->task.contest.spent, 1);
}

/* The patch alone, which an adapter emits whose workload is at rest. */
static struct actions hold_at_rest(void)
{
    struct actions actions = suspicion();
    actions_remove(&actions, 0);
    return actions;
}

static void come_to_rest(struct stand *stand)
{
    stand->decision.effects[0].kind = EFFECT_HOLD;
    stand->component.observation.held = true;
    object_put_mark(stand->component.workload, MARK_REST, "t1");
}

/* Between two rolls it counts as an answer, and nobody is told of what its owner does. */
static void at_rest_it_is_answered_too(void **state)
{
    struct stand *stand = *state;
    come_to_rest(stand);
    judge_take(stand, "flux", hold_at_rest());
    assert_int_equal(stand->actions.count, 1);
    assert_int_equal(stand->actions.items[0].kind, ACTION_PATCH);
    assert_true(stand->component.put_back);
    assert_int_equal(stand->task.contest.spent, 1);
}

/* Coming to rest takes nothing back from anybody, and neither does a mark that is renewed. */
static void coming_to_rest_is_no_contest(void **state)
{
    struct stand *stand = *state;
    struct actions actions = hold_at_rest();
    stand->decision.effects[0].kind = EFFECT_HOLD;
    stand->component.observation.held = true;
    assert_false(contest_suspected(&stand->component, &actions));
    come_to_rest(stand);
    assert_true(contest_suspected(&stand->component, &actions));
    json_object_set_new(json_array_get(actions.items[0].body, 1), "path",
                        json_string("/metadata/annotations/" MARK_REST));
    assert_false(contest_suspected(&stand->component, &actions));
    actions_done(&actions);
}

/* An old copy of the whole object has no marks either. */
static void marks_taken_off_at_rest(void **state)
{
    struct stand *stand = *state;
    struct actions actions = hold_at_rest();
    stand->decision.effects[0].kind = EFFECT_HOLD;
    assert_false(contest_suspected(&stand->component, &actions));
    stand->component.status.rolling = ROLLING_SUCCEEDED;
    stand->component.status.engaged = true;
    assert_true(contest_suspected(&stand->component, &actions));
    actions_done(&actions);
}

/* Of a partition that only doesn't fit any more, because the workload was scaled. */
static void what_nobody_has_done_is_not_told(void **state)
{
    struct stand *stand = *state;
    judge_take(stand, "sluice", suspicion());
    assert_int_equal(stand->actions.count, 1);
    assert_int_equal(stand->actions.items[0].kind, ACTION_PATCH);
    assert_false(contest_suspected(&stand->component, &stand->actions));
    assert_false(stand->component.put_back);
    assert_int_equal(stand->task.contest.spent, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_has_done_it_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(at_rest_it_is_answered_too, setup, teardown),
        cmocka_unit_test_setup_teardown(coming_to_rest_is_no_contest, setup, teardown),
        cmocka_unit_test_setup_teardown(marks_taken_off_at_rest, setup, teardown),
        cmocka_unit_test_setup_teardown(what_nobody_has_done_is_not_told, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
