// SPDX-License-Identifier: Apache-2.0
/*
 * The controller: opens the watches, turns their events into keys, and runs a pass for each key.
 * One thread, the loop's. It keeps nothing that the cluster doesn't hold: it may be killed between
 * any two instructions.
 */
#ifndef RECONCILE_CONTROLLER_H
#define RECONCILE_CONTROLLER_H

#include "adapter/adapter.h"
#include "cluster/cluster.h"
#include "config/config.h"
#include "reconcile/witness.h"

struct controller;

/* Borrows cluster and config, which must outlive it; owns the adapters. The caller owns the
 * controller. */
struct controller *controller_new_take(struct cluster *cluster, struct adapters *adapters,
                                       const struct config *config);

/* From now on the witness is told, and asked; no webhook is called any more. */
void controller_tell(struct controller *controller, const struct witness *witness);

/* Until it is released it watches and starts no pass: it has no effect on anything. */
void controller_hold(struct controller *controller);
void controller_release(struct controller *controller);

/* From now on it acts in those namespaces alone whose shard it was given (cluster/shards.h). Of one
 * that it leaves nothing is under way any more when this returns. */
void controller_spread(struct controller *controller, unsigned shards);
void controller_take(struct controller *controller, unsigned shard);
void controller_leave(struct controller *controller, unsigned shard);

/* Goes over to another set, which it owns from now on: each kind by itself, between two rounds of
 * its rollouts, once what its new adapter reads has been listed. */
void controller_renew_take(struct controller *controller, struct adapters *adapters);

/* The config's limits on rolls, or its windows, are others than they were. */
void controller_rules_changed(struct controller *controller);

struct loop *controller_loop(const struct controller *controller);

/* A kind of our own whose objects haven't been listed yet; NULL: it knows what there is. Why not is
 * borrowed and may be NULL: it only takes time. */
const char *controller_missing(const struct controller *controller);
const char *controller_missing_why(const struct controller *controller);

/* The adapters as JSON: what each says about itself, how many rollouts it has, and what its new
 * version waits for. The caller owns it. */
json_t *controller_about(const struct controller *controller);

/* The present set. Borrowed until the next one. */
const struct adapters *controller_adapters(const struct controller *controller);

void controller_free(struct controller *controller);

#endif
