// SPDX-License-Identifier: Apache-2.0
/* All watched descriptors, curl's sockets among them, stand in one epoll set. */
#include "base/alloc.h"
#include "loop/loop_private.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { READY_MAX = 32 }; /* told in one turn; the others are ready in the next one too */

struct fd_watch {
    struct loop *loop;
    struct list link; /* in the dead list */
    int fd;
    bool added;      /* in the epoll set */
    fd_fn *on_ready; /* NULL: unwatched */
    void *data;
};

_Static_assert(EPOLLIN == POLLIN && EPOLLOUT == POLLOUT && EPOLLERR == POLLERR &&
                   EPOLLHUP == POLLHUP,
               "epoll and poll use the same bits on Linux");

int fds_init(struct loop *loop, struct error *err)
{
    list_init(&loop->fds.dead);
    loop->fds.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (loop->fds.epoll < 0)
        return error_set(err, ERR_RETRY, "epoll_create1: %s", strerror(errno));
    return OK;
}

void fds_done(struct loop *loop)
{
    if (loop->fds.epoll >= 0)
        close(loop->fds.epoll);
}

struct fd_watch *fd_watch(struct loop *loop, int fd, short events, fd_fn *on_ready, void *data)
{
    struct fd_watch *watch = mem_alloc(sizeof *watch);
    watch->loop = loop;
    watch->fd = fd;
    watch->on_ready = on_ready;
    watch->data = data;
    list_init(&watch->link);
    fd_watch_change(watch, events);
    if (events && !watch->added) {
        free(watch);
        return NULL;
    }
    return watch;
}

void fd_watch_change(struct fd_watch *watch, short events)
{
    /* Without events the descriptor leaves the set: epoll would still report a hang-up. */
    int epoll = watch->loop->fds.epoll;
    struct epoll_event event = {.events = (uint32_t)events, .data.ptr = watch};
    if (events) {
        int change = watch->added ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
        watch->added = epoll_ctl(epoll, change, watch->fd, &event) == 0;
    } else if (watch->added) {
        epoll_ctl(epoll, EPOLL_CTL_DEL, watch->fd, &event);
        watch->added = false;
    }
}

void fd_unwatch(struct fd_watch *watch)
{
    if (!watch)
        return;
    fd_watch_change(watch, 0);
    watch->on_ready = NULL;
    if (watch->loop->fds.running)
        list_append(&watch->loop->fds.dead, &watch->link);
    else
        free(watch);
}

static void fds_bury(struct fd_set_watched *fds)
{
    while (!list_empty(&fds->dead)) {
        struct fd_watch *watch = list_entry(fds->dead.next, struct fd_watch, link);
        list_remove(&watch->link);
        free(watch);
    }
}

int fds_run(struct loop *loop, int64_t most_ms, struct error *err)
{
    struct epoll_event ready[READY_MAX];
    int count = epoll_wait(loop->fds.epoll, ready, READY_MAX, (int)most_ms);
    if (count < 0 && errno != EINTR)
        return error_set(err, ERR_BUG, "epoll_wait: %s", strerror(errno));
    loop->fds.running = true;
    for (int i = 0; i < count; i++) {
        struct fd_watch *watch = ready[i].data.ptr;
        if (watch->on_ready)
            watch->on_ready(watch->data, (short)ready[i].events);
    }
    loop->fds.running = false;
    fds_bury(&loop->fds);
    return count < 0 ? 0 : count;
}
