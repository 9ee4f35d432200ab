// SPDX-License-Identifier: Apache-2.0
#include "base/map.h"

#include "base/alloc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* FNV-1a: short keys, chosen by the cluster's own naming rules. */
static uint64_t map_hash(const char *key)
{
    uint64_t hash = 14695981039346656037u;
    for (; *key; key++)
        hash = (hash ^ (unsigned char)*key) * 1099511628211u;
    return hash ^ (hash >> 32);
}

/* The place of the key, or the free place where it would stand. */
static size_t map_place(const struct map *map, const char *key)
{
    size_t place = map_hash(key) & (map->size - 1);
    while (map->entries[place].key && strcmp(map->entries[place].key, key) != 0)
        place = (place + 1) & (map->size - 1);
    return place;
}

static void map_grow(struct map *map)
{
    struct map old = *map;
    map->size = old.size ? old.size * 2 : 4;
    map->entries = mem_alloc(map->size * sizeof *map->entries);
    for (size_t i = 0; i < old.size; i++)
        if (old.entries[i].key)
            map->entries[map_place(map, old.entries[i].key)] = old.entries[i];
    free(old.entries);
}

void *map_get(const struct map *map, const char *key)
{
    return map->size ? map->entries[map_place(map, key)].value : NULL;
}

void *map_put(struct map *map, const char *key, void *value)
{
    if (map->count * 4 >= map->size * 3)
        map_grow(map);
    struct map_entry *entry = &map->entries[map_place(map, key)];
    void *before = entry->value;
    if (!entry->key) {
        entry->key = str_copy(key);
        map->count++;
    }
    entry->value = value;
    return before;
}

/* Moves later entries of the same run up, so that no search stops at the new hole. */
static void map_close_hole(struct map *map, size_t hole)
{
    size_t place = hole;
    for (;;) {
        place = (place + 1) & (map->size - 1);
        if (!map->entries[place].key)
            return;
        size_t home = map_hash(map->entries[place].key) & (map->size - 1);
        if (((place - home) & (map->size - 1)) < ((place - hole) & (map->size - 1)))
            continue;
        map->entries[hole] = map->entries[place];
        map->entries[place] = (struct map_entry){0};
        hole = place;
    }
}

void *map_remove(struct map *map, const char *key)
{
    if (!map->size)
        return NULL;
    size_t place = map_place(map, key);
    struct map_entry entry = map->entries[place];
    if (!entry.key)
        return NULL;
    free(entry.key);
    map->entries[place] = (struct map_entry){0};
    map->count--;
    map_close_hole(map, place);
    return entry.value;
}

const struct map_entry *map_next(const struct map *map, size_t *cursor)
{
    while (*cursor < map->size) {
        const struct map_entry *entry = &map->entries[(*cursor)++];
        if (entry->key)
            return entry;
    }
    return NULL;
}

void map_done(struct map *map, void (*free_value)(void *value))
{
    for (size_t i = 0; i < map->size; i++) {
        if (map->entries[i].key && free_value)
            free_value(map->entries[i].value);
        free(map->entries[i].key);
    }
    free(map->entries);
    *map = (struct map){0};
}
