// SPDX-License-Identifier: Apache-2.0
/* Calls: what is asked, what comes back, and what is tried again. */
#include "world.h"

#include <stdlib.h>
#include <string.h>

/* The last reply, copied. */
struct seen {
    int count, status;
    struct error error;
    json_t *body;
};

static void on_reply(void *data, const struct reply *reply)
{
    struct seen *seen = data;
    seen->count++;
    seen->status = reply->status;
    seen->error = reply->error;
    json_decref(seen->body);
    seen->body = json_incref(reply->body);
}

static bool was_answered(void *data)
{
    return ((struct seen *)data)->count > 0;
}

static void ask(struct world *world, const char *method, const char *path, const char *body,
                struct seen *seen)
{
    struct call_spec spec = {.method = method, .path = path, .body = body};
    cluster_call(world->cluster, &spec, on_reply, seen);
    assert_int_equal(seen->count, 0); /* never from within */
    world_until(world, was_answered, seen);
}

/* A script: what the first, second, … request gets; the last line is for all further ones. */
struct script {
    int status;
    const char *headers, *body;
    bool cut;
};

struct play {
    const struct script *script;
    int at;
    char *authorization, *content_type, *body;
};

static void on_play(void *data, const struct fake_request *request)
{
    struct play *play = data;
    const struct script *line = &play->script[play->at];
    if (line[1].status || line[1].cut)
        play->at++;
    free(play->authorization);
    free(play->content_type);
    play->authorization = fake_header(request, "Authorization");
    play->content_type = fake_header(request, "Content-Type");
    str_replace(&play->body, request->body);
    if (line->cut)
        fake_cut(request->connection);
    else
        fake_answer(request->connection, line->status, line->headers ? line->headers : "",
                    line->body ? line->body : "{}");
}

struct stage {
    struct world *world;
    struct play play;
    struct seen seen;
};

static void stage_init(struct stage *stage, const struct script *script,
                       const struct cluster_options *options)
{
    *stage = (struct stage){.play.script = script};
    stage->world = world_new("{token: secret-1}", options);
    stage->world->on_request = on_play;
    stage->world->data = &stage->play;
}

static void stage_done(struct stage *stage)
{
    world_free(stage->world);
    free(stage->play.authorization);
    free(stage->play.content_type);
    free(stage->play.body);
    json_decref(stage->seen.body);
}

static void test_read(void **state)
{
    struct script script[] = {{.status = 200, .body = "{\"kind\":\"Pod\"}"}, {0}};
    struct stage stage;
    stage_init(&stage, script, NULL);
    ask(stage.world, "GET", "/api/v1/namespaces/a/pods/b", NULL, &stage.seen);
    assert_int_equal(stage.seen.status, 200);
    assert_int_equal(stage.seen.error.code, OK);
    assert_string_equal(json_string_at(stage.seen.body, "/kind"), "Pod");
    assert_string_equal(stage.play.authorization, "Bearer secret-1");
    assert_int_equal(cluster_counts(stage.world->cluster).reads, 1);
    stage_done(&stage);
}

static void test_write(void **state)
{
    struct script script[] = {{.status = 201}, {0}};
    struct stage stage;
    stage_init(&stage, script, NULL);
    struct call_spec spec = {.method = "PATCH",
                             .path = "/api/v1/namespaces/a/pods/b?fieldManager=m&force=true",
                             .content_type = PATCH_APPLY,
                             .body = "{\"kind\":\"Pod\"}"};
    cluster_call(stage.world->cluster, &spec, on_reply, &stage.seen);
    world_until(stage.world, was_answered, &stage.seen);
    assert_int_equal(stage.seen.error.code, OK);
    assert_string_equal(stage.play.content_type, PATCH_APPLY);
    assert_string_equal(stage.play.body, "{\"kind\":\"Pod\"}");
    assert_int_equal(fake_api_count(stage.world->api, "PATCH /api/v1/namespaces/a/pods/b?field"),
                     1);
    assert_int_equal(cluster_counts(stage.world->cluster).writes, 1);
    stage_done(&stage);
}

/* Each status is one reaction, and the words are the server's. */
static void test_statuses(void **state)
{
    static const struct {
        int status, code;
    } cases[] = {{400, ERR_INVALID}, {401, ERR_DENIED},   {403, ERR_DENIED}, {404, ERR_MISSING},
                 {405, ERR_INVALID}, {409, ERR_CONFLICT}, {410, ERR_GONE},   {413, ERR_LIMIT},
                 {415, ERR_INVALID}, {422, ERR_INVALID},  {418, ERR_RETRY},  {204, OK},
                 {302, ERR_RETRY},   {500, ERR_RETRY},    {503, ERR_RETRY}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct script script[] = {
            {.status = cases[i].status, .body = "{\"message\":\"because \\\"x\\\"\"}"}, {0}};
        if (cases[i].status == 204)
            script[0].body = "";
        struct stage stage;
        stage_init(&stage, script, NULL);
        ask(stage.world, "PUT", "/a?b=c", "{}", &stage.seen);
        assert_int_equal(stage.seen.status, cases[i].status);
        assert_int_equal(stage.seen.error.code, cases[i].code);
        if (cases[i].code != OK)
            assert_string_equal(stage.seen.error.text, "PUT /a: because \"x\"");
        stage_done(&stage);
    }
}

static void test_answer_that_is_not_json(void **state)
{
    struct script script[] = {{.status = 404, .body = "404 page not found\n"}, {0}};
    struct stage stage;
    stage_init(&stage, script, NULL);
    ask(stage.world, "GET", "/apis/x", NULL, &stage.seen);
    assert_string_equal(stage.seen.error.text, "GET /apis/x: 404 page not found");
    stage_done(&stage);

    struct script silent[] = {{.status = 404, .body = ""}, {0}};
    stage_init(&stage, silent, NULL);
    ask(stage.world, "GET", "/apis/x", NULL, &stage.seen);
    assert_string_equal(stage.seen.error.text, "GET /apis/x: the server answered 404 (not found)");
    stage_done(&stage);
}

static void test_read_is_tried_again(void **state)
{
    struct script script[] = {{.cut = true},   {.status = 500}, {.status = 503},
                              {.status = 504}, {.status = 200}, {0}};
    struct stage stage;
    stage_init(&stage, script, NULL);
    ask(stage.world, "GET", "/a", NULL, &stage.seen);
    assert_int_equal(stage.seen.status, 200);
    assert_int_equal(fake_api_count(stage.world->api, "GET /a"), 5);
    assert_int_equal(cluster_counts(stage.world->cluster).retries, 4);
    stage_done(&stage);
}

/* It may have been done: the caller must look. */
static void test_write_of_unknown_fate_is_not_repeated(void **state)
{
    static const struct script scripts[][2] = {{{.cut = true}, {0}},
                                               {{.status = 500}, {0}},
                                               {{.status = 503}, {0}},
                                               {{.status = 504}, {0}}};
    for (size_t i = 0; i < 4; i++) {
        struct stage stage;
        stage_init(&stage, scripts[i], NULL);
        ask(stage.world, "POST", "/a", "{}", &stage.seen);
        assert_int_equal(stage.seen.error.code, ERR_RETRY);
        assert_int_equal(fake_api_count(stage.world->api, "POST /a"), 1);
        stage_done(&stage);
    }
}

/* The server says that it has done nothing. */
static void test_write_refused_for_now_is_repeated(void **state)
{
    struct script script[] = {{.status = 429, .headers = "Retry-After: 1\r\n"},
                              {.status = 503, .headers = "Retry-After: 1\r\n"},
                              {.status = 429},
                              {.status = 200},
                              {0}};
    struct stage stage;
    stage_init(&stage, script, NULL);
    struct call_spec spec = {.method = "POST", .path = "/a", .body = "{}"};
    cluster_call(stage.world->cluster, &spec, on_reply, &stage.seen);
    world_rest(stage.world, 800);
    assert_int_equal(fake_api_count(stage.world->api, "POST /a"), 1);
    world_until(stage.world, was_answered, &stage.seen);
    assert_int_equal(stage.seen.status, 200);
    assert_int_equal(fake_api_count(stage.world->api, "POST /a"), 4);
    stage_done(&stage);
}

/* More patience than there is time: the answer itself is handed on. */
static void test_retry_after_beyond_the_time(void **state)
{
    struct script script[] = {
        {.status = 429, .headers = "Retry-After: 60\r\n", .body = "{\"message\":\"busy\"}"}, {0}};
    struct cluster_options options = {.timeout_ms = 2000};
    struct stage stage;
    stage_init(&stage, script, &options);
    ask(stage.world, "GET", "/a", NULL, &stage.seen);
    assert_int_equal(stage.seen.status, 429);
    assert_string_equal(stage.seen.error.text, "GET /a: busy");
    stage_done(&stage);
}

/* Nothing listens: also a write is tried again, as long as its time lasts. */
static void test_unreachable(void **state)
{
    struct script script[] = {{.status = 200}, {0}};
    struct cluster_options options = {.timeout_ms = 600};
    struct stage stage;
    stage_init(&stage, script, &options);
    fake_api_stop(stage.world->api);
    ask(stage.world, "POST", "/a", "{}", &stage.seen);
    assert_int_equal(stage.seen.status, 0);
    assert_int_equal(stage.seen.error.code, ERR_RETRY);
    assert_non_null(strstr(stage.seen.error.text, "POST /a: no answer from http://127.0.0.1:"));
    assert_non_null(strstr(stage.seen.error.text, "Failed to connect"));
    assert_true(cluster_counts(stage.world->cluster).retries >= 1);

    stage.seen.count = 0;
    struct call_spec spec = {.method = "POST", .path = "/a", .body = "{}"};
    cluster_call(stage.world->cluster, &spec, on_reply, &stage.seen);
    world_rest(stage.world, 50);
    fake_api_start(stage.world->api);
    world_until(stage.world, was_answered, &stage.seen);
    assert_int_equal(stage.seen.status, 200);
    stage_done(&stage);
}

static void on_ignore(void *data, const struct fake_request *request)
{
}

static void test_time_is_limited(void **state)
{
    struct cluster_options options = {.timeout_ms = 300};
    struct world *world = world_new("{token: t}", &options);
    struct seen seen = {0};
    world->on_request = on_ignore;
    ask(world, "GET", "/a", NULL, &seen);
    assert_int_equal(seen.error.code, ERR_RETRY);
    assert_non_null(strstr(seen.error.text, "timed out"));
    world_free(world);
}

static void on_cut_then_ignore(void *data, const struct fake_request *request)
{
    if ((*(int *)data)++ == 0)
        fake_cut(request->connection);
}

/* The last try runs out of time: the words are those of the one before, which say more. */
static void test_words_of_the_last_real_trouble(void **state)
{
    struct cluster_options options = {.timeout_ms = 600};
    struct world *world = world_new("{token: t}", &options);
    struct seen seen = {0};
    int requests = 0;
    world->on_request = on_cut_then_ignore;
    world->data = &requests;
    ask(world, "GET", "/a", NULL, &seen);
    assert_int_equal(requests, 2);
    assert_int_equal(seen.error.code, ERR_RETRY);
    assert_non_null(strstr(seen.error.text, "Empty reply from server"));
    world_free(world);
}

static void on_half_refusal(void *data, const struct fake_request *request)
{
    fake_raw(request->connection, "HTTP/1.1 403 Forbidden\r\nContent-Length: 100\r\n\r\n{\"mes");
    fake_cut(request->connection);
}

/* The head of a refusal is enough, also for a write. */
static void test_refusal_without_its_body(void **state)
{
    struct world *world = world_new("{token: t}", NULL);
    struct seen seen = {0};
    world->on_request = on_half_refusal;
    ask(world, "POST", "/a", "{}", &seen);
    assert_int_equal(seen.status, 403);
    assert_int_equal(seen.error.code, ERR_DENIED);
    assert_string_equal(seen.error.text, "POST /a: the server answered 403 (a right is missing)");
    world_free(world);
}

static void test_answer_too_large(void **state)
{
    char *body AUTO_FREE = str_format("{\"a\":\"%5000s\"}", "");
    struct script script[] = {{.status = 200, .body = body}, {0}};
    struct cluster_options options = {.body_limit = 4096};
    struct stage stage;
    stage_init(&stage, script, &options);
    ask(stage.world, "GET", "/a", NULL, &stage.seen);
    assert_int_equal(stage.seen.error.code, ERR_LIMIT);
    assert_string_equal(stage.seen.error.text, "GET /a: the answer is larger than 4096 bytes");
    assert_int_equal(fake_api_count(stage.world->api, "GET /a"), 1);
    stage_done(&stage);
}

/* Calls in line */

struct crowd {
    struct world *world;
    struct fake_connection *open[16];
    int asked, answered;
    struct call *calls[16];
};

static void on_crowd_request(void *data, const struct fake_request *request)
{
    struct crowd *crowd = data;
    crowd->open[crowd->asked++] = request->connection;
}

static void on_crowd_reply(void *data, const struct reply *reply)
{
    ((struct crowd *)data)->answered++;
}

static bool is_answered_thrice(void *data)
{
    return ((struct crowd *)data)->answered == 3;
}

static void test_line(void **state)
{
    struct cluster_options options = {.calls_at_once = 2};
    struct crowd crowd = {.world = world_new("{token: t}", &options)};
    struct call_spec spec = {.method = "GET", .path = "/a"};
    crowd.world->on_request = on_crowd_request;
    crowd.world->data = &crowd;
    for (int i = 0; i < 5; i++)
        crowd.calls[i] = cluster_call(crowd.world->cluster, &spec, on_crowd_reply, &crowd);
    world_rest(crowd.world, 50);
    assert_int_equal(crowd.asked, 2);
    call_cancel(crowd.calls[0]); /* running: the next one takes its place */
    call_cancel(crowd.calls[4]); /* waiting */
    world_rest(crowd.world, 50);
    assert_int_equal(crowd.asked, 3);
    for (int i = 0; i < 3; i++)
        fake_answer(crowd.open[i], 200, "", "{}");
    world_rest(crowd.world, 50);
    assert_int_equal(crowd.asked, 4);
    fake_answer(crowd.open[3], 200, "", "{}");
    world_until(crowd.world, is_answered_thrice, &crowd);
    world_free(crowd.world);
}

static void on_free_reply(void *data, const struct reply *reply)
{
    struct crowd *crowd = data;
    crowd->answered++;
    call_cancel(crowd->calls[0]); /* the call being answered: harmless */
    cluster_free(crowd->world->cluster);
    crowd->world->cluster = NULL;
}

/* The cluster may be freed from within an answer, with other calls waiting and running. */
static void test_free_in_reply(void **state)
{
    struct cluster_options options = {.calls_at_once = 2};
    struct crowd crowd = {.world = world_new("{token: t}", &options)};
    struct call_spec spec = {.method = "GET", .path = "/a"};
    crowd.world->on_request = on_crowd_request;
    crowd.world->data = &crowd;
    for (int i = 0; i < 4; i++)
        crowd.calls[i] = cluster_call(crowd.world->cluster, &spec, on_free_reply, &crowd);
    world_rest(crowd.world, 50);
    fake_answer(crowd.open[0], 200, "", "{}");
    world_rest(crowd.world, 50);
    assert_int_equal(crowd.answered, 1);
    world_free(crowd.world);
}

/* Credentials */

static void test_token_file_is_read_again(void **state)
{
    struct script script[] = {{.status = 200}, {0}};
    struct stage stage = {.play.script = script};
    char *folder = folder_new();
    char *token AUTO_FREE = folder_file(folder, "token", "first\n");
    char *user AUTO_FREE = str_format("{tokenFile: '%s'}", token);
    stage.world = world_new(user, NULL);
    stage.world->on_request = on_play;
    stage.world->data = &stage.play;
    ask(stage.world, "GET", "/a", NULL, &stage.seen);
    assert_string_equal(stage.play.authorization, "Bearer first");

    free(folder_file(folder, "token", "second"));
    stage.seen.count = 0;
    ask(stage.world, "GET", "/a", NULL, &stage.seen);
    assert_string_equal(stage.play.authorization, "Bearer second");

    /* While it isn't there, the last one holds. */
    assert_int_equal(remove(token), 0);
    stage.seen.count = 0;
    ask(stage.world, "GET", "/a", NULL, &stage.seen);
    assert_string_equal(stage.play.authorization, "Bearer second");
    stage_done(&stage);
    folder_remove(folder);
    free(folder);
}

/* A rejected token that can't be renewed is an answer; one in a file is read and sent once more. */
static void test_unauthorized(void **state)
{
    struct script script[] = {{.status = 401, .body = "{\"message\":\"Unauthorized\"}"}, {0}};
    struct stage stage;
    stage_init(&stage, script, NULL);
    ask(stage.world, "GET", "/a", NULL, &stage.seen);
    assert_int_equal(stage.seen.status, 401);
    assert_int_equal(stage.seen.error.code, ERR_DENIED);
    assert_string_equal(stage.seen.error.text, "GET /a: Unauthorized");
    assert_int_equal(fake_api_count(stage.world->api, "GET /a"), 1);
    stage_done(&stage);

    struct script twice[] = {{.status = 401}, {.status = 200}, {0}};
    char *folder = folder_new();
    char *token AUTO_FREE = folder_file(folder, "token", "t");
    char *with_file AUTO_FREE = str_format("{tokenFile: '%s'}", token);
    stage = (struct stage){.play.script = twice, .world = world_new(with_file, NULL)};
    stage.world->on_request = on_play;
    stage.world->data = &stage.play;
    ask(stage.world, "POST", "/a", "{}", &stage.seen);
    assert_int_equal(stage.seen.status, 200);
    assert_int_equal(fake_api_count(stage.world->api, "POST /a"), 2);
    stage_done(&stage);
    folder_remove(folder);
    free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_write),
        cmocka_unit_test(test_statuses),
        cmocka_unit_test(test_answer_that_is_not_json),
        cmocka_unit_test(test_read_is_tried_again),
        cmocka_unit_test(test_write_of_unknown_fate_is_not_repeated),
        cmocka_unit_test(test_write_refused_for_now_is_repeated),
        cmocka_unit_test(test_retry_after_beyond_the_time),
        cmocka_unit_test(test_unreachable),
        cmocka_unit_test(test_time_is_limited),
        cmocka_unit_test(test_words_of_the_last_real_trouble),
        cmocka_unit_test(test_refusal_without_its_body),
        cmocka_unit_test(test_answer_too_large),
        cmocka_unit_test(test_line),
        cmocka_unit_test(test_free_in_reply),
        cmocka_unit_test(test_token_file_is_read_again),
        cmocka_unit_test(test_unauthorized),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
