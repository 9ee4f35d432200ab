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
    http_fn *handle;
    void *data;
    struct list streams;
    bool ending;
};

struct stream {
    struct list link;
    struct stream_source source;
    struct MHD_Connection *connection;
    struct text ready; /* read, and not yet sent */
    bool asleep, ended;
};

/* A request while it arrives. */
struct arrival {
    struct text body;
    bool too_large;
};

const char *request_query(const struct request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

const char *request_header(const struct request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

/* ── Streams ──────────────────────────────────────────────────────────────────────────────── */

struct stream *answer_stream(struct answer *answer, struct stream_source source)
{
    struct stream *stream = mem_alloc(sizeof *stream);
    list_init(&stream->link);
    stream->source = source;
    answer->stream = stream;
    return stream;
}

void stream_wake(struct stream *stream)
{
    if (!stream->asleep)
        return;
    stream->asleep = false;
    MHD_resume_connection(stream->connection);
}

/* The library asks for bytes when the client can take some. */
static ssize_t on_read(void *data, uint64_t position, char *to, size_t most)
{
    struct stream *stream = data;
    (void)position;
    if (!stream->ready.len && !stream->ended)
        stream->ended = !stream->source.read(stream->source.data, &stream->ready);
    if (!stream->ready.len && stream->ended)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (!stream->ready.len) {
        stream->asleep = true;
        MHD_suspend_connection(stream->connection);
        return 0;
    }
    size_t count = stream->ready.len < most ? stream->ready.len : most;
    memcpy(to, stream->ready.at, count);
    text_drop(&stream->ready, count);
    return (ssize_t)count;
}

static void on_release(void *data)
{
    struct stream *stream = data;
    list_remove(&stream->link);
    stream->source.close(stream->source.data);
    text_done(&stream->ready);
    free(stream);
}

/* ── Requests ─────────────────────────────────────────────────────────────────────────────── */

static void add_warnings(struct MHD_Response *response, struct text *warnings)
{
    char *rest = warnings->at;
    for (char *line; rest && (line = strsep(&rest, "\n"));)
        if (*line)
            MHD_add_response_header(response, "Warning", line);
}

static struct MHD_Response *make_response(struct http *http, struct MHD_Connection *connection,
                                          struct answer *answer)
{
    struct stream *stream = answer->stream;
    size_t length = answer->body.len;
    if (!stream)
        return MHD_create_response_from_buffer(length, text_steal(&answer->body),
                                               MHD_RESPMEM_MUST_FREE);
    stream->connection = connection;
    list_append(&http->streams, &stream->link);
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, PIECE_BYTES, on_read, stream,
                                             on_release);
}

static enum MHD_Result send_take(struct http *http, struct MHD_Connection *connection,
                                 struct answer *answer)
{
    struct MHD_Response *response = make_response(http, connection, answer);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache, private");
    add_warnings(response, &answer->warnings);
    enum MHD_Result result = MHD_queue_response(connection, answer->status, response);
    MHD_destroy_response(response);
    text_done(&answer->body);
    text_done(&answer->warnings);
    return result;
}

static enum MHD_Result answer_request(struct http *http, struct MHD_Connection *connection,
                                      const char *method, const char *path,
                                      const struct arrival *arrival)
{
    struct answer answer = {.status = MHD_HTTP_OK, .type = "application/json"};
    struct request request = {.method = method,
                              .path = path,
                              .body = arrival->body.at ? arrival->body.at : "",
                              .body_length = arrival->body.len,
                              .too_large = arrival->too_large,
                              .connection = connection};
    http->handle(http->data, &request, &answer);
    return send_take(http, connection, &answer);
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
        *state = mem_alloc(sizeof *arrival);
        return MHD_YES;
    }
    if (!*piece_size)
        return answer_request(http, connection, method, path, arrival);
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
    if (arrival)
        text_done(&arrival->body);
    free(arrival);
    *state = NULL;
}

int http_new(struct loop *loop, const char *listen, http_fn *handle, void *data,
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
    list_init(&http->streams);
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
    for (struct list *at = http->streams.next; at != &http->streams; at = at->next) {
        struct stream *stream = list_entry(at, struct stream, link);
        stream->ended = true;
        stream_wake(stream);
    }
    listener_free(http->listener);
    free(http);
}

int http_port(const struct http *http)
{
    return listener_port(http->listener);
}
