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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
