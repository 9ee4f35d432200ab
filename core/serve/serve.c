// SPDX-License-Identifier: Apache-2.0
#include "serve/serve.h"

#include "base/alloc.h"
#include "serve/listener.h"

#include <microhttpd.h>
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

static enum MHD_Result send_take(struct MHD_Connection *connection, struct serve_answer *answer)
{
    size_t length = answer->body.len;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(length, text_steal(&answer->body), MHD_RESPMEM_MUST_FREE);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (answer->status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, MHD_HTTP_METHOD_GET);
    enum MHD_Result result = MHD_queue_response(connection, answer->status, response);
    MHD_destroy_response(response);
    return result;
}

static bool has_body(struct MHD_Connection *connection)
{
    const char *length =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    return (length && strcmp(length, "0") != 0) ||
           MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
                                       MHD_HTTP_HEADER_TRANSFER_ENCODING);
}

static const struct serve_route *find_route(const struct serve *serve, const char *path)
{
    for (const struct serve_route *route = serve->routes; route->path; route++)
        if (strcmp(route->path, path) == 0)
            return route;
    return NULL;
}

/* What is wrong with a request before its path is looked at; 0: nothing. */
static unsigned fault_of(struct MHD_Connection *connection, const char *method,
                         const char **ret_words)
{
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0) {
        *ret_words = "expected the method GET";
        return MHD_HTTP_METHOD_NOT_ALLOWED;
    }
    if (has_body(connection)) {
        *ret_words = "expected no body";
        return MHD_HTTP_BAD_REQUEST;
    }
    return 0;
}

/* MHD tells of a request first when its head is complete, and again at its end. One that is refused
 * is refused the first time, before any body is read, and its connection closed. */
static enum MHD_Result on_request(void *data, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **state)
{
    const struct serve *serve = data;
    const struct serve_route *route = find_route(serve, path);
    struct serve_answer answer = {.status = MHD_HTTP_OK, .type = "text/plain; charset=utf-8"};
    const char *words;
    unsigned fault = fault_of(connection, method, &words);
    (void)version;
    (void)upload;
    (void)upload_size;
    if (!fault && !*state) {
        *state = data;
        return MHD_YES;
    }
    if (fault)
        answer_words(&answer, fault, words);
    else if (!route)
        answer_words(&answer, MHD_HTTP_NOT_FOUND, "there is nothing at this path");
    else
        route->answer(route->data, &answer);
    return send_take(connection, &answer);
}

int serve_new(struct loop *loop, const char *listen_at, const struct serve_route *routes,
              struct serve **ret_serve, struct error *err)
{
    struct serve *serve = mem_alloc(sizeof *serve);
    struct listener_spec spec = {.listen = listen_at,
                                 .connections = CONNECTIONS,
                                 .quiet_s = QUIET_S,
                                 .head_bytes = HEAD_BYTES,
                                 .on_request = on_request,
                                 .data = serve};
    serve->routes = routes;
    int code = listener_new(loop, &spec, &serve->listener, err);
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
