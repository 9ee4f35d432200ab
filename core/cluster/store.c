// SPDX-License-Identifier: Apache-2.0
#include "cluster/store.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/map.h"
#include "base/pack.h"
#include "cluster/cluster_private.h"
#include "cluster/object_text.h"
#include "cluster/watch_private.h"

#include <stdlib.h>
#include <string.h>

struct stored {
    uint64_t version;
    bool ours; /* put in by store_put() and not confirmed by the watch yet */
    struct packed *text;
};

struct store {
    struct watch *watch;
    struct store_events events;
    void *data;
    struct map objects; /* "namespace/name" → struct stored */
    struct pack pack;
    unsigned busy; /* inside callbacks */
    bool closed;
};

static void stored_free(void *data)
{
    struct stored *stored = data;
    if (!stored)
        return;
    packed_free(stored->text);
    free(stored);
}

static void store_release(struct store *store)
{
    if (store->busy)
        return;
    map_done(&store->objects, stored_free);
    pack_done(&store->pack);
    free(store);
}

void store_close(struct store *store)
{
    if (!store || store->closed)
        return;
    store->closed = true;
    watch_close(store->watch);
    store_release(store);
}

/* Callbacks may close the store: it stays in memory until the last of them has returned. */
static void store_leave(struct store *store)
{
    store->busy--;
    if (store->closed)
        store_release(store);
}

static char *store_key(const char *ns, const char *name)
{
    return str_format("%s/%s", ns ? ns : "", name);
}

static uint64_t object_version(const json_t *object)
{
    return version_number(json_string_at(object, "/metadata/resourceVersion"));
}

/* Keeps it instead of what is there. */
static void store_keep(struct store *store, const char *key, const json_t *object, bool ours)
{
    struct stored *stored = mem_alloc(sizeof *stored);
    stored->version = object_version(object);
    stored->ours = ours;
    stored->text = json_packed(&store->pack, object);
    stored_free(map_put(&store->objects, key, stored));
}

static json_t *stored_object(const struct stored *stored)
{
    if (!stored)
        return NULL;
    size_t length;
    char *text AUTO_FREE = packed_text(stored->text, &length);
    return object_parse(text, length);
}

static void store_tell(struct store *store, const json_t *object, bool deleted)
{
    const char *ns = json_string_at(object, "/metadata/namespace");
    store->busy++;
    if (store->events.on_change)
        store->events.on_change(store->data, ns ? ns : "", json_string_at(object, "/metadata/name"),
                                object, deleted);
    store_leave(store);
}

static void on_put(void *data, json_t *object)
{
    struct store *store = data;
    const char *ns = json_string_at(object, "/metadata/namespace");
    char *key AUTO_FREE = store_key(ns, json_string_at(object, "/metadata/name"));
    struct stored *before = map_get(&store->objects, key);
    uint64_t version = object_version(object);
    if (before && before->ours && version < before->version)
        return; /* on its way when we wrote: what we know is newer */
    if (before && version == before->version && version) {
        before->ours = false;
        return;
    }
    store_keep(store, key, object, false);
    store_tell(store, object, false);
}

static void on_delete(void *data, json_t *object)
{
    struct store *store = data;
    const char *ns = json_string_at(object, "/metadata/namespace");
    char *key AUTO_FREE = store_key(ns, json_string_at(object, "/metadata/name"));
    struct stored *before = map_remove(&store->objects, key);
    if (!before)
        return;
    stored_free(before);
    store_tell(store, object, true);
}

static void on_synced(void *data)
{
    struct store *store = data;
    store->busy++;
    if (store->events.on_synced)
        store->events.on_synced(store->data);
    store_leave(store);
}

static void on_state(void *data, const struct error *err)
{
    struct store *store = data;
    store->busy++;
    if (store->events.on_state)
        store->events.on_state(store->data, err);
    store_leave(store);
}

struct store *store_open(struct cluster *cluster, const struct watch_spec *spec,
                         const struct store_events *events, void *data)
{
    static const struct watch_events told = {
        .on_put = on_put, .on_delete = on_delete, .on_synced = on_synced, .on_state = on_state};
    struct store *store = mem_alloc(sizeof *store);
    store->events = *events;
    store->data = data;
    store->watch = watch_open(cluster, spec, &told, store);
    return store;
}

bool store_synced(const struct store *store)
{
    return watch_synced(store->watch);
}

bool store_denied(const struct store *store)
{
    return watch_denied(store->watch);
}

const char *store_failure(const struct store *store)
{
    return watch_failure(store->watch);
}

void store_kick(struct store *store)
{
    watch_kick(store->watch);
}

size_t store_count(const struct store *store)
{
    return store->objects.count;
}

json_t *store_get(const struct store *store, const char *ns, const char *name)
{
    char *key AUTO_FREE = store_key(ns, name);
    return stored_object(map_get(&store->objects, key));
}

uint64_t store_version_of(const struct store *store, const char *ns, const char *name)
{
    char *key AUTO_FREE = store_key(ns, name);
    const struct stored *stored = map_get(&store->objects, key);
    return stored ? stored->version : 0;
}

void store_each(const struct store *store, void (*each)(void *data, const json_t *object),
                void *data)
{
    size_t cursor = 0;
    const struct map_entry *entry;
    while ((entry = map_next(&store->objects, &cursor))) {
        json_t *object AUTO_JSON = stored_object(entry->value);
        each(data, object);
    }
}

/* What the watch has already told includes every version up to watch_seen(): an object that isn't
 * newer has been seen there, and perhaps its deletion too. */
void store_put(struct store *store, const json_t *object)
{
    const char *name = json_string_at(object, "/metadata/name");
    uint64_t version = object_version(object);
    if (!name || version <= watch_seen(store->watch))
        return;
    char *key AUTO_FREE = store_key(json_string_at(object, "/metadata/namespace"), name);
    const struct stored *before = map_get(&store->objects, key);
    if (before && before->version >= version)
        return;
    /* Not changed, only referred to, for as long as it takes to be written as text. */
    json_t *pruned AUTO_JSON = watch_prune(store->watch, (json_t *)(uintptr_t)object);
    store_keep(store, key, pruned, true);
}
