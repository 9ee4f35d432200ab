// SPDX-License-Identifier: Apache-2.0
#include "reconcile/families.h"

#include "base/alloc.h"
#include "base/json.h"

#include <stdlib.h>

static void member_free(void *data)
{
    packed_free(data);
}

static void family_free(void *data)
{
    map_done(data, member_free);
    free(data);
}

void families_done(struct families *families)
{
    map_done(&families->by_uid, family_free);
    map_done(&families->owner_uid, free);
    pack_done(&families->pack);
}

static struct map *family_of(const struct families *families, const char *key)
{
    const char *uid = map_get(&families->owner_uid, key);
    return uid ? map_get(&families->by_uid, uid) : NULL;
}

void families_put(struct families *families, const char *uid, const char *key, const json_t *object)
{
    if (!str_equal(map_get(&families->owner_uid, key), uid)) {
        families_remove(families, key);
        map_put(&families->owner_uid, key, str_copy(uid));
    }
    struct map *family = map_get(&families->by_uid, uid);
    if (!family) {
        family = mem_alloc(sizeof *family);
        map_put(&families->by_uid, uid, family);
    }
    packed_free(map_put(family, key, json_packed(&families->pack, object)));
}

void families_remove(struct families *families, const char *key)
{
    char *uid AUTO_FREE = map_remove(&families->owner_uid, key);
    struct map *family = uid ? map_get(&families->by_uid, uid) : NULL;
    if (!family)
        return;
    packed_free(map_remove(family, key));
    if (family->count == 0)
        family_free(map_remove(&families->by_uid, uid));
}

void families_list(const struct families *families, const char *uid, json_t *array)
{
    const struct map *family = map_get(&families->by_uid, uid);
    const struct map_entry *entry;
    size_t cursor = 0;
    while (family && (entry = map_next(family, &cursor)))
        json_array_append_new(array, json_unpacked(entry->value));
}

json_t *families_get(const struct families *families, const char *key)
{
    const struct map *family = family_of(families, key);
    return family ? json_unpacked(map_get(family, key)) : NULL;
}

void families_replace(struct families *families, const char *key, const json_t *object)
{
    struct map *family = family_of(families, key);
    if (family)
        packed_free(map_put(family, key, json_packed(&families->pack, object)));
}
