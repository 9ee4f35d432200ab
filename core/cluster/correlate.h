// SPDX-License-Identifier: Apache-2.0
/*
 * Which Event an event becomes: what client-go's EventCorrelator decides, so that users see what
 * they are used to. Pure: it is told the time. Private to core/cluster.
 */
#ifndef CLUSTER_CORRELATE_H
#define CLUSTER_CORRELATE_H

#include "cluster/recent.h"
#include "cluster/recorder.h"

/* One Event object of the cluster, as far as we know it. */
struct observation {
    struct recent_item item;
    uint64_t number;  /* the end of its name */
    int count;        /* how often it has happened */
    int64_t first_ms; /* wall clock */
    bool written;     /* it is in the cluster */
    void *post;       /* the recorder's, while it is being written (then pinned) */
};

struct correlator {
    struct recent objects, similar, observations;
};

void correlator_init(struct correlator *correlator);
void correlator_done(struct correlator *correlator);

/* Counts an event in. NULL when the object has had too many; *ret_combined when it is to carry the
 * message of a combined one. Borrowed, see recent_use(). */
struct observation *correlator_add(struct correlator *correlator, const struct event_about *about,
                                   const struct event *event, int64_t now_ms, bool *ret_combined);

/* Drops what is too old to matter. False when nothing is left. */
bool correlator_clean(struct correlator *correlator, int64_t now_ms);

#endif
