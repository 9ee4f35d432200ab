// SPDX-License-Identifier: Apache-2.0
#include "serve/listener.h"

#include "base/address.h"
#include "base/alloc.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct listener {
    struct loop *loop;
    struct MHD_Daemon *library;
    struct fd_watch *ready;
    struct timer timer; /* when the library wants to look at its connections by itself */
    unsigned connections;
    bool woken; /* since the last turn began */
    int port;
};

static void on_time(void *data);

static bool is_full(const struct listener *listener)
{
    return MHD_get_daemon_info(listener->library, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)
               ->num_connections >= listener->connections;
}

/* With as many connections as there may be the library looks away from its socket, and back when it
 * runs next after one has gone; nothing else would wake it for those who wait. */
static void listener_turn(struct listener *listener)
{
    MHD_UNSIGNED_LONG_LONG wait_ms;
    bool full = is_full(listener);
    listener->woken = false;
    MHD_run(listener->library);
    if (full && !is_full(listener))
        MHD_run(listener->library);
    if (listener->woken) /* from within, when it was too late for this turn */
        listener_wake(listener);
    else if (MHD_get_timeout(listener->library, &wait_ms) == MHD_YES)
        timer_start(listener->loop, &listener->timer, (int64_t)wait_ms, on_time, listener);
    else
        timer_stop(listener->loop, &listener->timer);
}

static void on_time(void *data)
{
    listener_turn(data);
}

static void on_ready(void *data, short revents)
{
    (void)revents;
    listener_turn(data);
}

static int open_socket(const struct listener_spec *spec, const union address *address, int *ret_fd,
                       struct error *err)
{
    bool v6 = address->any.sa_family == AF_INET6;
    socklen_t size = v6 ? sizeof address->v6 : sizeof address->v4;
    const int on = 1;
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(fd, &address->any, size) == 0 && listen(fd, (int)spec->connections) == 0) {
        *ret_fd = fd;
        return OK;
    }
    int code =
        error_set(err, ERR_DENIED, "it can't listen on %s: %s", spec->listen, strerror(errno));
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

enum { TLS_OPTIONS = 3 };

static void tls_options(const struct listener_spec *spec, struct MHD_OptionItem options[])
{
    static char versions[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";
    options[0] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, (char *)(uintptr_t)spec->key};
    options[1] =
        (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, (char *)(uintptr_t)spec->certificate};
    options[2] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0, versions};
    options[TLS_OPTIONS] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
}

/* Owns the socket, also when it fails. */
static int start_library(struct listener *listener, const struct listener_spec *spec, int fd,
                         struct error *err)
{
    unsigned flags = MHD_USE_EPOLL | (spec->suspends ? MHD_ALLOW_SUSPEND_RESUME : 0) |
                     (spec->certificate ? MHD_USE_TLS : 0);
    struct MHD_OptionItem options[TLS_OPTIONS + 1] = {{MHD_OPTION_END, 0, NULL}};
    if (spec->certificate)
        tls_options(spec, options);
    listener->port = bound_port(fd);
    listener->library = MHD_start_daemon(
        flags, 0, NULL, NULL, spec->on_request, spec->data, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_CONNECTION_LIMIT, spec->connections, MHD_OPTION_CONNECTION_TIMEOUT,
        spec->quiet_s, MHD_OPTION_CONNECTION_MEMORY_LIMIT, spec->head_bytes,
        MHD_OPTION_NOTIFY_COMPLETED, spec->on_end, spec->data, MHD_OPTION_ARRAY, options,
        MHD_OPTION_END);
    if (!listener->library) {
        close(fd);
        return error_set(err, ERR_RETRY, "libmicrohttpd can't be started: %s", strerror(errno));
    }
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(listener->library, MHD_DAEMON_INFO_EPOLL_FD);
    listener->ready = fd_watch(listener->loop, info->epoll_fd, POLLIN, on_ready, listener);
    return listener->ready ? OK : error_set(err, ERR_RETRY, "epoll: %s", strerror(errno));
}

int listener_new(struct loop *loop, const struct listener_spec *spec,
                 struct listener **ret_listener, struct error *err)
{
    union address address;
    int fd = -1;
    int code = address_parse(spec->listen, &address, err);
    if (code < 0 || (code = open_socket(spec, &address, &fd, err)) < 0)
        return code;
    struct listener *listener = mem_alloc(sizeof *listener);
    listener->loop = loop;
    listener->connections = spec->connections;
    code = start_library(listener, spec, fd, err);
    if (code < 0)
        listener_free(listener);
    else
        *ret_listener = listener;
    return code;
}

void listener_free(struct listener *listener)
{
    if (!listener)
        return;
    timer_stop(listener->loop, &listener->timer);
    fd_unwatch(listener->ready);
    if (listener->library)
        MHD_stop_daemon(listener->library);
    free(listener);
}

void listener_wake(struct listener *listener)
{
    listener->woken = true;
    timer_start(listener->loop, &listener->timer, 0, on_time, listener);
}

int listener_port(const struct listener *listener)
{
    return listener->port;
}
