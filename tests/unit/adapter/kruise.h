// SPDX-License-Identifier: Apache-2.0
/*
 * A CloneSet with its pods in memory, brought forward step by step by the rules of OpenKruise 1.8's
 * own controller: partition, maxSurge, maxUnavailable, paused, priorities, in-place or replaced.
 * Only for tests of the adapter; what it stands for is tested on a real cluster elsewhere.
 */
#ifndef TEST_KRUISE_H
#define TEST_KRUISE_H

#include "adapter/adapter.h"

#include <jansson.h>
#include <stdbool.h>

enum { PODS_MAX = 400, HASH_SIZE = 65 };

struct kruise_pod {
    int id; /* unique; its instance id and the end of its name */
    char revision[HASH_SIZE];
    bool ready;
    bool going; /* marked to be deleted */
};

struct kruise {
    json_t *object; /* NULL: there is none */
    struct kruise_pod pods[PODS_MAX];
    int count;
    int next_id, version;
    bool rejected; /* the last patch was refused */
};

/* No object yet. */
void kruise_init(struct kruise *kruise);
void kruise_done(struct kruise *kruise);

/* Carries the actions out as the API server would, defaults by OpenKruise's webhook included.
 * Fails the test when a patch is refused. */
void kruise_act(struct kruise *kruise, const struct actions *actions);

/* The scale subresource. */
void kruise_scale(struct kruise *kruise, int replicas);

/* One pass of the controller, the status written. False when there was nothing to do. */
bool kruise_step(struct kruise *kruise);

/* Pods become ready: each with a chance of one in `chance`. */
void kruise_ready(struct kruise *kruise, int chance);

/* Steps and makes ready until nothing moves. */
void kruise_settle(struct kruise *kruise);

/* Counted from the pods, not from the status. */
int kruise_size(const struct kruise *kruise);
int kruise_updated(const struct kruise *kruise);
int kruise_count_ready(const struct kruise *kruise);

/* As the API server would list them. The caller owns it. */
json_t *kruise_pods(const struct kruise *kruise);

#endif
