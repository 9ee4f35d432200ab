// SPDX-License-Identifier: Apache-2.0
/*
 * A store: the objects of one watched collection, pruned and packed (base/pack.h: only that
 * is kept in which they differ, a fiftieth of what a tree takes), found by namespace and name.
 * Readers get a tree of their own.
 */
#ifndef CLUSTER_STORE_H
#define CLUSTER_STORE_H

#include "cluster/watch.h"

#include <stdint.h>

struct store;

/* Told after the store has changed; a deleted object isn't found any more. `object` is borrowed. */
typedef void store_fn(void *data, const char *ns, const char *name, const json_t *object,
                      bool deleted);

struct store_events {
    store_fn *on_change;                                   /* not called for an equal version */
    void (*on_synced)(void *data);                         /* may be NULL */
    void (*on_state)(void *data, const struct error *err); /* may be NULL; see watch_events */
};

struct store *store_open(struct cluster *cluster, const struct watch_spec *spec,
                         const struct store_events *events, void *data);
void store_close(struct store *store);
bool store_synced(const struct store *store);
const char *store_failure(const struct store *store); /* see watch_failure() */
bool store_denied(const struct store *store);         /* see watch_denied() */
void store_kick(struct store *store);
size_t store_count(const struct store *store);

/* The object, or NULL. The caller owns it. Cluster-scoped objects have the namespace "". */
json_t *store_get(const struct store *store, const char *ns, const char *name);

/* The resource version of what store_get() gives, as a number: the same as before, the same object.
 * 0 when it gives NULL. */
uint64_t store_version_of(const struct store *store, const char *ns, const char *name);

/* Calls `each` for every object, in no order; the tree is borrowed during the call. The store must
 * not change meanwhile. */
void store_each(const struct store *store, void (*each)(void *data, const json_t *object),
                void *data);

/* Puts in what a write has answered, so that the next read isn't older than our own write. Ignored
 * when the store already has something newer. */
void store_put(struct store *store, const json_t *object);

#endif
