// SPDX-License-Identifier: Apache-2.0
/* What the files of reconcile/ share; nobody else includes it. */
#ifndef RECONCILE_RECONCILE_H
#define RECONCILE_RECONCILE_H

#include "base/json.h"
#include "base/list.h"
#include "base/log.h"
#include "base/map.h"
#include "cluster/kinds.h"
#include "cluster/recorder.h"
#include "cluster/store.h"
#include "oam/approllout.h"
#include "oam/renderer.h"
#include "reconcile/census.h"
#include "reconcile/controller.h"
#include "reconcile/queue.h"
#include "reconcile/turns.h"
#include "reconcile/waiters.h"

#define OAM_API       "core.oam.dev/v1beta1"
#define FIELD_MANAGER "sluice"

#define TEMPLATE_POINTER "/metadata/annotations/rollout.sluice.dev~1template" /* MARK_TEMPLATE */

struct controller;

/* The adapter that is to take over, while what it reads is being listed. */
struct workload_next {
    struct adapter *adapter; /* held; NULL: there is none */
    const struct adapter_kind *kind;
    struct store *store; /* NULL: the present one has all that it reads */
};

/* Objects that a workload's pass must have, and that aren't all there. Both borrowed. */
struct unlisted {
    const char *kind;
    const char *why; /* NULL: it only takes time */
};

/* A kind that an adapter handles, or has handled, with the store of its objects once it is served.
 * See workload_kinds.h. */
struct workload_kind {
    struct controller *controller;
    char *api_version, *name;
    struct adapter *adapter;         /* held; NULL: nobody handles it */
    const struct adapter_kind *kind; /* what the adapter declares; without one, `named` */
    struct adapter_kind named;       /* no more than the names */
    struct workload_next next;
    struct kind_info info; /* copied strings; as it was when it was last served */
    struct store *store;   /* NULL while the cluster doesn't serve it, or nobody handles it */
    bool unserved;         /* so it has said when it was asked last */
};

/* A kind of rollouts, with its objects and the passes that they get. Whatever the kinds do
 * differently is asked of this. */
struct rollout_kind {
    struct controller *controller;
    struct kind_info info;
    const char *finalizer;
    void (*read)(const json_t *object, struct approllout *ret_rollout);
    bool follows; /* its target is the template that its workload has; see follow.h */
    struct store *store;
    struct census census;
    struct queue *queue;
    struct waiters waiters;
    struct map tasks; /* key -> struct task, while it has something to remember */
    struct pack pack; /* of what tasks keep between their passes */
};

enum { ROLLOUTS_OF_APPS, ROLLOUTS_THAT_FOLLOW, ROLLOUT_KINDS };

struct controller {
    struct cluster *cluster;
    struct adapters *adapters;
    const struct config *config;
    struct kinds *kinds;
    struct recorder *recorder;
    struct renderer *renderer;
    struct rollout_kind rollouts[ROLLOUT_KINDS];
    struct store *applications; /* Applications, without status but latestRevision */
    struct watch *revisions;    /* ApplicationRevisions, metadata only, not kept */
    struct watch *definitions;  /* ComponentDefinitions, likewise */
    struct queue *application_queue;
    struct waiters application_waiters;
    struct turns turns;    /* of the rollouts of every kind */
    struct map recordings; /* application key -> its pass under way */
    bool looking;          /* for the first time; see first_look.h */
    bool held;             /* see controller_hold() */
    bool *shards;          /* those that are ours; NULL: nothing is spread */
    unsigned shard_count;
    struct workload_kind **workload_kinds;
    size_t workload_kind_count;
    struct witness witness;          /* zero: there is none */
    struct timer tidy;               /* see controller_tidy_later() */
    struct owned_kind **owned_kinds; /* what workloads own, where adapters read that too */
    size_t owned_kind_count;
};

/* For rollouts to which an operator's windows are closed. */
#define TOPIC_WINDOWS "windows"

/* Whoever waits for the topic, of whatever kind, gets a pass. */
void rollouts_wake(struct controller *controller, const char *topic);

/* What counts rollouts and lines them up learns how one is recorded now; NULL: it is gone. */
void rollout_see(struct rollout_kind *kind, const char *key, const json_t *object);

/* The path of one of Sluice's own objects; plural: "approllouts", … The caller frees it. */
char *oam_path(const char *plural, const char *ns, const char *name, const char *subresource);

/* spreading.c: does it act in the namespace of the key? */
bool acts_for(const struct controller *controller, const char *key);

/* No pass begins until whoever has held them lets go, and nobody else holds them either. */
void passes_hold(struct controller *controller);
void passes_release(struct controller *controller);

/* To be called at the end of every rollout's pass: gives memory that passes have left in pieces
 * back to the system, at most every few seconds and once after the last pass. */
void controller_tidy_later(struct controller *controller);

/* The reasons of a watch's trouble, logged once for each change. */
void log_watch_state(const char *what, const struct error *err);

/* trouble.c: which kind of waiting an error of the cluster's is. Where a right is missing, its
 * words go on with what gives it. */
enum reason_code trouble_reason(struct error *err);

/* workload_kinds.c: something about the workload has changed: the rollout that holds it has a look,
 * and whoever waits for it. The second is for all that wait for the kind as such. */
void workload_wake(const struct workload_kind *kind, const json_t *workload);
void workload_kind_wake(struct workload_kind *kind);

/* application.c: the pass of an Application's key, ending in queue_done() or queue_retry() of
 * application_queue. */
void application_pass(void *data, const char *key);

/* Ends the passes under way. */
void application_passes_drop(struct controller *controller);

/* The one of this key, if there is one, and the same of a rollout: as if it had been killed. */
void application_pass_drop(struct controller *controller, const char *key);

/* rollout_pass.c: the same for a rollout; data is its kind. */
void rollout_pass(void *data, const char *key);
void rollout_tasks_drop(struct rollout_kind *kind);
void rollout_task_drop(struct rollout_kind *kind, const char *key);

#endif
