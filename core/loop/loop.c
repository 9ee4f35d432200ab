// SPDX-License-Identifier: Apache-2.0
#include "base/alloc.h"
#include "base/clock.h"
#include "loop/loop_private.h"

#include <stdlib.h>

enum { LONGEST_WAIT_MS = 3600 * 1000 };

int loop_new(struct loop **ret_loop, struct error *err)
{
    struct loop *loop = mem_alloc(sizeof *loop);
    signals_init(loop);
    int code = fds_init(loop, err);
    if (code == OK)
        code = transfers_init(loop, err);
    if (code < 0) {
        loop_free(loop);
        return code;
    }
    *ret_loop = loop;
    return OK;
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    transfers_done(loop);
    signals_done(loop);
    fds_done(loop);
    free(loop->timers.at);
    free(loop->outside.at);
    free(loop);
}

/* What is due now; waiting comes after it, so that whoever asks can look in between. */
static int loop_work(struct loop *loop, struct error *err)
{
    timers_run(loop);
    return transfers_finish(loop, err);
}

/* The clock moves on when nothing is ready and nothing outside is under way. */
static int loop_wait_virtual(struct loop *loop, int64_t most_ms, struct error *err)
{
    int64_t next = heap_wait_ms(&loop->timers, clock_monotonic_ms(), most_ms);
    int64_t outside = heap_wait_ms(&loop->outside, clock_outside_ms(), most_ms);
    bool busy = loop->outside.count > 0;
    int ready = fds_run(loop, busy && next > 0 ? outside : 0, err);
    if (ready == 0 && !busy)
        clock_move_by(next);
    return ready;
}

static int loop_wait(struct loop *loop, int64_t most_ms, struct error *err)
{
    int ready = clock_is_virtual() ? loop_wait_virtual(loop, most_ms, err)
                                   : fds_run(loop, timers_wait_ms(loop, most_ms), err);
    return ready < 0 ? ready : OK;
}

int loop_run(struct loop *loop, struct error *err)
{
    int code = OK;
    while (code == OK && !loop->stopping) {
        code = loop_work(loop, err);
        if (code == OK && !loop->stopping)
            code = loop_wait(loop, LONGEST_WAIT_MS, err);
    }
    loop->stopping = false;
    return code;
}

int loop_run_until(struct loop *loop, const bool *done, int64_t timeout_ms, struct error *err)
{
    int64_t deadline = clock_monotonic_ms() + timeout_ms;
    while (!*done && !loop->stopping) {
        int code = loop_work(loop, err);
        if (code < 0)
            return code;
        if (*done || loop->stopping)
            break;
        int64_t left = deadline - clock_monotonic_ms();
        if (left <= 0)
            return error_set(err, ERR_RETRY, "nothing came within %lld ms", (long long)timeout_ms);
        code = loop_wait(loop, left < LONGEST_WAIT_MS ? left : LONGEST_WAIT_MS, err);
        if (code < 0)
            return code;
    }
    loop->stopping = false;
    return OK;
}

void loop_stop(struct loop *loop)
{
    loop->stopping = true;
}
