// SPDX-License-Identifier: Apache-2.0
#include "adapter/figures.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdio.h>

/* Each doubling is cut into four classes; below four microseconds each has its own. */
enum { CUTS = 4, CUT_BITS = 2 };

static unsigned class_of(int64_t us)
{
    uint64_t value = us > 0 ? (uint64_t)us : 0;
    if (value < CUTS)
        return (unsigned)value;
    unsigned doublings = 63 - (unsigned)__builtin_clzll(value);
    unsigned cut = (unsigned)(value >> (doublings - CUT_BITS)) - CUTS;
    unsigned found = (doublings - CUT_BITS + 1) * CUTS + cut;
    return found < ADAPTER_LATENCY_CLASSES ? found : ADAPTER_LATENCY_CLASSES - 1;
}

/* The largest value of the class. */
static int64_t class_end(unsigned class)
{
    if (class < CUTS)
        return class;
    unsigned shift = class / CUTS - 1;
    return ((int64_t)(CUTS + class % CUTS + 1) << shift) - 1;
}

void figures_call(struct adapter_figures *figures, int64_t took_us)
{
    figures->calls++;
    figures->latency[class_of(took_us)]++;
}

void figures_refusal(struct adapter_figures *figures, const char *words)
{
    snprintf(figures->refusal, sizeof figures->refusal, "%s", words);
    text_mend(figures->refusal);
    figures->refused_at_ms = clock_wall_ms();
}

int64_t adapter_latency_us(const struct adapter_figures *figures, unsigned percent)
{
    uint64_t within = 0, wanted = (figures->calls * percent + 99) / 100;
    for (unsigned i = 0; wanted && i < ADAPTER_LATENCY_CLASSES; i++) {
        within += figures->latency[i];
        if (within >= wanted)
            return class_end(i);
    }
    return 0;
}
