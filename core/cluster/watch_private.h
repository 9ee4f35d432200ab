// SPDX-License-Identifier: Apache-2.0
/* What the other files of this folder may know of a watch. Private to core/cluster. */
#ifndef CLUSTER_WATCH_PRIVATE_H
#define CLUSTER_WATCH_PRIVATE_H

#include "cluster/watch.h"

/* The resource version up to which everything has been told; 0 before the first list is complete.
 */
uint64_t watch_seen(const struct watch *watch);

/* What the watch was told to keep of an object. The caller owns it; it may be the object itself. */
json_t *watch_prune(const struct watch *watch, json_t *object);

/* A resource version as a number, 0 when it isn't one. Kubernetes calls versions opaque, but
 * promises since 1.35 what has always been so: they are numbers that grow. */
uint64_t version_number(const char *version);

#endif
