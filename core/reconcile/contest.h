// SPDX-License-Identifier: Apache-2.0
/*
 * A contest over a workload: somebody else takes off what the rollout holds it by, a partition or a
 * strategy, and the adapter puts it back. It says so by the Event HoldTakenOff beside its patch. As
 * adapters don't remember what they have written, they only suspect it; the server knows, and its
 * word goes along with the Event. A suspicion that it doesn't share is dropped.
 *
 * Between two rolls of a Rollout no adapter says so, because it is the owner who writes: his word
 * is noted in the ledger, and the hold is put back without an Event. But he may be fighting, too.
 *
 * What was taken off is put back at once, because pods move meanwhile. Who takes it off again and
 * again, as fast as he can, is answered once a second.
 */
#ifndef RECONCILE_CONTEST_H
#define RECONCILE_CONTEST_H

#include "adapter/adapter.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct component;

typedef void contest_fn(struct component *component, struct actions *actions);

/* Zero it before its first use. */
struct contest {
    unsigned spent;         /* answers that are not forgotten yet … */
    int64_t since_ms;       /* … as of then, monotonic */
    struct actions actions; /* that wait for the server's word; owned */
    contest_fn *go_on;
    char *who; /* did it last, in words; owned */
};

/* Forgets everything. */
void contest_done(struct contest *contest);

/* Was the hold taken off, as the adapter says, or because the effect that has its turn puts back
 * what had come to rest? */
bool contest_suspected(const struct component *component, const struct actions *actions);

/* Asks the server who has done it, and goes on with the actions, whose ownership passes: later. Or,
 * when it was answered often enough, lets the component wait with the reason Contested. */
void contest_judge_take(struct component *component, struct actions *actions, contest_fn *go_on);

#endif
