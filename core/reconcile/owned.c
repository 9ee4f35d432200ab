// SPDX-License-Identifier: Apache-2.0
#include "reconcile/owned.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

/* One watched kind. */
struct owned_kind {
    struct controller *controller;
    const char *api_version, *kind; /* of the manifest that asked first */
    const char **keep;              /* of all that ask */
    size_t keep_count;
    struct watch *watch;  /* NULL while the cluster doesn't serve the kind */
    struct map families;  /* UID of the workload → struct family */
    struct map owner_uid; /* "namespace/name" → that UID */
};

/* What one workload owns of one kind: "namespace/name" → compact text. */
struct family {
    struct map members;
};

/* ── Families ─────────────────────────────────────────────────────────────────────────────── */

static void family_free(void *data)
{
    struct family *family = data;
    map_done(&family->members, free);
    free(family);
}

static void family_add(struct owned_kind *kind, const char *uid, const char *key,
                       const json_t *object)
{
    struct family *family = map_get(&kind->families, uid);
    if (!family) {
        family = mem_alloc(sizeof *family);
        map_put(&kind->families, uid, family);
    }
    free(map_put(&family->members, key, json_text(object)));
    if (!str_equal(map_get(&kind->owner_uid, key), uid))
        free(map_put(&kind->owner_uid, key, str_copy(uid)));
}

static void family_remove(struct owned_kind *kind, const char *key)
{
    char *uid AUTO_FREE = map_remove(&kind->owner_uid, key);
    struct family *family = uid ? map_get(&kind->families, uid) : NULL;
    if (!family)
        return;
    free(map_remove(&family->members, key));
    if (family->members.count == 0)
        family_free(map_remove(&kind->families, uid));
}

static void family_list(const struct owned_kind *kind, const char *uid, json_t *array)
{
    const struct family *family = map_get(&kind->families, uid);
    const struct map_entry *entry;
    size_t cursor = 0;
    while (family && (entry = map_next(&family->members, &cursor))) {
        json_t *object;
        const char *text = entry->value;
        if (json_parse(text, strlen(text), &object, NULL) == OK)
            json_array_append_new(array, object);
    }
}

/* ── Events ───────────────────────────────────────────────────────────────────────────────── */

static bool declares(const struct workload_kind *kind, const struct owned_kind *owned)
{
    for (size_t i = 0; i < kind->kind->owned_count; i++)
        if (str_equal(kind->kind->owned[i].api_version, owned->api_version) &&
            str_equal(kind->kind->owned[i].kind, owned->kind))
            return true;
    return false;
}

static const json_t *controller_reference(const json_t *object)
{
    const json_t *references = json_at(object, "/metadata/ownerReferences");
    for (size_t i = 0; i < json_array_size(references); i++)
        if (json_bool_at(json_array_get(references, i), "/controller", false))
            return json_array_get(references, i);
    return NULL;
}

/* The kind of the workload that controls an object; NULL if it is none that asks for such objects.
 */
static struct workload_kind *asking_kind(const struct owned_kind *owned, const json_t *reference)
{
    struct controller *controller = owned->controller;
    for (size_t i = 0; reference && i < controller->workload_kind_count; i++) {
        struct workload_kind *kind = &controller->workload_kinds[i];
        if (str_equal(kind->kind->kind, json_string_at(reference, "/kind")) &&
            str_equal(kind->kind->api_version, json_string_at(reference, "/apiVersion")) &&
            declares(kind, owned))
            return kind;
    }
    return NULL;
}

static void wake_owner(const struct workload_kind *kind, const json_t *object,
                       const json_t *reference)
{
    const char *ns = json_string_at(object, "/metadata/namespace");
    const char *name = json_string_at(reference, "/name");
    json_t *workload AUTO_JSON = kind->store ? store_get(kind->store, ns, name) : NULL;
    if (workload)
        workload_wake(kind, workload);
}

static char *owned_key(const json_t *object)
{
    return key_join(json_string_at(object, "/metadata/namespace"),
                    json_string_at(object, "/metadata/name"));
}

static void on_put(void *data, json_t *object)
{
    struct owned_kind *owned = data;
    const json_t *reference = controller_reference(object);
    const struct workload_kind *kind = asking_kind(owned, reference);
    char *key AUTO_FREE = owned_key(object);
    const char *uid = json_string_at(reference, "/uid");
    if (!kind || !str_equal(map_get(&owned->owner_uid, key), uid))
        family_remove(owned, key);
    if (!kind)
        return;
    family_add(owned, uid, key, object);
    wake_owner(kind, object, reference);
}

static void on_delete(void *data, json_t *object)
{
    struct owned_kind *owned = data;
    const json_t *reference = controller_reference(object);
    const struct workload_kind *kind = asking_kind(owned, reference);
    char *key AUTO_FREE = owned_key(object);
    family_remove(owned, key);
    if (kind)
        wake_owner(kind, object, reference);
}

static void on_synced(void *data)
{
    const struct owned_kind *owned = data;
    struct controller *controller = owned->controller;
    for (size_t i = 0; i < controller->workload_kind_count; i++)
        if (declares(&controller->workload_kinds[i], owned))
            workload_kind_wake(&controller->workload_kinds[i]);
}

static void on_state(void *data, const struct error *err)
{
    const struct owned_kind *owned = data;
    log_watch_state(owned->kind, err);
}

/* ── Opening ──────────────────────────────────────────────────────────────────────────────── */

static void on_kind_found(void *data, const struct kind_info *info, const struct error *err)
{
    static const struct watch_events events = {
        .on_put = on_put, .on_delete = on_delete, .on_synced = on_synced, .on_state = on_state};
    struct owned_kind *owned = data;
    if (err->code != OK) {
        log_watch_state(owned->kind, err);
        return;
    }
    char *path AUTO_FREE = object_path(info, owned->controller->config->namespace, NULL, NULL);
    struct watch_spec spec = {.path = path, .keep = owned->keep, .keep_count = owned->keep_count};
    owned->watch = watch_open(owned->controller->cluster, &spec, &events, owned);
}

static struct owned_kind *owned_find(const struct controller *controller,
                                     const struct adapter_owned *asked)
{
    for (size_t i = 0; i < controller->owned_kind_count; i++)
        if (str_equal(controller->owned_kinds[i].api_version, asked->api_version) &&
            str_equal(controller->owned_kinds[i].kind, asked->kind))
            return &controller->owned_kinds[i];
    return NULL;
}

static void keep_add(struct owned_kind *owned, const char *pointer)
{
    for (size_t i = 0; i < owned->keep_count; i++)
        if (str_equal(owned->keep[i], pointer))
            return;
    owned->keep = mem_grow(owned->keep, (owned->keep_count + 1) * sizeof *owned->keep);
    owned->keep[owned->keep_count++] = pointer;
}

static void owned_ask(struct controller *controller, const struct adapter_owned *asked)
{
    struct owned_kind *owned = owned_find(controller, asked);
    if (!owned) {
        owned = &controller->owned_kinds[controller->owned_kind_count++];
        owned->controller = controller;
        owned->api_version = asked->api_version;
        owned->kind = asked->kind;
        keep_add(owned, "/metadata/ownerReferences");
    }
    for (size_t i = 0; i < asked->keep_count; i++)
        keep_add(owned, asked->keep[i]);
}

/* Counted first: watches keep pointers to their kinds, which must not move. */
void owned_open(struct controller *controller)
{
    size_t count = 0;
    for (size_t i = 0; i < controller->workload_kind_count; i++)
        count += controller->workload_kinds[i].kind->owned_count;
    controller->owned_kinds = mem_alloc(count * sizeof *controller->owned_kinds);
    for (size_t i = 0; i < controller->workload_kind_count; i++) {
        const struct adapter_kind *kind = controller->workload_kinds[i].kind;
        for (size_t k = 0; k < kind->owned_count; k++)
            owned_ask(controller, &kind->owned[k]);
    }
    owned_look(controller);
}

void owned_look(struct controller *controller)
{
    for (size_t i = 0; i < controller->owned_kind_count; i++) {
        struct owned_kind *owned = &controller->owned_kinds[i];
        if (owned->watch)
            watch_kick(owned->watch);
        else
            kind_find(controller->kinds, owned->api_version, owned->kind, on_kind_found, owned);
    }
}

void owned_close(struct controller *controller)
{
    for (size_t i = 0; i < controller->owned_kind_count; i++) {
        struct owned_kind *owned = &controller->owned_kinds[i];
        kind_forget(controller->kinds, owned);
        watch_close(owned->watch);
        map_done(&owned->families, family_free);
        map_done(&owned->owner_uid, free);
        free(owned->keep);
    }
    free(controller->owned_kinds);
}

/* ── Reading ──────────────────────────────────────────────────────────────────────────────── */

bool owned_synced(const struct workload_kind *kind, const char **ret_missing)
{
    for (size_t i = 0; i < kind->kind->owned_count; i++) {
        const struct adapter_owned *declared = &kind->kind->owned[i];
        const struct owned_kind *owned = owned_find(kind->controller, declared);
        if (!owned || !owned->watch || !watch_synced(owned->watch)) {
            *ret_missing = declared->kind;
            return false;
        }
    }
    return true;
}

json_t *owned_objects(const struct workload_kind *kind, const char *uid)
{
    json_t *array = kind->kind->owned_count ? json_array() : NULL;
    for (size_t i = 0; uid && i < kind->kind->owned_count; i++)
        family_list(owned_find(kind->controller, &kind->kind->owned[i]), uid, array);
    return array;
}

void owned_pod_leaves(struct controller *controller, const char *ns, const struct action *deletion)
{
    static const struct adapter_owned pods = {.api_version = "v1", .kind = "Pod"};
    struct owned_kind *owned = owned_find(controller, &pods);
    char *key AUTO_FREE = key_join(ns, deletion->pod);
    const char *uid = owned ? map_get(&owned->owner_uid, key) : NULL;
    struct family *family = uid ? map_get(&owned->families, uid) : NULL;
    const char *text = family ? map_get(&family->members, key) : NULL;
    json_t *pod AUTO_JSON = NULL;
    if (!text || json_parse(text, strlen(text), &pod, NULL) < 0 ||
        !str_equal(json_string_at(pod, "/metadata/uid"), deletion->uid))
        return;
    json_put_take(pod, "/metadata/deletionTimestamp", json_string("asked for"));
    free(map_put(&family->members, key, json_text(pod)));
}
