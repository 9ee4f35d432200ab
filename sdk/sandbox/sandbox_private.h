// SPDX-License-Identifier: Apache-2.0
/* The inside of struct sandbox. Private to sdk/sandbox. */
#ifndef SANDBOX_PRIVATE_H
#define SANDBOX_PRIVATE_H

#include "faults.h"
#include "http.h"
#include "inside.h"
#include "kinds.h"
#include "sandbox.h"
#include "store.h"

#include "base/list.h"
#include "base/map.h"

struct sandbox {
    struct loop *loop;
    struct store *store;
    struct registry *kinds;
    struct http *http; /* NULL: it doesn't listen */
    struct inside *inside;
    struct owners *owners;
    struct faults *faults;
    struct list watches;
    struct list soon, later;  /* what controllers have to do (later.h) */
    int starts;               /* of pods, since sandbox_stick() */
    int stuck_start;          /* the one that sticks; 0: none */
    char *stuck;              /* the pod's key; NULL: none yet */
    struct map never_ready;   /* the keys of pods that a fault keeps from it */
    size_t next_node;         /* where the next pod goes */
    bool has_nodes;           /* of its own, so that pods go to nodes */
    int64_t ready_after_ms;   /* from a pod's beginning; -1: it never is */
    struct timer controllers; /* runs when there are versions that they haven't seen */
    int64_t controlled;       /* the revision that they have seen */
};

#endif
