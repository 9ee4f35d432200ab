// SPDX-License-Identifier: Apache-2.0
#include "serve/serve.h"

#include "base/address.h"
#include "base/alloc.h"

#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CONNECTIONS = 64,
    QUIET_S = 10,
    HEAD_BYTES = 16 << 10,
};

struct serve {
    struct loop *loop;
    const struct serve_route *routes;
    struct MHD_Daemon *daemon;
    struct fd_watch *ready;
    struct timer timer; /* when the library wants to look at its connections by itself */
    int port;
};

/* ── Answering ────────────────────────────────────────────────────────────────────────────── */

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

/* ── On the loop ──────────────────────────────────────────────────────────────────────────── */

static void on_time(void *data);

static bool is_full(const struct serve *serve)
{
    return MHD_get_daemon_info(serve->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)
               ->num_connections >= CONNECTIONS;
}

/* With as many connections as there may be the library looks away from its socket, and back when it
 * runs next after one has gone; nothing else would wake it for those who wait. */
static void serve_turn(struct serve *serve)
{
    MHD_UNSIGNED_LONG_LONG wait_ms;
    bool full = is_full(serve);
    MHD_run(serve->daemon);
    if (full && !is_full(serve))
        MHD_run(serve->daemon);
    if (MHD_get_timeout(serve->daemon, &wait_ms) == MHD_YES)
        timer_start(serve->loop, &serve->timer, (int64_t)wait_ms, on_time, serve);
    else
        timer_stop(serve->loop, &serve->timer);
}

static void on_time(void *data)
{
    serve_turn(data);
}

static void on_ready(void *data, short revents)
{
    (void)revents;
    serve_turn(data);
}

static int open_socket(const char *listen_at, const union address *address, int *ret_fd,
                       struct error *err)
{
    bool v6 = address->any.sa_family == AF_INET6;
    socklen_t size = v6 ? sizeof address->v6 : sizeof address->v4;
    const int on = 1;
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(fd, &address->any, size) == 0 && listen(fd, CONNECTIONS) == 0) {
        *ret_fd = fd;
        return OK;
    }
    int code = error_set(err, ERR_DENIED, "it can't listen on %s: %s", listen_at, strerror(errno));
    if (fd >= 0)
        close(fd);
    return code;
}

static int bound_port(int fd)
{
    union address address;
    socklen_t size = sizeof address;
    return getsockname(fd, &address.any, &size) == 0 ? address_port(&address) : 0;
}

/* Owns the socket, also when it fails. */
static int start_daemon(struct serve *serve, int fd, struct error *err)
{
    serve->port = bound_port(fd);
    serve->daemon = MHD_start_daemon(
        MHD_USE_EPOLL, 0, NULL, NULL, on_request, serve, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)QUIET_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEAD_BYTES, MHD_OPTION_END);
    if (!serve->daemon) {
        close(fd);
        return error_set(err, ERR_RETRY, "libmicrohttpd can't be started: %s", strerror(errno));
    }
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(serve->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    serve->ready = fd_watch(serve->loop, info->epoll_fd, POLLIN, on_ready, serve);
    return serve->ready ? OK : error_set(err, ERR_RETRY, "epoll: %s", strerror(errno));
}

int serve_new(struct loop *loop, const char *listen_at, const struct serve_route *routes,
              struct serve **ret_serve, struct error *err)
{
    union address address;
    int fd = -1;
    int code = address_parse(listen_at, &address, err);
    if (code < 0 || (code = open_socket(listen_at, &address, &fd, err)) < 0)
        return code;
    struct serve *serve = mem_alloc(sizeof *serve);
    serve->loop = loop;
    serve->routes = routes;
    code = start_daemon(serve, fd, err);
    if (code < 0)
        serve_free(serve);
    else
        *ret_serve = serve;
    return code;
}

void serve_free(struct serve *serve)
{
    if (!serve)
        return;
    timer_stop(serve->loop, &serve->timer);
    fd_unwatch(serve->ready);
    if (serve->daemon)
        MHD_stop_daemon(serve->daemon);
    free(serve);
}

int serve_port(const struct serve *serve)
{
    return serve->port;
}
