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
    free(loop);
}

static int loop_wait(struct loop *loop, int64_t most_ms, struct error *err)
{
    struct curl_waitfd extra = {.fd = loop->fds.epoll, .events = CURL_WAIT_POLLIN};
    int wait = (int)timers_wait_ms(loop, most_ms);
    CURLMcode code = curl_multi_poll(loop->transfers.multi, &extra, 1, wait, NULL);
    if (code != CURLM_OK)
        return error_set(err, ERR_BUG, "curl_multi_poll: %s", curl_multi_strerror(code));
    if (extra.revents)
        fds_run(loop);
    return OK;
}

/* What is due now; waiting comes after it, so that whoever asks can look in between. */
static int loop_work(struct loop *loop, struct error *err)
{
    timers_run(loop);
    return transfers_run(loop, err);
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
