// SPDX-License-Identifier: Apache-2.0
/* Serves what CustomResourceDefinitions define, and says so in their conditions. */
#include "base/alloc.h"
#include "base/json.h"
#include "change.h"
#include "controllers.h"
#include "watch.h"

#include <string.h>

static json_t *condition(const char *type, const char *reason, const char *message)
{
    return json_pack("{so ss ss ss ss}", "lastTransitionTime", time_now(), "message", message,
                     "reason", reason, "status", "True", "type", type);
}

static bool is_established(const json_t *definition)
{
    return json_array_size(json_at(definition, "/status/conditions")) > 0;
}

/* Writes of a controller can't collide: nobody else writes between its reading and its writing. */
static void establish(struct sandbox *sandbox, const struct kind *crds, json_t *definition)
{
    json_put_take(definition, "/status/conditions",
                  json_pack("[oo]", condition("NamesAccepted", "NoConflicts", "no conflicts found"),
                            condition("Established", "InitialNamesAccepted",
                                      "the initial names have been accepted")));
    json_put_take(definition, "/status/acceptedNames",
                  json_deep_copy(json_at(definition, "/spec/names")));
    object_write(sandbox, crds, definition);
}

static void serve(struct sandbox *sandbox, const json_t *definition)
{
    for (size_t i = 0; i < registry_count(sandbox->kinds); i++) {
        const struct kind *kind = registry_at(sandbox->kinds, i);
        if (kind->custom && str_equal(kind->resource, json_string_at(definition, "/metadata/name")))
            watches_end(sandbox, kind);
    }
    if (json_at(definition, "/metadata/deletionTimestamp"))
        registry_forget(sandbox->kinds, definition);
    else
        registry_define(sandbox->kinds, definition);
}

/* The objects go before their definition does. */
static void delete_objects(struct sandbox *sandbox, const struct kind *kind)
{
    struct collection *collection = kind->collection;
    for (size_t at = 0; at < collection_size(collection); at++) {
        const struct entry *entry = collection_at(collection, at);
        const struct version *version = collection_get(collection, entry->key);
        json_t *object AUTO_JSON = version ? object_of(kind, version) : NULL;
        if (object)
            object_end(sandbox, kind, object);
    }
}

static void clean_up(struct sandbox *sandbox, const struct kind *crds, json_t *definition)
{
    const char *name = json_string_at(definition, "/metadata/name");
    for (size_t i = 0; i < registry_count(sandbox->kinds); i++) {
        const struct kind *kind = registry_at(sandbox->kinds, i);
        if (kind->custom && str_equal(kind->resource, name)) {
            delete_objects(sandbox, kind);
            break;
        }
    }
    serve(sandbox, definition);
    json_remove_at(definition, "/metadata/finalizers");
    object_end(sandbox, crds, definition);
}

void crd_controller(struct sandbox *sandbox, const struct news *news)
{
    const struct version *version = news->version;
    const struct kind *crds =
        registry_find(sandbox->kinds, "apiextensions.k8s.io", "v1", "customresourcedefinitions");
    if (news->kind != crds || version->entry->newest != version ||
        version->change == CHANGE_DELETED)
        return;
    json_t *definition AUTO_JSON = json_deep_copy(news->object);
    bool deleted = json_at(definition, "/metadata/deletionTimestamp");
    if (deleted) {
        clean_up(sandbox, crds, definition);
    } else if (!is_established(definition)) {
        establish(sandbox, crds, definition);
        serve(sandbox, definition);
    } else {
        serve(sandbox, definition);
    }
}
