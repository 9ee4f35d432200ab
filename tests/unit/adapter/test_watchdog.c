// SPDX-License-Identifier: Apache-2.0
/* The watchdog of calls in this process: who is slow is told while it still runs, and nobody else.
 */
#include "adapter/watchdog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { NEVER_MS = 3600 * 1000 };

struct report {
    char adapter[32], call[32];
    int64_t running_ms;
};

/* Reports cross from the watchdog's thread to the test's through a pipe. */
static int pipe_ends[2];

static void on_slow(const char *adapter, const char *call, int64_t running_ms)
{
    struct report report = {.running_ms = running_ms};
    snprintf(report.adapter, sizeof report.adapter, "%s", adapter);
    snprintf(report.call, sizeof report.call, "%s", call);
    if (write(pipe_ends[1], &report, sizeof report) != (ssize_t)sizeof report)
        abort();
}

static struct report next_report(void)
{
    struct report report;
    assert_int_equal(read(pipe_ends[0], &report, sizeof report), sizeof report);
    return report;
}

static int setup(void **state)
{
    if (pipe(pipe_ends) < 0)
        return -1;
    return watchdog_start(on_slow, NULL);
}

static int teardown(void **state)
{
    watchdog_stop();
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    return 0;
}

static void told_again_and_again(void **state)
{
    int64_t before_ms = 0;
    watchdog_enter("slow", CALL_ADVANCE, 5);
    for (int i = 0; i < 3; i++) {
        struct report report = next_report();
        assert_string_equal(report.adapter, "slow");
        assert_string_equal(report.call, "advance");
        assert_true(report.running_ms >= 5 && report.running_ms >= 2 * before_ms);
        before_ms = report.running_ms;
    }
    watchdog_leave();
}

/* The first of whom something is told is the slow one, though others were called before. */
static void who_keeps_the_deadline_is_left_alone(void **state)
{
    for (int i = 0; i < 1000; i++) {
        watchdog_enter("quick", CALL_OBSERVE, NEVER_MS);
        watchdog_leave();
    }
    watchdog_enter("slow", CALL_OBSERVE, 1);
    assert_string_equal(next_report().adapter, "slow");
    watchdog_leave();
}

/* One that is due earlier than the one before wakes it early. */
static void an_earlier_deadline_counts(void **state)
{
    watchdog_enter("patient", CALL_OBSERVE, NEVER_MS);
    watchdog_leave();
    watchdog_enter("slow", CALL_FINISH, 1);
    assert_string_equal(next_report().call, "finish");
    watchdog_leave();
}

/* Calls that end just when they are due, while the watchdog looks. */
static void calls_end_while_it_looks(void **state)
{
    for (int i = 0; i < 2000; i++) {
        watchdog_enter("brief", CALL_OBSERVE, 0);
        watchdog_leave();
    }
    watchdog_enter("slow", CALL_BEGIN, 1);
    while (strcmp(next_report().adapter, "slow") != 0)
        ;
    watchdog_leave();
}

static void without_one_nothing_happens(void **state)
{
    watchdog_enter("anybody", CALL_OBSERVE, 0);
    watchdog_leave();
    watchdog_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(told_again_and_again, setup, teardown),
        cmocka_unit_test_setup_teardown(who_keeps_the_deadline_is_left_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(an_earlier_deadline_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(calls_end_while_it_looks, setup, teardown),
        cmocka_unit_test(without_one_nothing_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
