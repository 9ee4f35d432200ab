// SPDX-License-Identifier: Apache-2.0
/*
 * The record of the last rolls of a component, as it stands in `status.history`, the oldest first:
 *
 *     {"source": "shop-v1", "target": "shop-v2", "began": "2026-01-31T12:00:00.000000Z",
 *      "ended": "2026-01-31T12:03:10.000000Z", "verdict": "Aborted",
 *      "message": "jo has aborted it in batch 2; the workload stays where it is",
 *      "size": 5, "upgraded": 3, "batches": 3, "batchesDone": 1, "batchSeconds": [12],
 *      "asked": [{"verb": "abort", "by": "jo", "at": "2026-01-31T12:03:05Z"}]}
 *
 * The roll that is under way has no end yet; one that was refused, or aborted before anything was
 * touched, has no beginning. Pure.
 */
#ifndef OAM_ROLLS_H
#define OAM_ROLLS_H

#include "oam/asked.h"

#include <jansson.h>

enum { ROLLS_MAX = 10 };

/* A decision, and what it was made of. */
struct rolls_news {
    const struct rollout_status *before;
    const struct decision *decision;
    int batches;               /* of the plan; 0: there is none */
    const struct asked *asked; /* by the person who has asked for something last */
    int64_t now_ms;
};

/* The record once the decision counts; `rolls` is not changed and may be NULL. The caller owns it.
 */
json_t *rolls_note(const json_t *rolls, const struct rolls_news *news);

#endif
