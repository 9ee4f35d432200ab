// SPDX-License-Identifier: Apache-2.0
/*
 * The pods of CloneSets. One that is updated in place closes a gate of its own first, so that it
 * isn't ready, has its images changed then, and opens the gate when its containers run them.
 */
#ifndef SANDBOX_CLONE_POD_H
#define SANDBOX_CLONE_POD_H

#include "workload.h"

#define CLONE_POD_REVISION_AT "/metadata/labels/controller-revision-hash"

/* Creates one of a revision, a ControllerRevision of the CloneSet. Returns whether it was. */
bool clone_pod_create(struct sandbox *sandbox, const json_t *set, const json_t *revision);

/* Whether only the images, or the template's labels and annotations, differ between two revisions;
 * NULL: one that isn't known any more. */
bool clone_pod_fits_in_place(const json_t *from, const json_t *to);

/* Turns a pod of `from` to `to`, between which it fits. */
void clone_pod_update(struct sandbox *sandbox, json_t *pod, const json_t *from, const json_t *to);

/* Marks a pod: it is to be deleted when the CloneSet can do without it. */
void clone_pod_give_up(struct sandbox *sandbox, json_t *pod);
bool clone_pod_is_given_up(const json_t *pod);

/* What is due for a pod that has been made or updated. Returns whether that was anything. */
bool clone_pod_settle(struct sandbox *sandbox, json_t *pod);

/* Milliseconds until it is available; 0: it is; -1: it isn't even ready. Who isn't asked for it to
 * be settled takes it for ready while it is only about to be. */
int64_t clone_pod_available_in(const json_t *pod, int64_t min_ready_s, bool settled);

/* Those that an update or a deletion hurts least come first; as workload_sorted_take() wants it. */
int clone_pod_by_worth(const void *a, const void *b);

#endif
