// SPDX-License-Identifier: Apache-2.0
/* Random numbers that are the same on every machine: a failing seed can be run again. */
#ifndef TESTS_RANDOM_H
#define TESTS_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct random {
    uint64_t state;
};

/* splitmix64 */
static inline uint64_t random_next(struct random *random)
{
    uint64_t z = random->state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/* From low to high, both included. */
static inline int random_int(struct random *random, int low, int high)
{
    return low + (int)(random_next(random) % ((uint64_t)(high - low) + 1));
}

static inline bool random_chance(struct random *random, int percent)
{
    return random_int(random, 1, 100) <= percent;
}

#endif
