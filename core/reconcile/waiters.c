// SPDX-License-Identifier: Apache-2.0
#include "reconcile/waiters.h"

#include "base/alloc.h"

#include <stdlib.h>

/* The values of a set say nothing; the map only wants them not to be NULL. */
static void set_add(struct map *set, const char *key)
{
    map_put(set, key, set);
}

static void set_free(void *value)
{
    struct map *set = value;
    if (!set)
        return;
    map_done(set, NULL);
    free(set);
}

void waiters_add(struct waiters *waiters, const char *topic, const char *key)
{
    struct map *keys = map_get(&waiters->topics, topic);
    if (!keys) {
        keys = mem_alloc(sizeof *keys);
        map_put(&waiters->topics, topic, keys);
    }
    set_add(keys, key);
}

char *waiters_object_topic(const char *object)
{
    return str_format("workload %s", object);
}

char *waiters_workload_topic(const char *kind, const char *ns, const char *name)
{
    char *object AUTO_FREE = str_format("%s %s/%s", kind, ns, name);
    return waiters_object_topic(object);
}

char *waiters_kind_topic(const char *kind)
{
    return str_format("kind %s", kind);
}

const char *waiters_next(const struct waiters *waiters, const char *topic, size_t *cursor)
{
    const struct map *keys = map_get(&waiters->topics, topic);
    const struct map_entry *entry = keys ? map_next(keys, cursor) : NULL;
    return entry ? entry->key : NULL;
}

void waiters_wake(struct waiters *waiters, const char *topic, struct queue *queue)
{
    struct map *keys = map_remove(&waiters->topics, topic);
    const struct map_entry *entry;
    size_t cursor = 0;
    while (keys && (entry = map_next(keys, &cursor)))
        queue_add(queue, entry->key);
    set_free(keys);
}

/* A topic for which nobody waits, or NULL. */
static const char *waiters_idle_topic(const struct waiters *waiters)
{
    const struct map_entry *entry;
    size_t cursor = 0;
    while ((entry = map_next(&waiters->topics, &cursor)))
        if (((const struct map *)entry->value)->count == 0)
            return entry->key;
    return NULL;
}

void waiters_forget(struct waiters *waiters, const char *key)
{
    const struct map_entry *entry;
    size_t cursor = 0;
    while ((entry = map_next(&waiters->topics, &cursor)))
        map_remove(entry->value, key);
    const char *topic;
    while ((topic = waiters_idle_topic(waiters)))
        set_free(map_remove(&waiters->topics, topic));
}

void waiters_done(struct waiters *waiters)
{
    map_done(&waiters->topics, set_free);
}
