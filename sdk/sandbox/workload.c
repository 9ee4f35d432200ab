// SPDX-License-Identifier: Apache-2.0
#include "workload.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "change.h"
#include "owners.h"

#include <stdlib.h>
#include <string.h>

const struct kind *workload_kind(const struct sandbox *sandbox, const char *name)
{
    static const char *const others[][2] = {
        {"Pod", "v1"}, {"Node", "v1"}, {"CloneSet", "apps.kruise.io/v1alpha1"}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(others[i][0], name) == 0)
            return registry_of(sandbox->kinds, others[i][1], name);
    return registry_of(sandbox->kinds, "apps/v1", name);
}

char *workload_key(const json_t *object)
{
    return object_key(json_string_at(object, "/metadata/namespace"),
                      json_string_at(object, "/metadata/name"));
}

bool workload_is_going(const json_t *object)
{
    return json_at(object, "/metadata/deletionTimestamp");
}

static json_t *newest(const struct sandbox *sandbox, const char *kind_name, const char *key)
{
    const struct kind *kind = workload_kind(sandbox, kind_name);
    const struct version *version = kind ? collection_get(kind->collection, key) : NULL;
    return version ? object_of(kind, version) : NULL;
}

json_t *workload_all(const struct sandbox *sandbox, const char *kind)
{
    struct collection *collection = workload_kind(sandbox, kind)->collection;
    json_t *list = json_array();
    for (size_t at = 0; at < collection_size(collection); at++) {
        json_t *object AUTO_JSON = newest(sandbox, kind, collection_at(collection, at)->key);
        if (object)
            json_array_append(list, object);
    }
    return list;
}

json_t *workload_get(const struct sandbox *sandbox, const char *kind, const char *key)
{
    json_t *object = newest(sandbox, kind, key);
    if (!object || !workload_is_going(object))
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

void workload_look(struct sandbox *sandbox, const struct news *news,
                   const struct workload_kinds *kinds)
{
    if (news->kind && news->kind == workload_kind(sandbox, kinds->own)) {
        later_soon(sandbox, kinds->reconcile, news->version->entry->key);
    } else if (news->kind == workload_kind(sandbox, kinds->controlled)) {
        char *key AUTO_FREE = controller_key(news->object, kinds->own);
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

json_t *workload_sorted_take(json_t *list, int (*compare)(const void *, const void *))
{
    size_t count = json_array_size(list);
    json_t **items = mem_alloc((count + 1) * sizeof(json_t *)), *sorted = json_array();
    for (size_t i = 0; i < count; i++)
        items[i] = json_array_get(list, i);
    qsort(items, count, sizeof(json_t *), compare);
    for (size_t i = 0; i < count; i++)
        json_array_append(sorted, items[i]);
    free(items);
    json_decref(list);
    return sorted;
}

json_t *workload_controlled_all(const struct sandbox *sandbox, const json_t *owner,
                                const char *kind)
{
    const char *uid = json_string_at(owner, "/metadata/uid");
    json_t *keys AUTO_JSON = owners_keys(sandbox->owners, uid, workload_kind(sandbox, kind));
    json_t *list = json_array(), *key;
    size_t i;
    json_array_foreach (keys, i, key) {
        json_t *object AUTO_JSON = newest(sandbox, kind, json_string_value(key));
        if (object && str_equal(json_string_at(controller_of(object), "/uid"), uid))
            json_array_append(list, object);
    }
    return workload_sorted_take(list, by_age);
}

json_t *workload_controlled(const struct sandbox *sandbox, const json_t *owner, const char *kind)
{
    json_t *list = workload_controlled_all(sandbox, owner, kind);
    for (size_t i = json_array_size(list); i-- > 0;)
        if (workload_is_going(json_array_get(list, i)))
            json_array_remove(list, i);
    return list;
}

/* ── Templates ────────────────────────────────────────────────────────────────────────────── */

/* Of what stands in names: no vowels, nothing that looks like something else. */
void workload_hash(const json_t *template, char ret_hash[WORKLOAD_HASH_SIZE])
{
    static const char letters[] = "bcdfghjklmnpqrst";
    char hex[HASH_HEX_SIZE];
    json_hash(template, hex);
    for (int i = 0; i < WORKLOAD_HASH_SIZE - 1; i++)
        ret_hash[i] = letters[hex[i] <= '9' ? hex[i] - '0' : hex[i] - 'a' + 10];
    ret_hash[WORKLOAD_HASH_SIZE - 1] = '\0';
}

json_t *workload_pod(const json_t *owner, const json_t *template)
{
    json_t *pod = json_object();
    const char *name = json_string_at(owner, "/metadata/name");
    json_object_set_new(pod, "metadata", json_deep_copy(json_object_get(template, "metadata")));
    json_object_set_new(pod, "spec", json_deep_copy(json_object_get(template, "spec")));
    json_put_take(pod, "/metadata/generateName", json_sprintf("%s-", name));
    return pod;
}

/* ── Writing ──────────────────────────────────────────────────────────────────────────────── */

static struct target target_of(const struct sandbox *sandbox, const char *kind,
                               const json_t *object)
{
    struct target target = {.kind = workload_kind(sandbox, kind), .key = workload_key(object)};
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
        char *key AUTO_FREE = workload_key(object);
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

int64_t workload_share(const json_t *value, int64_t whole, bool up)
{
    const char *text = json_string_value(value);
    int64_t percent = text ? strtoll(text, NULL, 10) : 0;
    if (!text)
        return json_integer_value(value);
    return (percent * whole + (up ? 99 : 0)) / 100;
}

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

void workload_put_observed(json_t *object)
{
    json_put_take(object, "/status/observedGeneration",
                  json_integer(json_int_at(object, "/metadata/generation", 0)));
}

bool workload_rolls(const json_t *object)
{
    return !str_equal(json_string_at(object, "/spec/updateStrategy/type"), "OnDelete");
}

json_t *workload_condition(const json_t *object, const char *type)
{
    return json_find(json_at(object, "/status/conditions"), "/type", type);
}

json_t *workload_put_condition(json_t *object, const char *type, bool holds)
{
    json_t *condition = workload_condition(object, type);
    const char *status = holds ? "True" : "False";
    if (!condition) {
        condition = json_pack("{ss}", "type", type);
        if (!json_at(object, "/status/conditions"))
            json_put_take(object, "/status/conditions", json_array());
        json_array_append_new(json_at(object, "/status/conditions"), condition);
    }
    if (!str_equal(json_string_at(condition, "/status"), status))
        json_object_set_new(condition, "lastTransitionTime", time_now());
    json_object_set_new(condition, "status", json_string(status));
    return condition;
}

int64_t workload_available_in(const json_t *pod, int64_t min_ready_s)
{
    const json_t *ready = workload_condition(pod, "Ready");
    if (!str_equal(json_string_at(ready, "/status"), "True"))
        return -1;
    int64_t since = clock_parse(json_string_at(ready, "/lastTransitionTime"));
    int64_t wait_ms = min_ready_s ? since + min_ready_s * 1000 - clock_wall_ms() : 0;
    return wait_ms > 0 ? wait_ms : 0;
}

bool workload_has_ended(const json_t *pod)
{
    const char *phase = json_string_at(pod, "/status/phase");
    return str_equal(phase, "Failed") || str_equal(phase, "Succeeded");
}

struct tally workload_tally(const json_t *pods, int64_t min_ready_s)
{
    struct tally tally = {.wait_ms = -1};
    json_t *pod;
    size_t i;
    json_array_foreach (pods, i, pod) {
        int64_t wait_ms = workload_available_in(pod, min_ready_s);
        tally.ready += wait_ms >= 0;
        tally.available += wait_ms == 0;
        if (wait_ms > 0 && (tally.wait_ms < 0 || wait_ms < tally.wait_ms))
            tally.wait_ms = wait_ms;
    }
    return tally;
}
