// SPDX-License-Identifier: Apache-2.0
#include "adapter/watchdog.h"

#include "base/clock.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

/* What the two threads share, under the lock. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t change;
    bool stopping;
    int64_t wakes_at_ms; /* by itself; INT64_MAX: not at all; 0: it is awake */
    const char *adapter; /* NULL: no call is under way */
    enum call_kind kind;
    int64_t began_ms, report_at_ms;
} watched = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* The caller's own. */
static bool started;
static pthread_t thread;
static watchdog_fn *report_to;

/* Without end while nothing runs. A call that ends doesn't wake the watchdog: it finds out when the
 * time is over that was due for that call. */
static void watchdog_sleep(int64_t until_ms)
{
    const struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};
    watched.wakes_at_ms = until_ms;
    if (until_ms == INT64_MAX)
        pthread_cond_wait(&watched.change, &watched.lock);
    else
        pthread_cond_timedwait(&watched.change, &watched.lock, &until);
    watched.wakes_at_ms = 0;
}

static void *watch(void *data)
{
    pthread_mutex_lock(&watched.lock);
    while (!watched.stopping) {
        int64_t now = clock_outside_ms();
        if (watched.adapter && now >= watched.report_at_ms) {
            report_to(watched.adapter, call_name(watched.kind), now - watched.began_ms);
            watched.report_at_ms = now + (now - watched.began_ms);
        }
        watchdog_sleep(watched.adapter ? watched.report_at_ms : INT64_MAX);
    }
    pthread_mutex_unlock(&watched.lock);
    return NULL;
}

/* Signals are the loop's: its thread blocks them, and this one must not take them instead. */
static int thread_start(void)
{
    sigset_t all, before;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&watched.change, &monotonic);
    pthread_condattr_destroy(&monotonic);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&thread, NULL, watch, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

int watchdog_start(watchdog_fn *report, struct error *err)
{
    report_to = report;
    watched.stopping = false;
    int failed = thread_start();
    if (failed)
        return error_set(err, ERR_RETRY, "no thread for the watchdog: %s", strerror(failed));
    started = true;
    return OK;
}

void watchdog_stop(void)
{
    if (!started)
        return;
    pthread_mutex_lock(&watched.lock);
    watched.stopping = true;
    pthread_cond_signal(&watched.change);
    pthread_mutex_unlock(&watched.lock);
    pthread_join(thread, NULL);
    pthread_cond_destroy(&watched.change);
    started = false;
}

void watchdog_enter(const char *adapter, enum call_kind kind, int64_t deadline_ms)
{
    if (!started)
        return;
    pthread_mutex_lock(&watched.lock);
    watched.adapter = adapter;
    watched.kind = kind;
    watched.began_ms = clock_outside_ms();
    watched.report_at_ms = watched.began_ms + deadline_ms;
    if (watched.report_at_ms < watched.wakes_at_ms)
        pthread_cond_signal(&watched.change);
    pthread_mutex_unlock(&watched.lock);
}

void watchdog_leave(void)
{
    if (!started)
        return;
    pthread_mutex_lock(&watched.lock);
    watched.adapter = NULL;
    pthread_mutex_unlock(&watched.lock);
}
