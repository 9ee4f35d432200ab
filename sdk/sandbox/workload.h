// SPDX-License-Identifier: Apache-2.0
/* What the controllers of workloads have in common: an object with those that it controls, and
 * writing what they want of both. */
#ifndef SANDBOX_WORKLOAD_H
#define SANDBOX_WORKLOAD_H

#include "later.h"
#include "object.h"

/* Of a kind in the group apps, or a Pod. Borrowed. */
const struct kind *workload_kind(const struct sandbox *sandbox, const char *name);

/* The newest version of an object of that kind; NULL: it is gone, or going. The caller owns it. */
json_t *workload_get(const struct sandbox *sandbox, const char *kind, const char *key);

/* Those of a kind that an object controls and that aren't on their way out, oldest first. The
 * caller owns the array. */
json_t *workload_controlled(const struct sandbox *sandbox, const json_t *owner, const char *kind);

/* A controller's kind, and the kind of what its objects control. */
struct workload_kinds {
    const char *own, *controlled;
    later_fn *reconcile; /* for an object of its own */
};

/* Has the object that this is about, or that controls what this is about, reconciled. */
void workload_look(struct sandbox *sandbox, const struct version *version,
                   const struct workload_kinds *kinds);

/* Creates an object that `owner` controls. Owns `object`; returns it as it was written, the
 * caller's, or NULL: it was refused. */
json_t *workload_create_take(struct sandbox *sandbox, const json_t *owner, const char *kind,
                             json_t *object);

/* Writes the object, or only its status, if that changes anything. Changes `object`. */
void workload_write(struct sandbox *sandbox, const char *kind, json_t *object);
void workload_write_status(struct sandbox *sandbox, const char *kind, json_t *object);

void workload_delete(struct sandbox *sandbox, const char *kind, const json_t *object);

/* The count at a pointer. A status leaves out what is 0. */
int64_t workload_count(const json_t *object, const char *pointer);
void workload_put_count(json_t *object, const char *pointer, int64_t count);

/* The pods' part of a status, of those that are there now: how many are ready, and how many have
 * been for so long that they are available. *ret_wait_ms: until the next one is; -1: none waits. */
struct tally {
    int64_t ready, available;
    int64_t wait_ms;
};
struct tally workload_tally(const json_t *pods, int64_t min_ready_s);

/* The condition of that type; NULL: it has none. Borrowed. */
json_t *workload_condition(const json_t *object, const char *type);

#endif
