// SPDX-License-Identifier: Apache-2.0
/*
 * What curl waits for: it says which sockets and how long, we wait, and tell it which socket is
 * ready. The other way, curl_multi_perform() after every wait, looks at every transfer whatever
 * woke the loop, and asks the system about each one's socket: with a handful of watches that is
 * dozens of system calls for a timer or an adapter's answer that is none of curl's business.
 */
#include "base/alloc.h"
#include "loop/loop_private.h"

#include <poll.h>
#include <stdlib.h>

struct curl_socket {
    struct loop *loop;
    curl_socket_t fd;
    struct fd_watch *watch;
};

static void curl_act(struct loop *loop, curl_socket_t fd, int ready)
{
    int running;
    CURLMcode code = curl_multi_socket_action(loop->transfers.multi, fd, ready, &running);
    if (code != CURLM_OK)
        loop->transfers.trouble = code;
}

static void on_time(void *data)
{
    curl_act(data, CURL_SOCKET_TIMEOUT, 0);
}

/* The socket may be let go of, and this with it, before curl_act() returns. */
static void on_ready(void *data, short events)
{
    const struct curl_socket *socket = data;
    int ready = (events & (POLLIN | POLLHUP) ? CURL_CSELECT_IN : 0) |
                (events & POLLOUT ? CURL_CSELECT_OUT : 0) |
                (events & POLLERR ? CURL_CSELECT_ERR : 0);
    curl_act(socket->loop, socket->fd, ready);
}

static int on_curl_timer(CURLM *multi, long wait_ms, void *data)
{
    struct loop *loop = data;
    (void)multi;
    if (wait_ms < 0)
        timer_stop(loop, &loop->transfers.timer);
    else
        timer_start_outside(loop, &loop->transfers.timer, wait_ms, on_time, loop);
    return 0;
}

static short events_of(int what)
{
    return (short)((what & CURL_POLL_IN ? POLLIN : 0) | (what & CURL_POLL_OUT ? POLLOUT : 0));
}

static void socket_forget(struct curl_socket *socket)
{
    if (!socket)
        return;
    fd_unwatch(socket->watch);
    free(socket);
}

/* -1 when the socket can't be waited for; curl has no use for the reason. */
static int socket_add(struct loop *loop, curl_socket_t fd, int what)
{
    struct curl_socket *socket = mem_alloc(sizeof *socket);
    socket->loop = loop;
    socket->fd = fd;
    socket->watch = fd_watch(loop, fd, events_of(what), on_ready, socket);
    if (!socket->watch) {
        free(socket);
        return -1;
    }
    curl_multi_assign(loop->transfers.multi, fd, socket);
    return 0;
}

static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *data, void *known)
{
    struct curl_socket *socket = known;
    (void)easy;
    if (what == CURL_POLL_REMOVE)
        socket_forget(socket);
    else if (socket)
        fd_watch_change(socket->watch, events_of(what));
    else
        return socket_add(data, fd, what);
    return 0;
}

void sockets_init(struct loop *loop)
{
    CURLM *multi = loop->transfers.multi;
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, loop);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, loop);
}
