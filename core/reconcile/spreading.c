// SPDX-License-Identifier: Apache-2.0
/* A controller that acts in some namespaces and leaves the others to others. It watches all of
 * them: what it is given it knows already. */
#include "base/alloc.h"
#include "cluster/shards.h"
#include "reconcile/key.h"
#include "reconcile/reconcile.h"

#include <stdlib.h>
#include <string.h>

/* One shard that changes hands. */
struct handing {
    struct controller *controller;
    struct rollout_kind *kind; /* NULL: of Applications */
    unsigned shard;
    bool taken;
};

static unsigned shard_of_key(const struct controller *controller, const char *key)
{
    char *ns AUTO_FREE = key_namespace(key);
    return shard_of(ns, controller->shard_count);
}

bool acts_for(const struct controller *controller, const char *key)
{
    return !controller->shards || controller->shards[shard_of_key(controller, key)];
}

/* In the map of who may roll, it is ours to call from now on, or isn't any more. */
static void hand_rollout(const struct handing *handing, const char *key, const json_t *object)
{
    struct rollout_kind *kind = handing->kind;
    if (!handing->taken)
        rollout_task_drop(kind, key);
    rollout_see(kind, key, object);
    if (handing->taken)
        queue_add(kind->queue, key);
}

static void hand_application(const struct handing *handing, const char *key)
{
    if (handing->taken)
        queue_add(handing->controller->application_queue, key);
    else
        application_pass_drop(handing->controller, key);
}

static void hand(void *data, const json_t *object)
{
    const struct handing *handing = data;
    char *key AUTO_FREE = key_join(json_string_at(object, "/metadata/namespace"),
                                   json_string_at(object, "/metadata/name"));
    if (shard_of_key(handing->controller, key) != handing->shard)
        return;
    if (handing->kind)
        hand_rollout(handing, key, object);
    else
        hand_application(handing, key);
}

static void hand_all(struct controller *controller, unsigned shard, bool taken)
{
    struct handing handing = {.controller = controller, .shard = shard, .taken = taken};
    controller->shards[shard] = taken;
    store_each(controller->applications, hand, &handing);
    for (size_t i = 0; i < ROLLOUT_KINDS; i++) {
        handing.kind = &controller->rollouts[i];
        store_each(handing.kind->store, hand, &handing);
    }
}

void controller_spread(struct controller *controller, unsigned shards)
{
    controller->shards = mem_alloc(shards * sizeof *controller->shards);
    controller->shard_count = shards;
}

void controller_take(struct controller *controller, unsigned shard)
{
    hand_all(controller, shard, true);
}

void controller_leave(struct controller *controller, unsigned shard)
{
    hand_all(controller, shard, false);
}
