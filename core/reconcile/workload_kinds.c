// SPDX-License-Identifier: Apache-2.0
#include "reconcile/workload_kinds.h"

#include "base/alloc.h"
#include "oam/revision.h"
#include "reconcile/first_look.h"
#include "reconcile/holder.h"
#include "reconcile/owned.h"
#include "reconcile/task.h"

#include <stdlib.h>

/* ── Waking ───────────────────────────────────────────────────────────────────────────────── */

void workload_wake(const struct workload_kind *kind, const json_t *workload)
{
    struct controller *controller = kind->controller;
    const char *holder = object_mark(workload, MARK_HOLDER);
    if (holder)
        holder_wake(controller, holder);
    char *topic AUTO_FREE =
        waiters_workload_topic(kind->kind->kind, json_string_at(workload, "/metadata/namespace"),
                               json_string_at(workload, "/metadata/name"));
    rollouts_wake(controller, topic);
}

void workload_kind_wake(struct workload_kind *kind)
{
    char *topic AUTO_FREE = waiters_kind_topic(kind->kind->kind);
    rollouts_wake(kind->controller, topic);
}

/* Calls `each` for every rollout that has a workload of this kind. */
static void each_task(const struct workload_kind *kind,
                      void (*each)(const struct task *task, size_t *count), size_t *count)
{
    const struct map_entry *entry;
    for (size_t i = 0; i < ROLLOUT_KINDS; i++)
        for (size_t cursor = 0; (entry = map_next(&kind->controller->rollouts[i].tasks, &cursor));)
            if (task_uses(entry->value, kind))
                each(entry->value, count);
}

static void task_count(const struct task *task, size_t *count)
{
    (void)task;
    ++*count;
}

static void task_wake(const struct task *task, size_t *count)
{
    (void)count;
    queue_add(task->kind->queue, task->key);
}

size_t workload_kind_rollouts(const struct workload_kind *kind)
{
    size_t count = 0;
    each_task(kind, task_count, &count);
    return count;
}

void workload_kind_blind(struct workload_kind *kind)
{
    each_task(kind, task_wake, NULL);
}

/* Another adapter handles the kind, or none: that concerns all its rollouts. */
static void tell_handled(struct workload_kind *kind)
{
    struct log_about about = {.topic = "adapter", .object = kind->name};
    if (kind->adapter)
        log_write(LOG_INFO, about, "handled by adapter %s, version %s", adapter_name(kind->adapter),
                  adapter_version(kind->adapter));
    else
        log_write(LOG_INFO, about, "handled by no adapter any more");
    each_task(kind, task_wake, NULL);
    workload_kind_wake(kind);
}

/* ── Objects ──────────────────────────────────────────────────────────────────────────────── */

static void on_workload(void *data, const char *ns, const char *name, const json_t *object,
                        bool deleted)
{
    (void)ns;
    (void)name;
    (void)deleted;
    workload_wake(data, object);
}

static void on_synced(void *data)
{
    struct workload_kind *kind = data;
    workload_kind_try(kind);
    workload_kind_wake(kind);
    first_look_try(kind->controller);
}

static void on_state(void *data, const struct error *err)
{
    struct workload_kind *kind = data;
    log_watch_state(kind->name, err);
    workload_kind_wake(kind);
    if (err->code == ERR_DENIED)
        workload_kind_blind(kind);
    first_look_try(kind->controller);
}

/* Keeps what the adapter reads of an object, and the marks that the core reads. */
static struct store *open_objects(struct workload_kind *kind, const struct adapter_kind *declared)
{
    static const char *const marks[] = {"/metadata/annotations/rollout.sluice.dev~1holder",
                                        "/metadata/annotations/rollout.sluice.dev~1applied",
                                        "/metadata/annotations/rollout.sluice.dev~1template",
                                        "/metadata/annotations/rollout.sluice.dev~1at-rest"};
    enum { MARKS = sizeof marks / sizeof *marks };
    const struct store_events events = {
        .on_change = on_workload, .on_synced = on_synced, .on_state = on_state};
    const char **keep AUTO_FREE = mem_alloc((MARKS + declared->keep_count) * sizeof *keep);
    for (size_t i = 0; i < MARKS; i++)
        keep[i] = marks[i];
    for (size_t i = 0; i < declared->keep_count; i++)
        keep[MARKS + i] = declared->keep[i];
    char *path AUTO_FREE =
        object_path(&kind->info, kind->controller->config->namespace, NULL, NULL);
    struct watch_spec spec = {
        .path = path,
        .keep = keep,
        .keep_count = MARKS + declared->keep_count,
        .digest = declared->template,
        .digest_count = declared->template_count,
        .digest_if = marks[0],
    };
    return store_open(kind->controller->cluster, &spec, &events, kind);
}

static void info_done(struct kind_info *info)
{
    free((char *)(uintptr_t)info->api_version);
    free((char *)(uintptr_t)info->kind);
    free((char *)(uintptr_t)info->plural);
}

static void on_kind_found(void *data, const struct kind_info *info, const struct error *err)
{
    struct workload_kind *kind = data;
    if (kind->store) /* a CRD has come while it was looked for, so that it was looked for twice */
        return;
    kind->unserved = err->code != OK;
    if (kind->unserved) {
        log_watch_state(kind->name, err);
        first_look_try(kind->controller);
        return;
    }
    info_done(&kind->info);
    kind->info = (struct kind_info){str_copy(info->api_version), str_copy(info->kind),
                                    str_copy(info->plural), info->namespaced};
    kind->store = open_objects(kind, kind->kind);
}

static void look_for(struct workload_kind *kind)
{
    if (kind->adapter && !kind->store)
        kind_find(kind->controller->kinds, kind->api_version, kind->name, on_kind_found, kind);
}

void workload_kinds_look(struct controller *controller)
{
    for (size_t i = 0; i < controller->workload_kind_count; i++) {
        struct workload_kind *kind = controller->workload_kinds[i];
        if (kind->store)
            store_kick(kind->store);
        if (kind->next.store)
            store_kick(kind->next.store);
        look_for(kind);
    }
}

/* ── Adapters ─────────────────────────────────────────────────────────────────────────────── */

static bool keeps(const struct adapter_kind *declared, const char *pointer)
{
    for (size_t i = 0; i < declared->keep_count; i++)
        if (str_equal(declared->keep[i], pointer))
            return true;
    return false;
}

static bool template_same(const struct adapter_kind *a, const struct adapter_kind *b)
{
    bool same = a->template_count == b->template_count;
    for (size_t i = 0; same && i < a->template_count; i++)
        same = str_equal(a->template[i], b->template[i]);
    return same;
}

static bool keeps_same(const struct adapter_kind *a, const struct adapter_kind *b)
{
    bool same = template_same(a, b);
    for (size_t i = 0; same && i < a->keep_count; i++)
        same = keeps(b, a->keep[i]);
    for (size_t i = 0; same && i < b->keep_count; i++)
        same = keeps(a, b->keep[i]);
    return same;
}

/* What is under way with the old adapter holds it. */
static void handle_take(struct workload_kind *kind, struct adapter *adapter,
                        const struct adapter_kind *declared)
{
    adapter_release(kind->adapter);
    kind->adapter = adapter;
    kind->kind = declared;
}

static void next_drop(struct workload_kind *kind)
{
    store_close(kind->next.store);
    adapter_release(kind->next.adapter);
    kind->next = (struct workload_next){0};
}

void workload_kind_try(struct workload_kind *kind)
{
    struct workload_next *next = &kind->next;
    struct unlisted missing;
    if (!next->adapter || (next->store && !store_synced(next->store)) ||
        !owned_synced(kind, next->kind, &missing))
        return;
    if (next->store) {
        store_close(kind->store);
        kind->store = next->store;
    }
    handle_take(kind, next->adapter, next->kind);
    *next = (struct workload_next){0};
    tell_handled(kind);
}

char *workload_kind_waits_for(const struct workload_kind *kind)
{
    const struct store *store = kind->next.store;
    struct unlisted missing = {kind->name, store ? store_failure(store) : NULL};
    if (!kind->next.adapter)
        return NULL;
    if (!store || store_synced(store))
        owned_synced(kind, kind->next.kind, &missing);
    return unlisted_words(&missing);
}

char *unlisted_words(const struct unlisted *unlisted)
{
    return unlisted->why ? str_format("%s objects can't be read: %s", unlisted->kind, unlisted->why)
                         : str_format("%s objects are still being listed", unlisted->kind);
}

/* An adapter for the kind: at once where there was none, or where there is nothing to be listed;
 * otherwise the present one goes on until the objects are there as the next one reads them. */
static void offer(struct workload_kind *kind, struct adapter *adapter,
                  const struct adapter_kind *declared)
{
    next_drop(kind);
    if (kind->adapter == adapter)
        return;
    if (!kind->adapter || !kind->store) {
        handle_take(kind, adapter_hold(adapter), declared);
        tell_handled(kind);
        look_for(kind);
        return;
    }
    kind->next = (struct workload_next){.adapter = adapter_hold(adapter), .kind = declared};
    if (!keeps_same(kind->kind, declared))
        kind->next.store = open_objects(kind, declared);
}

/* Nobody handles the kind any more. What is being written is still written. */
static void withdraw(struct workload_kind *kind)
{
    next_drop(kind);
    if (!kind->adapter)
        return;
    kind_forget(kind->controller->kinds, kind);
    store_close(kind->store);
    kind->store = NULL;
    handle_take(kind, NULL, &kind->named);
    tell_handled(kind);
}

struct workload_kind *workload_kind_find(const struct controller *controller,
                                         const char *api_version, const char *name)
{
    for (size_t i = 0; i < controller->workload_kind_count; i++) {
        struct workload_kind *kind = controller->workload_kinds[i];
        if (str_equal(kind->api_version, api_version) && str_equal(kind->name, name))
            return kind;
    }
    return NULL;
}

static struct workload_kind *kind_get(struct controller *controller,
                                      const struct adapter_kind *declared)
{
    struct workload_kind *kind =
        workload_kind_find(controller, declared->api_version, declared->kind);
    if (kind)
        return kind;
    kind = mem_alloc(sizeof *kind);
    kind->controller = controller;
    kind->api_version = str_copy(declared->api_version);
    kind->name = str_copy(declared->kind);
    kind->named = (struct adapter_kind){.api_version = kind->api_version, .kind = kind->name};
    kind->kind = &kind->named;
    size_t count = controller->workload_kind_count++;
    controller->workload_kinds =
        mem_grow(controller->workload_kinds, (count + 1) * sizeof(struct workload_kind *));
    return controller->workload_kinds[count] = kind;
}

static void offer_kinds_of(struct controller *controller, struct adapter *adapter)
{
    if (adapter_refusal(adapter))
        return;
    for (size_t i = 0; i < adapter_kinds(adapter); i++) {
        const struct adapter_kind *declared = adapter_kind(adapter, i);
        offer(kind_get(controller, declared), adapter, declared);
    }
}

void workload_kinds_renew(struct controller *controller)
{
    const struct adapters *adapters = controller->adapters;
    const struct adapter *found;
    for (size_t i = 0; i < controller->workload_kind_count; i++) {
        struct workload_kind *kind = controller->workload_kinds[i];
        if (adapters_find(adapters, kind->api_version, kind->name, &found, NULL) < 0)
            withdraw(kind);
    }
    for (size_t i = 0; i < adapters_count(adapters); i++)
        offer_kinds_of(controller, adapters_nth(adapters, i));
    owned_renew(controller);
    for (size_t i = 0; i < controller->workload_kind_count; i++)
        workload_kind_try(controller->workload_kinds[i]);
    owned_drop_unasked(controller);
    rollouts_wake(controller, WAITS_FOR_ADAPTER);
}

/* ── What is said about it ────────────────────────────────────────────────────────────────── */

/* A kind that is to go over to this adapter; NULL: none. */
static const struct workload_kind *kind_awaiting(const struct controller *controller,
                                                 const struct adapter *adapter)
{
    for (size_t i = 0; i < controller->workload_kind_count; i++)
        if (controller->workload_kinds[i]->next.adapter == adapter)
            return controller->workload_kinds[i];
    return NULL;
}

static size_t rollouts_of(const struct controller *controller, const struct adapter *adapter)
{
    size_t rollouts = 0;
    for (size_t i = 0; i < controller->workload_kind_count; i++)
        if (controller->workload_kinds[i]->adapter == adapter)
            rollouts += workload_kind_rollouts(controller->workload_kinds[i]);
    return rollouts;
}

/* The version that still handles what the next one waits for; both may have rollouts meanwhile. */
static json_t *about_both(const struct controller *controller, const struct adapter *present,
                          const struct adapter *next)
{
    json_t *about = adapter_about(present);
    json_t *of_next AUTO_JSON = adapter_about(next);
    json_t *refusal = json_object_get(of_next, "lastRefusal");
    size_t rollouts = rollouts_of(controller, present) + rollouts_of(controller, next);
    json_object_set_new(about, "next", adapter_about_version(next));
    json_object_set_new(about, "rollouts", json_integer((json_int_t)rollouts));
    if (refusal)
        json_object_set(about, "lastRefusal", refusal);
    return about;
}

static json_t *about_one(const struct controller *controller, const struct adapter *adapter)
{
    json_t *about = adapter_about(adapter);
    size_t rollouts = rollouts_of(controller, adapter);
    json_object_set_new(about, "rollouts", json_integer((json_int_t)rollouts));
    return about;
}

json_t *workload_kinds_about(const struct controller *controller, const struct adapter *adapter)
{
    const struct workload_kind *awaiting = kind_awaiting(controller, adapter);
    const struct adapter *present = awaiting ? awaiting->adapter : NULL;
    bool replaces = present && str_equal(adapter_name(present), adapter_name(adapter));
    json_t *about =
        replaces ? about_both(controller, present, adapter) : about_one(controller, adapter);
    char *waits AUTO_FREE = awaiting ? workload_kind_waits_for(awaiting) : NULL;
    if (waits)
        json_object_set_new(replaces ? json_object_get(about, "next") : about, "waitsFor",
                            json_string(waits));
    return about;
}

void workload_kinds_close(struct controller *controller)
{
    for (size_t i = 0; i < controller->workload_kind_count; i++) {
        struct workload_kind *kind = controller->workload_kinds[i];
        next_drop(kind);
        kind_forget(controller->kinds, kind);
        store_close(kind->store);
        adapter_release(kind->adapter);
        info_done(&kind->info);
        free(kind->api_version);
        free(kind->name);
        free(kind);
    }
    free(controller->workload_kinds);
}
