// SPDX-License-Identifier: Apache-2.0
/* The event loop: timers, descriptors, signals and transfers, and what callbacks may do to them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "loop/loop.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SOON_MS = 5000 };

static struct loop *loop;

static int setup(void **state)
{
    struct error err = {0};
    return loop_new(&loop, &err);
}

static int teardown(void **state)
{
    loop_free(loop);
    return 0;
}

static void run_until(const bool *done)
{
    struct error err = {0};
    if (loop_run_until(loop, done, SOON_MS, &err) < 0)
        fail_msg("%s", err.text);
}

/* Timers */

struct tick {
    struct timer timer;
    char name;
    char *log;
    bool done;
};

static void on_tick(void *data)
{
    struct tick *tick = data;
    size_t length = strlen(tick->log);
    tick->log[length] = tick->name;
    tick->done = true;
}

static void test_timers_run_in_order(void **state)
{
    char log[8] = "";
    struct tick a = {.name = 'a', .log = log}, b = {.name = 'b', .log = log},
                c = {.name = 'c', .log = log}, d = {.name = 'd', .log = log};
    timer_start(loop, &d.timer, 20, on_tick, &d);
    timer_start(loop, &a.timer, 0, on_tick, &a);
    timer_start(loop, &b.timer, 0, on_tick, &b);
    timer_start(loop, &c.timer, 10, on_tick, &c);
    run_until(&d.done);
    assert_string_equal(log, "abcd");
}

static void test_timer_stopped_and_moved(void **state)
{
    char log[8] = "";
    struct tick a = {.name = 'a', .log = log}, b = {.name = 'b', .log = log},
                c = {.name = 'c', .log = log};
    timer_start(loop, &a.timer, 1, on_tick, &a);
    timer_start(loop, &b.timer, 2, on_tick, &b);
    timer_start(loop, &c.timer, 30000, on_tick, &c);
    timer_stop(loop, &a.timer);
    timer_stop(loop, &a.timer);
    timer_start(loop, &c.timer, 3, on_tick, &c);
    assert_false(timer_running(&a.timer));
    assert_true(timer_running(&c.timer));
    run_until(&c.done);
    assert_string_equal(log, "bc");
    assert_false(timer_running(&c.timer));
}

/* A timer that notes when it should have run. */
struct due {
    struct timer timer;
    int64_t *last_ms; /* of all, the latest so far */
    int runs;
    bool late;
};

static void on_due(void *data)
{
    struct due *due = data;
    due->runs++;
    due->late = due->timer.at_ms < *due->last_ms;
    *due->last_ms = due->timer.at_ms;
}

static void test_many_timers_keep_their_order(void **state)
{
    enum { MANY = 1000 };
    static struct due dues[MANY];
    int64_t last_ms = 0;
    memset(dues, 0, sizeof dues);
    srandom(7);
    for (int i = 0; i < MANY; i++) {
        dues[i].last_ms = &last_ms;
        timer_start(loop, &dues[i].timer, random() % 40, on_due, &dues[i]);
    }
    /* From anywhere in the heap: each leaves a hole that the last one must fill in order. */
    for (int i = 0; i < MANY; i += 3)
        timer_stop(loop, &dues[i].timer);
    for (int i = 1; i < MANY; i += 3)
        timer_start(loop, &dues[i].timer, random() % 40, on_due, &dues[i]);
    bool never = false;
    loop_run_until(loop, &never, 60, NULL);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(dues[i].runs, i % 3 != 0);
        assert_false(dues[i].late);
    }
}

struct restart {
    struct timer timer;
    int runs, runs_before;
    bool done;
};

static void on_restart(void *data)
{
    struct restart *restart = data;
    restart->runs++;
    timer_start(loop, &restart->timer, 0, on_restart, restart);
}

static void on_restart_readable(void *data, short revents)
{
    struct restart *restart = data;
    restart->runs_before = restart->runs;
    restart->done = true;
}

/* A timer that starts itself again with no delay must not keep the rest of the loop waiting. */
static void test_timer_restarting_itself(void **state)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    struct restart restart = {0};
    struct fd_watch *watch = fd_watch(loop, ends[0], POLLIN, on_restart_readable, &restart);
    timer_start(loop, &restart.timer, 0, on_restart, &restart);
    run_until(&restart.done);
    assert_in_range(restart.runs_before, 1, 2);
    timer_stop(loop, &restart.timer);
    fd_unwatch(watch);
    close(ends[0]);
    close(ends[1]);
}

static void test_deadline(void **state)
{
    struct error err = {0};
    bool never = false;
    int64_t before = clock_monotonic_ms();
    assert_int_equal(loop_run_until(loop, &never, 30, &err), ERR_RETRY);
    assert_in_range(clock_monotonic_ms() - before, 30, SOON_MS);
}

static void on_stop(void *data)
{
    loop_stop(loop);
}

static void test_run_and_stop(void **state)
{
    struct error err = {0};
    struct timer timer = {0};
    for (int i = 0; i < 2; i++) {
        timer_start(loop, &timer, 1, on_stop, NULL);
        assert_int_equal(loop_run(loop, &err), OK);
    }
}

/* Descriptors */

struct reader {
    struct fd_watch *watch, *other;
    int fd;
    short revents;
    char text[16];
    int calls;
    bool done;
};

static void on_readable(void *data, short revents)
{
    struct reader *reader = data;
    ssize_t count = read(reader->fd, reader->text, sizeof reader->text - 1);
    reader->text[count > 0 ? count : 0] = '\0';
    reader->revents = revents;
    reader->calls++;
    reader->done = true;
}

static void test_pipe(void **state)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct reader reader = {.fd = ends[0]};
    reader.watch = fd_watch(loop, ends[0], POLLIN, on_readable, &reader);
    assert_int_equal(write(ends[1], "abc", 3), 3);
    run_until(&reader.done);
    assert_string_equal(reader.text, "abc");
    assert_true(reader.revents & POLLIN);

    /* A hang-up without data is told as well: curl alone would wake up for it and say nothing. */
    reader.done = false;
    close(ends[1]);
    run_until(&reader.done);
    assert_true(reader.revents & POLLHUP);
    assert_false(reader.revents & POLLIN);

    /* And not at all while nothing is asked for. */
    reader.calls = 0;
    fd_watch_change(reader.watch, 0);
    bool never = false;
    loop_run_until(loop, &never, 20, NULL);
    assert_int_equal(reader.calls, 0);
    fd_unwatch(reader.watch);
    close(ends[0]);
}

static void on_unwatch_both(void *data, short revents)
{
    struct reader *reader = data;
    reader->calls++;
    fd_unwatch(reader->other);
    fd_unwatch(reader->watch);
    reader->done = true;
}

/* Two are ready at once; the first to be called ends both. */
static void test_unwatch_in_callback(void **state)
{
    int one[2], two[2];
    assert_int_equal(pipe(one), 0);
    assert_int_equal(pipe(two), 0);
    struct reader a = {0}, b = {0};
    a.watch = b.other = fd_watch(loop, one[0], POLLIN, on_unwatch_both, &a);
    b.watch = a.other = fd_watch(loop, two[0], POLLIN, on_unwatch_both, &b);
    assert_int_equal(write(one[1], "x", 1) + write(two[1], "x", 1), 2);
    bool never = false;
    loop_run_until(loop, &never, 20, NULL);
    assert_int_equal(a.calls + b.calls, 1);
    for (int i = 0; i < 2; i++) {
        close(one[i]);
        close(two[i]);
    }
}

static void test_unwatchable(void **state)
{
    assert_null(fd_watch(loop, -1, POLLIN, on_readable, NULL));
}

/* Signals */

struct caught {
    int signal;
    bool done;
};

static void on_signal(void *data, int signal)
{
    struct caught *caught = data;
    caught->signal = signal;
    caught->done = true;
}

static void test_signals(void **state)
{
    struct error err = {0};
    struct caught one = {0}, two = {0};
    assert_int_equal(loop_on_signal(loop, SIGUSR1, on_signal, &one, &err), OK);
    assert_int_equal(loop_on_signal(loop, SIGUSR2, on_signal, &two, &err), OK);
    kill(getpid(), SIGUSR2);
    run_until(&two.done);
    assert_int_equal(two.signal, SIGUSR2);
    assert_false(one.done);
    kill(getpid(), SIGUSR1);
    run_until(&one.done);
    assert_int_equal(one.signal, SIGUSR1);
    assert_int_equal(loop_on_signal(loop, 4711, on_signal, &one, &err), ERR_BUG);
}

/* Transfers */

struct fetch {
    CURL *easy;
    struct transfer *transfer;
    CURLcode result;
    int calls;
    bool done;
};

static void on_fetched(void *data, CURLcode result)
{
    struct fetch *fetch = data;
    fetch->result = result;
    fetch->calls++;
    fetch->done = true;
    transfer_stop(fetch->transfer); /* harmless inside its own end */
}

/* Port 1 of the loopback refuses: an end that needs no server. */
static void fetch_start(struct fetch *fetch, enum lane lane)
{
    fetch->easy = curl_easy_init();
    curl_easy_setopt(fetch->easy, CURLOPT_URL, "http://127.0.0.1:1/");
    curl_easy_setopt(fetch->easy, CURLOPT_NOPROXY, "*");
    fetch->transfer = transfer_start(loop, lane, fetch->easy, on_fetched, fetch);
}

static void test_transfer(void **state)
{
    struct fetch fetch = {0};
    fetch_start(&fetch, LANE_WATCHES);
    assert_int_equal(fetch.calls, 0);
    run_until(&fetch.done);
    assert_int_equal(fetch.result, CURLE_COULDNT_CONNECT);
    curl_easy_cleanup(fetch.easy);
}

static void test_transfer_stopped(void **state)
{
    struct fetch fetch = {0};
    fetch_start(&fetch, LANE_REQUESTS);
    transfer_stop(fetch.transfer);
    curl_easy_cleanup(fetch.easy);
    bool never = false;
    loop_run_until(loop, &never, 20, NULL);
    assert_int_equal(fetch.calls, 0);
}

/* One handle can't run twice: the second start fails, but later and by its callback. */
static void test_transfer_refused(void **state)
{
    struct fetch fetch = {0}, again = {0};
    fetch_start(&fetch, LANE_REQUESTS);
    again.transfer = transfer_start(loop, LANE_REQUESTS, fetch.easy, on_fetched, &again);
    assert_int_equal(again.calls, 0);
    run_until(&again.done);
    assert_int_equal(again.result, CURLE_FAILED_INIT);
    if (!fetch.done)
        transfer_stop(fetch.transfer);
    curl_easy_cleanup(fetch.easy);
}

/* More requests than may run at once: all of them end, and one that waits can be stopped. */
static void test_transfers_wait_in_line(void **state)
{
    enum { MANY = 600, STOPPED = 590 };
    static struct fetch all[MANY];
    memset(all, 0, sizeof all);
    for (int i = 0; i < MANY; i++)
        fetch_start(&all[i], LANE_REQUESTS);
    transfer_stop(all[STOPPED].transfer);
    for (int i = 0; i < MANY; i++)
        if (i != STOPPED)
            run_until(&all[i].done);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(all[i].calls, i != STOPPED);
        curl_easy_cleanup(all[i].easy);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_timers_run_in_order),
        TEST(test_timer_stopped_and_moved),
        TEST(test_many_timers_keep_their_order),
        TEST(test_timer_restarting_itself),
        TEST(test_deadline),
        TEST(test_run_and_stop),
        TEST(test_pipe),
        TEST(test_unwatch_in_callback),
        TEST(test_unwatchable),
        TEST(test_signals),
        TEST(test_transfer),
        TEST(test_transfer_stopped),
        TEST(test_transfer_refused),
        TEST(test_transfers_wait_in_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
