// SPDX-License-Identifier: Apache-2.0
/*
 * A cluster and a controller in this process, by a virtual clock: the sandbox with what runs in a
 * cluster, Sluice's kinds, and the real controller with the real adapters. Whatever is done to it,
 * all that follows from it is played to its end at once.
 */
#ifndef CLI_SIMULATION_H
#define CLI_SIMULATION_H

#include "cli/act_prepare.h"
#include "cli/find.h"
#include "cli/load.h"
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
    const json_t *faults;        /* what simulation_spoil() lets go wrong, checked; NULL: nothing */
    int stuck_pod;               /* likewise; 0: none */
    size_t history;              /* versions that the API remembers; 0: as many as it does */
    /* Who is told the decisions instead of the timeline; NULL: the timeline is. */
    void (*on_decision)(void *data, const struct witnessed *what);
    void *data;
};

struct simulation {
    struct simulation_options options;
    struct loop *loop;
    struct sandbox *sandbox;
    struct session person; /* who does what is done */
    struct cluster *cluster;
    struct controller *controller;
    struct timeline timeline;
    struct load *load;       /* where what the controller asks is counted; NULL: nowhere */
    struct load_share share; /* counted so far */
    size_t second;           /* of virtual time, since counting began */
    int64_t wake_at_ms; /* the last time of day at which a rollout wants to be looked at again */
    uint64_t writes;    /* of the controller, when the present step began */
    int64_t quiet_ms;   /* at rest is where so long nothing has happened */
    bool spoilt;
};

/* The caller releases it with simulation_close(), after a failure too. */
int simulation_open(const struct simulation_options *options, struct simulation *ret_simulation,
                    struct error *err);
void simulation_close(struct simulation *simulation);

/* From now on it goes wrong what is to, by rules as docs/sandbox.md has them and with the pod that
 * gets stuck; called again, all counts anew. Of the requests, only the controller's. */
void simulation_spoil(struct simulation *simulation);

/* Each is a step of the timeline, played until everything is at rest. ERR_MISSING: there is no such
 * kind here, and nothing was done. ERR_LIMIT: the limit of time was reached. Else what the API
 * said.
 * - Applies an object, as kubectl apply --server-side does. */
int simulation_apply(struct simulation *simulation, const json_t *object, struct error *err);
/* - Lets on what waits for a person, if anything does; *ret_done says so. */
int simulation_approve(struct simulation *simulation, bool *ret_done, struct error *err);
/* - Changes the template of the workload that a Rollout follows, as `sluice restart` does. */
int simulation_restart(struct simulation *simulation, const json_t *rollout, struct error *err);

/* ---- what steps are made of ---- */

/* What a person asks for. The answer is dropped. */
int simulation_ask(struct simulation *simulation, const char *method, const char *path,
                   const char *content_type, const json_t *body, struct error *err);
int simulation_put(struct simulation *simulation, const char *path, const json_t *object,
                   struct error *err); /* as kubectl apply --server-side does */
/* Unless it is there. */
int simulation_make_namespace(struct simulation *simulation, const char *name, struct error *err);

/* From now on what the controller asks for is added to `load`, which is borrowed until the next
 * call, by seconds that begin now. */
void simulation_count(struct simulation *simulation, struct load *load);

/* Until nothing happens any more, and nothing is going to within the limit. */
int simulation_rest(struct simulation *simulation, struct error *err);

/* What a person would do who looks at a rollout that waits for one. */
struct way_on {
    const char *did;   /* what that is called; NULL: it waits for nobody */
    struct text words; /* what it comes to */
    json_t *patch;     /* of the rollout, at this path */
    char *path;
};
int simulation_way_on(const struct found *found, struct way_on *ret_way, struct error *err);
void way_on_done(struct way_on *way);

/* Where a rollout has come, all components together. */
enum end { END_SUCCEEDED, END_WAITING, END_FAILED, END_STOPPED }; /* WAITING: for a person */
enum end simulation_end(const json_t *rollout);

/* All rollouts as they are now. The caller releases the list. */
int simulation_rollouts(struct simulation *simulation, struct found_list *ret_list,
                        struct error *err);

#endif
