// SPDX-License-Identifier: Apache-2.0
#include "reconcile/first_look.h"

#include "reconcile/owned.h"
#include "reconcile/workload_kinds.h"

static bool store_seen(const struct store *store)
{
    return store_synced(store) || store_failure(store);
}

static bool own_kinds_seen(const struct controller *controller)
{
    bool seen = store_seen(controller->applications);
    for (size_t i = 0; seen && i < ROLLOUT_KINDS; i++)
        seen = store_seen(controller->rollouts[i].store);
    return seen;
}

static bool workload_kinds_seen(const struct controller *controller)
{
    for (size_t i = 0; i < controller->workload_kind_count; i++) {
        const struct workload_kind *kind = controller->workload_kinds[i];
        if (kind->adapter && !(kind->store ? store_seen(kind->store) : kind->unserved))
            return false;
    }
    return true;
}

void first_look_begin(struct controller *controller)
{
    controller->looking = true;
    passes_hold(controller);
}

void first_look_try(struct controller *controller)
{
    if (!controller->looking || !own_kinds_seen(controller) || !workload_kinds_seen(controller) ||
        !owned_seen(controller))
        return;
    controller->looking = false;
    passes_release(controller);
}
