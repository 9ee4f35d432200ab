// SPDX-License-Identifier: Apache-2.0
#include "http.h"

#include "base/alloc.h"
#include "base/list.h"
#include "serve/listener.h"

#include <stdlib.h>
#include <string.h>

enum {
    CONNECTIONS = 4096,
    HEAD_BYTES = 64 << 10,
    BODY_BYTES = 3 << 20, /* as Kubernetes has it */
    PIECE_BYTES = 32 << 10,
};

struct http {
    struct listener *listener;
    request_fn *handle;
    void *data;
    struct list streams;
    struct list held; /* arrivals whose answers wait */
    struct loop *loop;
    bool ending;
};

/* A stream on its way. */
struct sending {
    struct list link;
    struct stream *stream;
    struct http *http;
    struct MHD_Connection *connection;
    struct text ready; /* read, and not yet sent */
    bool asleep, ended;
};

/* A request while it arrives, and while its answer waits to be brought. */
struct arrival {
    struct text body;
    bool too_large;
    struct list link;
    struct http *http;
    struct MHD_Connection *connection;
    struct answer answer;
    bool answered;
    struct timer delay;
};

/* An answer of which half is sent. */
struct half {
    char *text;
    size_t length;
};

static const char *find(const void *connection, enum MHD_ValueKind kind, const char *name)
{
    return MHD_lookup_connection_value((struct MHD_Connection *)(uintptr_t)connection, kind, name);
}

static const char *find_query(const void *connection, const char *name)
{
    return find(connection, MHD_GET_ARGUMENT_KIND, name);
}

static const char *find_header(const void *connection, const char *name)
{
    return find(connection, MHD_HEADER_KIND, name);
}

static const struct request_words words = {find_query, find_header};

/* ── Streams ──────────────────────────────────────────────────────────────────────────────── */

static void on_wake(void *data)
{
    struct sending *sending = data;
    if (!sending->asleep)
        return;
    sending->asleep = false;
    MHD_resume_connection(sending->connection);
    listener_wake(sending->http->listener);
}

/* The library asks for bytes when the client can take some. */
static ssize_t on_read(void *data, uint64_t position, char *to, size_t most)
{
    struct sending *sending = data;
    (void)position;
    if (!sending->ready.len && !sending->ended)
        sending->ended = !stream_read(sending->stream, &sending->ready);
    if (!sending->ready.len && sending->ended)
        return stream_is_broken(sending->stream) ? MHD_CONTENT_READER_END_WITH_ERROR
                                                 : MHD_CONTENT_READER_END_OF_STREAM;
    if (!sending->ready.len) {
        sending->asleep = true;
        MHD_suspend_connection(sending->connection);
        return 0;
    }
    size_t count = sending->ready.len < most ? sending->ready.len : most;
    memcpy(to, sending->ready.at, count);
    text_drop(&sending->ready, count);
    return (ssize_t)count;
}

static void on_release(void *data)
{
    struct sending *sending = data;
    list_remove(&sending->link);
    stream_free(sending->stream);
    text_done(&sending->ready);
    free(sending);
}

/* ── Requests ─────────────────────────────────────────────────────────────────────────────── */

static void add_warnings(struct MHD_Response *response, struct text *warnings)
{
    char *rest = warnings->at;
    for (char *line; rest && (line = strsep(&rest, "\n"));)
        if (*line)
            MHD_add_response_header(response, "Warning", line);
}

static void add_retry_after(struct MHD_Response *response, const struct answer *answer)
{
    char *seconds AUTO_FREE = str_format("%lld", (long long)answer->retry_after_s);
    if (answer->retry_after_s)
        MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, seconds);
}

static struct sending *send_stream(struct http *http, struct MHD_Connection *connection,
                                   struct stream *stream)
{
    struct sending *sending = mem_alloc(sizeof *sending);
    sending->http = http;
    sending->connection = connection;
    sending->stream = stream;
    stream_on_wake(stream, on_wake, sending);
    list_append(&http->streams, &sending->link);
    return sending;
}

static ssize_t on_read_half(void *data, uint64_t position, char *to, size_t most)
{
    const struct half *half = data;
    size_t left = half->length / 2 - (size_t)position;
    size_t count = left < most ? left : most;
    memcpy(to, half->text + position, count);
    return count ? (ssize_t)count : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void on_release_half(void *data)
{
    struct half *half = data;
    free(half->text);
    free(half);
}

static struct MHD_Response *make_half(struct answer *answer)
{
    struct half *half = mem_alloc(sizeof *half);
    half->length = answer->body.len;
    half->text = text_steal(&answer->body);
    return MHD_create_response_from_callback(half->length, PIECE_BYTES, on_read_half, half,
                                             on_release_half);
}

static struct MHD_Response *make_response(struct http *http, struct MHD_Connection *connection,
                                          struct answer *answer)
{
    size_t length = answer->body.len;
    if (answer->cut == ANSWER_TORN && !answer->stream)
        return make_half(answer);
    if (!answer->stream)
        return MHD_create_response_from_buffer(length, text_steal(&answer->body),
                                               MHD_RESPMEM_MUST_FREE);
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, PIECE_BYTES, on_read,
                                             send_stream(http, connection, answer->stream),
                                             on_release);
}

static enum MHD_Result send_take(struct http *http, struct MHD_Connection *connection,
                                 struct answer *answer)
{
    if (answer->cut == ANSWER_LOST) {
        answer_drop(answer);
        return MHD_NO;
    }
    struct MHD_Response *response = make_response(http, connection, answer);
    answer->stream = NULL; /* the response's now */
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache, private");
    add_warnings(response, &answer->warnings);
    add_retry_after(response, answer);
    enum MHD_Result result = MHD_queue_response(connection, answer->status, response);
    MHD_destroy_response(response);
    text_done(&answer->body);
    text_done(&answer->warnings);
    return result;
}

static void ask(struct arrival *arrival, const char *method, const char *path)
{
    struct request request = {.method = method,
                              .path = path,
                              .body = arrival->body.at ? arrival->body.at : "",
                              .body_length = arrival->body.len,
                              .too_large = arrival->too_large,
                              .words = &words,
                              .from = arrival->connection};
    arrival->answer = (struct answer){.status = MHD_HTTP_OK, .type = "application/json"};
    arrival->answered = true;
    arrival->http->handle(arrival->http->data, &request, &arrival->answer);
}

/* The library comes back to the connection, and finds its answer. */
static void let_go(void *data)
{
    struct arrival *arrival = data;
    timer_stop(arrival->http->loop, &arrival->delay);
    list_remove(&arrival->link);
    MHD_resume_connection(arrival->connection);
    listener_wake(arrival->http->listener);
}

static void hold(struct arrival *arrival)
{
    list_append(&arrival->http->held, &arrival->link);
    MHD_suspend_connection(arrival->connection);
    timer_start(arrival->http->loop, &arrival->delay, arrival->answer.delay_ms, let_go, arrival);
}

static enum MHD_Result answer_request(struct arrival *arrival, const char *method, const char *path)
{
    bool first = !arrival->answered;
    if (first)
        ask(arrival, method, path);
    if (first && arrival->answer.delay_ms) {
        hold(arrival);
        return MHD_YES;
    }
    return send_take(arrival->http, arrival->connection, &arrival->answer);
}

static void arrival_add(struct arrival *arrival, const char *bytes, size_t count)
{
    if (arrival->body.len + count > BODY_BYTES) {
        arrival->too_large = true;
        text_done(&arrival->body);
    }
    if (!arrival->too_large)
        text_add(&arrival->body, bytes, count);
}

static struct arrival *arrival_new(struct http *http, struct MHD_Connection *connection)
{
    struct arrival *arrival = mem_alloc(sizeof *arrival);
    arrival->http = http;
    arrival->connection = connection;
    list_init(&arrival->link);
    return arrival;
}

/* MHD tells of a request when its head is complete, with each piece of its body, and at its end. */
static enum MHD_Result on_request(void *data, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *piece,
                                  size_t *piece_size, void **state)
{
    struct http *http = data;
    struct arrival *arrival = *state;
    (void)version;
    if (http->ending)
        return MHD_NO;
    if (!arrival) {
        *state = arrival_new(http, connection);
        return MHD_YES;
    }
    if (!*piece_size)
        return answer_request(arrival, method, path);
    arrival_add(arrival, piece, *piece_size);
    *piece_size = 0;
    return MHD_YES;
}

static void on_end(void *data, struct MHD_Connection *connection, void **state,
                   enum MHD_RequestTerminationCode why)
{
    struct arrival *arrival = *state;
    (void)data;
    (void)connection;
    (void)why;
    if (arrival) {
        answer_drop(&arrival->answer);
        text_done(&arrival->body);
    }
    free(arrival);
    *state = NULL;
}

int http_new(struct loop *loop, const char *listen, request_fn *handle, void *data,
             struct http **ret_http, struct error *err)
{
    struct http *http = mem_alloc(sizeof *http);
    struct listener_spec spec = {.listen = listen,
                                 .connections = CONNECTIONS,
                                 .head_bytes = HEAD_BYTES,
                                 .suspends = true,
                                 .on_request = on_request,
                                 .on_end = on_end,
                                 .data = http};
    http->handle = handle;
    http->data = data;
    http->loop = loop;
    list_init(&http->streams);
    list_init(&http->held);
    int code = listener_new(loop, &spec, &http->listener, err);
    if (code < 0)
        free(http);
    else
        *ret_http = http;
    return code;
}

void http_free(struct http *http)
{
    if (!http)
        return;
    http->ending = true;
    while (!list_empty(&http->held))
        let_go(list_entry(http->held.next, struct arrival, link));
    for (struct list *at = http->streams.next; at != &http->streams; at = at->next) {
        struct sending *sending = list_entry(at, struct sending, link);
        sending->ended = true;
        on_wake(sending);
    }
    listener_free(http->listener);
    free(http);
}

int http_port(const struct http *http)
{
    return listener_port(http->listener);
}
