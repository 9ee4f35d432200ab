// SPDX-License-Identifier: Apache-2.0
/*
 * One step of a roll in memory: a call, and what it does to the objects of its request. What comes
 * of it is told from what the adapter itself observes afterwards, so no field of the kind is known
 * here.
 */
#ifndef CHECK_STEP_H
#define CHECK_STEP_H

#include "contract.h"

#include "adapter/adapter.h"

#define MARK_HOLDER  "/metadata/annotations/rollout.sluice.dev~1holder"
#define MARK_APPLIED "/metadata/annotations/rollout.sluice.dev~1applied"

/* What a call came to. */
struct outcome {
    int32_t result;
    size_t emitted;
    char what[400]; /* the first emission, or why it failed */
};

/* Asks, and does to the request's objects what came of it. ERR_MISSING: it hasn't this call; else
 * as carry_out(). */
int step_take(const struct subject *subject, enum call_kind call, json_t *request,
              struct outcome *ret_outcome, struct error *err);

/* What the adapter sees of the request's workload. ERR_MISSING: it can't tell. */
int step_look(const struct subject *subject, const json_t *request,
              struct workload_status *ret_status);

/* advance to `goal`, of a copy of the request, which the caller owns. NULL: it can't tell, or
 * refuses. */
json_t *step_advance(const struct subject *subject, const json_t *request, int goal,
                     struct outcome *ret_outcome);

/* A copy of the case's request, if it asks this call about an object that is there; else NULL. The
 * caller owns it. */
json_t *step_request(const struct specimen *specimen, enum call_kind call);

/* Is this member of the request true? */
bool step_says(const json_t *request, const char *flag);

/* Can be told what moves: by fields of the workload alone? Objects that it owns would have to
 * follow, and holding or scaling has rules of its own. */
bool step_tells(const json_t *request);

/* Is what two requests say of their workload the same, but for metadata? */
bool step_same_workload(const json_t *a, const json_t *b);

/* The pointer into the request of the integer that is the workload's size, as observe has it; NULL:
 * no single one is. The caller frees it. */
char *step_size_pointer(const struct subject *subject, const json_t *request);

/* Changes one count of the workload's status so that observe sees `count` updated pods. False: no
 * single one does that; the request stays as it was. */
bool step_set_updated(const struct subject *subject, json_t *request, int count);

#endif
