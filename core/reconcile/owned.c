// SPDX-License-Identifier: Apache-2.0
#include "reconcile/owned.h"
#include "reconcile/key.h"

#include "base/alloc.h"
#include "base/names.h"
#include "reconcile/families.h"
#include "reconcile/first_look.h"
#include "reconcile/workload_kinds.h"

#include <stdlib.h>
#include <string.h>

/* One watched kind. What it keeps only grows: an adapter that is given more than it asks for is
 * none the wiser. */
struct owned_kind {
    struct controller *controller;
    char *api_version, *kind;
    struct names keep;   /* pointers, of all that ask */
    struct names askers; /* workload kinds: "apiVersion kind" */
    struct watch *watch; /* NULL while the cluster doesn't serve the kind … */
    bool unserved;       /* … as it has said when it was asked last */
    struct families families;
    struct owned_kind *next; /* the same with more in it, while that is being listed */
};

/* The caller frees it. */
static char *asker_name(const char *api_version, const char *kind)
{
    return str_format("%s %s", api_version, kind);
}

/* ── Events ───────────────────────────────────────────────────────────────────────────────── */

static bool asks(const struct workload_kind *kind, const struct owned_kind *owned)
{
    char *asker AUTO_FREE = asker_name(kind->api_version, kind->name);
    return names_have(&owned->askers, asker);
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
    struct workload_kind *kind =
        workload_kind_find(owned->controller, json_string_at(reference, "/apiVersion"),
                           json_string_at(reference, "/kind"));
    return kind && asks(kind, owned) ? kind : NULL;
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
    if (!kind) {
        families_remove(&owned->families, key);
        return;
    }
    families_put(&owned->families, json_string_at(reference, "/uid"), key, object);
    wake_owner(kind, object, reference);
}

static void on_delete(void *data, json_t *object)
{
    struct owned_kind *owned = data;
    const json_t *reference = controller_reference(object);
    const struct workload_kind *kind = asking_kind(owned, reference);
    char *key AUTO_FREE = owned_key(object);
    families_remove(&owned->families, key);
    if (kind)
        wake_owner(kind, object, reference);
}

static void owned_free(struct owned_kind *owned)
{
    if (!owned)
        return;
    owned_free(owned->next);
    kind_forget(owned->controller->kinds, owned);
    watch_close(owned->watch);
    families_done(&owned->families);
    names_done(&owned->keep);
    names_done(&owned->askers);
    free(owned->api_version);
    free(owned->kind);
    free(owned);
}

/* What was listed beside the old one takes its place. */
static void take_place(struct owned_kind *owned)
{
    struct controller *controller = owned->controller;
    for (size_t i = 0; i < controller->owned_kind_count; i++) {
        struct owned_kind *old = controller->owned_kinds[i];
        if (old->next != owned)
            continue;
        old->next = NULL;
        controller->owned_kinds[i] = owned;
        owned_free(old);
    }
}

static void wake_askers(const struct owned_kind *owned)
{
    struct controller *controller = owned->controller;
    for (size_t i = 0; i < controller->workload_kind_count; i++) {
        struct workload_kind *kind = controller->workload_kinds[i];
        if (!asks(kind, owned))
            continue;
        workload_kind_try(kind);
        workload_kind_wake(kind);
    }
}

static void on_synced(void *data)
{
    struct owned_kind *owned = data;
    take_place(owned);
    wake_askers(owned);
    first_look_try(owned->controller);
}

static void on_state(void *data, const struct error *err)
{
    const struct owned_kind *owned = data;
    struct controller *controller = owned->controller;
    log_watch_state(owned->kind, err);
    wake_askers(owned);
    for (size_t i = 0; err->code == ERR_DENIED && i < controller->workload_kind_count; i++)
        if (asks(controller->workload_kinds[i], owned))
            workload_kind_blind(controller->workload_kinds[i]);
    first_look_try(controller);
}

/* ── Opening ──────────────────────────────────────────────────────────────────────────────── */

static void on_kind_found(void *data, const struct kind_info *info, const struct error *err)
{
    static const struct watch_events events = {
        .on_put = on_put, .on_delete = on_delete, .on_synced = on_synced, .on_state = on_state};
    struct owned_kind *owned = data;
    if (owned->watch) /* looked for twice, as a workload's kind may be */
        return;
    owned->unserved = err->code != OK;
    if (owned->unserved) {
        log_watch_state(owned->kind, err);
        first_look_try(owned->controller);
        return;
    }
    char *path AUTO_FREE = object_path(info, owned->controller->config->namespace, NULL, NULL);
    struct watch_spec spec = {
        .path = path, .keep = (const char *const *)owned->keep.at, .keep_count = owned->keep.count};
    owned->watch = watch_open(owned->controller->cluster, &spec, &events, owned);
}

static struct owned_kind *owned_find(const struct controller *controller,
                                     const struct adapter_owned *asked)
{
    for (size_t i = 0; i < controller->owned_kind_count; i++)
        if (str_equal(controller->owned_kinds[i]->api_version, asked->api_version) &&
            str_equal(controller->owned_kinds[i]->kind, asked->kind))
            return controller->owned_kinds[i];
    return NULL;
}

static struct owned_kind *owned_new(struct controller *controller, const char *api_version,
                                    const char *kind)
{
    struct owned_kind *owned = mem_alloc(sizeof *owned);
    owned->controller = controller;
    owned->api_version = str_copy(api_version);
    owned->kind = str_copy(kind);
    names_add(&owned->keep, "/metadata/ownerReferences");
    return owned;
}

static struct owned_kind *owned_add(struct controller *controller,
                                    const struct adapter_owned *asked)
{
    size_t count = controller->owned_kind_count++;
    controller->owned_kinds =
        mem_grow(controller->owned_kinds, (count + 1) * sizeof(struct owned_kind *));
    return controller->owned_kinds[count] = owned_new(controller, asked->api_version, asked->kind);
}

static struct owned_kind *owned_copy(const struct owned_kind *owned)
{
    struct owned_kind *copy = owned_new(owned->controller, owned->api_version, owned->kind);
    names_add_all(&copy->keep, (const char *const *)owned->keep.at, owned->keep.count);
    names_add_all(&copy->askers, (const char *const *)owned->askers.at, owned->askers.count);
    return copy;
}

/* Where more can be asked for: not of a watch that is open. */
static struct owned_kind *owned_open_to_more(struct owned_kind *owned)
{
    if (!owned->watch)
        return owned;
    if (owned->next && owned->next->watch) {
        struct owned_kind *copy = owned_copy(owned->next);
        owned_free(owned->next);
        owned->next = copy;
    }
    if (!owned->next)
        owned->next = owned_copy(owned);
    return owned->next;
}

static bool covers(const struct owned_kind *owned, const struct adapter_owned *asked,
                   const char *asker)
{
    bool covered = owned && names_have(&owned->askers, asker);
    for (size_t i = 0; covered && i < asked->keep_count; i++)
        covered = names_have(&owned->keep, asked->keep[i]);
    return covered;
}

static void owned_ask(struct controller *controller, const struct adapter_owned *asked,
                      const char *asker)
{
    struct owned_kind *owned = owned_find(controller, asked);
    if (!owned)
        owned = owned_add(controller, asked);
    if (covers(owned, asked, asker) || covers(owned->next, asked, asker))
        return;
    owned = owned_open_to_more(owned);
    names_add(&owned->askers, asker);
    names_add_all(&owned->keep, asked->keep, asked->keep_count);
}

static void ask_for(const struct workload_kind *kind, const struct adapter_kind *declared)
{
    char *asker AUTO_FREE = asker_name(kind->api_version, kind->name);
    for (size_t i = 0; i < declared->owned_count; i++)
        owned_ask(kind->controller, &declared->owned[i], asker);
}

static bool declares(const struct adapter_kind *declared, const struct owned_kind *owned)
{
    for (size_t i = 0; declared && i < declared->owned_count; i++)
        if (str_equal(declared->owned[i].api_version, owned->api_version) &&
            str_equal(declared->owned[i].kind, owned->kind))
            return true;
    return false;
}

static bool still_asked_for(const struct owned_kind *owned)
{
    const struct controller *controller = owned->controller;
    for (size_t i = 0; i < controller->workload_kind_count; i++)
        if (declares(controller->workload_kinds[i]->kind, owned) ||
            declares(controller->workload_kinds[i]->next.kind, owned))
            return true;
    return false;
}

void owned_drop_unasked(struct controller *controller)
{
    size_t count = controller->owned_kind_count;
    controller->owned_kind_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct owned_kind *owned = controller->owned_kinds[i];
        if (still_asked_for(owned))
            controller->owned_kinds[controller->owned_kind_count++] = owned;
        else
            owned_free(owned);
    }
}

void owned_renew(struct controller *controller)
{
    for (size_t i = 0; i < controller->workload_kind_count; i++) {
        const struct workload_kind *kind = controller->workload_kinds[i];
        ask_for(kind, kind->kind);
        if (kind->next.adapter)
            ask_for(kind, kind->next.kind);
    }
    owned_look(controller);
}

static void look(struct owned_kind *owned)
{
    if (!owned)
        return;
    if (owned->watch)
        watch_kick(owned->watch);
    else
        kind_find(owned->controller->kinds, owned->api_version, owned->kind, on_kind_found, owned);
    look(owned->next);
}

void owned_look(struct controller *controller)
{
    for (size_t i = 0; i < controller->owned_kind_count; i++)
        look(controller->owned_kinds[i]);
}

void owned_close(struct controller *controller)
{
    for (size_t i = 0; i < controller->owned_kind_count; i++)
        owned_free(controller->owned_kinds[i]);
    free(controller->owned_kinds);
}

/* ── Reading ──────────────────────────────────────────────────────────────────────────────── */

bool owned_seen(const struct controller *controller)
{
    for (size_t i = 0; i < controller->owned_kind_count; i++) {
        const struct owned_kind *owned = controller->owned_kinds[i];
        bool seen = owned->watch ? watch_synced(owned->watch) || watch_failure(owned->watch)
                                 : owned->unserved;
        if (!seen)
            return false;
    }
    return true;
}

bool owned_synced(const struct workload_kind *kind, const struct adapter_kind *declared,
                  struct unlisted *ret_missing)
{
    char *asker AUTO_FREE = asker_name(kind->api_version, kind->name);
    for (size_t i = 0; i < declared->owned_count; i++) {
        const struct adapter_owned *asked = &declared->owned[i];
        const struct owned_kind *owned = owned_find(kind->controller, asked);
        if (!covers(owned, asked, asker) || !owned->watch || !watch_synced(owned->watch)) {
            *ret_missing = (struct unlisted){
                asked->kind, owned && owned->watch ? watch_failure(owned->watch) : NULL};
            return false;
        }
    }
    return true;
}

bool owned_denied(const struct workload_kind *kind, struct unlisted *ret_denied)
{
    for (size_t i = 0; i < kind->kind->owned_count; i++) {
        const struct owned_kind *owned = owned_find(kind->controller, &kind->kind->owned[i]);
        if (!owned || !owned->watch || !watch_denied(owned->watch))
            continue;
        *ret_denied = (struct unlisted){owned->kind, watch_failure(owned->watch)};
        return true;
    }
    return false;
}

json_t *owned_objects(const struct workload_kind *kind, const char *uid)
{
    json_t *array = kind->kind->owned_count ? json_array() : NULL;
    for (size_t i = 0; uid && i < kind->kind->owned_count; i++)
        families_list(&owned_find(kind->controller, &kind->kind->owned[i])->families, uid, array);
    return array;
}

void owned_pod_leaves(struct controller *controller, const char *ns, const struct action *deletion)
{
    static const struct adapter_owned pods = {.api_version = "v1", .kind = "Pod"};
    struct owned_kind *owned = owned_find(controller, &pods);
    char *key AUTO_FREE = key_join(ns, deletion->pod);
    json_t *pod AUTO_JSON = owned ? families_get(&owned->families, key) : NULL;
    if (!pod || !str_equal(json_string_at(pod, "/metadata/uid"), deletion->uid))
        return;
    json_put_take(pod, "/metadata/deletionTimestamp", json_string("asked for"));
    families_replace(&owned->families, key, pod);
}
