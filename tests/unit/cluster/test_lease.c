// SPDX-License-Identifier: Apache-2.0
/* Holding a Lease: what is asked of the API server, and what comes of its answers. */
#include "world.h"

#include "base/clock.h"
#include "cluster/lease.h"

#include <stdlib.h>
#include <string.h>

#define PATH "/apis/coordination.k8s.io/v1/namespaces/ns/leases"

enum { OK_STATUS = 200, CREATED = 201, CONFLICT = 409 };

/* A server with one Lease, and a candidate for it. */
struct scene {
    struct world *world;
    struct lease *lease;
    json_t *object; /* NULL: there is none */
    int version;
    struct fake_connection *stream; /* the watch */
    int conflicts;                  /* how many patches to refuse, as if somebody had been faster */
    bool silent;                    /* patches aren't answered */
    bool loses_answers;             /* patches are done, and the connection is cut */
    int held, lost;
    char *other;
};

static void put_version(struct scene *scene)
{
    char version[16];
    snprintf(version, sizeof version, "%d", ++scene->version);
    json_put_take(scene->object, "/metadata/resourceVersion", json_string(version));
}

static void tell(struct scene *scene, const char *type)
{
    json_t *event AUTO_JSON = json_pack("{s:s, s:O}", "type", type, "object", scene->object);
    char *text AUTO_FREE = json_text(event);
    char *line AUTO_FREE = str_format("%s\n", text);
    if (scene->stream)
        fake_send(scene->stream, line);
}

/* As another elector writes it. */
static void write_record(struct scene *scene, const char *holder, int seconds)
{
    json_t *spec =
        json_pack("{s:s, s:i, s:s, s:i}", "holderIdentity", holder, "leaseDurationSeconds", seconds,
                  "renewTime", "2020-01-01T00:00:00.000000Z", "leaseTransitions", 4);
    json_decref(scene->object);
    scene->object =
        json_pack("{s:s, s:s, s:{s:s, s:s}, s:o}", "apiVersion", "coordination.k8s.io/v1", "kind",
                  "Lease", "metadata", "namespace", "ns", "name", "it", "spec", spec);
    put_version(scene);
    tell(scene, "MODIFIED");
}

static void answer_object(const struct scene *scene, const struct fake_request *request, int status)
{
    char *text AUTO_FREE = json_text(scene->object);
    fake_answer(request->connection, status, "", text);
}

static void answer_list(const struct scene *scene, const struct fake_request *request)
{
    json_t *items = json_array();
    char version[16];
    snprintf(version, sizeof version, "%d", scene->version);
    if (scene->object)
        json_array_append(items, scene->object);
    json_t *list AUTO_JSON =
        json_pack("{s:s, s:s, s:{s:s}, s:o}", "apiVersion", "coordination.k8s.io/v1", "kind",
                  "LeaseList", "metadata", "resourceVersion", version, "items", items);
    char *text AUTO_FREE = json_text(list);
    fake_answer(request->connection, OK_STATUS, "", text);
}

static void take_patch(struct scene *scene, const struct fake_request *request)
{
    json_t *patch AUTO_JSON = json_loads(request->body, 0, NULL);
    bool fits = str_equal(json_string_at(patch, "/metadata/resourceVersion"),
                          json_string_at(scene->object, "/metadata/resourceVersion"));
    if (scene->silent)
        return;
    if (!fits || scene->conflicts > 0) {
        scene->conflicts--;
        fake_answer(request->connection, CONFLICT, "", "{\"message\":\"somebody was faster\"}");
        return;
    }
    json_object_update(json_object_get(scene->object, "spec"), json_object_get(patch, "spec"));
    put_version(scene);
    tell(scene, "MODIFIED");
    if (scene->loses_answers)
        fake_cut(request->connection);
    else
        answer_object(scene, request, OK_STATUS);
}

/* What has changed since the version that is asked for is told first, as a real server does. */
static void begin_watch(struct scene *scene, const struct fake_request *request)
{
    const char *since = strstr(request->target, "resourceVersion=");
    scene->stream = request->connection;
    fake_begin(request->connection);
    if (since && atoi(since + strlen("resourceVersion=")) < scene->version)
        tell(scene, "MODIFIED");
}

static void on_request(void *data, const struct fake_request *request)
{
    struct scene *scene = data;
    if (strstr(request->target, "watch=1")) {
        begin_watch(scene, request);
    } else if (str_equal(request->method, "PATCH")) {
        take_patch(scene, request);
    } else if (str_equal(request->method, "POST")) {
        json_decref(scene->object);
        scene->object = json_loads(request->body, 0, NULL);
        put_version(scene);
        tell(scene, "ADDED");
        answer_object(scene, request, CREATED);
    } else if (strstr(request->target, PATH "/it")) {
        answer_object(scene, request, OK_STATUS);
    } else {
        answer_list(scene, request);
    }
}

static void on_held(void *data)
{
    ((struct scene *)data)->held++;
}

static void on_lost(void *data, const struct error *why)
{
    struct scene *scene = data;
    assert_int_not_equal(why->code, OK);
    scene->lost++;
}

static void on_other(void *data, const char *holder)
{
    str_replace(&((struct scene *)data)->other, holder);
}

static void on_state(void *data, const struct error *err)
{
    (void)data;
    (void)err;
}

static int setup(void **state)
{
    struct scene *scene = mem_alloc(sizeof *scene);
    scene->version = 100;
    scene->world = world_new("{token: secret-1}", NULL);
    scene->world->on_request = on_request;
    scene->world->data = scene;
    *state = scene;
    return 0;
}

static int teardown(void **state)
{
    struct scene *scene = *state;
    lease_close(scene->lease);
    world_free(scene->world);
    json_decref(scene->object);
    free(scene->other);
    free(scene);
    return 0;
}

static void open_lease(struct scene *scene, int64_t renew_ms)
{
    static const struct lease_events events = {on_held, on_lost, on_other, on_state};
    const struct lease_spec spec = {
        .ns = "ns",
        .name = "it",
        .identity = "us",
        .terms = {.duration_ms = 60 * 1000, .renew_ms = renew_ms, .retry_ms = 50}};
    scene->lease = lease_open(scene->world->cluster, &spec, &events, scene);
    assert_false(cluster_may_write(scene->world->cluster));
}

static bool is_held(void *data)
{
    return ((struct scene *)data)->held > 0;
}

static bool is_lost(void *data)
{
    return ((struct scene *)data)->lost > 0;
}

static bool knows_other(void *data)
{
    return ((struct scene *)data)->other != NULL;
}

static bool was_renewed(void *data)
{
    return fake_api_count(((struct scene *)data)->world->api, "PATCH") >= 3;
}

static const char *holder(const struct scene *scene)
{
    return json_string_at(scene->object, "/spec/holderIdentity");
}

enum { LONG_MS = 50 * 1000 };

static void test_made_where_there_is_none(void **state)
{
    struct scene *scene = *state;
    open_lease(scene, LONG_MS);
    world_until(scene->world, is_held, scene);
    assert_true(cluster_may_write(scene->world->cluster));
    assert_string_equal(holder(scene), "us");
    assert_int_equal(json_int_at(scene->object, "/spec/leaseDurationSeconds", 0), 60);
    assert_int_equal(json_int_at(scene->object, "/spec/leaseTransitions", -1), 0);
    char *acquired AUTO_FREE = str_copy(json_string_at(scene->object, "/spec/acquireTime"));
    world_until(scene->world, was_renewed, scene);
    assert_string_equal(json_string_at(scene->object, "/spec/acquireTime"), acquired);
    assert_int_equal(scene->held, 1);
}

static void test_waits_and_takes_what_is_given_away(void **state)
{
    struct scene *scene = *state;
    write_record(scene, "them", 3600);
    open_lease(scene, LONG_MS);
    world_until(scene->world, knows_other, scene);
    assert_string_equal(scene->other, "them");
    assert_int_equal(scene->held, 0);
    write_record(scene, "", 1);
    world_until(scene->world, is_held, scene);
    assert_int_equal(json_int_at(scene->object, "/spec/leaseTransitions", -1), 5);
}

/* Its time is over at once: seconds of 0. */
static void test_takes_what_does_not_count_any_more(void **state)
{
    struct scene *scene = *state;
    write_record(scene, "them", 0);
    open_lease(scene, LONG_MS);
    world_until(scene->world, is_held, scene);
}

static void test_somebody_was_faster(void **state)
{
    struct scene *scene = *state;
    write_record(scene, "", 1);
    scene->conflicts = 2;
    open_lease(scene, LONG_MS);
    world_until(scene->world, is_held, scene);
    assert_int_equal(fake_api_count(scene->world->api, "GET " PATH "/it"), 2);
}

/* It was ours before we knew: not another transition. */
static void test_the_answer_is_lost(void **state)
{
    struct scene *scene = *state;
    write_record(scene, "", 1);
    scene->loses_answers = true;
    open_lease(scene, LONG_MS);
    world_until(scene->world, was_renewed, scene);
    scene->loses_answers = false;
    world_until(scene->world, is_held, scene);
    assert_int_equal(json_int_at(scene->object, "/spec/leaseTransitions", -1), 5);
}

static void test_lost_when_it_is_not_renewed(void **state)
{
    struct scene *scene = *state;
    open_lease(scene, 400);
    world_until(scene->world, is_held, scene);
    scene->silent = true;
    world_until(scene->world, is_lost, scene);
    assert_false(cluster_may_write(scene->world->cluster));
    assert_false(lease_is_held(scene->lease));
    scene->silent = false;
    world_rest(scene->world, 200);
    assert_int_equal(scene->lost, 1);
    assert_int_equal(scene->held, 1);
}

static void test_lost_when_somebody_else_has_it(void **state)
{
    struct scene *scene = *state;
    open_lease(scene, LONG_MS);
    world_until(scene->world, is_held, scene);
    write_record(scene, "them", 3600);
    world_until(scene->world, is_lost, scene);
    assert_false(cluster_may_write(scene->world->cluster));
    assert_int_equal(lease_release(scene->lease, 1000, NULL), OK);
    assert_string_equal(holder(scene), "them");
}

static void test_given_away(void **state)
{
    struct scene *scene = *state;
    struct error err = {0};
    open_lease(scene, LONG_MS);
    world_until(scene->world, is_held, scene);
    scene->conflicts = 1; /* a renewal that was on its way */
    assert_int_equal(lease_release(scene->lease, 10000, &err), OK);
    assert_string_equal(holder(scene), "");
    assert_int_equal(json_int_at(scene->object, "/spec/leaseDurationSeconds", 0), 1);
    assert_false(cluster_may_write(scene->world->cluster));
}

static void test_not_given_away_in_time(void **state)
{
    struct scene *scene = *state;
    struct error err = {0};
    open_lease(scene, LONG_MS);
    world_until(scene->world, is_held, scene);
    scene->silent = true;
    assert_int_equal(lease_release(scene->lease, 50, &err), ERR_RETRY);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_made_where_there_is_none),
        test(test_waits_and_takes_what_is_given_away),
        test(test_takes_what_does_not_count_any_more),
        test(test_somebody_was_faster),
        test(test_the_answer_is_lost),
        test(test_lost_when_it_is_not_renewed),
        test(test_lost_when_somebody_else_has_it),
        test(test_given_away),
        test(test_not_given_away_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
