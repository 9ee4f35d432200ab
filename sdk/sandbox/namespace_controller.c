// SPDX-License-Identifier: Apache-2.0
/* Empties namespaces that are deleted, and lets them go when nothing is left in them. */
#include "base/alloc.h"
#include "base/json.h"
#include "change.h"
#include "controllers.h"

#include <stdlib.h>
#include <string.h>

/* Deletes all of a kind that is in the namespace. Returns whether something is still there. */
static bool empty(struct sandbox *sandbox, const struct kind *kind, const char *ns)
{
    struct collection *collection = kind->collection;
    char *prefix AUTO_FREE = str_format("%s/", ns);
    bool left = false;
    size_t length = strlen(prefix);
    for (size_t at = collection_after(collection, prefix); at < collection_size(collection); at++) {
        char *key AUTO_FREE = str_copy(collection_at(collection, at)->key);
        if (strncmp(key, prefix, length) != 0)
            break;
        struct target target = {.kind = kind, .ns = str_copy(ns), .name = str_copy(key + length)};
        target.key = str_copy(key);
        struct delete_options options = {.propagation = PROPAGATE_BACKGROUND, .grace_s = -1};
        struct failure failure = {0};
        json_t *object AUTO_JSON = NULL;
        bool gone = true;
        if (change_delete(sandbox, &target, &options, &object, &gone, &failure) == 0 && !gone)
            left = true;
        failure_done(&failure);
        target_done(&target);
    }
    return left;
}

/* Whether the controller's own mark was still there. */
static bool drop_finalizer(json_t *object)
{
    json_t *finalizers = json_at(object, "/spec/finalizers");
    for (size_t i = 0; i < json_array_size(finalizers); i++) {
        if (str_equal(json_string_value(json_array_get(finalizers, i)), "kubernetes")) {
            json_array_remove(finalizers, i);
            return true;
        }
    }
    return false;
}

/* What others put there besides keeps the namespace. */
static void finalize(struct sandbox *sandbox, const struct kind *namespaces, json_t *object)
{
    struct target target = {.kind = namespaces};
    struct change_options options = {.subresource = "finalize"};
    struct failure failure = {0};
    target.name = str_copy(json_string_at(object, "/metadata/name"));
    target.key = str_copy(target.name);
    change_replace(sandbox, &target, object, &options, &failure);
    failure_done(&failure);
    target_done(&target);
}

static void let_go(struct sandbox *sandbox, const struct kind *namespaces, const char *name)
{
    const struct version *version = collection_get(namespaces->collection, name);
    json_t *object AUTO_JSON = version ? object_of(namespaces, version) : NULL;
    bool left = false;
    if (!object || !json_at(object, "/metadata/deletionTimestamp"))
        return;
    for (size_t i = 0; i < registry_count(sandbox->kinds); i++)
        if (registry_at(sandbox->kinds, i)->namespaced)
            left = empty(sandbox, registry_at(sandbox->kinds, i), name) || left;
    if (!left && drop_finalizer(object))
        finalize(sandbox, namespaces, object);
}

/* A namespace was changed, or something has gone from it. */
void namespace_controller(struct sandbox *sandbox, const struct news *news)
{
    const struct kind *namespaces = registry_find(sandbox->kinds, "", "v1", "namespaces");
    const char *key = news->version->entry->key, *slash = strchr(key, '/');
    if (news->kind == namespaces) {
        let_go(sandbox, namespaces, key);
    } else if (slash && news->version->change == CHANGE_DELETED) {
        char *ns AUTO_FREE = str_copy_n(key, (size_t)(slash - key));
        let_go(sandbox, namespaces, ns);
    }
}
