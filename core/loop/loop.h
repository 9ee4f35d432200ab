// SPDX-License-Identifier: Apache-2.0
/*
 * The event loop: one thread that waits in epoll_wait() for HTTP transfers, file descriptors,
 * signals and timers together. Nothing that runs on it may block; whoever has more than a little
 * to do does some, defers the rest and comes back.
 *
 * A turn: timers that are due, then the handlers of transfers that have ended, then waiting, then
 * descriptors and signals, and what curl can do with those that are its own.
 *
 * Where the clock is a virtual one (base/clock.h), a turn that finds nothing to do moves it on to
 * the next timer instead of waiting; but it stands still while something outside is under way,
 * which a timer of timer_start_outside() says.
 *
 * All functions belong to the loop's own thread. The callbacks below may start and stop anything,
 * their own source included.
 */
#ifndef LOOP_LOOP_H
#define LOOP_LOOP_H

#include "base/error.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

struct loop;

/* The caller owns *ret_loop. ERR_RETRY when the system has no descriptors left. */
int loop_new(struct loop **ret_loop, struct error *err);

/* Everything that was started on the loop must have been stopped before. NULL is fine. */
void loop_free(struct loop *loop);

/* Turns until loop_stop() is called. ERR_BUG when curl or epoll themselves fail. */
int loop_run(struct loop *loop, struct error *err);

/* Turns until `*done` is true or the deadline (ms from now) has passed; for commands and tests.
 * ERR_RETRY: the time ran out. */
int loop_run_until(struct loop *loop, const bool *done, int64_t timeout_ms, struct error *err);

void loop_stop(struct loop *loop);

/* Timers. Zero the struct before its first use; it must stay in place while it is running. */
typedef void timer_fn(void *data);

struct timer {
    int64_t at_ms;  /* monotonic */
    uint64_t order; /* equal times run in the order in which they were started */
    int64_t place;  /* in the heap, from 1; 0 while stopped */
    bool outside;
    timer_fn *on_time;
    void *data;
};

/* Runs on_time once, delay_ms from now (0: in the next turn). A running timer is moved. */
void timer_start(struct loop *loop, struct timer *timer, int64_t delay_ms, timer_fn *on_time,
                 void *data);

/* The same, by the real clock in any case: a limit for something outside this process, such as a
 * helper's answer, and a sign that this is under way until the timer is stopped. */
void timer_start_outside(struct loop *loop, struct timer *timer, int64_t delay_ms,
                         timer_fn *on_time, void *data);

void timer_stop(struct loop *loop, struct timer *timer);
bool timer_running(const struct timer *timer);

/* File descriptors. `events` are poll()'s POLLIN and POLLOUT; on_ready may also be told POLLERR and
 * POLLHUP, but with no events at all it is told nothing. The descriptor stays the caller's; unwatch
 * it before closing it, and watch it only once. The watch is the caller's until fd_unwatch(); NULL
 * when the descriptor can't be waited for (a regular file, a closed one): errno says why. */
struct fd_watch;
typedef void fd_fn(void *data, short revents);

struct fd_watch *fd_watch(struct loop *loop, int fd, short events, fd_fn *on_ready, void *data);
void fd_watch_change(struct fd_watch *watch, short events);
void fd_unwatch(struct fd_watch *watch);

/* Signals arrive through a signalfd; the signal is blocked for the process from here on. */
typedef void signal_fn(void *data, int signal);
int loop_on_signal(struct loop *loop, int signal, signal_fn *on_signal, void *data,
                   struct error *err);

/* HTTP transfers. The easy handle is configured by the caller and stays the caller's, but for
 * CURLOPT_PRIVATE; it must not be cleaned up while the transfer runs. on_done is called exactly
 * once, never from within transfer_start(); not at all after transfer_stop().
 *
 * Watches and short requests use different lanes, so that hundreds of requests can't keep a watch
 * from being opened: of requests at most 256 run at once and the others wait in line, with their
 * time-outs not running yet. Whoever sends requests to servers that may hang keeps far below that.
 *
 * Functions that the handle names for curl itself to call (write, header, …) run inside curl. They
 * collect, and start a timer with no delay to have things done: nothing else of this header may be
 * called from there. */
enum lane { LANE_REQUESTS, LANE_WATCHES };

struct transfer;
typedef void transfer_fn(void *data, CURLcode result);

struct transfer *transfer_start(struct loop *loop, enum lane lane, CURL *easy, transfer_fn *on_done,
                                void *data);
void transfer_stop(struct transfer *transfer);

#endif
