// SPDX-License-Identifier: Apache-2.0
/*
 * A Lease that one of several processes holds at a time, in the form and by the rules of
 * client-go's elector, which may be among them. It is watched, not polled: a Lease that was
 * released is taken in the moment that this is known.
 *
 * Holding it moves the cluster's fence (cluster.h): no write of this process begins after renew_ms,
 * nor lasts beyond duration_ms, from the moment before the last successful renewal was sent. While
 * it isn't held, and after it was lost, none begins at all. So a process that was stopped, or a
 * machine that slept, doesn't write when it wakes up; what a request that had left already may do
 * is settled by its own preconditions.
 */
#ifndef CLUSTER_LEASE_H
#define CLUSTER_LEASE_H

#include "cluster/cluster.h"
#include "cluster/election.h"

struct lease;

struct lease_spec {
    const char *ns, *name;
    const char *identity; /* no other process, earlier ones included, has the same */
    struct lease_terms terms;
    const json_t *metadata; /* labels and annotations that it is made with; NULL: none */
};

struct lease_events {
    void (*on_held)(void *data); /* it is ours; called once */
    /* It isn't ours any more, for ever. The owner ends. */
    void (*on_lost)(void *data, const struct error *why);
    void (*on_other)(void *data, const char *holder); /* somebody else holds it */
    /* It can't be read or written, once until it could be again: told with OK. */
    void (*on_state)(void *data, const struct error *err);
};

/* Everything is copied. Closes the fence. */
struct lease *lease_open(struct cluster *cluster, const struct lease_spec *spec,
                         const struct lease_events *events, void *data);

bool lease_is_held(const struct lease *lease);

/* Closes the fence and gives the Lease away, if it is held: turns the loop until it is answered, or
 * the time is over. The lease does nothing more after this but being closed. */
int lease_release(struct lease *lease, int64_t timeout_ms, struct error *err);

void lease_close(struct lease *lease); /* NULL is fine */

#endif
