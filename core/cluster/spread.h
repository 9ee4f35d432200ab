// SPDX-License-Identifier: Apache-2.0
/*
 * Namespaces spread over several processes, without one that leads. Each is a member by a Lease of
 * its own, which it renews and by which the cluster's fence goes (lease.h); and there is a Lease
 * for each shard of the namespaces, which names the member that acts in it and is written only when
 * that changes. Who is to have which shard, all members find out for themselves (shards.h): whoever
 * has one that is another's now finishes what it has sent, and gives it away; whoever is to have
 * one takes it when it is free, or when its member's own Lease isn't renewed any more.
 *
 * So in each namespace one process acts at a time, for the same reasons for which one alone does
 * with lease.h: a member that was stopped has lost its fence before anybody takes its shards.
 *
 * Members that count shards differently would act in the same namespaces: whoever sees another one
 * of that kind takes nothing.
 */
#ifndef CLUSTER_SPREAD_H
#define CLUSTER_SPREAD_H

#include "cluster/lease.h"

struct spread;

struct spread_spec {
    struct lease_spec lease; /* its name is that of all members together; without metadata */
    unsigned shards;
};

struct spread_events {
    void (*on_take)(void *data, unsigned shard);  /* it is ours: act in it */
    void (*on_leave)(void *data, unsigned shard); /* it is to be another's; no write in it is under
                                                     way, and whatever else is ends here */
    void (*on_lost)(void *data, const struct error *why); /* as in lease.h; of all shards */
    void (*on_state)(void *data, const struct error *err);
};

/* Everything is copied. Closes the fence and all shards. */
struct spread *spread_open(struct cluster *cluster, const struct spread_spec *spec,
                           const struct spread_events *events, void *data);

unsigned spread_shards_held(const struct spread *spread);

/* Gives all shards away, by ending its membership; see lease_release(). */
int spread_release(struct spread *spread, int64_t timeout_ms, struct error *err);

void spread_close(struct spread *spread); /* NULL is fine */

#endif
