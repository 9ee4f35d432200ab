// SPDX-License-Identifier: Apache-2.0
/*
 * A cluster and a controller in this process, by a virtual clock: the sandbox with what runs in a
 * cluster, Sluice's kinds, and the real controller with the real adapters. Whatever is done to it,
 * all that follows from it is played to its end at once.
 */
#ifndef CLI_SIMULATION_H
#define CLI_SIMULATION_H

#include "cli/find.h"
#include "cli/timeline.h"
#include "config/config.h"
#include "reconcile/controller.h"
#include "sandbox.h"

struct simulation_options {
    const struct config *config; /* must outlive the simulation */
    const char *ns;              /* of objects that don't say one */
    int64_t ready_after_ms;      /* what a pod takes */
    int64_t limit_ms;            /* of virtual time, for a step */
    const char *rejecting;       /* the name of hooks that say no; NULL: all pass */
};

struct simulation {
    struct simulation_options options;
    struct loop *loop;
    struct sandbox *sandbox;
    struct session person; /* who does what is done */
    struct cluster *cluster;
    struct controller *controller;
    struct timeline timeline;
    int64_t wake_at_ms; /* the last time of day at which a rollout wants to be looked at again */
    uint64_t writes;    /* of the controller, when the present step began */
};

/* The caller releases it with simulation_close(), after a failure too. */
int simulation_open(const struct simulation_options *options, struct simulation *ret_simulation,
                    struct error *err);
void simulation_close(struct simulation *simulation);

/* Each is a step of the timeline, played until everything is at rest. ERR_MISSING: there is no such
 * kind here, and nothing was done. ERR_LIMIT: the limit of time was reached. Else what the API
 * said.
 * - Applies an object, as kubectl apply --server-side does. */
int simulation_apply(struct simulation *simulation, const json_t *object, struct error *err);
/* - Lets on what waits for a person, if anything does; *ret_done says so. */
int simulation_approve(struct simulation *simulation, bool *ret_done, struct error *err);
/* - Changes the template of the workload that a Rollout follows, as `sluice restart` does. */
int simulation_restart(struct simulation *simulation, const json_t *rollout, struct error *err);

/* All rollouts as they are now. The caller releases the list. */
int simulation_rollouts(struct simulation *simulation, struct found_list *ret_list,
                        struct error *err);

#endif
