// SPDX-License-Identifier: Apache-2.0
#include "kinds.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/map.h"
#include "builtin.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct registry {
    struct store *store;
    json_t *schemas; /* by name */
    struct kind *scale;
    struct kind **items;
    size_t count;
    struct map collections; /* "deployments.apps" → struct collection, which outlives its kinds */
};

static void kind_free(struct kind *kind)
{
    free(kind->group);
    free(kind->version);
    free(kind->api_version);
    free(kind->name);
    free(kind->list_name);
    free(kind->plural);
    free(kind->resource);
    free(kind->singular);
    free(kind->head);
    json_decref(kind->described);
    json_decref(kind->subresources);
    json_decref(kind->columns);
    json_decref(kind->scale);
    json_decref(kind->rules);
    free(kind);
}

static struct collection *collection_of(struct registry *kinds, const char *resource)
{
    struct collection *collection = map_get(&kinds->collections, resource);
    if (!collection) {
        collection = collection_new(kinds->store);
        map_put(&kinds->collections, resource, collection);
    }
    return collection;
}

/* A kind with its names. Owns `described`, which has what discovery tells of it. */
static struct kind *kind_new_take(struct registry *kinds, const char *group, const char *version,
                                  const char *plural, json_t *described)
{
    struct kind *kind = mem_alloc(sizeof *kind);
    const char *name = json_string_at(described, "/kind");
    const char *singular = json_string_at(described, "/singularName");
    kind->group = str_copy(group);
    kind->version = str_copy(version);
    kind->plural = str_copy(plural);
    kind->name = str_copy(name);
    kind->singular = str_copy(singular);
    kind->described = described;
    kind->api_version = str_format("%s%s%s", group, *group ? "/" : "", version);
    kind->resource = str_format("%s%s%s", plural, *group ? "." : "", group);
    kind->list_name = str_format("%sList", name);
    kind->head = str_format("{\"kind\":\"%s\",\"apiVersion\":\"%s\",", name, kind->api_version);
    kind->collection = collection_of(kinds, kind->resource);
    kind->namespaced = json_bool_at(described, "/namespaced", false);
    return kind;
}

static void registry_add_take(struct registry *kinds, struct kind *kind)
{
    kind->has_status = kind_has(kind, "status");
    kinds->items = mem_grow(kinds->items, (kinds->count + 1) * sizeof(struct kind *));
    kinds->items[kinds->count++] = kind;
}

/* ── Built-in kinds ───────────────────────────────────────────────────────────────────────── */

/* Those whose objects count the changes of what is wanted of them. */
static bool built_in_counts(const char *name)
{
    static const char *const counting[] = {"DaemonSet",   "Deployment", "ReplicaSet",
                                           "StatefulSet", "Pod",        "CustomResourceDefinition"};
    for (size_t i = 0; i < sizeof counting / sizeof *counting; i++)
        if (strcmp(counting[i], name) == 0)
            return true;
    return false;
}

static void add_built_in(struct registry *kinds, const json_t *item)
{
    json_t *described = json_object();
    static const char *const told[] = {
        "name",  "singularName", "namespaced", "kind",
        "verbs", "shortNames",   "categories", "storageVersionHash",
    };
    for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
        json_t *value = json_object_get(item, told[i]);
        if (value)
            json_object_set(described, told[i], value);
    }
    struct kind *kind =
        kind_new_take(kinds, json_string_at(item, "/group"), json_string_at(item, "/version"),
                      json_string_at(item, "/name"), described);
    kind->subresources = json_incref(json_object_get(item, "subresources"));
    kind->rules = json_incref(json_object_get(kinds->schemas, json_string_at(item, "/schema")));
    kind->schema = schema_of((struct schema){.names = kinds->schemas}, kind->rules);
    kind->counts = built_in_counts(kind->name);
    registry_add_take(kinds, kind);
}

static struct kind *scale_new(struct registry *kinds)
{
    json_t *described = json_pack("{ss ss}", "kind", "Scale", "singularName", "scale");
    struct kind *kind = kind_new_take(kinds, "autoscaling", "v1", "scales", described);
    kind->rules = json_incref(json_object_get(kinds->schemas, "io.k8s.api.autoscaling.v1.Scale"));
    kind->schema = schema_of((struct schema){.names = kinds->schemas}, kind->rules);
    return kind;
}

struct registry *registry_new(struct store *store)
{
    struct registry *kinds = mem_alloc(sizeof *kinds);
    json_t *built_in AUTO_JSON = json_loads(builtin_kinds, 0, NULL), *item;
    size_t i;
    kinds->store = store;
    kinds->schemas = json_incref(json_object_get(built_in, "schemas"));
    json_array_foreach (json_object_get(built_in, "kinds"), i, item)
        add_built_in(kinds, item);
    kinds->scale = scale_new(kinds);
    return kinds;
}

void registry_free(struct registry *kinds)
{
    if (!kinds)
        return;
    for (size_t i = 0; i < kinds->count; i++)
        kind_free(kinds->items[i]);
    kind_free(kinds->scale);
    free(kinds->items);
    map_done(&kinds->collections, NULL);
    json_decref(kinds->schemas);
    free(kinds);
}

/* ── Custom kinds ─────────────────────────────────────────────────────────────────────────── */

static json_t *custom_described(const json_t *definition)
{
    const json_t *names = json_at(definition, "/spec/names");
    json_t *short_names = json_object_get(names, "shortNames");
    json_t *categories = json_object_get(names, "categories");
    bool namespaced = str_equal(json_string_at(definition, "/spec/scope"), "Namespaced");
    const char *singular = json_string_at(names, "/singular");
    return json_pack("{sO ss sb sO s[ssssssss] sO* sO*}", "name", json_object_get(names, "plural"),
                     "singularName", singular ? singular : "", "namespaced", namespaced, "kind",
                     json_object_get(names, "kind"), "verbs", "delete", "deletecollection", "get",
                     "list", "patch", "create", "update", "watch", "shortNames",
                     json_array_size(short_names) ? short_names : NULL, "categories",
                     json_array_size(categories) ? categories : NULL);
}

static json_t *custom_subresources(const struct kind *kind, const json_t *version)
{
    json_t *list = json_array();
    if (json_at(version, "/subresources/status"))
        json_array_append_new(
            list, json_pack("{so ss sb ss s[sss]}", "name", json_sprintf("%s/status", kind->plural),
                            "singularName", "", "namespaced", kind->namespaced, "kind", kind->name,
                            "verbs", "get", "patch", "update"));
    if (json_at(version, "/subresources/scale"))
        json_array_append_new(list, json_pack("{so ss sb ss ss ss s[sss]}", "name",
                                              json_sprintf("%s/scale", kind->plural),
                                              "singularName", "", "namespaced", kind->namespaced,
                                              "group", "autoscaling", "version", "v1", "kind",
                                              "Scale", "verbs", "get", "patch", "update"));
    return list;
}

/* The definition's own schema, with what every object has. */
static json_t *custom_rules(const struct registry *kinds, const struct kind *kind,
                            const json_t *version)
{
    const json_t *own = json_at(version, "/schema/openAPIV3Schema");
    const json_t *every = json_at(kinds->schemas, "/io.k8s.api.core.v1.ConfigMap/properties");
    json_t *rules = own ? json_deep_copy(own) : json_object();
    static const char *const common[] = {"apiVersion", "kind", "metadata"};
    for (size_t i = 0; i < 3; i++) {
        char *at AUTO_FREE = str_format("/properties/%s", common[i]);
        json_put_take(rules, at, json_deep_copy(json_object_get(every, common[i])));
    }
    json_object_set_new(rules, "x-kubernetes-group-version-kind",
                        json_pack("[{ss ss ss}]", "group", kind->group, "kind", kind->name,
                                  "version", kind->version));
    return rules;
}

/* A definition that says nothing about them gets the age. */
static json_t *custom_columns(const json_t *version)
{
    const json_t *own = json_object_get(version, "additionalPrinterColumns");
    if (own)
        return json_deep_copy(own);
    return json_pack("[{ss ss ss}]", "name", "Age", "type", "date", "jsonPath",
                     ".metadata.creationTimestamp");
}

/* The first eight bytes of a hash of what is stored, in base64. */
static json_t *storage_hash(const struct kind *kind)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *what AUTO_FREE = str_format("%s/%s/%s", kind->group, kind->version, kind->name);
    char hex[HASH_HEX_SIZE], text[13] = "";
    hash_sha256(what, strlen(what), hex);
    hex[16] = '\0';
    uint64_t bytes = strtoull(hex, NULL, 16);
    for (int i = 0; i < 10; i++)
        text[i] = digits[bytes << (6 * i) >> 58];
    text[10] = digits[bytes << 60 >> 58];
    text[11] = '=';
    return json_string(text);
}

static void add_custom(struct registry *kinds, const json_t *definition, const json_t *version)
{
    struct kind *kind = kind_new_take(
        kinds, json_string_at(definition, "/spec/group"), json_string_at(version, "/name"),
        json_string_at(definition, "/spec/names/plural"), custom_described(definition));
    kind->subresources = custom_subresources(kind, version);
    kind->columns = custom_columns(version);
    kind->scale = json_deep_copy(json_at(version, "/subresources/scale"));
    kind->rules = custom_rules(kinds, kind, version);
    kind->schema = (struct schema){.names = kinds->schemas, .rules = kind->rules, .custom = true};
    kind->custom = kind->counts = true;
    json_object_set_new(kind->described, "storageVersionHash", storage_hash(kind));
    registry_add_take(kinds, kind);
}

void registry_forget(struct registry *kinds, const json_t *definition)
{
    const char *resource = json_string_at(definition, "/metadata/name");
    size_t kept = 0;
    for (size_t i = 0; i < kinds->count; i++) {
        if (kinds->items[i]->custom && str_equal(kinds->items[i]->resource, resource))
            kind_free(kinds->items[i]);
        else
            kinds->items[kept++] = kinds->items[i];
    }
    kinds->count = kept;
}

void registry_define(struct registry *kinds, const json_t *definition)
{
    size_t i;
    json_t *version;
    registry_forget(kinds, definition);
    json_array_foreach (json_at(definition, "/spec/versions"), i, version)
        if (json_bool_at(version, "/served", false))
            add_custom(kinds, definition, version);
}

/* ── Finding ──────────────────────────────────────────────────────────────────────────────── */

const struct kind *registry_find(const struct registry *kinds, const char *group,
                                 const char *version, const char *plural)
{
    for (size_t i = 0; i < kinds->count; i++) {
        const struct kind *kind = kinds->items[i];
        if (strcmp(kind->plural, plural) == 0 && strcmp(kind->group, group) == 0 &&
            strcmp(kind->version, version) == 0)
            return kind;
    }
    return NULL;
}

const struct kind *registry_of(const struct registry *kinds, const char *api_version,
                               const char *name)
{
    for (size_t i = 0; i < kinds->count; i++)
        if (str_equal(kinds->items[i]->name, name) &&
            str_equal(kinds->items[i]->api_version, api_version))
            return kinds->items[i];
    return NULL;
}

size_t registry_count(const struct registry *kinds)
{
    return kinds->count;
}

const struct kind *registry_at(const struct registry *kinds, size_t place)
{
    return kinds->items[place];
}

json_t *registry_schemas(const struct registry *kinds)
{
    return kinds->schemas;
}

const struct kind *registry_scale(const struct registry *kinds)
{
    return kinds->scale;
}

const struct kind *registry_in(const struct registry *kinds, const struct collection *collection)
{
    for (size_t i = 0; i < kinds->count; i++)
        if (kinds->items[i]->collection == collection)
            return kinds->items[i];
    return NULL;
}

static const json_t *subresource_of(const struct kind *kind, const char *subresource)
{
    size_t i;
    json_t *each;
    json_array_foreach (kind->subresources, i, each) {
        const char *name = json_string_at(each, "/name");
        if (strcmp(strchr(name, '/') + 1, subresource) == 0)
            return each;
    }
    return NULL;
}

bool kind_has(const struct kind *kind, const char *subresource)
{
    return subresource_of(kind, subresource);
}

bool kind_allows(const struct kind *kind, const char *subresource, const char *verb)
{
    const json_t *verbs = json_object_get(subresource_of(kind, subresource), "verbs");
    for (size_t i = 0; i < json_array_size(verbs); i++)
        if (str_equal(json_string_value(json_array_get(verbs, i)), verb))
            return true;
    return false;
}
