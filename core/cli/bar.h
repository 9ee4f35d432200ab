// SPDX-License-Identifier: Apache-2.0
/* Pods as signs, and times as people say them. Pure. */
#ifndef CLI_BAR_H
#define CLI_BAR_H

#include "base/text.h"

#include <stdint.h>

/* ● a pod at the target that is ready, ○ one that isn't ready yet, · one that isn't at the target.
 */
struct pods {
    int ready, updated, size;
};

enum { BAR_MOST = 20 }; /* signs; more pods share them */

void bar_add(struct text *to, struct pods pods);

/* "45s", "12m", "5h", "3d": the whole units of the largest one. */
void age_add(struct text *to, int64_t ms);

#endif
