// SPDX-License-Identifier: Apache-2.0
/* Whole rollouts of CloneSets through the adapter, on a model of OpenKruise's controller. */
#include "adapters.h"
#include "kruise.h"

#include "base/alloc.h"
#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HOLDER "/metadata/annotations/rollout.sluice.dev~1holder"

/* One rollout of one CloneSet. */
struct trip {
    struct kruise kruise;
    struct loaded loaded;
    json_t *target;
    struct adapter_request request;
    int least_ready; /* seen since trip_watch() */
};

static json_t *target_new(const char *image, int replicas, const char *strategy)
{
    char *text AUTO_FREE = str_format(
        "{\"apiVersion\":\"apps.kruise.io/v1alpha1\",\"kind\":\"CloneSet\",\"metadata\":{"
        "\"name\":\"web\",\"namespace\":\"shop\",\"annotations\":{"
        "\"rollout.sluice.dev/holder\":\"shop/web 1\",\"rollout.sluice.dev/applied\":\"%s\"}},"
        "\"spec\":{\"replicas\":%d,\"selector\":{\"matchLabels\":{\"app\":\"web\"}},"
        "\"template\":{\"image\":\"%s\"},\"updateStrategy\":%s}}",
        image, replicas, image, strategy);
    return json(text);
}

static void trip_open(struct trip *trip)
{
    memset(trip, 0, sizeof *trip);
    kruise_init(&trip->kruise);
    trip->loaded = loaded_open("cloneset", CLONESET, NULL);
    if (adapter_refusal(trip->loaded.adapter))
        fail_msg("%s", adapter_refusal(trip->loaded.adapter)->text);
}

static void trip_close(struct trip *trip)
{
    json_decref(trip->target);
    kruise_done(&trip->kruise);
    loaded_close(&trip->loaded);
}

typedef int (*acting)(const struct adapter *, const struct adapter_request *, struct actions *,
                      struct error *);

/* Asks, carries out, and asks again: then there must be nothing left. */
static size_t act(struct trip *trip, acting call)
{
    struct actions actions = {0};
    struct error err = {0};
    trip->request.workload = trip->kruise.object;
    trip->request.target = trip->target;
    if (call(trip->loaded.adapter, &trip->request, &actions, &err) < 0)
        fail_msg("%s", err.text);
    size_t count = actions.count;
    kruise_act(&trip->kruise, &actions);
    actions_done(&actions);
    trip->request.workload = trip->kruise.object;
    int again = call(trip->loaded.adapter, &trip->request, &actions, &err);
    if (again < 0)
        assert_int_equal(again, ERR_RETRY); /* not settled yet */
    else
        assert_int_equal(actions.count, 0);
    actions_done(&actions);
    return count;
}

static struct workload_status look(struct trip *trip)
{
    struct workload_status status = {0};
    struct error err = {0};
    trip->request.workload = trip->kruise.object;
    if (adapter_observe(trip->loaded.adapter, &trip->request, &status, &err) < 0)
        fail_msg("%s", err.text);
    return status;
}

static void trip_target_take(struct trip *trip, json_t *target)
{
    json_decref(trip->target);
    trip->target = target;
}

/* A CloneSet of that size at rest, created by hand as its owner would. */
static void trip_create(struct trip *trip, const char *image, int size, const char *strategy)
{
    json_t *object AUTO_JSON = target_new(image, size, strategy);
    struct action action = {.kind = ACTION_PATCH, .patch = PATCH_KIND_APPLY, .body = object};
    json_object_del(json_object_get(object, "metadata"), "annotations");
    kruise_act(&trip->kruise, &(struct actions){.items = &action, .count = 1});
    kruise_settle(&trip->kruise);
    assert_int_equal(trip->kruise.count, size);
}

/* Steps until the goal's pods are updated and ready; never more than the goal, never fewer ready
 * than `floor`. */
static void reach(struct trip *trip, int goal, int floor)
{
    struct kruise *kruise = &trip->kruise;
    for (int i = 0; i < 2000; i++) {
        kruise_step(kruise);
        assert_true(kruise_updated(kruise) <= goal);
        assert_true(kruise_count_ready(kruise) >= floor);
        kruise_ready(kruise, 2);
        kruise_step(kruise);
        assert_true(kruise_updated(kruise) <= goal);
        assert_true(kruise_count_ready(kruise) >= floor);
        if (look(trip).settled && look(trip).updated_ready == goal)
            return;
    }
    fail_msg("%d updated pods of %d are not reached", kruise_updated(kruise), goal);
}

static void assert_strategy(const struct trip *trip, const char *expected)
{
    json_t *wanted AUTO_JSON = json(expected);
    json_t *found = json_at(trip->kruise.object, "/spec/updateStrategy");
    char *text AUTO_FREE = json_text(found);
    if (!json_equal(found, wanted))
        fail_msg("expected %s, found %s", expected, text);
}

static int percent_up(int percent, int size)
{
    return (percent * size + 99) / 100;
}

/* Any size, any owner's strategy, any goals that rise: exactly as many pods each time. */
static void roll_random(struct trip *trip, const char *strategy, const char *order, int floor_down)
{
    int size = rand() % 120 + 1;
    trip_create(trip, "v1", size, strategy);
    trip_target_take(trip, target_new("v2", rand() % 9, strategy));
    trip->request = (struct adapter_request){.strategy = order};
    assert_int_equal(act(trip, adapter_begin), 1);
    kruise_settle(&trip->kruise);
    assert_int_equal(kruise_updated(&trip->kruise), 0);
    assert_int_equal(kruise_size(&trip->kruise), size);
    for (int goal = 0; goal < size;) {
        goal += rand() % (size - goal) + 1;
        trip->request.goal = goal;
        assert_int_equal(act(trip, adapter_advance), 1);
        reach(trip, goal, size - floor_down * percent_up(20, size));
    }
    trip->request.outcome = "succeeded";
    assert_int_equal(act(trip, adapter_finish), 1);
    kruise_settle(&trip->kruise);
    assert_int_equal(kruise_updated(&trip->kruise), size);
    assert_null(json_at(trip->kruise.object, HOLDER));
}

static void roll_many(const char *strategy, const char *order, int floor_down)
{
    for (int i = 0; i < 60; i++) {
        struct trip trip;
        trip_open(&trip);
        roll_random(&trip, strategy, order, floor_down);
        trip_close(&trip);
    }
}

static void in_place(void **state)
{
    roll_many("{\"type\":\"InPlaceIfPossible\"}", "IncreaseFirst", 1);
}

static void replaced_increase_first(void **state)
{
    roll_many("{\"type\":\"ReCreate\"}", "IncreaseFirst", 0);
    roll_many("{}", "IncreaseFirst", 0);
}

static void replaced_decrease_first(void **state)
{
    roll_many("{\"type\":\"ReCreate\",\"maxSurge\":2}", "DecreaseFirst", 1);
}

static void gives_owner_back(void **state)
{
    struct trip trip;
    trip_open(&trip);
    roll_random(&trip, "{\"type\":\"ReCreate\"}", "IncreaseFirst", 0);
    assert_strategy(&trip, "{\"type\":\"ReCreate\",\"partition\":0,\"maxSurge\":0,"
                           "\"maxUnavailable\":\"20%\"}");
    trip_close(&trip);
    trip_open(&trip);
    roll_random(&trip, "{\"type\":\"InPlaceIfPossible\",\"partition\":\"10%\",\"paused\":false}",
                "IncreaseFirst", 1);
    assert_strategy(&trip, "{\"type\":\"InPlaceIfPossible\",\"partition\":\"10%\",\"maxSurge\":0,"
                           "\"maxUnavailable\":\"20%\"}");
    trip_close(&trip);
}

/* What one owner's target had and the next one's hasn't is gone, also during the roll. */
static void owner_changes_mind(void **state)
{
    struct trip trip;
    trip_open(&trip);
    roll_random(&trip, "{\"type\":\"ReCreate\",\"maxSurge\":2}", "DecreaseFirst", 1);
    trip_target_take(&trip, target_new("v3", 5, "{\"type\":\"ReCreate\"}"));
    act(&trip, adapter_begin);
    assert_int_equal(json_int_at(trip.kruise.object, "/spec/updateStrategy/maxSurge", 42), 0);
    trip_close(&trip);
}

/* The seed's way to v1: pods come batch by batch. */
static void first_deployment(void **state)
{
    static const int goals[] = {1, 3, 5};
    struct trip trip;
    trip_open(&trip);
    trip_target_take(&trip, target_new("v1", 5, "{\"type\":\"InPlaceIfPossible\"}"));
    trip.request = (struct adapter_request){.strategy = "IncreaseFirst", .scale = true};
    assert_int_equal(look(&trip).size, 0);
    assert_int_equal(act(&trip, adapter_begin), 1);
    assert_int_equal(kruise_size(&trip.kruise), 0);
    for (int i = 0; i < 3; i++) {
        trip.request.goal = goals[i];
        assert_int_equal(act(&trip, adapter_advance), 1);
        kruise_settle(&trip.kruise);
        assert_int_equal(trip.kruise.count, goals[i]);
        assert_int_equal(look(&trip).updated_ready, goals[i]);
    }
    trip.request.outcome = "succeeded";
    assert_int_equal(act(&trip, adapter_finish), 1);
    assert_null(json_at(trip.kruise.object, HOLDER));
    trip_close(&trip);
}

/* A roll that has come as far as `goal` of `size`. */
static void trip_midway(struct trip *trip, int size, int goal)
{
    const char *strategy = "{\"type\":\"InPlaceIfPossible\"}";
    trip_create(trip, "v1", size, strategy);
    trip_target_take(trip, target_new("v2", size, strategy));
    trip->request = (struct adapter_request){.strategy = "IncreaseFirst", .goal = goal};
    act(trip, adapter_begin);
    kruise_settle(&trip->kruise);
    act(trip, adapter_advance);
    kruise_settle(&trip->kruise);
    assert_int_equal(kruise_updated(&trip->kruise), goal);
}

static void paused(void **state)
{
    struct trip trip;
    trip_open(&trip);
    trip_midway(&trip, 10, 2);
    trip.request.goal = 6;
    act(&trip, adapter_advance);
    kruise_step(&trip.kruise); /* two pods at a time: 20% */
    assert_int_equal(kruise_updated(&trip.kruise), 4);
    trip.request.paused = true;
    assert_int_equal(act(&trip, adapter_advance), 1);
    kruise_settle(&trip.kruise);
    assert_int_equal(kruise_updated(&trip.kruise), 4);
    assert_int_equal(kruise_count_ready(&trip.kruise), 10);
    trip.request.paused = false;
    assert_int_equal(act(&trip, adapter_advance), 1);
    kruise_settle(&trip.kruise);
    assert_int_equal(kruise_updated(&trip.kruise), 6);
    trip_close(&trip);
}

/* Twice as many pods from outside: twice the batch, before anybody of ours has looked. */
static void scaled_from_outside(void **state)
{
    struct trip trip;
    trip_open(&trip);
    trip_midway(&trip, 5, 2);
    kruise_scale(&trip.kruise, 10);
    kruise_settle(&trip.kruise);
    assert_int_equal(kruise_updated(&trip.kruise), 4);
    trip.request.goal = 4;
    assert_int_equal(act(&trip, adapter_advance), 0);
    kruise_scale(&trip.kruise, 3);
    kruise_settle(&trip.kruise);
    trip.request.goal = 2;
    act(&trip, adapter_advance);
    kruise_settle(&trip.kruise);
    assert_int_equal(kruise_updated(&trip.kruise), 2);
    trip_close(&trip);
}

static void assert_frozen(const char *outcome, bool with_target)
{
    struct trip trip;
    trip_open(&trip);
    trip_midway(&trip, 10, 3);
    trip.request.goal = 8;
    act(&trip, adapter_advance);
    kruise_step(&trip.kruise);
    int updated = kruise_updated(&trip.kruise);
    assert_in_range(updated, 4, 7);
    trip.request.outcome = outcome;
    if (!with_target)
        trip_target_take(&trip, NULL);
    assert_int_equal(act(&trip, adapter_finish), 1);
    kruise_settle(&trip.kruise);
    assert_int_equal(kruise_updated(&trip.kruise), updated);
    assert_int_equal(kruise_count_ready(&trip.kruise), 10);
    assert_null(json_at(trip.kruise.object, HOLDER));
    trip_close(&trip);
}

static void frozen(void **state)
{
    assert_frozen("failed", true);
    assert_frozen("abandoned", true);
    assert_frozen("deleted", true);
    assert_frozen("deleted", false);
}

/* The template has just changed and OpenKruise hasn't looked: its counts are about the old one. */
static void frozen_unsettled(void **state)
{
    struct trip trip;
    trip_open(&trip);
    trip_create(&trip, "v1", 10, "{\"type\":\"InPlaceIfPossible\"}");
    trip_target_take(&trip, target_new("v2", 10, "{\"type\":\"InPlaceIfPossible\"}"));
    trip.request = (struct adapter_request){.strategy = "IncreaseFirst", .outcome = "deleted"};
    act(&trip, adapter_begin);
    assert_false(look(&trip).settled);
    act(&trip, adapter_finish);
    kruise_settle(&trip.kruise);
    assert_int_equal(kruise_updated(&trip.kruise), 0);
    trip_close(&trip);
}

/* Back to v1 mid-way: the pods that never left it need no patch and don't move. */
static void turned_back(void **state)
{
    struct trip trip;
    trip_open(&trip);
    trip_midway(&trip, 5, 2);
    trip.request.outcome = "abandoned";
    act(&trip, adapter_finish);
    trip_target_take(&trip, target_new("v1", 5, "{\"type\":\"InPlaceIfPossible\"}"));
    assert_int_equal(act(&trip, adapter_begin), 1);
    kruise_settle(&trip.kruise);
    assert_int_equal(kruise_updated(&trip.kruise), 3);
    trip.request.goal = 4;
    act(&trip, adapter_advance);
    kruise_settle(&trip.kruise);
    assert_int_equal(kruise_updated(&trip.kruise), 4);
    trip.request.goal = 5;
    act(&trip, adapter_advance);
    kruise_settle(&trip.kruise);
    assert_int_equal(kruise_updated(&trip.kruise), 5);
    trip_close(&trip);
}

static bool pod_is_new(const struct trip *trip, int id)
{
    char hash[HASH_SIZE];
    json_hash(json_at(trip->kruise.object, "/spec/template"), hash);
    for (int i = 0; i < trip->kruise.count; i++)
        if (trip->kruise.pods[i].id == id)
            return strcmp(trip->kruise.pods[i].revision, hash) == 0;
    return true; /* replaced */
}

/* Exactly the named ones, also when another pod isn't ready and would otherwise come first. */
static void assert_named(const char *strategy, const char *order)
{
    struct trip trip;
    trip_open(&trip);
    trip_create(&trip, "v1", 10, strategy);
    trip_target_take(&trip, target_new("v2", 10, strategy));
    json_t *pods AUTO_JSON = kruise_pods(&trip.kruise);
    json_t *names AUTO_JSON = json("[\"web-9\",\"web-4\",\"web-2\"]");
    trip.request =
        (struct adapter_request){.strategy = order, .goal = 3, .pods = pods, .pod_names = names};
    struct error err = {0};
    trip.request.target = trip.target;
    trip.request.workload = trip.kruise.object;
    assert_int_equal(adapter_validate(trip.loaded.adapter, &trip.request, &err), OK);
    act(&trip, adapter_begin);
    kruise_step(&trip.kruise);
    trip.kruise.pods[0].ready = false;
    kruise_step(&trip.kruise);
    assert_int_equal(act(&trip, adapter_advance), 1);
    kruise_settle(&trip.kruise);
    assert_int_equal(kruise_updated(&trip.kruise), 3);
    assert_true(pod_is_new(&trip, 9) && pod_is_new(&trip, 4) && pod_is_new(&trip, 2));
    trip.request.pod_names = NULL;
    trip.request.goal = 5;
    assert_int_equal(act(&trip, adapter_advance), 1);
    assert_null(json_at(trip.kruise.object, "/spec/updateStrategy/priorityStrategy"));
    trip_close(&trip);
}

static void named_pods(void **state)
{
    assert_named("{\"type\":\"InPlaceIfPossible\"}", "IncreaseFirst");
    assert_named("{\"type\":\"ReCreate\"}", "DecreaseFirst");
}

/* Whoever died between two calls and starts again finds nothing to do or goes on. */
static void repeated_calls(void **state)
{
    struct trip trip;
    trip_open(&trip);
    trip_midway(&trip, 8, 3);
    assert_int_equal(act(&trip, adapter_begin), 0);
    assert_int_equal(act(&trip, adapter_advance), 0);
    trip.request.goal = 1;
    assert_int_equal(act(&trip, adapter_advance), 0);
    trip.request.outcome = "succeeded";
    trip.request.goal = 8;
    act(&trip, adapter_advance);
    kruise_settle(&trip.kruise);
    assert_int_equal(act(&trip, adapter_finish), 1);
    assert_int_equal(act(&trip, adapter_finish), 0);
    trip_close(&trip);
}

int main(void)
{
    srand(1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_place),
        cmocka_unit_test(replaced_increase_first),
        cmocka_unit_test(replaced_decrease_first),
        cmocka_unit_test(gives_owner_back),
        cmocka_unit_test(owner_changes_mind),
        cmocka_unit_test(first_deployment),
        cmocka_unit_test(paused),
        cmocka_unit_test(scaled_from_outside),
        cmocka_unit_test(frozen),
        cmocka_unit_test(frozen_unsettled),
        cmocka_unit_test(turned_back),
        cmocka_unit_test(named_pods),
        cmocka_unit_test(repeated_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
