// SPDX-License-Identifier: Apache-2.0
#include "strategic.h"

#include "base/alloc.h"
#include "base/json.h"

#include <stdint.h>
#include <string.h>

#define ORDER        "$setElementOrder/"
#define DELETE_PLAIN "$deleteFromPrimitiveList/"

static json_t *mutable_of(const json_t *json)
{
    return (json_t *)(uintptr_t)json;
}

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* How the items of a list are told apart: by a member of theirs, or by themselves. */
struct identity {
    const char *key; /* NULL: plain values */
};

static const json_t *identity_of(struct identity identity, const json_t *item)
{
    return identity.key ? json_object_get(item, identity.key) : item;
}

/* Its place in the list; SIZE_MAX: none. */
static size_t place_of(struct identity identity, const json_t *list, const json_t *item)
{
    const json_t *wanted = identity_of(identity, item), *found;
    for (size_t i = 0; i < json_array_size(list); i++) {
        found = identity_of(identity, json_array_get(list, i));
        if (wanted && found && json_equal(mutable_of(wanted), mutable_of(found)))
            return i;
    }
    return SIZE_MAX;
}

/* ── Order ────────────────────────────────────────────────────────────────────────────────── */

/* Those of `list` that stand in `order` (or don't), in that order when they do. */
static json_t *select_ordered(struct identity identity, const json_t *list, const json_t *order)
{
    json_t *selected = json_array();
    for (size_t i = 0; i < json_array_size(order); i++) {
        size_t at = place_of(identity, list, json_array_get(order, i));
        if (at != SIZE_MAX)
            json_array_append(selected, json_array_get(list, at));
    }
    return selected;
}

static json_t *select_others(struct identity identity, const json_t *list, const json_t *order)
{
    json_t *others = json_array();
    for (size_t i = 0; i < json_array_size(list); i++)
        if (place_of(identity, order, json_array_get(list, i)) == SIZE_MAX)
            json_array_append(others, json_array_get(list, i));
    return others;
}

/* Items that the patch doesn't name stay before those that they stood before in `was`. */
static void put_in_order(struct identity identity, json_t *list, const json_t *order,
                         const json_t *was)
{
    json_t *named AUTO_JSON = select_ordered(identity, list, order);
    json_t *others AUTO_JSON = select_others(identity, list, order);
    size_t i = 0, j = 0;
    json_array_clear(list);
    while (i < json_array_size(others) || j < json_array_size(named)) {
        json_t *other = json_array_get(others, i), *next = json_array_get(named, j);
        size_t left = other ? place_of(identity, was, other) : SIZE_MAX;
        size_t right = next ? place_of(identity, was, next) : SIZE_MAX;
        bool first = other && (!next || (right != SIZE_MAX && left < right));
        json_array_append(list, first ? other : next);
        i += first;
        j += !first;
    }
}

/* ── Lists ────────────────────────────────────────────────────────────────────────────────── */

/* Whether the patch is the whole list from now on. */
static bool replaces(const json_t *patch)
{
    for (size_t i = 0; i < json_array_size(patch); i++)
        if (str_equal(json_string_at(json_array_get(patch, i), "/$patch"), "replace"))
            return true;
    return false;
}

static int merge_objects(struct schema schema, json_t *list, const json_t *patch, const char *key,
                         struct failure *failure)
{
    struct identity identity = {key};
    if (replaces(patch))
        json_array_clear(list);
    for (size_t i = 0; i < json_array_size(patch); i++) {
        const json_t *item = json_array_get(patch, i);
        const char *directive = json_string_value(json_object_get(item, "$patch"));
        size_t at = place_of(identity, list, item);
        if (str_equal(directive, "replace"))
            continue;
        if (!json_object_get(item, key))
            return fail(failure, 400, "BadRequest",
                        "map: %s does not contain declared merge key: %s", "map[]", key);
        if (str_equal(directive, "delete")) {
            if (at != SIZE_MAX)
                json_array_remove(list, at);
            continue;
        }
        if (at == SIZE_MAX) {
            json_array_append_new(list, json_object());
            at = json_array_size(list) - 1;
        }
        if (strategic_merge(schema, json_array_get(list, at), item, failure) < 0)
            return -1;
    }
    return 0;
}

static void merge_values(json_t *list, const json_t *patch)
{
    struct identity itself = {NULL};
    for (size_t i = 0; i < json_array_size(patch); i++)
        if (place_of(itself, list, json_array_get(patch, i)) == SIZE_MAX)
            json_array_append(list, json_array_get(patch, i));
}

static bool merges(struct schema list)
{
    const char *strategy = schema_word(list, "x-kubernetes-patch-strategy");
    return strategy && strstr(strategy, "merge");
}

static int merge_list(struct schema schema, json_t *object, const char *name, const json_t *patch,
                      struct failure *failure)
{
    json_t *list = json_object_get(object, name);
    const char *key = schema_word(schema, "x-kubernetes-patch-merge-key");
    if (!merges(schema)) {
        json_object_set_new(object, name, json_deep_copy(patch));
        return 0;
    }
    if (!json_is_array(list)) {
        list = json_array();
        json_object_set_new(object, name, list);
    }
    json_t *was AUTO_JSON = json_deep_copy(list);
    if (!key)
        merge_values(list, patch);
    else if (merge_objects(schema_items(schema), list, patch, key, failure) < 0)
        return -1;
    put_in_order((struct identity){key}, list, patch, was);
    return 0;
}

/* ── Directives ───────────────────────────────────────────────────────────────────────────── */

static void delete_values(json_t *object, const char *name, const json_t *values)
{
    json_t *list = json_object_get(object, name);
    struct identity itself = {NULL};
    for (size_t i = 0; i < json_array_size(values); i++) {
        size_t at = place_of(itself, list, json_array_get(values, i));
        if (at != SIZE_MAX)
            json_array_remove(list, at);
    }
}

static void retain_keys(json_t *object, const json_t *keys)
{
    const char *name;
    json_t *member;
    void *next;
    struct identity itself = {NULL};
    json_object_foreach_safe (object, next, name, member) {
        json_t *key AUTO_JSON = json_string(name);
        if (place_of(itself, keys, key) == SIZE_MAX)
            json_object_del(object, name);
    }
}

static void put_lists_in_order(struct schema schema, json_t *object, const json_t *patch,
                               const json_t *before)
{
    const char *directive;
    json_t *order;
    json_object_foreach (mutable_of(patch), directive, order) {
        if (!starts_with(directive, ORDER))
            continue;
        const char *name = directive + strlen(ORDER);
        struct schema list = schema_member(schema, name);
        struct identity identity = {schema_word(list, "x-kubernetes-patch-merge-key")};
        json_t *now = json_object_get(object, name);
        if (json_is_array(now))
            put_in_order(identity, now, order, json_object_get(before, name));
    }
}

/* ── Objects ──────────────────────────────────────────────────────────────────────────────── */

static int merge_member(struct schema schema, json_t *object, const char *name, const json_t *value,
                        struct failure *failure)
{
    struct schema known = schema_member(schema, name);
    if (starts_with(name, DELETE_PLAIN)) {
        delete_values(object, name + strlen(DELETE_PLAIN), value);
        return 0;
    }
    if (*name == '$')
        return 0;
    if (json_is_null(value)) {
        json_object_del(object, name);
        return 0;
    }
    if (json_is_array(value))
        return merge_list(known, object, name, value, failure);
    if (!json_is_object(value)) {
        json_object_set_new(object, name, json_deep_copy(value));
        return 0;
    }
    if (!json_is_object(json_object_get(object, name)))
        json_object_set_new(object, name, json_object());
    return strategic_merge(known, json_object_get(object, name), value, failure);
}

int strategic_merge(struct schema schema, json_t *object, const json_t *patch,
                    struct failure *failure)
{
    const char *directive = json_string_value(json_object_get(patch, "$patch")), *name;
    json_t *before AUTO_JSON = json_deep_copy(object);
    json_t *value;
    if (directive)
        json_object_clear(object);
    if (str_equal(directive, "delete"))
        return 0;
    if (json_object_get(patch, "$retainKeys"))
        retain_keys(object, json_object_get(patch, "$retainKeys"));
    json_object_foreach (mutable_of(patch), name, value)
        if (merge_member(schema, object, name, value, failure) < 0)
            return -1;
    put_lists_in_order(schema, object, patch, before);
    return 0;
}
