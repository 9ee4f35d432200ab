// SPDX-License-Identifier: Apache-2.0
/* The fence: which calls it holds back, and for how long. */
#include "world.h"

#include "base/clock.h"
#include "cluster/shards.h"

#include <stdlib.h>

static void on_request(void *data, const struct fake_request *request)
{
    (void)data;
    fake_answer(request->connection, 200, "", "{}");
}

static int setup(void **state)
{
    struct world *world = world_new("{token: secret-1}", NULL);
    world->on_request = on_request;
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    world_free(*state);
    return 0;
}

static void on_reply(void *data, const struct reply *reply)
{
    assert_int_equal(reply->error.code, OK);
    ++*(int *)data;
}

static bool was_answered(void *data)
{
    return *(int *)data > 0;
}

static void call(struct world *world, const char *method, const char *path, int *answers)
{
    const struct call_spec spec = {.method = method, .path = path, .body = "{}"};
    cluster_call(world->cluster, &spec, on_reply, answers);
}

static void test_closed(void **state)
{
    struct world *world = *state;
    int writes = 0, reads = 0, lease = 0;
    cluster_fence(world->cluster, 0, 0);
    assert_false(cluster_may_write(world->cluster));
    call(world, "PATCH", "/written", &writes);
    call(world, "POST", "/written", &writes);
    call(world, "GET", "/read", &reads);
    const struct call_spec spec = {
        .method = "PATCH", .path = "/lease", .body = "{}", .unfenced = true};
    cluster_call(world->cluster, &spec, on_reply, &lease);
    world_until(world, was_answered, &reads);
    world_until(world, was_answered, &lease);
    assert_int_equal(fake_api_count(world->api, "/written"), 0);
    assert_int_equal(writes, 0);
}

static void test_opened_again(void **state)
{
    struct world *world = *state;
    int writes = 0;
    cluster_fence(world->cluster, 0, 0);
    call(world, "PATCH", "/written", &writes);
    int64_t now = clock_boot_ms();
    cluster_fence(world->cluster, now + 60000, now + 90000);
    assert_true(cluster_may_write(world->cluster));
    world_until(world, was_answered, &writes);
}

static void test_cancelled_behind_it(void **state)
{
    struct world *world = *state;
    int writes = 0, later = 0;
    cluster_fence(world->cluster, 0, 0);
    const struct call_spec spec = {.method = "PATCH", .path = "/cancelled", .body = "{}"};
    call_cancel(cluster_call(world->cluster, &spec, on_reply, &writes));
    call(world, "PATCH", "/later", &later);
    cluster_fence(world->cluster, INT64_MAX, INT64_MAX);
    world_until(world, was_answered, &later);
    assert_int_equal(fake_api_count(world->api, "/cancelled"), 0);
}

/* The head of the line is held back; others don't wait for it. */
static void test_takes_no_place(void **state)
{
    struct world *world = *state;
    int writes = 0, reads = 0;
    cluster_fence(world->cluster, 0, 0);
    for (int i = 0; i < 100; i++)
        call(world, "PATCH", "/written", &writes);
    call(world, "GET", "/read", &reads);
    world_until(world, was_answered, &reads);
    assert_int_equal(writes, 0);
}

struct refusal {
    struct world *world;
    int requests;
};

/* It closes while the server makes the write wait. */
static void on_busy(void *data, const struct fake_request *request)
{
    struct refusal *refusal = data;
    refusal->requests++;
    cluster_fence(refusal->world->cluster, 0, 0);
    fake_answer(request->connection, 429, "Retry-After: 1\r\n", "{}");
}

static bool was_refused_and_held(void *data)
{
    const struct refusal *refusal = data;
    return refusal->requests == 1 && cluster_counts(refusal->world->cluster).retries == 1;
}

static void test_closed_between_two_tries(void **state)
{
    struct world *world = *state;
    struct refusal refusal = {.world = world};
    int writes = 0;
    world->on_request = on_busy;
    world->data = &refusal;
    call(world, "PATCH", "/written", &writes);
    world_until(world, was_refused_and_held, &refusal);
    cluster_settle(world->cluster, 10000);
    world->on_request = on_request;
    call(world, "PATCH", "/another", &writes);
    assert_int_equal(fake_api_count(world->api, "PATCH"), 1);
    cluster_fence(world->cluster, INT64_MAX, INT64_MAX);
    world_until(world, was_answered, &writes);
}

static void on_time(void *data)
{
    struct world *world = data;
    cluster_fence(world->cluster, 0, 0);
}

/* A call is on its way to curl, which connects in turns of its own, when the fence closes. */
static void test_closed_while_it_connects(void **state)
{
    struct world *world = *state;
    struct timer timer = {0};
    int writes = 0, reads = 0;
    call(world, "PATCH", "/written", &writes);
    timer_start(world->loop, &timer, 0, on_time, world);
    call(world, "GET", "/read", &reads);
    world_until(world, was_answered, &reads);
    cluster_settle(world->cluster, 10000);
    assert_int_equal(fake_api_count(world->api, "/written"), 0);
    assert_int_equal(writes, 0);
}

static void on_gave_up(void *data, const struct reply *reply)
{
    assert_int_equal(reply->status, 0);
    assert_int_equal(reply->error.code, ERR_RETRY);
    ++*(int *)data;
}

static void on_silent(void *data, const struct fake_request *request)
{
    (void)data;
    (void)request;
}

/* No answer comes: the call's own time would be half a minute. */
static void test_given_up_at_the_end(void **state)
{
    struct world *world = *state;
    int given_up = 0;
    int64_t now = clock_boot_ms();
    world->on_request = on_silent;
    cluster_fence(world->cluster, now + 100, now + 200);
    const struct call_spec spec = {.method = "PATCH", .path = "/written", .body = "{}"};
    cluster_call(world->cluster, &spec, on_gave_up, &given_up);
    world_until(world, was_answered, &given_up);
    assert_int_equal(fake_api_count(world->api, "/written"), 1);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* ---- namespaces in shards ---- */

struct quiet {
    struct world *world;
    unsigned shard;
    int told;
    bool wrote; /* when it was told */
};

static void on_quiet(void *data)
{
    struct quiet *quiet = data;
    quiet->told++;
    quiet->wrote = cluster_shard_writes(quiet->world->cluster, quiet->shard);
}

static bool was_told(void *data)
{
    return ((struct quiet *)data)->told > 0;
}

enum { SHARDS = 2 };

/* A path in a namespace of that shard. */
static const char *in_shard(unsigned shard)
{
    return shard_of("a", SHARDS) == shard ? "/api/v1/namespaces/a/pods"
                                          : "/api/v1/namespaces/b/pods?fieldManager=me";
}

static void test_writes_in_shards(void **state)
{
    struct world *world = *state;
    int held = 0, sent = 0, reads = 0, cluster_wide = 0, on_behalf = 0;
    assert_int_not_equal(shard_of("a", SHARDS), shard_of("b", SHARDS));
    cluster_spread(world->cluster, SHARDS, NULL, NULL);
    cluster_shard_open(world->cluster, 1, true);
    call(world, "PATCH", in_shard(0), &held);
    call(world, "PATCH", in_shard(1), &sent);
    call(world, "GET", in_shard(0), &reads);
    call(world, "PATCH", "/api/v1/persistentvolumes/c", &cluster_wide);
    const struct call_spec spec = {.method = "PATCH",
                                   .path = "/api/v1/persistentvolumes/d",
                                   .body = "{}",
                                   .ns = shard_of("a", SHARDS) == 0 ? "a" : "b"};
    cluster_call(world->cluster, &spec, on_reply, &on_behalf);
    world_until(world, was_answered, &sent);
    world_until(world, was_answered, &reads);
    world_until(world, was_answered, &cluster_wide);
    assert_int_equal(held + on_behalf, 0);
    assert_false(cluster_shard_writes(world->cluster, 0));
    cluster_shard_open(world->cluster, 0, true);
    world_until(world, was_answered, &held);
    world_until(world, was_answered, &on_behalf);
}

/* One that is closed is quiet when what had left has been answered. */
static void test_a_shard_comes_to_rest(void **state)
{
    struct world *world = *state;
    struct quiet quiet = {.world = world, .shard = 1};
    int sent = 0, later = 0;
    cluster_spread(world->cluster, SHARDS, on_quiet, &quiet);
    cluster_shard_open(world->cluster, 1, true);
    call(world, "PATCH", in_shard(1), &sent);
    assert_true(cluster_shard_writes(world->cluster, 1));
    cluster_shard_open(world->cluster, 1, false);
    call(world, "PATCH", in_shard(1), &later);
    world_until(world, was_told, &quiet);
    assert_false(quiet.wrote);
    assert_int_equal(sent, 1);
    assert_int_equal(later, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_closed),
        test(test_opened_again),
        test(test_cancelled_behind_it),
        test(test_takes_no_place),
        test(test_closed_between_two_tries),
        test(test_closed_while_it_connects),
        test(test_given_up_at_the_end),
        test(test_writes_in_shards),
        test(test_a_shard_comes_to_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
