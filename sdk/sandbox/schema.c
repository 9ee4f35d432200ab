// SPDX-License-Identifier: Apache-2.0
#include "schema.h"

#include "base/alloc.h"
#include "base/json.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static json_t *mutable_of(const json_t *json)
{
    return (json_t *)(uintptr_t)json;
}

/* A reference stands alone, or in allOf beside a default. */
static const json_t *referred(const json_t *names, const json_t *rules)
{
    const json_t *all = json_object_get(rules, "allOf");
    const char *name = json_string_at(rules, "/$ref");
    if (!name && json_array_size(all) == 1)
        name = json_string_at(all, "/0/$ref");
    const char *last = name ? strrchr(name, '/') : NULL;
    return last ? json_object_get(names, last + 1) : NULL;
}

struct schema schema_of(struct schema above, const json_t *rules)
{
    const json_t *behind;
    struct schema schema = above;
    while ((behind = referred(above.names, rules))) {
        rules = behind;
        schema.custom = false;
    }
    schema.rules = json_is_object(rules) ? rules : NULL;
    return schema;
}

static const json_t *member_rules(struct schema schema, const char *name)
{
    const json_t *known = json_object_get(json_object_get(schema.rules, "properties"), name);
    const json_t *others = json_object_get(schema.rules, "additionalProperties");
    return known ? known : json_is_object(others) ? others : NULL;
}

/* An embedded object has what every object has. */
static const json_t *embedded_rules(struct schema schema, const char *name)
{
    static const char every[] = "/io.k8s.api.core.v1.ConfigMap/properties";
    if (!json_is_true(json_object_get(schema.rules, "x-kubernetes-embedded-resource")))
        return NULL;
    if (strcmp(name, "metadata") != 0 && strcmp(name, "kind") != 0 &&
        strcmp(name, "apiVersion") != 0)
        return NULL;
    return json_object_get(json_at(schema.names, every), name);
}

struct schema schema_member(struct schema schema, const char *name)
{
    const json_t *embedded = embedded_rules(schema, name);
    return schema_of(schema, embedded ? embedded : member_rules(schema, name));
}

struct schema schema_items(struct schema schema)
{
    return schema_of(schema, json_object_get(schema.rules, "items"));
}

const char *schema_word(struct schema schema, const char *name)
{
    return json_string_value(json_object_get(schema.rules, name));
}

/* Built-in types that hold anything (RawExtension, FieldsV1) are objects without any members. */
bool schema_keeps_unknown(struct schema schema)
{
    const json_t *others = json_object_get(schema.rules, "additionalProperties");
    if (json_is_true(json_object_get(schema.rules, "x-kubernetes-preserve-unknown-fields")))
        return true;
    if (others || schema.custom)
        return json_is_true(others);
    return !json_object_get(schema.rules, "properties");
}

/* ── Pruning ──────────────────────────────────────────────────────────────────────────────── */

static void prune(struct schema schema, json_t *value, const char *path, json_t *ret_unknown);

static void prune_object(struct schema schema, json_t *object, const char *path,
                         json_t *ret_unknown)
{
    bool keeps = schema_keeps_unknown(schema);
    const char *name;
    json_t *member;
    void *next;
    json_object_foreach_safe (object, next, name, member) {
        char *at AUTO_FREE = str_format("%s%s%s", path, *path ? "." : "", name);
        struct schema known = schema_member(schema, name);
        if (known.rules) {
            prune(known, member, at, ret_unknown);
        } else if (!keeps) {
            if (ret_unknown)
                json_array_append_new(ret_unknown, json_string(at));
            json_object_del(object, name);
        }
    }
}

static void prune(struct schema schema, json_t *value, const char *path, json_t *ret_unknown)
{
    size_t i;
    json_t *item;
    if (json_is_object(value))
        prune_object(schema, value, path, ret_unknown);
    struct schema items = schema_items(schema);
    if (!json_is_array(value) || !items.rules)
        return;
    json_array_foreach (value, i, item) {
        char *at AUTO_FREE = str_format("%s[%zu]", path, i);
        prune(items, item, at, ret_unknown);
    }
}

void schema_prune(struct schema schema, json_t *value, json_t *ret_unknown)
{
    if (schema.rules)
        prune(schema, value, "", ret_unknown);
}

/* ── Defaults ─────────────────────────────────────────────────────────────────────────────── */

static void complete_object(struct schema schema, json_t *object)
{
    const char *name;
    json_t *member, *rules;
    json_object_foreach (mutable_of(json_object_get(schema.rules, "properties")), name, rules) {
        const json_t *usual = json_object_get(rules, "default");
        json_t *found = json_object_get(object, name);
        bool absent =
            !found || (json_is_null(found) && !json_is_true(json_object_get(rules, "nullable")));
        if (absent && usual)
            json_object_set_new(object, name, json_deep_copy(usual));
    }
    json_object_foreach (object, name, member)
        schema_complete(schema_member(schema, name), member);
}

void schema_complete(struct schema schema, json_t *value)
{
    size_t i;
    json_t *item;
    if (!schema.rules)
        return;
    if (json_is_object(value))
        complete_object(schema, value);
    else if (json_is_array(value))
        json_array_foreach (value, i, item)
            schema_complete(schema_items(schema), item);
}
