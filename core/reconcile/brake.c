// SPDX-License-Identifier: Apache-2.0
#include "reconcile/brake.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "reconcile/task.h"

#include <stdlib.h>

enum {
    ROUNDS_ENOUGH = 8, /* no workload takes more writes than this before something moves */
    FIRST_MS = 1000,
    MOST_MS = 60 * 1000,
};

void brake_done(struct brake *brake)
{
    free(brake->why);
    *brake = (struct brake){0};
}

static bool same_subject(const struct brake *brake, const struct component *component)
{
    return brake->adapter == component->adapter &&
           brake->generation == component->task->pass->rollout.intent.generation;
}

static void say_in_vain(struct brake *brake, const struct component *component)
{
    const char *field = component->in_vain_at;
    brake->why = str_format("adapter %s: it asks for a patch that leaves the workload as it is%s%s",
                            adapter_name(component->adapter),
                            *field ? "; the server doesn't take " : "", field);
}

static void put_on(struct brake *brake, const struct component *component)
{
    int64_t pause_ms = brake->pause_ms ? 2 * brake->pause_ms : FIRST_MS;
    brake->pause_ms = pause_ms < MOST_MS ? pause_ms : MOST_MS;
    brake->until_ms = clock_monotonic_ms() + brake->pause_ms;
    brake->adapter = component->adapter;
    brake->generation = component->task->pass->rollout.intent.generation;
    brake->rounds = 0;
    free(brake->why);
    if (component->acted == ACTED_IN_VAIN)
        say_in_vain(brake, component);
    else
        brake->why =
            str_format("adapter %s: it has asked for %d changes in a row and nothing came of them",
                       adapter_name(component->adapter), ROUNDS_ENOUGH);
}

bool brake_round(struct brake *brake, const struct component *component, bool moved)
{
    if (moved) {
        brake_done(brake);
        return false;
    }
    brake->rounds = component->acted == ACTED_PATCHED ? brake->rounds + 1 : 0;
    bool enough = component->acted == ACTED_IN_VAIN || brake->rounds == ROUNDS_ENOUGH;
    if (enough)
        put_on(brake, component);
    return enough;
}

bool brake_holds(struct brake *brake, const struct component *component)
{
    if (brake->pause_ms && !same_subject(brake, component))
        brake_done(brake);
    return clock_monotonic_ms() < brake->until_ms;
}

void brake_tell(const struct brake *brake, struct component *component)
{
    struct error why = {0};
    error_set(&why, ERR_BUG, "%s", brake->why);
    component_failed(component, REASON_ADAPTER_TROUBLE, &why);
}
