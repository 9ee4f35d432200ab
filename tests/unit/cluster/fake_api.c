// SPDX-License-Identifier: Apache-2.0
#include "fake_api.h"

#include "base/alloc.h"
#include "base/list.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct fake_connection {
    struct fake_api *api;
    struct list link;
    int fd; /* -1: closed */
    struct fd_watch *watch;
    struct text in, out;
};

struct fake_api {
    struct loop *loop;
    fake_fn *on_request;
    void *data;
    int fd, port;
    struct fd_watch *watch;
    struct list connections;
    char **log;
    size_t logged;
};

void fake_cut(struct fake_connection *connection)
{
    if (connection->fd < 0)
        return;
    fd_unwatch(connection->watch);
    close(connection->fd);
    connection->fd = -1;
}

bool fake_is_open(const struct fake_connection *connection)
{
    return connection->fd >= 0;
}

static void connection_free(struct fake_connection *connection)
{
    fake_cut(connection);
    text_done(&connection->in);
    text_done(&connection->out);
    free(connection);
}

static void connection_flush(struct fake_connection *connection)
{
    while (connection->out.len) {
        ssize_t sent = send(connection->fd, connection->out.at, connection->out.len,
                            MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno != EAGAIN) {
            fake_cut(connection);
            return;
        }
        if (sent < 0)
            break;
        text_drop(&connection->out, (size_t)sent);
    }
    fd_watch_change(connection->watch, connection->out.len ? POLLIN | POLLOUT : POLLIN);
}

void fake_raw(struct fake_connection *connection, const char *text)
{
    if (connection->fd < 0)
        return;
    text_puts(&connection->out, text);
    connection_flush(connection);
}

void fake_answer(struct fake_connection *connection, int status, const char *headers,
                 const char *body)
{
    char *answer AUTO_FREE =
        str_format("HTTP/1.1 %d Scripted\r\nContent-Type: application/json\r\n%sContent-Length: "
                   "%zu\r\n\r\n%s",
                   status, headers, strlen(body), body);
    fake_raw(connection, answer);
}

void fake_begin(struct fake_connection *connection)
{
    fake_raw(connection, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                         "Transfer-Encoding: chunked\r\n\r\n");
}

void fake_send(struct fake_connection *connection, const char *text)
{
    char *chunk AUTO_FREE = str_format("%zx\r\n%s\r\n", strlen(text), text);
    fake_raw(connection, chunk);
}

void fake_end(struct fake_connection *connection)
{
    fake_raw(connection, "0\r\n\r\n");
}

char *fake_header(const struct fake_request *request, const char *name)
{
    char *start AUTO_FREE = str_format("\r\n%s: ", name);
    const char *at = strcasestr(request->head, start);
    if (!at)
        return NULL;
    at += strlen(start);
    return str_copy_n(at, strcspn(at, "\r"));
}

static void api_log(struct fake_api *api, const char *method, const char *target)
{
    api->log = mem_grow(api->log, (api->logged + 1) * sizeof *api->log);
    api->log[api->logged++] = str_format("%s %s", method, target);
}

/* Takes one whole request out of what has arrived. */
static bool connection_request(struct fake_connection *connection)
{
    char *end = connection->in.at ? strstr(connection->in.at, "\r\n\r\n") : NULL;
    if (!end)
        return false;
    size_t head_size = (size_t)(end - connection->in.at) + 4;
    char *head AUTO_FREE = str_copy_n(connection->in.at, head_size);
    struct fake_request request = {.head = head, .connection = connection};
    char *length AUTO_FREE = fake_header(&request, "Content-Length");
    size_t body_size = length ? strtoul(length, NULL, 10) : 0;
    if (connection->in.len < head_size + body_size)
        return false;
    char *body AUTO_FREE = str_copy_n(connection->in.at + head_size, body_size);
    char *line AUTO_FREE = str_copy_n(head, strcspn(head, "\r"));
    char *rest = NULL;
    text_drop(&connection->in, head_size + body_size);
    request.method = strtok_r(line, " ", &rest);
    request.target = strtok_r(NULL, " ", &rest);
    request.body = body;
    api_log(connection->api, request.method, request.target);
    connection->api->on_request(connection->api->data, &request);
    return true;
}

static void on_connection(void *data, short revents)
{
    struct fake_connection *connection = data;
    char piece[4096];
    if (revents & POLLOUT)
        connection_flush(connection);
    if (connection->fd < 0)
        return;
    ssize_t count = recv(connection->fd, piece, sizeof piece, MSG_DONTWAIT);
    if (count == 0 || (count < 0 && errno != EAGAIN)) {
        fake_cut(connection);
        return;
    }
    if (count > 0)
        text_add(&connection->in, piece, (size_t)count);
    while (connection->fd >= 0 && connection_request(connection))
        ;
}

static void on_accept(void *data, short revents)
{
    struct fake_api *api = data;
    int fd = accept4(api->fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return;
    struct fake_connection *connection = mem_alloc(sizeof *connection);
    connection->api = api;
    connection->fd = fd;
    connection->watch = fd_watch(api->loop, fd, POLLIN, on_connection, connection);
    list_append(&api->connections, &connection->link);
}

void fake_api_start(struct fake_api *api)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)api->port)};
    socklen_t size = sizeof address;
    int yes = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    api->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(api->fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(api->fd, (struct sockaddr *)&address, size) < 0 || listen(api->fd, 64) < 0 ||
        getsockname(api->fd, (struct sockaddr *)&address, &size) < 0)
        abort();
    api->port = ntohs(address.sin_port);
    api->watch = fd_watch(api->loop, api->fd, POLLIN, on_accept, api);
}

void fake_api_stop(struct fake_api *api)
{
    if (api->fd >= 0) {
        fd_unwatch(api->watch);
        close(api->fd);
        api->fd = -1;
    }
    for (struct list *at = api->connections.next; at != &api->connections; at = at->next)
        fake_cut(list_entry(at, struct fake_connection, link));
}

struct fake_api *fake_api_new(struct loop *loop, fake_fn *on_request, void *data)
{
    struct fake_api *api = mem_alloc(sizeof *api);
    api->loop = loop;
    api->on_request = on_request;
    api->data = data;
    list_init(&api->connections);
    fake_api_start(api);
    return api;
}

void fake_api_free(struct fake_api *api)
{
    fake_api_stop(api);
    while (!list_empty(&api->connections)) {
        struct fake_connection *connection =
            list_entry(api->connections.next, struct fake_connection, link);
        list_remove(&connection->link);
        connection_free(connection);
    }
    for (size_t i = 0; i < api->logged; i++)
        free(api->log[i]);
    free(api->log);
    free(api);
}

int fake_api_port(const struct fake_api *api)
{
    return api->port;
}

size_t fake_api_count(const struct fake_api *api, const char *part)
{
    size_t count = 0;
    for (size_t i = 0; i < api->logged; i++)
        if (strstr(api->log[i], part))
            count++;
    return count;
}

const char *fake_api_last(const struct fake_api *api, const char *part)
{
    for (size_t i = api->logged; i > 0; i--)
        if (strstr(api->log[i - 1], part))
            return api->log[i - 1];
    return NULL;
}
