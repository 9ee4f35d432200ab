// SPDX-License-Identifier: Apache-2.0
/*
 * A hash map from strings to pointers. Keys are copied, values are the caller's.
 * `struct map m = {0};` is an empty one. One thread at a time.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stddef.h>

struct map_entry {
    char *key; /* NULL: free place */
    void *value;
};

struct map {
    struct map_entry *entries;
    size_t size; /* places, a power of two, 0 while empty */
    size_t count;
};

/* The value, or NULL. Borrowed. */
void *map_get(const struct map *map, const char *key);

/* Puts a value (not NULL) and returns the one that it replaced, or NULL. */
void *map_put(struct map *map, const char *key, void *value);

/* Takes the entry out and returns its value, or NULL. */
void *map_remove(struct map *map, const char *key);

/* Walks the entries: start with *cursor = 0; returns NULL at the end. The order means nothing.
 * The map must not change during the walk. */
const struct map_entry *map_next(const struct map *map, size_t *cursor);

/* Releases the map; each value is given to `free_value` first, when that isn't NULL. */
void map_done(struct map *map, void (*free_value)(void *value));

#endif
