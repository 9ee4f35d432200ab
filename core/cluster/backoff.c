// SPDX-License-Identifier: Apache-2.0
#include "cluster/backoff.h"

#include <sys/random.h>

enum { FIRST_MS = 200, MOST_MS = 30 * 1000 };

int64_t random_below(int64_t limit)
{
    uint32_t bits = 0;
    if (getrandom(&bits, sizeof bits, GRND_NONBLOCK) != (long)sizeof bits)
        return limit / 2;
    return bits % limit;
}

int64_t backoff_next(struct backoff *backoff)
{
    int64_t wait = FIRST_MS;
    for (unsigned i = 0; i < backoff->tries && wait < MOST_MS; i++)
        wait += wait / 2;
    if (wait > MOST_MS)
        wait = MOST_MS;
    backoff->tries++;
    return wait / 2 + random_below(wait / 2 + 1);
}

void backoff_reset(struct backoff *backoff)
{
    backoff->tries = 0;
}
