// SPDX-License-Identifier: Apache-2.0
/* One schedule: a workload with a Rollout, people who change their minds, and a controller to which
 * everything happens that can, as a seed says. */
#ifndef TESTS_SCHEDULE_H
#define TESTS_SCHEDULE_H

#include "unreliable.h"

struct tally {
    int versions, writes, kills, faults[FAULTS], planted, rolls;
};

/* Adds to *tally. The words of what was violated, which the caller frees; NULL: nothing was. */
char *schedule_play(const char *plugins, uint64_t seed, enum plant plant, bool verbose,
                    struct tally *tally);

#endif
