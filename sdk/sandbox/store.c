// SPDX-License-Identifier: Apache-2.0
#include "store.h"

#include "base/alloc.h"
#include "base/list.h"
#include "base/map.h"

#include <stdlib.h>
#include <string.h>

struct store {
    struct version **log; /* a ring: revision r stands at r % log_size */
    size_t log_size;      /* a power of two */
    size_t history;
    int64_t revision, horizon;
    struct list collections;
    void (*on_write)(void *data);
    void *data;
};

struct collection {
    struct list link;
    struct store *store;
    struct map entries;    /* key → struct entry */
    struct entry **sorted; /* by key, the first sorted_count of them */
    size_t sorted_count, sorted_size;
    bool disordered; /* entries have come since they were sorted */
};

struct store *store_new(size_t history)
{
    struct store *store = mem_alloc(sizeof *store);
    store->history = history;
    store->log_size = 1;
    while (store->log_size < history + 1)
        store->log_size *= 2;
    store->log = mem_alloc(store->log_size * sizeof(struct version *));
    list_init(&store->collections);
    return store;
}

static void version_free(struct version *version)
{
    free(version->text);
    free(version);
}

static void entry_free(void *value)
{
    struct entry *entry = value;
    for (struct version *at = entry->newest, *older; at; at = older) {
        older = at->older;
        version_free(at);
    }
    free(entry->key);
    free(entry);
}

void store_free(struct store *store)
{
    if (!store)
        return;
    while (!list_empty(&store->collections)) {
        struct collection *collection =
            list_entry(store->collections.next, struct collection, link);
        list_remove(&collection->link);
        map_done(&collection->entries, entry_free);
        free(collection->sorted);
        free(collection);
    }
    free(store->log);
    free(store);
}

void store_on_write(struct store *store, void (*on_write)(void *data), void *data)
{
    store->on_write = on_write;
    store->data = data;
}

int64_t store_revision(const struct store *store)
{
    return store->revision;
}

int64_t store_horizon(const struct store *store)
{
    return store->horizon;
}

static struct version **log_place(const struct store *store, int64_t revision)
{
    return &store->log[(size_t)revision & (store->log_size - 1)];
}

const struct version *store_version(const struct store *store, int64_t revision)
{
    return *log_place(store, revision);
}

/* ── Forgetting ───────────────────────────────────────────────────────────────────────────── */

/* An ended object goes for good. Its place among the sorted is found again when they are. */
static void entry_forget(struct entry *entry)
{
    struct collection *collection = entry->collection;
    map_remove(&collection->entries, entry->key);
    collection->disordered = true;
    entry_free(entry);
}

/* Moves the horizon to a revision that has been reached: of what was before, only the version that
 * was the newest then is needed. */
static void store_forget(struct store *store, int64_t revision)
{
    struct version *version = *log_place(store, revision);
    store->horizon = revision;
    if (version->older)
        version_free(version->older);
    version->older = NULL;
    if (version->change == CHANGE_DELETED && version->entry->newest == version)
        entry_forget(version->entry);
}

void store_compact(struct store *store)
{
    while (store->horizon < store->revision)
        store_forget(store, store->horizon + 1);
}

/* ── Writing ──────────────────────────────────────────────────────────────────────────────── */

struct collection *collection_new(struct store *store)
{
    struct collection *collection = mem_alloc(sizeof *collection);
    collection->store = store;
    list_append(&store->collections, &collection->link);
    return collection;
}

static struct entry *entry_of(struct collection *collection, const char *key)
{
    struct entry *entry = map_get(&collection->entries, key);
    if (entry)
        return entry;
    entry = mem_alloc(sizeof *entry);
    entry->collection = collection;
    entry->key = str_copy(key);
    map_put(&collection->entries, key, entry);
    collection->disordered = true;
    return entry;
}

/* Before the entry of a write is looked up, since it may be what goes. */
static void make_room(struct store *store)
{
    if ((size_t)(store->revision - store->horizon) >= store->history)
        store_forget(store, store->horizon + 1);
}

static const struct version *write_take(struct entry *entry, enum change change, char *text)
{
    struct store *store = entry->collection->store;
    struct version *version = mem_alloc(sizeof *version);
    *version = (struct version){.revision = ++store->revision,
                                .change = change,
                                .entry = entry,
                                .older = entry->newest,
                                .text = text};
    entry->newest = version;
    *log_place(store, version->revision) = version;
    if (store->on_write)
        store->on_write(store->data);
    return version;
}

static bool exists(const struct entry *entry)
{
    return entry && entry->newest && entry->newest->change != CHANGE_DELETED;
}

const struct version *collection_put_take(struct collection *collection, const char *key,
                                          char *text)
{
    make_room(collection->store);
    struct entry *entry = entry_of(collection, key);
    return write_take(entry, exists(entry) ? CHANGE_MODIFIED : CHANGE_ADDED, text);
}

void collection_delete_take(struct collection *collection, const char *key, char *text)
{
    make_room(collection->store);
    write_take(map_get(&collection->entries, key), CHANGE_DELETED, text);
}

/* ── Reading ──────────────────────────────────────────────────────────────────────────────── */

const struct version *collection_get(const struct collection *collection, const char *key)
{
    const struct entry *entry = map_get(&collection->entries, key);
    return exists(entry) ? entry->newest : NULL;
}

static int by_key(const void *a, const void *b)
{
    const struct entry *const *left = a, *const *right = b;
    return strcmp((*left)->key, (*right)->key);
}

static void collection_sort(struct collection *collection)
{
    size_t cursor = 0;
    const struct map_entry *at;
    if (!collection->disordered)
        return;
    if (collection->sorted_size < collection->entries.count) {
        collection->sorted_size = collection->entries.count * 2;
        collection->sorted =
            mem_grow(collection->sorted, collection->sorted_size * sizeof(struct entry *));
    }
    collection->sorted_count = 0;
    while ((at = map_next(&collection->entries, &cursor)))
        collection->sorted[collection->sorted_count++] = at->value;
    if (collection->sorted_count)
        qsort(collection->sorted, collection->sorted_count, sizeof(struct entry *), by_key);
    collection->disordered = false;
}

size_t collection_size(const struct collection *collection)
{
    return collection->entries.count;
}

size_t collection_after(struct collection *collection, const char *key)
{
    size_t low = 0, high = collection_size(collection);
    collection_sort(collection);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(collection->sorted[middle]->key, key) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct entry *collection_at(struct collection *collection, size_t place)
{
    collection_sort(collection);
    return collection->sorted[place];
}

const struct version *entry_at_revision(const struct entry *entry, int64_t revision)
{
    const struct version *version = entry->newest;
    while (version && version->revision > revision)
        version = version->older;
    return version && version->change != CHANGE_DELETED ? version : NULL;
}
