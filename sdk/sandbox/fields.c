// SPDX-License-Identifier: Apache-2.0
#include "fields.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static json_t *mutable_of(const json_t *json)
{
    return (json_t *)(uintptr_t)json;
}

/* ── Values as parts ──────────────────────────────────────────────────────────────────────── */

/* How the items of a list are told apart. NULL: by themselves. The caller owns it. */
static json_t *list_keys(struct schema list)
{
    json_t *keys = json_object_get(list.rules, "x-kubernetes-list-map-keys");
    const char *key = schema_word(list, "x-kubernetes-patch-merge-key");
    if (keys)
        return json_incref(keys);
    return key ? json_pack("[s]", key) : NULL;
}

static bool merges_items(struct schema list)
{
    const char *type = schema_word(list, "x-kubernetes-list-type");
    const char *strategy = schema_word(list, "x-kubernetes-patch-strategy");
    if (type)
        return strcmp(type, "atomic") != 0;
    return strategy && strstr(strategy, "merge");
}

/* A built-in type of which no member is known (RawExtension) is one value. */
static bool merges_members(struct schema map)
{
    bool is_known = json_object_get(map.rules, "properties") ||
                    json_object_get(map.rules, "additionalProperties");
    if (str_equal(schema_word(map, "x-kubernetes-map-type"), "atomic"))
        return false;
    return !map.rules || map.custom || is_known;
}

/* Whether its parts have owners of their own. */
static bool has_parts(struct schema schema, const json_t *value)
{
    if (json_is_object(value))
        return merges_members(schema);
    return json_is_array(value) && merges_items(schema);
}

static char *item_element(struct schema list, const json_t *item)
{
    json_t *keys AUTO_JSON = list_keys(list), *named AUTO_JSON = json_object(), *key;
    size_t i;
    json_array_foreach (keys, i, key) {
        const char *name = json_string_value(key);
        json_t *value = json_object_get(item, name);
        if (!value)
            value = json_object_get(schema_member(schema_items(list), name).rules, "default");
        if (value)
            json_object_set(named, name, value);
    }
    char *text AUTO_FREE = keys ? json_canonical(named) : json_text(item);
    return str_format("%s:%s", keys ? "k" : "v", text);
}

/* {element: part}, in order. The caller owns it. */
static json_t *parts_of(struct schema schema, const json_t *value)
{
    json_t *parts = json_object(), *part;
    const char *name;
    size_t i;
    json_object_foreach (mutable_of(value), name, part) {
        char *element AUTO_FREE = str_format("f:%s", name);
        json_object_set(parts, element, part);
    }
    if (json_is_array(value))
        json_array_foreach (value, i, part) {
            char *element AUTO_FREE = item_element(schema, part);
            json_object_set(parts, element, part);
        }
    return parts;
}

static bool is_member(const char *element)
{
    return *element == 'f';
}

static struct schema part_schema(struct schema schema, const char *element)
{
    return is_member(element) ? schema_member(schema, element + 2) : schema_items(schema);
}

/* A member that the schema names belongs to nobody by itself: only what is in it does. */
static bool is_named(struct schema schema, const char *element)
{
    return is_member(element) &&
           json_object_get(json_object_get(schema.rules, "properties"), element + 2);
}

/* ── Sets ─────────────────────────────────────────────────────────────────────────────────── */

static void mark(json_t *set)
{
    json_object_set_new(set, ".", json_object());
}

static bool is_marked(const json_t *set)
{
    return json_object_get(set, ".");
}

static bool is_element(const char *name)
{
    return *name != '.';
}

/* Puts a part in unless it is empty. */
static void put_part_take(json_t *set, const char *element, json_t *part)
{
    if (json_object_size(part))
        json_object_set(set, element, part);
    else
        json_object_del(set, element);
    json_decref(part);
}

static json_t *read_node(const json_t *written)
{
    json_t *set = json_object(), *part;
    const char *name;
    json_object_foreach (mutable_of(written), name, part)
        json_object_set_new(set, name, is_element(name) ? read_node(part) : json_object());
    if (!json_object_size(set))
        mark(set);
    return set;
}

json_t *fields_read(const json_t *written)
{
    return json_object_size(written) ? read_node(written) : json_object();
}

json_t *fields_write(const json_t *set)
{
    json_t *written = json_object(), *part;
    const char *name;
    json_object_foreach (mutable_of(set), name, part)
        if (is_element(name))
            json_object_set_new(written, name, fields_write(part));
    if (json_object_size(written) && is_marked(set))
        mark(written);
    return written;
}

void fields_add(json_t *set, const json_t *others)
{
    const char *name;
    json_t *part;
    json_object_foreach (mutable_of(others), name, part) {
        json_t *own = json_object_get(set, name);
        if (own)
            fields_add(own, part);
        else
            json_object_set_new(set, name, json_deep_copy(part));
    }
}

void fields_subtract(json_t *set, const json_t *others)
{
    const char *name;
    json_t *own;
    void *next;
    json_object_foreach_safe (set, next, name, own) {
        const json_t *part = json_object_get(others, name);
        if (!part)
            continue;
        fields_subtract(own, part);
        if (!json_object_size(own))
            json_object_del(set, name);
    }
}

json_t *fields_common(const json_t *set, const json_t *others)
{
    json_t *common = json_object(), *own;
    const char *name;
    json_object_foreach (mutable_of(set), name, own) {
        const json_t *part = json_object_get(others, name);
        if (part && !is_element(name))
            mark(common);
        else if (part)
            put_part_take(common, name, fields_common(own, part));
    }
    return common;
}

static void drop(json_t *set, const char *path, bool alone)
{
    const char *slash = strchr(path, '/');
    char *element AUTO_FREE =
        str_format("f:%.*s", (int)(slash ? (size_t)(slash - path) : strlen(path)), path);
    json_t *part = json_object_get(set, element);
    if (slash)
        drop(part, slash + 1, alone);
    else if (alone)
        json_object_del(part, ".");
    else
        json_object_del(set, element);
    if (part && !json_object_size(json_object_get(set, element)))
        json_object_del(set, element);
}

void fields_drop(json_t *set, const char *path)
{
    drop(set, path, false);
}

void fields_drop_one(json_t *set, const char *path)
{
    drop(set, path, true);
}

/* ── Paths ────────────────────────────────────────────────────────────────────────────────── */

/* name="a",port=80 */
static void add_keys(struct text *path, const json_t *keys)
{
    const char *key, *comma = "";
    json_t *value;
    json_object_foreach (mutable_of(keys), key, value) {
        char *text AUTO_FREE = json_text(value);
        text_addf(path, "%s%s=%s", comma, key, text);
        comma = ",";
    }
}

static char *path_below(const char *above, const char *element)
{
    struct text path = {0};
    json_t *value AUTO_JSON = json_loads(element + 2, JSON_DECODE_ANY, NULL);
    text_puts(&path, above);
    if (is_member(element)) {
        text_addf(&path, ".%s", element + 2);
        return text_steal(&path);
    }
    text_puts(&path, "[");
    if (*element == 'k')
        add_keys(&path, value);
    else
        text_addf(&path, "=%s", element + 2);
    text_puts(&path, "]");
    return text_steal(&path);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The elements of a node, sorted. The caller frees the array. */
static const char **elements_of(const json_t *set, size_t *ret_count)
{
    const char **names = mem_alloc((json_object_size(set) + 1) * sizeof *names), *name;
    json_t *part;
    *ret_count = 0;
    json_object_foreach (mutable_of(set), name, part)
        if (is_element(name))
            names[(*ret_count)++] = name;
    qsort(names, *ret_count, sizeof *names, compare_names);
    return names;
}

/* What is in a node comes before what is further below. */
static void add_paths(const json_t *set, const char *above, json_t *paths)
{
    size_t count;
    const char **names = elements_of(set, &count);
    for (size_t i = 0; i < count; i++) {
        char *path AUTO_FREE = path_below(above, names[i]);
        if (is_marked(json_object_get(set, names[i])))
            json_array_append_new(paths, json_string(path));
    }
    for (size_t i = 0; i < count; i++) {
        char *path AUTO_FREE = path_below(above, names[i]);
        add_paths(json_object_get(set, names[i]), path, paths);
    }
    free(names);
}

json_t *fields_paths(const json_t *set)
{
    json_t *paths = json_array();
    add_paths(set, "", paths);
    return paths;
}

/* ── From values ──────────────────────────────────────────────────────────────────────────── */

json_t *fields_of(struct schema schema, const json_t *value)
{
    json_t *set = json_object(), *part;
    const char *element;
    if (!has_parts(schema, value)) {
        mark(set);
        return set;
    }
    json_t *parts AUTO_JSON = parts_of(schema, value);
    json_object_foreach (parts, element, part) {
        json_t *own = fields_of(part_schema(schema, element), part);
        bool is_empty = json_is_object(part) && !json_object_size(part);
        if (is_empty || !is_named(schema, element))
            mark(own);
        put_part_take(set, element, own);
    }
    return set;
}

static void compare_parts(struct schema schema, const json_t *before, const json_t *after,
                          const char *element, json_t *changed, json_t *removed)
{
    json_t *more = json_object(), *less = json_object();
    fields_compare(part_schema(schema, element), json_object_get(before, element),
                   json_object_get(after, element), more, less);
    put_part_take(changed, element, more);
    put_part_take(removed, element, less);
}

void fields_compare(struct schema schema, const json_t *before, const json_t *after,
                    json_t *changed, json_t *removed)
{
    json_t *old AUTO_JSON = parts_of(schema, before), *new AUTO_JSON = parts_of(schema, after);
    bool is_whole = !has_parts(schema, after ? after : before) ||
                    (!json_object_size(old) && !json_object_size(new));
    const char *element;
    json_t *part;
    if (!before || (is_whole && after && !json_equal(mutable_of(before), mutable_of(after))))
        mark(changed);
    else if (!after)
        mark(removed);
    if (is_whole)
        return;
    json_object_foreach (new, element, part)
        compare_parts(schema, old, new, element, changed, removed);
    json_object_foreach (old, element, part)
        if (!json_object_get(new, element))
            compare_parts(schema, old, new, element, changed, removed);
}

/* ── Merging ──────────────────────────────────────────────────────────────────────────────── */

static json_t *merge_members(struct schema schema, const json_t *live, const json_t *wanted)
{
    json_t *merged = json_copy(mutable_of(live)), *value;
    const char *name;
    json_object_foreach (mutable_of(wanted), name, value)
        json_object_set_new(
            merged, name,
            fields_merge(schema_member(schema, name), json_object_get(live, name), value));
    return merged;
}

/* Adds wanted items from `*at` on until one has been added that is live, too; or all. */
static void add_wanted(struct schema items, const json_t *live, json_t *wanted, void **at,
                       json_t *merged)
{
    while (*at) {
        const json_t *was = json_object_get(live, json_object_iter_key(*at));
        json_array_append_new(merged, fields_merge(items, was, json_object_iter_value(*at)));
        *at = json_object_iter_next(wanted, *at);
        if (was)
            return;
    }
}

/* Items that aren't wanted stay where they are; the others come in the order that is wanted. */
static json_t *merge_items(struct schema schema, const json_t *live, const json_t *wanted)
{
    struct schema items = schema_items(schema);
    json_t *old AUTO_JSON = parts_of(schema, live), *new AUTO_JSON = parts_of(schema, wanted);
    json_t *merged = json_array(), *item;
    void *at = json_object_iter(new);
    const char *element;
    json_object_foreach (old, element, item) {
        if (json_object_get(new, element))
            add_wanted(items, old, new, &at, merged);
        else
            json_array_append(merged, item);
    }
    while (at)
        add_wanted(items, old, new, &at, merged);
    return merged;
}

json_t *fields_merge(struct schema schema, const json_t *live, const json_t *wanted)
{
    bool alike = live && json_typeof(live) == json_typeof(wanted);
    if (!alike || !has_parts(schema, wanted))
        return json_deep_copy(wanted);
    if (json_is_object(wanted))
        return merge_members(schema, live, wanted);
    return merge_items(schema, live, wanted);
}

/* ── Removing ─────────────────────────────────────────────────────────────────────────────── */

/* False: the part goes. So does one that nothing is left of and nobody owns. */
static bool stays(struct schema schema, json_t *part, const json_t *dropped, const json_t *owned)
{
    bool is_full = json_object_size(part) || json_array_size(part);
    if (!dropped)
        return true;
    if (is_marked(dropped) && !owned)
        return false;
    fields_remove(schema, part, dropped, owned);
    return !is_full || is_marked(owned) || json_object_size(part) || json_array_size(part);
}

void fields_remove(struct schema schema, json_t *value, const json_t *dropped, const json_t *owned)
{
    if (!has_parts(schema, value))
        return;
    json_t *parts AUTO_JSON = parts_of(schema, value), *part;
    const char *element;
    if (json_is_array(value))
        json_array_clear(value);
    json_object_foreach (parts, element, part) {
        bool kept = stays(part_schema(schema, element), part, json_object_get(dropped, element),
                          json_object_get(owned, element));
        if (json_is_array(value) && kept)
            json_array_append(value, part);
        else if (json_is_object(value) && !kept)
            json_object_del(value, element + 2);
    }
}
