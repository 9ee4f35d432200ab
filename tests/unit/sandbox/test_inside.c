// SPDX-License-Identifier: Apache-2.0
/* The sandbox as Sluice's client reaches it from within the process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "cluster/cluster.h"
#include "cluster/watch.h"
#include "sandbox.h"

#include <string.h>

enum { SOON_MS = 5000, SMALL = 400 };

#define CONFIG_MAPS "/api/v1/namespaces/default/configmaps"

static struct loop *loop;
static struct sandbox *sandbox;
static struct cluster *cluster;

static int open_world(size_t body_limit)
{
    const struct sandbox_options options = {0};
    struct error err = {0};
    assert_int_equal(loop_new(&loop, &err), OK);
    assert_int_equal(sandbox_new(loop, &options, &sandbox, &err), OK);
    const struct cluster_options client = {.body_limit = body_limit,
                                           .carrier = sandbox_carrier(sandbox)};
    return cluster_new_take(loop, access_inside(), &client, &cluster, &err);
}

static int setup(void **state)
{
    (void)state;
    return open_world(0);
}

static int setup_small(void **state)
{
    (void)state;
    return open_world(SMALL);
}

static int teardown(void **state)
{
    (void)state;
    cluster_free(cluster);
    sandbox_free(sandbox);
    loop_free(loop);
    return 0;
}

static void run_until(const bool *done)
{
    struct error err = {0};
    if (loop_run_until(loop, done, SOON_MS, &err) < 0)
        fail_msg("%s", err.text);
}

struct answer {
    bool there;
    int status;
    json_t *body;
    struct error error;
};

static void on_reply(void *data, const struct reply *reply)
{
    struct answer *answer = data;
    *answer = (struct answer){true, reply->status, json_incref(reply->body), reply->error};
}

/* The body is the caller's. */
static struct answer ask(const char *method, const char *path, const char *body)
{
    struct answer answer = {0};
    const struct call_spec spec = {.method = method, .path = path, .body = body};
    cluster_call(cluster, &spec, on_reply, &answer);
    assert_false(answer.there);
    run_until(&answer.there);
    return answer;
}

static int status_of(const char *method, const char *path, const char *body)
{
    struct answer answer = ask(method, path, body);
    json_decref(answer.body);
    return answer.status;
}

static void create(const char *name, const char *label)
{
    json_t *object AUTO_JSON =
        json_pack("{ss ss s{ss s{ss}}}", "apiVersion", "v1", "kind", "ConfigMap", "metadata",
                  "name", name, "labels", "of", label);
    char *text = json_dumps(object, 0);
    assert_int_equal(status_of("POST", CONFIG_MAPS, text), 201);
    free(text);
}

static void test_calls(void **state)
{
    (void)state;
    create("a", "x");
    assert_int_equal(status_of("GET", CONFIG_MAPS "/a", NULL), 200);
    struct answer missing = ask("GET", CONFIG_MAPS "/b", NULL);
    assert_int_equal(missing.error.code, ERR_MISSING);
    assert_non_null(strstr(missing.error.text, "configmaps \"b\" not found"));
    json_decref(missing.body);
    assert_int_equal(cluster_counts(cluster).writes, 1);
}

/* What is escaped in the query, and what comes twice. */
static void test_queries(void **state)
{
    (void)state;
    create("a", "one");
    create("b", "two");
    struct answer found =
        ask("GET", CONFIG_MAPS "?limit=9&labelSelector=of%3Dtwo&labelSelector=of%3Done", NULL);
    assert_int_equal(json_array_size(json_at(found.body, "/items")), 1);
    assert_string_equal(json_string_at(found.body, "/items/0/metadata/name"), "b");
    json_decref(found.body);
}

static void test_an_answer_that_is_too_large(void **state)
{
    (void)state;
    struct answer answer = ask("GET", "/apis", NULL);
    assert_int_equal(answer.error.code, ERR_LIMIT);
    assert_non_null(strstr(answer.error.text, "larger than 400 bytes"));
}

/* ---- watches ---- */

struct seen {
    char names[64];
    int count, wanted;
    bool enough;
};

static void on_put(void *data, json_t *object)
{
    struct seen *seen = data;
    strcat(seen->names, json_string_at(object, "/metadata/name"));
    seen->enough = ++seen->count >= seen->wanted;
}

static void on_delete(void *data, json_t *object)
{
    (void)object;
    struct seen *seen = data;
    strcat(seen->names, "-");
    seen->enough = ++seen->count >= seen->wanted;
}

static void test_a_watch(void **state)
{
    static const struct watch_events events = {.on_put = on_put, .on_delete = on_delete};
    const struct watch_spec spec = {.path = CONFIG_MAPS};
    struct seen seen = {.wanted = 1};
    (void)state;
    create("a", "x");
    struct watch *watch = watch_open(cluster, &spec, &events, &seen);
    run_until(&seen.enough);
    seen.enough = false;
    seen.wanted = 3;
    create("b", "x");
    assert_int_equal(status_of("DELETE", CONFIG_MAPS "/a", NULL), 200);
    run_until(&seen.enough);
    assert_string_equal(seen.names, "ab-");
    watch_close(watch);
}

/* Nobody is told any more. */
static void test_a_call_that_is_cancelled(void **state)
{
    struct answer answer = {0};
    const struct call_spec spec = {.method = "GET", .path = "/apis"};
    (void)state;
    call_cancel(cluster_call(cluster, &spec, on_reply, &answer));
    assert_int_equal(status_of("GET", "/api", NULL), 200);
    assert_false(answer.there);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_calls, setup, teardown),
        cmocka_unit_test_setup_teardown(test_queries, setup, teardown),
        cmocka_unit_test_setup_teardown(test_an_answer_that_is_too_large, setup_small, teardown),
        cmocka_unit_test_setup_teardown(test_a_watch, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_call_that_is_cancelled, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
