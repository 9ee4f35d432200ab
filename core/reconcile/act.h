// SPDX-License-Identifier: Apache-2.0
/*
 * Acting: carries out what an adapter has asked for, one action after the other, each with its
 * precondition. The workload is touched only while it is the very object (by uid) and carries our
 * mark, except by the apply that puts the mark on it, which holds the version that was looked at.
 */
#ifndef RECONCILE_ACT_H
#define RECONCILE_ACT_H

#include "reconcile/reconcile.h"

/* Everything but the kind is copied. */
struct act_spec {
    struct workload_kind *kind;
    const json_t *workload;    /* as it was seen; NULL: it doesn't exist yet */
    const json_t *target;      /* for namespace and name */
    const char *holder;        /* tested by JSON patches; NULL: it isn't ours yet */
    const json_t *auxiliaries; /* applied first; NULL: none */
};

struct act;

/* What came of the writes: of several, the greatest. */
enum acted {
    ACTED_NOT,     /* there were none */
    ACTED_IN_VAIN, /* they asked for what was there already */
    ACTED_PATCHED, /* something has changed */
    ACTED_DELETED, /* a pod, of which there comes an end */
};

/* err is OK when all was done; after a JSON patch in vain its path is the field that was to change.
 * ERR_CONFLICT: somebody else was first, look again. */
typedef void act_fn(void *data, enum acted acted, const struct error *err);

/* Owns `actions`. on_done is called once, never before act_start() returns. */
struct act *act_start_take(struct controller *controller, const struct act_spec *spec,
                           struct actions *actions, act_fn *on_done, void *data);
void act_cancel(struct act *act);

#endif
