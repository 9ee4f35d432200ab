// SPDX-License-Identifier: Apache-2.0
/* What the controllers of workloads have in common: an object with those that it controls, and
 * writing what they want of both. */
#ifndef SANDBOX_WORKLOAD_H
#define SANDBOX_WORKLOAD_H

#include "controllers.h"
#include "later.h"
#include "object.h"

/* A Pod or a Node, a CloneSet, or a kind in the group apps. Borrowed; NULL: CloneSets, while their
 * definition isn't there. */
const struct kind *workload_kind(const struct sandbox *sandbox, const char *name);

/* The newest version of an object of that kind; NULL: it is gone, or going. The caller owns it. */
json_t *workload_get(const struct sandbox *sandbox, const char *kind, const char *key);

/* All objects of a kind, also those on their way out. The caller owns the array. */
json_t *workload_all(const struct sandbox *sandbox, const char *kind);

/* Where the object is in its collection. The caller frees it. */
char *workload_key(const json_t *object);

/* Whether it has been deleted, and waits. */
bool workload_is_going(const json_t *object);

/* Those of a kind that an object controls, oldest first; the first leaves out those on their way
 * out. The caller owns the array. */
json_t *workload_controlled(const struct sandbox *sandbox, const json_t *owner, const char *kind);
json_t *workload_controlled_all(const struct sandbox *sandbox, const json_t *owner,
                                const char *kind);

/* The same items in the order of `compare`, which is qsort()'s, of json_t *. Owns `list`; the
 * caller owns what is returned. */
json_t *workload_sorted_take(json_t *list, int (*compare)(const void *, const void *));

/* What names and labels say of a template. */
enum { WORKLOAD_HASH_SIZE = 11 };
void workload_hash(const json_t *template, char ret_hash[WORKLOAD_HASH_SIZE]);

/* A pod as the template says, not created yet. The caller owns it. */
json_t *workload_pod(const json_t *owner, const json_t *template);

/* A controller's kind, and the kind of what its objects control. */
struct workload_kinds {
    const char *own, *controlled;
    later_fn *reconcile; /* for an object of its own */
};

/* Has the object that this is about, or that controls what this is about, reconciled. */
void workload_look(struct sandbox *sandbox, const struct news *news,
                   const struct workload_kinds *kinds);

/* Creates an object that `owner` controls. Owns `object`; returns it as it was written, the
 * caller's, or NULL: it was refused. */
json_t *workload_create_take(struct sandbox *sandbox, const json_t *owner, const char *kind,
                             json_t *object);

/* Writes the object, or only its status, if that changes anything. Changes `object`. */
void workload_write(struct sandbox *sandbox, const char *kind, json_t *object);
void workload_write_status(struct sandbox *sandbox, const char *kind, json_t *object);

void workload_delete(struct sandbox *sandbox, const char *kind, const json_t *object);

/* A number, or so many percent of `whole`. */
int64_t workload_share(const json_t *value, int64_t whole, bool up);

/* The count at a pointer. A status leaves out what is 0. */
int64_t workload_count(const json_t *object, const char *pointer);
void workload_put_count(json_t *object, const char *pointer, int64_t count);

/* The status is that of the object as it is now. */
void workload_put_observed(json_t *object);

/* Whether its pods are replaced without being deleted by somebody else: its strategy isn't
 * OnDelete. */
bool workload_rolls(const json_t *object);

/* Milliseconds until a pod has been ready for so long that it is available; 0: it is; -1: it isn't
 * even ready. */
int64_t workload_available_in(const json_t *pod, int64_t min_ready_s);

/* Whether all its containers have ended for good. */
bool workload_has_ended(const json_t *pod);

/* The pods' part of a status, of those that are there now: how many are ready, and how many have
 * been for so long that they are available. *ret_wait_ms: until the next one is; -1: none waits. */
struct tally {
    int64_t ready, available;
    int64_t wait_ms;
};
struct tally workload_tally(const json_t *pods, int64_t min_ready_s);

/* The condition of that type; NULL: it has none. Borrowed. */
json_t *workload_condition(const json_t *object, const char *type);

/* Says whether a condition holds, and since when, if that has changed. Borrowed from `object`. */
json_t *workload_put_condition(json_t *object, const char *type, bool holds);

#endif
