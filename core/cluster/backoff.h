// SPDX-License-Identifier: Apache-2.0
/* How long to wait before trying again: 0.2 s at first, half as much again each time, up to 30 s,
 * the upper half of it at random. The slow growth makes a server that comes back after a few
 * seconds be found within a second or two. Private to core/cluster. */
#ifndef CLUSTER_BACKOFF_H
#define CLUSTER_BACKOFF_H

#include <stdint.h>

struct backoff {
    unsigned tries; /* 0: the last try was a success */
};

/* The next wait, in milliseconds. */
int64_t backoff_next(struct backoff *backoff);
void backoff_reset(struct backoff *backoff);

/* A random number from 0 to limit - 1; limit at least 1. */
int64_t random_below(int64_t limit);

#endif
