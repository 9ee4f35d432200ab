// SPDX-License-Identifier: Apache-2.0
/* Who handles a kind, while adapters come, go and are replaced in a running controller. */
#include "world.h"

#include "reconcile/owned.h"
#include "reconcile/reconcile.h"
#include "reconcile/workload_kinds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OBJECTS "/apis/x.io/v1/xs"
#define PODS    "/api/v1/pods"

/* An API server that serves X and Pod, without any; and as much of a controller as needs to know
 * who handles X. Lists can be kept waiting. */
struct site {
    struct world *world;
    struct config config;
    struct controller controller;
    const char *denied;              /* the collection that can't be watched from now on */
    bool hold;                       /* from now on, lists aren't answered … */
    struct fake_connection *held[8]; /* … but remembered */
    size_t held_count;
    size_t passes;
    const char *version; /* that is waited for */
};

static void answer_list(struct fake_connection *connection)
{
    fake_answer(connection, 200, "",
                "{\"kind\":\"List\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"1\"},"
                "\"items\":[]}");
}

static void answer_kinds(struct fake_connection *connection, const char *name, const char *kind)
{
    char *body AUTO_FREE = str_format(
        "{\"resources\":[{\"name\":\"%s\",\"kind\":\"%s\",\"namespaced\":true}]}", name, kind);
    fake_answer(connection, 200, "", body);
}

static void on_request(void *data, const struct fake_request *request)
{
    struct site *site = data;
    char *path AUTO_FREE = str_copy_n(request->target, strcspn(request->target, "?"));
    if (str_equal(path, "/apis/x.io/v1"))
        answer_kinds(request->connection, "xs", "X");
    else if (str_equal(path, "/api/v1"))
        answer_kinds(request->connection, "pods", "Pod");
    else if (strstr(request->target, "watch=") && str_equal(path, site->denied))
        fake_answer(request->connection, 403, "",
                    "{\"code\":403,\"message\":\"U cannot watch resource \\\"pods\\\"\"}");
    else if (strstr(request->target, "watch="))
        fake_begin(request->connection);
    else if (site->hold && !strstr(path, "apiextensions"))
        site->held[site->held_count++] = request->connection;
    else
        answer_list(request->connection);
}

static void release_lists(struct site *site)
{
    site->hold = false;
    while (site->held_count)
        answer_list(site->held[--site->held_count]);
}

static void on_pass(void *data, const char *key)
{
    struct site *site = data;
    site->passes++;
    queue_done(site->controller.rollouts[0].queue, key);
}

static struct adapters *only(const char *name)
{
    char *file AUTO_FREE = str_format("%s/%s.so", HOSTILE_DIR, name);
    const struct adapter_entry entry = {.name = "hostile", .file = file};
    struct adapters *set = adapters_load("/nowhere", &entry, 1);
    if (adapter_refusal(adapters_nth(set, 0)))
        fail_msg("%s", adapter_refusal(adapters_nth(set, 0))->text);
    return set;
}

static struct adapters *none(void)
{
    return adapters_load("/nowhere", NULL, 0);
}

static void go_over_to(struct site *site, struct adapters *set)
{
    struct adapters *old = site->controller.adapters;
    site->controller.adapters = set;
    workload_kinds_renew(&site->controller);
    adapters_free(old);
}

static struct workload_kind *kind_x(const struct site *site)
{
    return workload_kind_find(&site->controller, "x.io/v1", "X");
}

static bool version_reached(void *data)
{
    const struct site *site = data;
    struct unlisted missing;
    const struct workload_kind *kind = kind_x(site);
    return kind->adapter && str_equal(adapter_version(kind->adapter), site->version) &&
           kind->store && store_synced(kind->store) && owned_synced(kind, kind->kind, &missing);
}

/* Until this version handles X, and everything is there that it reads. */
static void await_version(struct site *site, const char *version)
{
    site->version = version;
    world_until(site->world, version_reached, site);
}

static bool lists_are_held(void *data)
{
    return ((const struct site *)data)->held_count > 0;
}

static int setup(void **state)
{
    struct site *site = mem_alloc(sizeof *site);
    struct controller *controller = &site->controller;
    site->world = world_new("{token: t}", NULL);
    site->world->on_request = on_request;
    site->world->data = site;
    *controller = (struct controller){.cluster = site->world->cluster, .config = &site->config};
    controller->kinds = kinds_new(controller->cluster, NULL, NULL);
    for (size_t i = 0; i < ROLLOUT_KINDS; i++)
        controller->rollouts[i].queue = queue_new(site->world->loop, 16, on_pass, site);
    go_over_to(site, only("sound1"));
    await_version(site, "1.0.0");
    *state = site;
    return 0;
}

static int teardown(void **state)
{
    struct site *site = *state;
    struct controller *controller = &site->controller;
    owned_close(controller);
    workload_kinds_close(controller);
    kinds_free(controller->kinds);
    for (size_t i = 0; i < ROLLOUT_KINDS; i++) {
        queue_free(controller->rollouts[i].queue);
        waiters_done(&controller->rollouts[i].waiters);
    }
    adapters_free(controller->adapters);
    world_free(site->world);
    free(site);
    return 0;
}

static size_t lists_of(const struct site *site, const char *path)
{
    char *get AUTO_FREE = str_format("GET %s?", path);
    char *watches AUTO_FREE = str_format("GET %s?watch=", path);
    return fake_api_count(site->world->api, get) - fake_api_count(site->world->api, watches);
}

/* Nothing has to be listed for one that reads the same. */
static void same_needs(void **state)
{
    struct site *site = *state;
    const struct store *before = kind_x(site)->store;
    go_over_to(site, only("sound2"));
    assert_string_equal(adapter_version(kind_x(site)->adapter), "2.0.0");
    assert_ptr_equal(kind_x(site)->store, before);
    assert_int_equal(lists_of(site, OBJECTS), 1);
}

/* A CRD comes while the kinds are being looked for: what is found twice is listed once. */
static void looked_for_twice(void **state)
{
    struct site *site = *state;
    struct controller *controller = &site->controller;
    go_over_to(site, none());
    kinds_free(controller->kinds); /* what is served isn't known any more */
    controller->kinds = kinds_new(controller->cluster, NULL, NULL);
    go_over_to(site, only("sound1"));
    size_t objects = lists_of(site, OBJECTS), pods = lists_of(site, PODS);
    workload_kinds_look(controller);
    owned_look(controller);
    await_version(site, "1.0.0");
    assert_int_equal(lists_of(site, OBJECTS), objects + 1);
    assert_in_range(lists_of(site, PODS), pods, pods + 1);
}

/* A member of what is said of the only adapter, for one comparison. */
static const char *told(const struct site *site, const char *pointer)
{
    static char text[200];
    const struct adapter *adapter = adapters_nth(site->controller.adapters, 0);
    json_t *about AUTO_JSON = workload_kinds_about(&site->controller, adapter);
    const char *found = json_string_at(about, pointer);
    snprintf(text, sizeof text, "%s", found ? found : "");
    return text;
}

/* Until the objects are there as the new version reads them, the old one has them as it does. */
static void other_parts_of_objects(void **state)
{
    struct site *site = *state;
    const struct store *before = kind_x(site)->store;
    site->hold = true;
    go_over_to(site, only("sound_keeps"));
    world_until(site->world, lists_are_held, site);
    assert_string_equal(adapter_version(kind_x(site)->adapter), "1.0.0");
    assert_ptr_equal(kind_x(site)->store, before);
    assert_true(store_synced(before));
    char *waits AUTO_FREE = workload_kind_waits_for(kind_x(site));
    assert_string_equal(waits, "X objects are still being listed");
    assert_string_equal(told(site, "/version"), "1.0.0");
    assert_string_equal(told(site, "/next/version"), "3.0.0");
    assert_string_equal(told(site, "/next/waitsFor"), waits);
    release_lists(site);
    await_version(site, "3.0.0");
    assert_ptr_not_equal(kind_x(site)->store, before);
    assert_null(workload_kind_waits_for(kind_x(site)));
    assert_string_equal(told(site, "/version"), "3.0.0");
    assert_string_equal(told(site, "/next/version"), "");
}

static void objects_owned(void **state)
{
    struct site *site = *state;
    site->hold = true;
    go_over_to(site, only("sound_owns"));
    world_until(site->world, lists_are_held, site);
    assert_string_equal(adapter_version(kind_x(site)->adapter), "1.0.0");
    char *waits AUTO_FREE = workload_kind_waits_for(kind_x(site));
    assert_string_equal(waits, "Pod objects are still being listed");
    release_lists(site);
    await_version(site, "4.0.0");
    assert_int_equal(lists_of(site, OBJECTS), 1);
    assert_int_equal(lists_of(site, PODS), 1);
    go_over_to(site, only("sound1"));
    assert_string_equal(adapter_version(kind_x(site)->adapter), "1.0.0");
    assert_int_equal(site->controller.owned_kind_count, 0);
}

/* The last word counts, whatever was still on its way. */
static void another_while_one_waits(void **state)
{
    struct site *site = *state;
    site->hold = true;
    go_over_to(site, only("sound_keeps"));
    world_until(site->world, lists_are_held, site);
    go_over_to(site, only("sound2"));
    assert_string_equal(adapter_version(kind_x(site)->adapter), "2.0.0");
    assert_null(workload_kind_waits_for(kind_x(site)));
    release_lists(site);
    world_rest(site->world, 50);
    assert_string_equal(adapter_version(kind_x(site)->adapter), "2.0.0");
}

static void removed_and_added(void **state)
{
    struct site *site = *state;
    struct workload_kind *kind = kind_x(site);
    go_over_to(site, none());
    assert_null(kind->adapter);
    assert_null(kind->store);
    assert_string_equal(kind->kind->kind, "X");
    go_over_to(site, only("sound2"));
    assert_ptr_equal(kind_x(site), kind);
    await_version(site, "2.0.0");
}

/* Removed while the next one was waited for. */
static void removed_in_between(void **state)
{
    struct site *site = *state;
    site->hold = true;
    go_over_to(site, only("sound_owns"));
    world_until(site->world, lists_are_held, site);
    go_over_to(site, none());
    assert_null(kind_x(site)->adapter);
    assert_null(kind_x(site)->next.adapter);
    assert_int_equal(site->controller.owned_kind_count, 0);
}

static bool pods_of_y_are_there(void *data)
{
    const struct site *site = data;
    const struct workload_kind *y = workload_kind_find(&site->controller, "x.io/v1", "Y");
    struct unlisted missing;
    return owned_synced(y, y->kind, &missing);
}

/* An adapter whose pods are watched for it, and a second one that asks when the watch is open: what
 * belongs to its workloads wasn't kept so far. */
static void owned_by_another_kind(void **state)
{
    struct site *site = *state;
    char *mine AUTO_FREE = str_format("%s/sound_owns.so", HOSTILE_DIR);
    char *other AUTO_FREE = str_format("%s/sound_owns_y.so", HOSTILE_DIR);
    const struct adapter_entry entries[] = {
        {.name = "hostile", .file = mine},
        {.name = "hostile-y", .adapter = "hostile", .file = other}};
    go_over_to(site, only("sound_owns"));
    await_version(site, "4.0.0");
    assert_int_equal(lists_of(site, PODS), 1);
    go_over_to(site, adapters_load("/nowhere", entries, 2));
    await_version(site, "4.0.0");
    const struct workload_kind *y = workload_kind_find(&site->controller, "x.io/v1", "Y");
    assert_non_null(y->adapter);
    assert_false(pods_of_y_are_there(site));
    world_until(site->world, pods_of_y_are_there, site);
    assert_int_equal(lists_of(site, PODS), 2);
    assert_int_equal(site->controller.owned_kind_count, 1);
}

static bool is_blind(void *data)
{
    const struct site *site = data;
    const struct workload_kind *kind = kind_x(site);
    struct unlisted denied;
    return store_denied(kind->store) || owned_denied(kind, &denied);
}

static bool sees(void *data)
{
    return !is_blind(data);
}

/* All was listed, and what becomes of it isn't told: that is no kind to go on with. */
static void watch_denied_of_what_is_owned(void **state)
{
    struct site *site = *state;
    struct unlisted denied;
    site->denied = PODS;
    go_over_to(site, only("sound_owns"));
    await_version(site, "4.0.0");
    world_until(site->world, is_blind, site);
    assert_true(owned_denied(kind_x(site), &denied));
    assert_string_equal(denied.kind, "Pod");
    assert_non_null(strstr(denied.why, "U cannot watch resource \"pods\""));
    site->denied = NULL;
    owned_look(&site->controller);
    world_until(site->world, sees, site);
}

static void watch_denied_of_workloads(void **state)
{
    struct site *site = *state;
    site->denied = OBJECTS;
    go_over_to(site, only("sound_keeps"));
    await_version(site, "3.0.0");
    world_until(site->world, is_blind, site);
    assert_true(store_denied(kind_x(site)->store));
    assert_non_null(strstr(store_failure(kind_x(site)->store), "U cannot watch"));
    site->denied = NULL;
    workload_kinds_look(&site->controller);
    world_until(site->world, sees, site);
}

static bool passes_came(void *data)
{
    return ((const struct site *)data)->passes > 0;
}

static void whoever_waits_is_woken(void **state)
{
    struct site *site = *state;
    waiters_add(&site->controller.rollouts[0].waiters, WAITS_FOR_ADAPTER, "shop/roll");
    go_over_to(site, none());
    world_until(site->world, passes_came, site);
    site->passes = 0;
    waiters_add(&site->controller.rollouts[0].waiters, "kind X", "shop/roll");
    go_over_to(site, only("sound2"));
    world_until(site->world, passes_came, site);
}

int main(void)
{
#define ON_SITE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        ON_SITE(same_needs),
        ON_SITE(looked_for_twice),
        ON_SITE(other_parts_of_objects),
        ON_SITE(objects_owned),
        ON_SITE(another_while_one_waits),
        ON_SITE(removed_and_added),
        ON_SITE(removed_in_between),
        ON_SITE(owned_by_another_kind),
        ON_SITE(watch_denied_of_what_is_owned),
        ON_SITE(watch_denied_of_workloads),
        ON_SITE(whoever_waits_is_woken),
    };
#undef ON_SITE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
