// SPDX-License-Identifier: Apache-2.0
/* /livez, /readyz and /adapters of a controller, asked over loopback. */
#include "running.h"

#include "cli/serving.h"
#include "serve/serve.h"

#include <stdlib.h>
#include <string.h>

struct site {
    struct running *running;
    struct serving *serving;
    int port;
};

/* One that nobody listens on now. */
static int free_port(struct loop *loop)
{
    const struct serve_route none[] = {{0}};
    struct serve *probe;
    const struct serve_spec spec = {.listen = "127.0.0.1:0", .routes = none};
    assert_int_equal(serve_new(loop, &spec, &probe, NULL), OK);
    int port = serve_port(probe);
    serve_free(probe);
    return port;
}

static int setup(void **state)
{
    struct site *site = mem_alloc(sizeof *site);
    char *text AUTO_FREE = config_with("sound1", "");
    site->running = running_new(text);
    site->port = free_port(site->running->world->loop);
    char *listen AUTO_FREE = str_format("127.0.0.1:%d", site->port);
    const struct serving_about about = {.controller = site->running->controller,
                                        .reload = site->running->reload};
    site->serving = serving_new(listen, &about);
    assert_non_null(site->serving);
    *state = site;
    return 0;
}

static int teardown(void **state)
{
    struct site *site = *state;
    serving_free(site->serving);
    running_free(site->running);
    free(site);
    return 0;
}

struct fetch {
    struct text body;
    bool ended;
    CURLcode result;
};

static size_t on_bytes(char *bytes, size_t size, size_t count, void *data)
{
    struct fetch *fetch = data;
    text_add(&fetch->body, bytes, size * count);
    return size * count;
}

static void on_ended(void *data, CURLcode result)
{
    struct fetch *fetch = data;
    fetch->result = result;
    fetch->ended = true;
}

/* The status; the caller frees the body. */
static long get(const struct site *site, const char *path, char **ret_body)
{
    struct fetch fetch = {0};
    long status = 0;
    struct loop *loop = site->running->world->loop;
    char *url AUTO_FREE = str_format("http://127.0.0.1:%d%s", site->port, path);
    CURL *curl = curl_easy_init();
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &fetch);
    transfer_start(loop, LANE_REQUESTS, curl, on_ended, &fetch);
    assert_int_equal(loop_run_until(loop, &fetch.ended, 10000, NULL), OK);
    assert_int_equal(fetch.result, CURLE_OK);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(curl);
    *ret_body = text_steal(&fetch.body);
    return status;
}

static bool is_ready(void *data)
{
    return !controller_missing(((const struct site *)data)->running->controller);
}

static void alive_and_ready(void **state)
{
    struct site *site = *state;
    char *live AUTO_FREE = NULL, *ready AUTO_FREE = NULL;
    assert_int_equal(get(site, "/livez", &live), 200);
    assert_string_equal(live, "ok\n");
    world_until(site->running->world, is_ready, site);
    assert_int_equal(get(site, "/readyz", &ready), 200);
    assert_string_equal(ready, "ok\n");
}

static bool has_failed(void *data)
{
    return controller_missing_why(((const struct site *)data)->running->controller);
}

/* The cluster can't be reached: alive, but not ready, and it says why. */
static void not_ready(void **state)
{
    struct site *site = *state;
    char *live AUTO_FREE = NULL, *ready AUTO_FREE = NULL;
    fake_api_stop(site->running->world->api);
    assert_int_equal(get(site, "/livez", &live), 200);
    world_until(site->running->world, has_failed, site);
    assert_int_equal(get(site, "/readyz", &ready), 503);
    const char *words = "AppRollout objects are still being listed: GET /apis/core.oam.dev/v1beta1/"
                        "approllouts: no answer from http://127.0.0.1:";
    assert_memory_equal(ready, words, strlen(words));
}

static void adapters(void **state)
{
    struct site *site = *state;
    char *body AUTO_FREE = NULL;
    json_t *about AUTO_JSON = NULL;
    assert_int_equal(get(site, "/adapters", &body), 200);
    assert_int_equal(json_parse(body, strlen(body), &about, NULL), OK);
    assert_string_equal(json_string_at(about, "/config/file"), site->running->file);
    assert_string_equal(json_string_at(about, "/adapters/0/name"), "hostile");
    assert_string_equal(json_string_at(about, "/adapters/0/version"), "1.0.0");
    assert_int_equal(json_int_at(about, "/adapters/0/rollouts", -1), 0);
    assert_int_equal(json_int_at(about, "/adapters/0/restarts", -1), 0);
    assert_null(json_at(about, "/config/refusal"));
}

static void elsewhere(void **state)
{
    char *body AUTO_FREE = NULL;
    assert_int_equal(get(*state, "/elsewhere", &body), 404);
}

/* The controller works without. */
static void nowhere(void **state)
{
    struct site *site = *state;
    const struct running *running = site->running;
    char *taken AUTO_FREE = str_format("127.0.0.1:%d", site->port);
    const struct serving_about about = {.controller = running->controller,
                                        .reload = running->reload};
    assert_null(serving_new("", &about));
    assert_null(serving_new(taken, &about));
}

int main(void)
{
#define ON_SITE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        ON_SITE(alive_and_ready), ON_SITE(not_ready), ON_SITE(adapters),
        ON_SITE(elsewhere),       ON_SITE(nowhere),
    };
#undef ON_SITE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
