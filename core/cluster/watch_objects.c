// SPDX-License-Identifier: Apache-2.0
#include "base/alloc.h"
#include "base/json.h"
#include "cluster/watch_inside.h"

#include <stdlib.h>
#include <string.h>

uint64_t version_number(const char *version)
{
    return version ? strtoull(version, NULL, 10) : 0;
}

uint64_t watch_seen(const struct watch *watch)
{
    return version_number(watch->version);
}

static char *object_key(const json_t *object)
{
    const char *ns = json_string_at(object, "/metadata/namespace");
    const char *name = json_string_at(object, "/metadata/name");
    return name ? str_format("%s/%s", ns ? ns : "", name) : NULL;
}

static json_t *key_object(const char *key)
{
    const char *slash = strchr(key, '/');
    if (slash == key)
        return json_pack("{s:{s:s}}", "metadata", "name", slash + 1);
    return json_pack("{s:{s:s%, s:s}}", "metadata", "namespace", key, (size_t)(slash - key), "name",
                     slash + 1);
}

json_t *watch_prune(const struct watch *watch, json_t *object)
{
    char digest[HASH_HEX_SIZE];
    if (watch->keep_all)
        return json_incref(object);
    json_t *kept = json_pick(object, (const char *const *)watch->keep, watch->keep_count);
    if (watch->digest_count && json_at(object, watch->digest_if) &&
        json_hash_at(object, (const char *const *)watch->digest, watch->digest_count, digest))
        json_object_set_new(kept, WATCH_DIGEST, json_string(digest));
    return kept;
}

void watch_put(struct watch *watch, json_t *object)
{
    char *key AUTO_FREE = object_key(object);
    if (!key)
        return;
    map_put(&watch->known, key, (void *)watch->round);
    json_t *pruned AUTO_JSON = watch_prune(watch, object);
    if (watch->events.on_put)
        watch->events.on_put(watch->data, pruned);
}

void watch_delete(struct watch *watch, json_t *object)
{
    char *key AUTO_FREE = object_key(object);
    if (!key || !map_remove(&watch->known, key))
        return;
    json_t *pruned AUTO_JSON = watch_prune(watch, object);
    if (watch->events.on_delete)
        watch->events.on_delete(watch->data, pruned);
}

void watch_forget_old(struct watch *watch)
{
    size_t cursor = 0, count = 0;
    const struct map_entry *entry;
    char **gone = mem_alloc(watch->known.count * sizeof(char *));
    while ((entry = map_next(&watch->known, &cursor)))
        if ((uintptr_t)entry->value != watch->round)
            gone[count++] = str_copy(entry->key);
    for (size_t i = 0; i < count; i++) {
        json_t *object AUTO_JSON = key_object(gone[i]);
        if (!watch->closed)
            watch_delete(watch, object);
        free(gone[i]);
    }
    free(gone);
}
