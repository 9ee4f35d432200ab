// SPDX-License-Identifier: Apache-2.0
/*
 * Who waits for what: a rollout that waits for a revision, a kind or a workload leaves its key
 * under a topic such as "revision default/shop-v2", and gets a pass when the topic comes up.
 * Nothing is searched: the cost of an event is the number of those who wait for it.
 */
#ifndef RECONCILE_WAITERS_H
#define RECONCILE_WAITERS_H

#include "base/map.h"
#include "reconcile/queue.h"

struct waiters {
    struct map topics; /* topic -> set of keys */
};

void waiters_add(struct waiters *waiters, const char *topic, const char *key);

/* What happens to a workload, whatever it is; by its name in full, "Deployment default/web", or by
 * the parts of that. The caller frees it. */
char *waiters_object_topic(const char *object);
char *waiters_workload_topic(const char *kind, const char *ns, const char *name);

/* What happens to all workloads of a kind. The caller frees it. */
char *waiters_kind_topic(const char *kind);

/* The next of those who wait for the topic, in no order; NULL: there is none. The cursor begins
 * with 0. Borrowed until somebody is added or woken. */
const char *waiters_next(const struct waiters *waiters, const char *topic, size_t *cursor);

/* Everyone who waits for the topic is added to the queue and waits no longer. */
void waiters_wake(struct waiters *waiters, const char *topic, struct queue *queue);

/* The key waits for nothing any more: its object has gone, or got what it needs. Looks at every
 * topic. */
void waiters_forget(struct waiters *waiters, const char *key);

void waiters_done(struct waiters *waiters);

#endif
