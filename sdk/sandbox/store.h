// SPDX-License-Identifier: Apache-2.0
/*
 * All objects, as etcd keeps them: one log of versions, numbered by one counter. A collection holds
 * the objects of one resource, each as a chain of its versions; a watch is a place in the log. What
 * is older than the horizon is forgotten.
 *
 * Objects are kept as text: compact JSON without its first brace, apiVersion and kind, which depend
 * on the version of the API that is asked for.
 */
#ifndef SANDBOX_STORE_H
#define SANDBOX_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;
struct collection;

enum change { CHANGE_ADDED, CHANGE_MODIFIED, CHANGE_DELETED };

struct version {
    int64_t revision;
    enum change change;
    struct entry *entry;
    struct version *older; /* of the same object; NULL: none that is remembered */
    char *text;            /* of a deleted object: what it was, with the revision of its end */
};

/* An object, or one that has been and isn't forgotten yet. */
struct entry {
    struct collection *collection;
    char *key; /* "namespace/name", or "name" */
    struct version *newest;
};

/* `history`: how many versions are remembered. */
struct store *store_new(size_t history);
void store_free(struct store *store); /* with all collections; NULL is fine */

/* Called after each write. */
void store_on_write(struct store *store, void (*on_write)(void *data), void *data);

int64_t store_revision(const struct store *store); /* the newest there is */
int64_t store_horizon(const struct store *store);  /* all that is younger is remembered */

/* The version with this number, above the horizon and not above the newest. Borrowed until the
 * next write. */
const struct version *store_version(const struct store *store, int64_t revision);

/* Forgets all that isn't needed to know how things are now. */
void store_compact(struct store *store);

/* The caller frees it with the store, or when the resource goes. */
struct collection *collection_new(struct store *store);

/* The newest version of an object that exists; NULL: none. */
const struct version *collection_get(const struct collection *collection, const char *key);

/* Writes an object's next version, which gets store_revision() + 1. Owns `text`. */
const struct version *collection_put_take(struct collection *collection, const char *key,
                                          char *text);

/* Ends an object that exists, with its last text. Owns `text`. */
void collection_delete_take(struct collection *collection, const char *key, char *text);

/* Walks in the order of keys. The first place after a key ("": the first of all), and the version
 * there that was the newest at a revision: NULL for an object that didn't exist then. */
size_t collection_after(struct collection *collection, const char *key);
size_t collection_size(const struct collection *collection);
const struct entry *collection_at(struct collection *collection, size_t place);
const struct version *entry_at_revision(const struct entry *entry, int64_t revision);

#endif
