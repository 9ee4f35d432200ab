// SPDX-License-Identifier: Apache-2.0
/* What the files of this folder share: the loop is one object, its four kinds of source stand in
 * a file each. Private to core/loop. */
#ifndef LOOP_PRIVATE_H
#define LOOP_PRIVATE_H

#include "base/list.h"
#include "loop/loop.h"

#include <signal.h>

/* timers.c: a binary heap, the earliest first, by one of the two clocks. */
struct timer_heap {
    struct timer **at; /* from 1 */
    size_t count, size;
    uint64_t orders; /* how many have been started */
};

/* fds.c */
struct fd_set_watched {
    int epoll;
    bool running;     /* callbacks are being called: freeing waits */
    struct list dead; /* unwatched meanwhile */
};

/* signals.c */
struct signals {
    int fd; /* -1 until the first is asked for */
    sigset_t set;
    struct fd_watch *watch;
    struct signal_source *sources;
    size_t count;
};

/* transfers.c */
struct transfers {
    CURLM *multi;
    struct list waiting; /* requests beyond the limit, in order */
    unsigned requests;   /* running in the lane of requests */
    struct timer timer;  /* when curl wants to be called */
    CURLMcode trouble;   /* what it said when it was; it can't be used after that */
};

struct loop {
    struct timer_heap timers, outside; /* by the process's clock; by the real one */
    struct fd_set_watched fds;
    struct signals signals;
    struct transfers transfers;
    bool stopping;
};

/* Calls every timer that was due and started when the run began. */
void timers_run(struct loop *loop);
/* Milliseconds until the first timer of either heap, at most `most`; and of one alone. */
int64_t timers_wait_ms(const struct loop *loop, int64_t most);
int64_t heap_wait_ms(const struct timer_heap *heap, int64_t now_ms, int64_t most);

int fds_init(struct loop *loop, struct error *err);
void fds_done(struct loop *loop);
/* Waits until something is ready, at most so long, and calls the handlers: how many, or an error.
 */
int fds_run(struct loop *loop, int64_t most_ms, struct error *err);

void signals_init(struct loop *loop);
void signals_done(struct loop *loop);

int transfers_init(struct loop *loop, struct error *err);
void transfers_done(struct loop *loop);
/* Calls on_done of what has ended. */
int transfers_finish(struct loop *loop, struct error *err);

/* sockets.c: from now on the loop waits for what curl waits for. */
void sockets_init(struct loop *loop);

#endif
