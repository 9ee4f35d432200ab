// SPDX-License-Identifier: Apache-2.0
#include "inside.h"

#include "base/alloc.h"
#include "base/map.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct inside {
    struct loop *loop;
    request_fn *handle;
    void *data;
};

struct carried {
    struct inside *inside;
    const struct carried_events *events;
    void *data;
    char *method, *path, *body, *content_type, *accept, *user_agent;
    struct map query;
    struct answer answer; /* once it has been given, and until it has been brought */
    struct timer turn;
};

/* ── Requests ─────────────────────────────────────────────────────────────────────────────── */

static const char *find_query(const void *from, const char *name)
{
    const struct carried *carried = from;
    return map_get(&carried->query, name);
}

static const char *find_header(const void *from, const char *name)
{
    const struct carried *carried = from;
    const char *const headers[][2] = {{"Accept", carried->accept},
                                      {"Content-Type", carried->content_type},
                                      {"User-Agent", carried->user_agent}};
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        if (strcasecmp(headers[i][0], name) == 0)
            return headers[i][1];
    return NULL;
}

static const struct request_words words = {find_query, find_header};

/* A copy without %41; the caller frees it. */
static char *unescape(const char *text, size_t length)
{
    char *plain = curl_easy_unescape(NULL, text, (int)length, NULL);
    char *copy = str_copy(plain ? plain : "");
    curl_free(plain);
    return copy;
}

/* "a=1&b=x%20y". */
static void read_query(struct carried *carried, const char *at)
{
    for (size_t length; *at; at += length + (at[length] == '&')) {
        length = strcspn(at, "&");
        size_t name_length = strcspn(at, "=&");
        char *name AUTO_FREE = unescape(at, name_length);
        size_t behind = name_length < length ? name_length + 1 : length;
        if (!map_get(&carried->query, name))
            map_put(&carried->query, name, unescape(at + behind, length - behind));
    }
}

/* ── Answers ──────────────────────────────────────────────────────────────────────────────── */

static void carried_free(struct carried *carried)
{
    timer_stop(carried->inside->loop, &carried->turn);
    answer_drop(&carried->answer);
    map_done(&carried->query, free);
    free(carried->method);
    free(carried->path);
    free(carried->body);
    free(carried->content_type);
    free(carried->accept);
    free(carried->user_agent);
    free(carried);
}

static void carried_stop(struct carried *carried)
{
    if (carried)
        carried_free(carried);
}

static void carried_end(struct carried *carried, bool cut)
{
    const struct carried_events *events = carried->events;
    const struct answer *answer = &carried->answer;
    void *data = carried->data;
    const struct carried_end end = {
        .status = answer->cut == ANSWER_LOST ? 0 : (int)answer->status,
        .cut = cut,
        .retry_after_s = answer->retry_after_s,
    };
    carried_free(carried);
    events->on_end(data, &end);
}

/* What the stream says now; its client mustn't stop it from within on_some. */
static void on_stream(void *data)
{
    struct carried *carried = data;
    struct stream *stream = carried->answer.stream;
    struct text out AUTO(text_done) = {0};
    bool more = stream_read(stream, &out);
    carried->events->on_some(carried->data, (int)carried->answer.status, out.at ? out.at : "",
                             out.len);
    if (!more)
        carried_end(carried, stream_is_broken(stream));
}

static void on_wake(void *data)
{
    struct carried *carried = data;
    if (!timer_running(&carried->turn))
        timer_start(carried->inside->loop, &carried->turn, 0, on_stream, carried);
}

static void bring(void *data)
{
    struct carried *carried = data;
    struct answer *answer = &carried->answer;
    bool torn = answer->cut == ANSWER_TORN;
    if (answer->stream && !answer->cut) {
        stream_on_wake(answer->stream, on_wake, carried);
        on_stream(carried);
        return;
    }
    if (answer->cut != ANSWER_LOST)
        carried->events->on_some(carried->data, (int)answer->status, answer->body.at,
                                 torn ? answer->body.len / 2 : answer->body.len);
    carried_end(carried, torn);
}

static void on_turn(void *data)
{
    struct carried *carried = data;
    const char *body = carried->body ? carried->body : "";
    struct request request = {.method = carried->method,
                              .path = carried->path,
                              .body = body,
                              .body_length = strlen(body),
                              .words = &words,
                              .from = carried};
    carried->answer = (struct answer){.status = 200, .type = "application/json"};
    carried->inside->handle(carried->inside->data, &request, &carried->answer);
    if (carried->answer.delay_ms)
        timer_start(carried->inside->loop, &carried->turn, carried->answer.delay_ms, bring,
                    carried);
    else
        bring(carried);
}

static struct carried *carried_start(void *server, const struct carried_request *request,
                                     const struct carried_events *events, void *data)
{
    struct carried *carried = mem_alloc(sizeof *carried);
    size_t path_length = strcspn(request->path, "?");
    carried->inside = server;
    carried->events = events;
    carried->data = data;
    carried->method = str_copy(request->method);
    carried->path = unescape(request->path, path_length);
    read_query(carried, request->path + path_length + (request->path[path_length] == '?'));
    carried->body = str_copy(request->body);
    carried->content_type = str_copy(request->content_type);
    carried->accept = str_copy(request->accept);
    carried->user_agent = str_copy(request->user_agent);
    timer_start(carried->inside->loop, &carried->turn, 0, on_turn, carried);
    return carried;
}

/* ── The server ───────────────────────────────────────────────────────────────────────────── */

struct inside *inside_new(struct loop *loop, request_fn *handle, void *data)
{
    struct inside *inside = mem_alloc(sizeof *inside);
    *inside = (struct inside){.loop = loop, .handle = handle, .data = data};
    return inside;
}

void inside_free(struct inside *inside)
{
    free(inside);
}

struct carrier inside_carrier(struct inside *inside)
{
    return (struct carrier){.server = inside, .start = carried_start, .stop = carried_stop};
}
