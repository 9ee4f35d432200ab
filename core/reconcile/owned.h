// SPDX-License-Identifier: Apache-2.0
/*
 * What workloads own: pods, ReplicaSets and whatever else the manifests of adapters ask for. One
 * watch a kind, open only when an enabled adapter asks for it. Only objects that a workload of an
 * asking kind controls are kept, pruned and as text, found by the UID of that workload; so a change
 * costs what that one object costs, however many there are.
 */
#ifndef RECONCILE_OWNED_H
#define RECONCILE_OWNED_H

#include "adapter/adapter.h"
#include "reconcile/reconcile.h"

/* Watches all that the adapters ask for which handle workload kinds, or are about to; after these
 * are known, and again when they have changed. Where more is asked for than is kept, it is listed
 * anew beside what is there, and takes its place when it is complete. A change wakes the rollout
 * that holds the workload. */
void owned_renew(struct controller *controller);
void owned_close(struct controller *controller);

/* Ends the watches that no adapter asks for any more. */
void owned_drop_unasked(struct controller *controller);

/* A kind that wasn't served may be now. */
void owned_look(struct controller *controller);

/* Has everything been listed that workloads of this kind own, as far as this declaration asks for
 * it? If not, *ret_missing says which kind hasn't, and why; who waits for the topic "kind <workload
 * kind>" is woken then, and when the reason has changed. */
bool owned_synced(const struct workload_kind *kind, const struct adapter_kind *declared,
                  struct unlisted *ret_missing);

/* Is everything listed that is watched, or known why it isn't? */
bool owned_seen(const struct controller *controller);

/* Is a right missing to see what becomes of them? *ret_denied says which kind, and why. */
bool owned_denied(const struct workload_kind *kind, struct unlisted *ret_denied);

/* What the workload with this UID controls, of the kinds that its adapter asks for: an array, which
 * the caller owns; NULL when it asks for none. */
json_t *owned_objects(const struct workload_kind *kind, const char *uid);

/* This deletion of a pod was asked for: it is on its way out from now on, whenever the watch says
 * so. Its successor of the same name isn't. */
void owned_pod_leaves(struct controller *controller, const char *ns, const struct action *deletion);

#endif
