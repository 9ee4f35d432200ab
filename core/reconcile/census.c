// SPDX-License-Identifier: Apache-2.0
#include "reconcile/census.h"

#include "oam/approllout.h"

#include <stdint.h>

/* Both in the value itself, which is never NULL. */
static void *entry_of(enum rolling_state state, enum reason_code reason)
{
    return (void *)(uintptr_t)(1 + (uintptr_t)state + (uintptr_t)ROLLING_STATES * reason);
}

static enum rolling_state entry_state(const void *entry)
{
    return (enum rolling_state)(((uintptr_t)entry - 1) % ROLLING_STATES);
}

static enum reason_code entry_reason(const void *entry)
{
    return (enum reason_code)(((uintptr_t)entry - 1) / ROLLING_STATES);
}

static void count(struct census *census, const void *entry, int by)
{
    census->states[entry_state(entry)] += (size_t)by;
    census->reasons[entry_reason(entry)] += (size_t)by;
}

void census_done(struct census *census)
{
    map_done(&census->seen, NULL);
}

void census_see(struct census *census, const char *key, const json_t *object)
{
    enum rolling_state state;
    enum reason_code reason;
    approllout_states_read(object, &state, &reason);
    void *entry = entry_of(state, reason);
    const void *before = map_put(&census->seen, key, entry);
    if (before)
        count(census, before, -1);
    count(census, entry, 1);
}

void census_forget(struct census *census, const char *key)
{
    const void *before = map_remove(&census->seen, key);
    if (before)
        count(census, before, -1);
}

void census_each(const struct census *census, census_fn *each, void *data)
{
    size_t cursor = 0;
    const struct map_entry *entry;
    while ((entry = map_next(&census->seen, &cursor)))
        each(data, entry->key, entry_state(entry->value), entry_reason(entry->value));
}
