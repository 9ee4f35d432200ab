// SPDX-License-Identifier: Apache-2.0
/*
 * What happens in a simulation. It is told step by step, a step being what somebody does and all
 * that follows from it, as JSON for programs:
 *
 *     {"did": "applied", "object": "AppRollout default/shop", "events": [
 *        {"at": 0.0, "rollout": "AppRollout default/shop", "component": "web",
 *         "state": "batchVerifying", "batch": 1, "batches": 3, "upgraded": 0, "ready": 0, "size":
 * 5},
 *        {"at": 0.0, "rollout": …, "target": 1, "batch": 1, …},
 *        {"at": 10.0, "rollout": …, "hook": "smoke-test", "url": …, "passes": true}],
 *      "stands": [{"rollout": …, "state": "batchReady", "reason": {"code": …, "message": …},
 *                  "advice": "sluice approve shop"}],
 *      "seconds": 10.0, "writes": 12,
 *      "faults": [{"fault": "answer", "code": 409, "verb": "patch", "seen": 7, "done": 2}]}
 *
 * and as a page for people. `at` counts from the beginning of the step.
 */
#ifndef CLI_TIMELINE_H
#define CLI_TIMELINE_H

#include "base/map.h"
#include "base/text.h"
#include "cli/rollout_view.h"
#include "reconcile/witness.h"

struct timeline {
    json_t *steps;
    json_t *step; /* the present one; borrowed from the steps */
    int64_t began_ms;
    struct map seen; /* of each component: what was told of it last */
};

void timeline_init(struct timeline *timeline);
void timeline_done(struct timeline *timeline);

/* Begins a step: "applied", "AppRollout default/shop". `words`, if not NULL, say more. */
void timeline_step(struct timeline *timeline, const char *did, const char *object,
                   const char *words);

/* It was refused, and nothing has come of it. */
void timeline_undo(struct timeline *timeline);

/* What the controller does. */
void timeline_decision(struct timeline *timeline, const struct witnessed *what);
void timeline_hook(struct timeline *timeline, const char *kind, const struct hook_spec *spec,
                   bool passes);

/* Ends the step: where a rollout stands then, each that had a part in it; and how many writes the
 * controller has made. */
void timeline_stand(struct timeline *timeline, const struct rollout_view *view);
void timeline_end(struct timeline *timeline, uint64_t writes);

/* What the rules were, how many things each has fitted ("seen") and how many went wrong ("done"),
 * since they count; {"faults": […]}. */
void timeline_faults_take(struct timeline *timeline, json_t *faults);

/* Has the rollout begun to roll, in any step so far? "Rollout default/web" */
bool timeline_has_rolled(const struct timeline *timeline, const char *rollout);

/* The page about a step that has ended. */
void timeline_page(const json_t *step, int width, struct text *to);

#endif
