// SPDX-License-Identifier: Apache-2.0
/*
 * The kinds of workloads that adapters handle, and who handles them. Adapters may come, go and be
 * replaced while rollouts are under way:
 *
 *     no adapter ──► an adapter ──► … and the next one, whose objects are being listed ─┐
 *          ▲             │ ▲                                                            │
 *          └── removed ──┘ └──────────────── all that it reads is there ────────────────┘
 *
 * A round of a pass goes with the adapter, and the view of the objects, that it began with.
 */
#ifndef RECONCILE_WORKLOAD_KINDS_H
#define RECONCILE_WORKLOAD_KINDS_H

#include "reconcile/reconcile.h"

/* The topic of those who wait for an adapter. */
#define WAITS_FOR_ADAPTER "adapters"

/* Goes over to the controller's present set of adapters; also for the first time. */
void workload_kinds_renew(struct controller *controller);
void workload_kinds_close(struct controller *controller);

/* A kind that wasn't served may be now. */
void workload_kinds_look(struct controller *controller);

/* NULL when no adapter has ever handled it. Borrowed; it stays until the controller ends. */
struct workload_kind *workload_kind_find(const struct controller *controller,
                                         const char *api_version, const char *name);

/* What the next adapter has waited for may be there. */
void workload_kind_try(struct workload_kind *kind);

/* Why the next adapter isn't in force yet; NULL: there is none. The caller frees it. */
char *workload_kind_waits_for(const struct workload_kind *kind);

/* Why objects haven't been listed yet, in words. The caller frees them. */
char *unlisted_words(const struct unlisted *unlisted);

/* A right is missing to see what becomes of its workloads: all its rollouts have to say so. */
void workload_kind_blind(struct workload_kind *kind);

/* How many rollouts have workloads of this kind. */
size_t workload_kind_rollouts(const struct workload_kind *kind);

/* What is said about an adapter of the present set: the version that is in force, its rollouts, and
 * under "next" the one that it waits to be replaced by. The caller owns it. */
json_t *workload_kinds_about(const struct controller *controller, const struct adapter *adapter);

#endif
