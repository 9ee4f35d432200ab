// SPDX-License-Identifier: Apache-2.0
#include "workload.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "change.h"
#include "owners.h"

#include <stdlib.h>
#include <string.h>

const struct kind *workload_kind(const struct sandbox *sandbox, const char *name)
{
    return kinds_of(sandbox->kinds, strcmp(name, "Pod") == 0 ? "v1" : "apps/v1", name);
}

static char *key_of(const json_t *object)
{
    return object_key(json_string_at(object, "/metadata/namespace"),
                      json_string_at(object, "/metadata/name"));
}

json_t *workload_get(const struct sandbox *sandbox, const char *kind_name, const char *key)
{
    const struct kind *kind = workload_kind(sandbox, kind_name);
    const struct version *version = collection_get(kind->collection, key);
    json_t *object = version ? object_of(kind, version) : NULL;
    if (!object || !json_at(object, "/metadata/deletionTimestamp"))
        return object;
    json_decref(object);
    return NULL;
}

/* ── Who controls whom ────────────────────────────────────────────────────────────────────── */

static const json_t *controller_of(const json_t *object)
{
    const json_t *references = json_at(object, "/metadata/ownerReferences");
    for (size_t i = 0; i < json_array_size(references); i++)
        if (json_bool_at(json_array_get(references, i), "/controller", false))
            return json_array_get(references, i);
    return NULL;
}

/* The key of the object of a kind that controls this one. The caller frees it; NULL: none does. */
static char *controller_key(const json_t *object, const char *kind)
{
    const json_t *controller = controller_of(object);
    if (!str_equal(json_string_at(controller, "/kind"), kind))
        return NULL;
    return object_key(json_string_at(object, "/metadata/namespace"),
                      json_string_at(controller, "/name"));
}

void workload_look(struct sandbox *sandbox, const struct version *version,
                   const struct workload_kinds *kinds)
{
    const struct kind *own = workload_kind(sandbox, kinds->own);
    const struct kind *controlled = workload_kind(sandbox, kinds->controlled);
    if (version->entry->collection == own->collection) {
        later_soon(sandbox, kinds->reconcile, version->entry->key);
    } else if (version->entry->collection == controlled->collection) {
        json_t *object AUTO_JSON = object_of(controlled, version);
        char *key AUTO_FREE = controller_key(object, kinds->own);
        if (key)
            later_soon(sandbox, kinds->reconcile, key);
    }
}

/* By the moment at which it was made, then by name. */
static int by_age(const void *a, const void *b)
{
    const json_t *left = *(json_t *const *)a, *right = *(json_t *const *)b;
    int order = strcmp(json_string_at(left, "/metadata/creationTimestamp"),
                       json_string_at(right, "/metadata/creationTimestamp"));
    return order ? order
                 : strcmp(json_string_at(left, "/metadata/name"),
                          json_string_at(right, "/metadata/name"));
}

static json_t *sorted_take(json_t *list)
{
    size_t count = json_array_size(list);
    json_t **items = mem_alloc((count + 1) * sizeof(json_t *)), *sorted = json_array();
    for (size_t i = 0; i < count; i++)
        items[i] = json_array_get(list, i);
    qsort(items, count, sizeof(json_t *), by_age);
    for (size_t i = 0; i < count; i++)
        json_array_append(sorted, items[i]);
    free(items);
    json_decref(list);
    return sorted;
}

json_t *workload_controlled(const struct sandbox *sandbox, const json_t *owner, const char *kind)
{
    const char *uid = json_string_at(owner, "/metadata/uid");
    json_t *keys AUTO_JSON = owners_keys(sandbox->owners, uid, workload_kind(sandbox, kind));
    json_t *list = json_array(), *key;
    size_t i;
    json_array_foreach (keys, i, key) {
        json_t *object AUTO_JSON = workload_get(sandbox, kind, json_string_value(key));
        if (object && str_equal(json_string_at(controller_of(object), "/uid"), uid))
            json_array_append(list, object);
    }
    return sorted_take(list);
}

/* ── Writing ──────────────────────────────────────────────────────────────────────────────── */

static struct target target_of(const struct sandbox *sandbox, const char *kind,
                               const json_t *object)
{
    struct target target = {.kind = workload_kind(sandbox, kind), .key = key_of(object)};
    target.ns = str_copy(json_string_at(object, "/metadata/namespace"));
    target.name = str_copy(json_string_at(object, "/metadata/name"));
    return target;
}

static void own(const json_t *owner, json_t *object)
{
    json_put_take(object, "/metadata/namespace",
                  json_incref(json_at(owner, "/metadata/namespace")));
    json_put_take(
        object, "/metadata/ownerReferences",
        json_pack("[{sO sO sO sO sb sb}]", "apiVersion", json_object_get(owner, "apiVersion"),
                  "kind", json_object_get(owner, "kind"), "name", json_at(owner, "/metadata/name"),
                  "uid", json_at(owner, "/metadata/uid"), "controller", 1, "blockOwnerDeletion",
                  1));
}

json_t *workload_create_take(struct sandbox *sandbox, const json_t *owner, const char *kind,
                             json_t *object)
{
    struct target target = {.kind = workload_kind(sandbox, kind)};
    struct change_options options = {0};
    struct failure failure = {0};
    own(owner, object);
    json_object_set_new(object, "kind", json_string(kind));
    json_object_set_new(object, "apiVersion", json_string(target.kind->api_version));
    target.ns = str_copy(json_string_at(object, "/metadata/namespace"));
    if (change_create(sandbox, &target, object, &options, &failure) == 0) {
        char *key AUTO_FREE = key_of(object);
        owners_note(sandbox->owners, json_string_at(owner, "/metadata/uid"), target.kind, key);
    } else {
        json_decref(object);
        object = NULL;
    }
    failure_done(&failure);
    target_done(&target);
    return object;
}

static void write_object(struct sandbox *sandbox, const char *kind, json_t *object,
                         const char *subresource)
{
    struct target target = target_of(sandbox, kind, object);
    struct change_options options = {.subresource = subresource, .patch = true};
    struct failure failure = {0};
    change_replace(sandbox, &target, object, &options, &failure);
    failure_done(&failure);
    target_done(&target);
}

void workload_write(struct sandbox *sandbox, const char *kind, json_t *object)
{
    write_object(sandbox, kind, object, NULL);
}

void workload_write_status(struct sandbox *sandbox, const char *kind, json_t *object)
{
    write_object(sandbox, kind, object, "status");
}

void workload_delete(struct sandbox *sandbox, const char *kind, const json_t *object)
{
    struct target target = target_of(sandbox, kind, object);
    struct delete_options options = {.uid = json_string_at(object, "/metadata/uid"), .grace_s = -1};
    struct failure failure = {0};
    json_t *last AUTO_JSON = NULL;
    bool gone;
    change_delete(sandbox, &target, &options, &last, &gone, &failure);
    failure_done(&failure);
    target_done(&target);
}

/* ── Statuses ─────────────────────────────────────────────────────────────────────────────── */

int64_t workload_count(const json_t *object, const char *pointer)
{
    return json_int_at(object, pointer, 0);
}

void workload_put_count(json_t *object, const char *pointer, int64_t count)
{
    if (count)
        json_put_take(object, pointer, json_integer(count));
    else
        json_remove_at(object, pointer);
}

json_t *workload_condition(const json_t *object, const char *type)
{
    json_t *conditions = json_at(object, "/status/conditions"), *condition;
    size_t i;
    json_array_foreach (conditions, i, condition)
        if (str_equal(json_string_at(condition, "/type"), type))
            return condition;
    return NULL;
}

struct tally workload_tally(const json_t *pods, int64_t min_ready_s)
{
    struct tally tally = {.wait_ms = -1};
    json_t *pod;
    size_t i;
    json_array_foreach (pods, i, pod) {
        const json_t *ready = workload_condition(pod, "Ready");
        if (!str_equal(json_string_at(ready, "/status"), "True"))
            continue;
        int64_t since = clock_parse(json_string_at(ready, "/lastTransitionTime"));
        int64_t wait_ms = min_ready_s ? since + min_ready_s * 1000 - clock_wall_ms() : 0;
        tally.ready++;
        tally.available += wait_ms <= 0;
        if (wait_ms > 0 && (tally.wait_ms < 0 || wait_ms < tally.wait_ms))
            tally.wait_ms = wait_ms;
    }
    return tally;
}
