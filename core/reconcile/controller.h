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

struct controller;

/* Borrows cluster, adapters and config, which must outlive it. The caller owns *ret_controller. */
struct controller *controller_new(struct cluster *cluster, struct adapters *adapters,
                                  const struct config *config);
void controller_free(struct controller *controller);

#endif
