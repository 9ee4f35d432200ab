// SPDX-License-Identifier: Apache-2.0
/*
 * A brake on adapters that don't come to an end: that ask for a write which changes nothing, or for
 * another one each time they are asked, while the rollout makes no move. Without it they would cost
 * the API server as many writes as a pass has rounds, for ever. It lets go when the rollout moves,
 * is edited, or gets another adapter, or puts back what somebody else has changed; else it lets the
 * adapter be asked again after a while that doubles each time.
 */
#ifndef RECONCILE_BRAKE_H
#define RECONCILE_BRAKE_H

#include <stdbool.h>
#include <stdint.h>

struct adapter;
struct component;

/* Zero it before its first use. */
struct brake {
    unsigned rounds;  /* of this pass, in a row, that have patched something and moved nothing */
    int64_t pause_ms; /* how long it was put on last; 0: not since the last move */
    int64_t until_ms; /* monotonic */
    const struct adapter *adapter; /* that it is about; compared, and never followed */
    int64_t generation;            /* of the rollout's spec then */
    char *why;                     /* in words; owned */
};

/* Forgets everything. */
void brake_done(struct brake *brake);

/* A round of the component is over. True: its adapter has had enough of them. */
bool brake_round(struct brake *brake, const struct component *component, bool moved);

/* Must the component's adapter be left alone for now? Lets go when that is over. */
bool brake_holds(struct brake *brake, const struct component *component);

/* The component waits, for the reason that the brake was put on. */
void brake_tell(const struct brake *brake, struct component *component);

#endif
