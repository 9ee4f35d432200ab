// SPDX-License-Identifier: Apache-2.0
/* The loop by a virtual clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "loop/loop.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

enum { BEGAN_MS = 1000 * 1000, HOUR_MS = 3600 * 1000 };

static struct loop *loop;
static char said[16]; /* who has been called, in order */

static int setup(void **state)
{
    struct error err = {0};
    (void)state;
    *said = '\0';
    return loop_new(&loop, &err);
}

static int teardown(void **state)
{
    (void)state;
    loop_free(loop);
    return 0;
}

static void say(void *data)
{
    strcat(said, data);
}

static void run_for(int64_t ms)
{
    static const bool never;
    struct error err = {0};
    assert_int_equal(loop_run_until(loop, &never, ms, &err), ERR_RETRY);
}

static void test_it_moves_to_the_next_timer(void **state)
{
    struct timer day = {0}, hour = {0};
    (void)state;
    int64_t wall = clock_wall_ms(), monotonic = clock_monotonic_ms();
    timer_start(loop, &day, 24 * HOUR_MS, say, (char[]){"d"});
    timer_start(loop, &hour, HOUR_MS, say, (char[]){"h"});
    run_for(2 * HOUR_MS);
    assert_string_equal(said, "h");
    assert_int_equal(clock_wall_ms(), wall + 2 * HOUR_MS);
    assert_int_equal(clock_monotonic_ms(), monotonic + 2 * HOUR_MS);
    run_for(24 * HOUR_MS);
    assert_string_equal(said, "hd");
}

static void on_ready(void *data, short revents)
{
    char byte;
    (void)revents;
    assert_int_equal(read(*(int *)data, &byte, 1), 1);
    say((char[]){"r"});
}

static void test_what_is_ready_comes_first(void **state)
{
    struct timer timer = {0};
    int ends[2];
    (void)state;
    assert_int_equal(pipe(ends), 0);
    struct fd_watch *watch = fd_watch(loop, ends[0], POLLIN, on_ready, &ends[0]);
    assert_int_equal(write(ends[1], "x", 1), 1);
    timer_start(loop, &timer, 1, say, (char[]){"t"});
    run_for(2);
    assert_string_equal(said, "rt");
    fd_unwatch(watch);
    close(ends[0]);
    close(ends[1]);
}

/* Thirty milliseconds of the world outside before one of the clock. */
static void test_it_stands_still_while_something_outside_is_under_way(void **state)
{
    struct timer outside = {0}, timer = {0};
    (void)state;
    timer_start(loop, &timer, 1, say, (char[]){"t"});
    timer_start_outside(loop, &outside, 30, say, (char[]){"o"});
    run_for(2);
    assert_string_equal(said, "ot");
}

static void test_it_moves_on_when_that_is_over(void **state)
{
    struct timer outside = {0}, timer = {0};
    (void)state;
    timer_start_outside(loop, &outside, HOUR_MS, say, (char[]){"o"});
    timer_stop(loop, &outside);
    timer_start(loop, &timer, HOUR_MS, say, (char[]){"t"});
    run_for(HOUR_MS + 1);
    assert_string_equal(said, "t");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_it_moves_to_the_next_timer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_ready_comes_first, setup, teardown),
        cmocka_unit_test_setup_teardown(test_it_stands_still_while_something_outside_is_under_way,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_it_moves_on_when_that_is_over, setup, teardown),
    };
    clock_make_virtual(BEGAN_MS);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
