// SPDX-License-Identifier: Apache-2.0
/*
 * Watching a collection: list it page by page, each item decoded by itself while it arrives, then
 * watch from there, for ever. Bookmarks are asked for; a lost connection resumes at the last
 * resource version; 410 lists again and tells what has gone meanwhile; a kind that isn't there
 * (404) is waited for and picked up when it appears. Back-off with jitter, reset by success.
 */
#ifndef CLUSTER_WATCH_H
#define CLUSTER_WATCH_H

#include "cluster/cluster.h"

#include <stdbool.h>
#include <stddef.h>

struct watch_spec {
    const char *path;           /* the collection: "/apis/apps.kruise.io/v1alpha1/clonesets" */
    const char *label_selector; /* NULL: all */
    const char *field_selector; /* NULL: all */
    bool metadata_only;         /* ask for PartialObjectMetadata */
    const char *const *keep;    /* JSON pointers to keep of each object (see json_pick);
                                   NULL: all. managedFields are never there */
    size_t keep_count;
    const char *const *digest; /* JSON pointers of which only one hash is kept (json_hash_at), as
                                  the member WATCH_DIGEST … */
    size_t digest_count;
    const char *digest_if; /* … of objects that have something here */
};

#define WATCH_DIGEST "digest"

/* Objects are pruned already and borrowed during the callback. */
struct watch_events {
    void (*on_put)(void *data, json_t *object);    /* new or changed, or found by a list */
    void (*on_delete)(void *data, json_t *object); /* has at least metadata.namespace and name */
    void (*on_synced)(void *data);                 /* a list is complete (also after a 410) */
    /* The state has changed: err->code is OK (watching), ERR_MISSING (the kind isn't there),
     * ERR_DENIED (a right is missing), or ERR_RETRY. Called once for each change. */
    void (*on_state)(void *data, const struct error *err);
};

struct watch;

/* Everything in spec and events is copied; callbacks never come before watch_open() returns. */
struct watch *watch_open(struct cluster *cluster, const struct watch_spec *spec,
                         const struct watch_events *events, void *data);
void watch_close(struct watch *watch);

/* A complete list has been seen and the kind is there. */
bool watch_synced(const struct watch *watch);

/* Why nothing comes at the moment, as on_state was told; NULL when all is well. Borrowed. */
const char *watch_failure(const struct watch *watch);

/* A right is missing: what was listed is still there, and nothing new comes. */
bool watch_denied(const struct watch *watch);

/* Try now instead of after the back-off: called when a CRD has appeared. */
void watch_kick(struct watch *watch);

#endif
