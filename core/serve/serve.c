// SPDX-License-Identifier: Apache-2.0
#include "serve/serve.h"

#include "base/alloc.h"
#include "serve/listener.h"

#include <microhttpd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONNECTIONS = 64,
    QUIET_S = 10,
    HEAD_BYTES = 16 << 10,
};

struct serve {
    const struct serve_route *routes;
    struct listener *listener;
};

static void answer_words(struct serve_answer *answer, unsigned status, const char *words)
{
    answer->status = status;
    text_addf(&answer->body, "%s\n", words);
}

static const char *method_of(const struct serve_route *route)
{
    return route && route->body_max ? MHD_HTTP_METHOD_POST : MHD_HTTP_METHOD_GET;
}

static enum MHD_Result send_take(struct MHD_Connection *connection, const struct serve_route *route,
                                 struct serve_answer *answer)
{
    size_t length = answer->body.len;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(length, text_steal(&answer->body), MHD_RESPMEM_MUST_FREE);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (answer->status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, method_of(route));
    enum MHD_Result result = MHD_queue_response(connection, answer->status, response);
    MHD_destroy_response(response);
    return result;
}

/* As the head announces it; of a body that comes in pieces nobody knows yet. */
enum { BODY_UNKNOWN = -1 };

static long long body_size(struct MHD_Connection *connection)
{
    const char *length =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    if (MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_TRANSFER_ENCODING))
        return BODY_UNKNOWN;
    return length ? atoll(length) : 0;
}

static const struct serve_route *find_route(const struct serve *serve, const char *path)
{
    for (const struct serve_route *route = serve->routes; route->path; route++)
        if (strcmp(route->path, path) == 0)
            return route;
    return NULL;
}

/* What is wrong with a request before its path is looked at; 0: nothing. */
static unsigned fault_of(struct MHD_Connection *connection, const struct serve_route *route,
                         const char *method, const char **ret_words)
{
    long long size = body_size(connection);
    bool posted = route && route->body_max;
    if (strcmp(method, method_of(route)) != 0) {
        *ret_words = posted ? "expected the method POST" : "expected the method GET";
        return MHD_HTTP_METHOD_NOT_ALLOWED;
    }
    if (!posted && size != 0) {
        *ret_words = "expected no body";
        return MHD_HTTP_BAD_REQUEST;
    }
    if (posted && size > (long long)route->body_max) {
        *ret_words = "the body is too large";
        return MHD_HTTP_CONTENT_TOO_LARGE;
    }
    return 0;
}

/* The body of a POST, as far as it has come. */
struct upload {
    struct text body;
    bool too_large;
};

static void upload_add(struct upload *upload, const struct serve_route *route, const char *bytes,
                       size_t count)
{
    upload->too_large = upload->too_large || upload->body.len + count > route->body_max;
    if (!upload->too_large)
        text_add(&upload->body, bytes, count);
}

static void answer_route(const struct serve_route *route, const struct upload *upload,
                         struct serve_answer *answer)
{
    if (!route) {
        answer_words(answer, MHD_HTTP_NOT_FOUND, "there is nothing at this path");
    } else if (upload && upload->too_large) {
        answer_words(answer, MHD_HTTP_CONTENT_TOO_LARGE, "the body is too large");
    } else {
        answer->asked = upload ? &upload->body : NULL;
        route->answer(route->data, answer);
    }
}

/* MHD tells of a request first when its head is complete, then of each piece of its body, and again
 * at its end. One that is refused is refused the first time, before any body is read, and its
 * connection closed. */
static enum MHD_Result on_request(void *data, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *bytes,
                                  size_t *count, void **state)
{
    const struct serve *serve = data;
    const struct serve_route *route = find_route(serve, path);
    struct serve_answer answer = {.status = MHD_HTTP_OK, .type = "text/plain; charset=utf-8"};
    struct upload *upload = *state;
    const char *words;
    unsigned fault = fault_of(connection, route, method, &words);
    (void)version;
    if (fault) {
        answer_words(&answer, fault, words);
        return send_take(connection, route, &answer);
    }
    if (!upload) {
        *state = mem_alloc(sizeof *upload);
        return MHD_YES;
    }
    if (*count) {
        upload_add(upload, route, bytes, *count);
        *count = 0;
        return MHD_YES;
    }
    answer_route(route, route && route->body_max ? upload : NULL, &answer);
    return send_take(connection, route, &answer);
}

static void on_end(void *data, struct MHD_Connection *connection, void **state,
                   enum MHD_RequestTerminationCode why)
{
    struct upload *upload = *state;
    (void)data, (void)connection, (void)why;
    if (upload)
        text_done(&upload->body);
    free(upload);
    *state = NULL;
}

int serve_new(struct loop *loop, const struct serve_spec *spec, struct serve **ret_serve,
              struct error *err)
{
    struct serve *serve = mem_alloc(sizeof *serve);
    struct listener_spec below = {.listen = spec->listen,
                                  .connections = CONNECTIONS,
                                  .quiet_s = QUIET_S,
                                  .head_bytes = HEAD_BYTES,
                                  .certificate = spec->certificate,
                                  .key = spec->key,
                                  .on_request = on_request,
                                  .on_end = on_end,
                                  .data = serve};
    serve->routes = spec->routes;
    int code = listener_new(loop, &below, &serve->listener, err);
    if (code < 0)
        free(serve);
    else
        *ret_serve = serve;
    return code;
}

void serve_free(struct serve *serve)
{
    if (!serve)
        return;
    listener_free(serve->listener);
    free(serve);
}

int serve_port(const struct serve *serve)
{
    return listener_port(serve->listener);
}
