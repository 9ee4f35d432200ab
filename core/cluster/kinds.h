// SPDX-License-Identifier: Apache-2.0
/*
 * Discovery: from apiVersion and kind to the collection's path. Answers are remembered; a kind that
 * isn't there is asked for again whenever a CustomResourceDefinition has changed.
 */
#ifndef CLUSTER_KINDS_H
#define CLUSTER_KINDS_H

#include "cluster/cluster.h"

#include <stdbool.h>

struct kinds;

/* on_change, if not NULL, is told when a CRD has been established or has gone: who waits for a
 * kind kicks its watch then. */
struct kinds *kinds_new(struct cluster *cluster, void (*on_change)(void *data), void *data);

/* on_state is told how the watch of the CRDs fares; see watch_events. */
void kinds_on_state(struct kinds *kinds, void (*on_state)(void *data, const struct error *err),
                    void *data);
void kinds_free(struct kinds *kinds);

struct kind_info {
    const char *api_version; /* "apps.kruise.io/v1alpha1" */
    const char *kind;        /* "CloneSet" */
    const char *plural;      /* "clonesets" */
    bool namespaced;
};

/* on_found is called exactly once, possibly before kind_find() returns. info is NULL when err isn't
 * OK: ERR_MISSING (no such kind), ERR_DENIED, ERR_RETRY. Both are borrowed during the call. */
typedef void kind_fn(void *data, const struct kind_info *info, const struct error *err);
void kind_find(struct kinds *kinds, const char *api_version, const char *kind, kind_fn *on_found,
               void *data);

/* Forgets the questions that were asked with this data. */
void kind_forget(struct kinds *kinds, void *data);

/* "/apis/apps/v1/namespaces/ns/deployments/name"; ns NULL or "": cluster-scoped or all namespaces;
 * name NULL: the collection. subresource NULL: none. The caller frees it. */
char *object_path(const struct kind_info *info, const char *ns, const char *name,
                  const char *subresource);

/* A list of this one object, for whoever watches a kind: he may list it, but needn't be allowed to
 * get. The caller frees it. */
char *object_list_path(const struct kind_info *info, const char *ns, const char *name);

#endif
