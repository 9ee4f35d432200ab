// SPDX-License-Identifier: Apache-2.0
/*
 * The renderer's helper as a process: started with limits and an empty environment, fed with frames
 * through its standard input, read in frames from its standard output, its end noticed through a
 * pidfd, so that nothing waits for it. What the frames mean is the renderer's business.
 * Private to core/oam.
 *
 * A frame is its length, four bytes big-endian, and that many bytes.
 */
#ifndef OAM_HELPER_H
#define OAM_HELPER_H

#include "base/error.h"
#include "loop/loop.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { FRAME_MAX = 8 << 20 };

struct helper;

/* How it ended. Borrowed during the callback. */
struct helper_end {
    int status;        /* exit status, -1 when a signal ended it */
    int signal;        /* 0 when it exited */
    const char *fault; /* why it was killed, or NULL when that wasn't done here */
    const char *words; /* the first line that it wrote to standard error for the present request */
};

/* on_frame may kill the helper. on_end is the last call, once, and the place to free it. */
struct helper_events {
    void (*on_frame)(void *data, const char *bytes, size_t length);
    void (*on_end)(void *data, const struct helper_end *end);
};

/* The caller owns *ret_helper. ERR_RETRY: it couldn't be started, the words name the program. */
int helper_start(struct loop *loop, const char *program, uint64_t memory_limit,
                 struct helper **ret_helper, struct error *err);

/* Must follow helper_start() before anything is sent. `events` is kept, not copied. */
void helper_listen(struct helper *helper, const struct helper_events *events, void *data);

/* Kills it if it still runs, and waits the moment until it is gone; nothing is called any more.
 * NULL is fine. */
void helper_free(struct helper *helper);

pid_t helper_pid(const struct helper *helper);

/* Queues a frame of at most FRAME_MAX bytes. */
void helper_send(struct helper *helper, const char *bytes, size_t length);

/* Closes its input; one that doesn't end then is killed a moment later. */
void helper_finish(struct helper *helper);

/* Kills it. `fault` is copied, and the first one stands. */
void helper_kill(struct helper *helper, const char *fault);

#endif
