// SPDX-License-Identifier: Apache-2.0
/*
 * Kubernetes Events about our objects, aggregated the way users know them from client-go: the same
 * event again raises `count` of the one that is there (by PATCH); of events of the same reason that
 * follow each other within ten minutes, the tenth different message and all further ones become one
 * "(combined from similar events)"; an object may cause 25 and then one each five minutes. Events
 * are best effort: a failed write is dropped, and never more than four are under way.
 */
#ifndef CLUSTER_RECORDER_H
#define CLUSTER_RECORDER_H

#include "cluster/cluster.h"

struct recorder;

struct event_about {
    const char *api_version, *kind, *ns, *name, *uid, *resource_version;
};

struct event {
    bool warning;
    const char *reason; /* CamelCase, for machines */
    const char *message;
};

struct recorder *recorder_new(struct cluster *cluster, const char *component);
void recorder_free(struct recorder *recorder);

/* Everything is copied. */
void recorder_event(struct recorder *recorder, const struct event_about *about,
                    const struct event *event);

/* on_state is told when Events can't be written because a right is missing, once until one could be
 * written again; that is told too, with OK. */
void recorder_on_state(struct recorder *recorder,
                       void (*on_state)(void *data, const struct error *err), void *data);

/* How many Events could not be written. */
uint64_t recorder_dropped(const struct recorder *recorder);

#endif
