// SPDX-License-Identifier: Apache-2.0
#include "reconcile/controller.h"

#include "base/alloc.h"
#include "oam/revision.h"
#include "reconcile/holder.h"
#include "reconcile/owned.h"
#include "reconcile/task.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

enum {
    PASSES_AT_ONCE = 16,
    TIDY_MS = 5 * 1000, /* after a pass; see controller_tidy_later() */
};

/* ── Names ────────────────────────────────────────────────────────────────────────────────── */

char *oam_path(const char *plural, const char *ns, const char *name, const char *subresource)
{
    const struct kind_info info = {OAM_API, NULL, plural, true};
    return object_path(&info, ns, name, subresource);
}

void key_split(const char *key, char **ret_ns, char **ret_name)
{
    const char *slash = strchr(key, '/');
    *ret_ns = str_copy_n(key, slash ? (size_t)(slash - key) : 0);
    *ret_name = str_copy(slash ? slash + 1 : key);
}

char *key_join(const char *ns, const char *name)
{
    return str_format("%s/%s", ns, name);
}

void log_watch_state(const char *what, const struct error *err)
{
    struct log_about about = {.topic = "cluster", .object = what};
    switch (err->code) {
    case OK:
        log_write(LOG_INFO, about, "watching");
        break;
    case ERR_MISSING:
        log_write(LOG_INFO, about, "not served by the cluster yet; picked up when it appears");
        break;
    default:
        log_write(LOG_WARN, about, "%s", err->text);
        break;
    }
}

/* ── Events ───────────────────────────────────────────────────────────────────────────────── */

static void on_rollout(void *data, const char *ns, const char *name, const json_t *object,
                       bool deleted)
{
    const struct rollout_kind *kind = data;
    char *key AUTO_FREE = key_join(ns, name);
    (void)object;
    (void)deleted;
    queue_add(kind->queue, key);
}

static void on_rollouts_state(void *data, const struct error *err)
{
    const struct rollout_kind *kind = data;
    log_watch_state(kind->info.kind, err);
}

void rollouts_wake(struct controller *controller, const char *topic)
{
    for (size_t i = 0; i < ROLLOUT_KINDS; i++)
        waiters_wake(&controller->rollouts[i].waiters, topic, controller->rollouts[i].queue);
}

static void on_application(void *data, const char *ns, const char *name, const json_t *object,
                           bool deleted)
{
    struct controller *controller = data;
    /* One that has gone may still be waited with. */
    if (!deleted && !application_is_template(object))
        return;
    char *key AUTO_FREE = key_join(ns, name);
    queue_add(controller->application_queue, key);
}

static void on_applications_state(void *data, const struct error *err)
{
    (void)data;
    log_watch_state("Application", err);
}

static void on_revision(void *data, json_t *object)
{
    struct controller *controller = data;
    char *topic AUTO_FREE =
        str_format("revision %s/%s", json_string_at(object, "/metadata/namespace"),
                   json_string_at(object, "/metadata/name"));
    rollouts_wake(controller, topic);
}

static void on_revisions_state(void *data, const struct error *err)
{
    (void)data;
    log_watch_state("ApplicationRevision", err);
}

static void on_definition(void *data, json_t *object)
{
    struct controller *controller = data;
    char *topic AUTO_FREE = str_format("definition %s", json_string_at(object, "/metadata/name"));
    waiters_wake(&controller->application_waiters, topic, controller->application_queue);
}

static void on_definitions_state(void *data, const struct error *err)
{
    (void)data;
    log_watch_state("ComponentDefinition", err);
}

void workload_wake(const struct workload_kind *kind, const json_t *workload)
{
    struct controller *controller = kind->controller;
    const char *holder = object_mark(workload, MARK_HOLDER);
    if (holder)
        holder_wake(controller, holder);
    char *topic AUTO_FREE = str_format("workload %s %s/%s", kind->kind->kind,
                                       json_string_at(workload, "/metadata/namespace"),
                                       json_string_at(workload, "/metadata/name"));
    rollouts_wake(controller, topic);
}

static void on_workload(void *data, const char *ns, const char *name, const json_t *object,
                        bool deleted)
{
    (void)ns;
    (void)name;
    (void)deleted;
    workload_wake(data, object);
}

void workload_kind_wake(struct workload_kind *kind)
{
    char *topic AUTO_FREE = str_format("kind %s", kind->kind->kind);
    rollouts_wake(kind->controller, topic);
}

static void on_workloads_synced(void *data)
{
    workload_kind_wake(data);
}

static void on_workloads_state(void *data, const struct error *err)
{
    struct workload_kind *kind = data;
    log_watch_state(kind->kind->kind, err);
}

/* ── Opening ──────────────────────────────────────────────────────────────────────────────── */

static struct store *open_store(struct controller *controller, const char *plural,
                                const char *const *keep, size_t keep_count,
                                const struct store_events *events)
{
    char *path AUTO_FREE = oam_path(plural, controller->config->namespace, NULL, NULL);
    struct watch_spec spec = {.path = path, .keep = keep, .keep_count = keep_count};
    return store_open(controller->cluster, &spec, events, controller);
}

static struct watch *open_metadata_watch(struct controller *controller, const char *plural,
                                         const char *ns, const struct watch_events *events)
{
    static const char *const keep[] = {"/metadata/name"};
    char *path AUTO_FREE = oam_path(plural, ns, NULL, NULL);
    struct watch_spec spec = {.path = path, .metadata_only = true, .keep = keep, .keep_count = 1};
    return watch_open(controller->cluster, &spec, events, controller);
}

static void open_rollouts(struct controller *controller, struct rollout_kind *kind,
                          const struct rollout_kind *told)
{
    const struct store_events events = {.on_change = on_rollout, .on_state = on_rollouts_state};
    *kind = *told;
    kind->controller = controller;
    kind->queue = queue_new(cluster_loop(controller->cluster), PASSES_AT_ONCE, rollout_pass, kind);
    char *path AUTO_FREE = object_path(&kind->info, controller->config->namespace, NULL, NULL);
    struct watch_spec spec = {.path = path};
    kind->store = store_open(controller->cluster, &spec, &events, kind);
}

static void open_all_rollouts(struct controller *controller)
{
    static const struct rollout_kind kinds[ROLLOUT_KINDS] = {
        [ROLLOUTS_OF_APPS] = {.info = {OAM_API, "AppRollout", "approllouts", true},
                              .finalizer = APPROLLOUT_FINALIZER,
                              .read = approllout_read},
    };
    for (size_t i = 0; i < ROLLOUT_KINDS; i++)
        open_rollouts(controller, &controller->rollouts[i], &kinds[i]);
}

static void close_rollouts(struct rollout_kind *kind)
{
    store_close(kind->store);
    queue_free(kind->queue);
    waiters_done(&kind->waiters);
}

static void open_own_kinds(struct controller *controller)
{
    static const char *const application_parts[] = {"/metadata/annotations", "/metadata/labels",
                                                    "/metadata/deletionTimestamp", "/spec",
                                                    "/status"};
    const struct store_events applications = {.on_change = on_application,
                                              .on_state = on_applications_state};
    const struct watch_events revisions = {.on_put = on_revision, .on_state = on_revisions_state};
    const struct watch_events definitions = {.on_put = on_definition,
                                             .on_state = on_definitions_state};
    controller->applications =
        open_store(controller, "applications", application_parts,
                   sizeof application_parts / sizeof *application_parts, &applications);
    controller->revisions = open_metadata_watch(controller, "applicationrevisions",
                                                controller->config->namespace, &revisions);
    controller->definitions =
        open_metadata_watch(controller, "componentdefinitions", NULL, &definitions);
}

static void on_kind_found(void *data, const struct kind_info *info, const struct error *err)
{
    struct workload_kind *kind = data;
    const struct store_events events = {
        .on_change = on_workload, .on_synced = on_workloads_synced, .on_state = on_workloads_state};
    if (err->code != OK) {
        log_watch_state(kind->kind->kind, err);
        return;
    }
    kind->info = (struct kind_info){str_copy(info->api_version), str_copy(info->kind),
                                    str_copy(info->plural), info->namespaced};
    char *path AUTO_FREE =
        object_path(&kind->info, kind->controller->config->namespace, NULL, NULL);
    struct watch_spec spec = {.path = path, .keep = kind->keep, .keep_count = kind->keep_count};
    kind->store = store_open(kind->controller->cluster, &spec, &events, kind);
}

static void look_for_kind(struct workload_kind *kind)
{
    if (!kind->store)
        kind_find(kind->controller->kinds, kind->kind->api_version, kind->kind->kind, on_kind_found,
                  kind);
}

/* A CRD has come or gone: kinds that weren't served are looked for again. */
static void on_kinds_changed(void *data)
{
    struct controller *controller = data;
    for (size_t i = 0; i < controller->workload_kind_count; i++) {
        struct workload_kind *kind = &controller->workload_kinds[i];
        if (kind->store)
            store_kick(kind->store);
        else
            look_for_kind(kind);
    }
    owned_look(controller);
    for (size_t i = 0; i < ROLLOUT_KINDS; i++)
        store_kick(controller->rollouts[i].store);
    store_kick(controller->applications);
    watch_kick(controller->revisions);
    watch_kick(controller->definitions);
}

/* What the adapter reads of an object, and the marks that the core reads. */
static void set_keep(struct workload_kind *kind)
{
    static const char *const marks[] = {"/metadata/annotations/rollout.sluice.dev~1holder",
                                        "/metadata/annotations/rollout.sluice.dev~1applied"};
    const struct adapter_kind *declared = kind->kind;
    kind->keep_count = declared->keep_count + 2;
    kind->keep = mem_alloc(kind->keep_count * sizeof *kind->keep);
    kind->keep[0] = marks[0];
    kind->keep[1] = marks[1];
    for (size_t i = 0; i < declared->keep_count; i++)
        kind->keep[2 + i] = declared->keep[i];
}

static void add_kinds_of(struct controller *controller, const struct adapter *adapter)
{
    for (size_t i = 0; i < adapter_kinds(adapter); i++) {
        struct workload_kind *kind = &controller->workload_kinds[controller->workload_kind_count++];
        kind->controller = controller;
        kind->adapter = adapter;
        kind->kind = adapter_kind(adapter, i);
        set_keep(kind);
    }
}

/* Counted first: stores keep pointers to their kinds, which must not move. */
static void open_workload_kinds(struct controller *controller)
{
    size_t count = 0;
    for (size_t i = 0; i < adapters_count(controller->adapters); i++)
        if (!adapter_refusal(adapters_nth(controller->adapters, i)))
            count += adapter_kinds(adapters_nth(controller->adapters, i));
    controller->workload_kinds = mem_alloc(count * sizeof *controller->workload_kinds);
    for (size_t i = 0; i < adapters_count(controller->adapters); i++)
        if (!adapter_refusal(adapters_nth(controller->adapters, i)))
            add_kinds_of(controller, adapters_nth(controller->adapters, i));
    for (size_t i = 0; i < count; i++)
        look_for_kind(&controller->workload_kinds[i]);
}

static void on_tidy(void *data)
{
    malloc_trim(0);
}

/* By itself glibc returns only what is free at the very end of the heap, and some long-lived piece
 * always stands there. */
void controller_tidy_later(struct controller *controller)
{
    if (!timer_running(&controller->tidy))
        timer_start(cluster_loop(controller->cluster), &controller->tidy, TIDY_MS, on_tidy,
                    controller);
}

struct controller *controller_new(struct cluster *cluster, struct adapters *adapters,
                                  const struct config *config)
{
    struct controller *controller = mem_alloc(sizeof *controller);
    struct loop *loop = cluster_loop(cluster);
    const struct renderer_options renderer = {
        .program = config->renderer,
        .timeout_ms = config->renderer_timeout_ms,
        .idle_ms = config->renderer_idle_ms,
        .memory_limit = config->renderer_memory,
    };
    controller->cluster = cluster;
    controller->adapters = adapters;
    controller->config = config;
    controller->renderer = renderer_new(loop, &renderer);
    controller->recorder = recorder_new(cluster, "sluice");
    controller->application_queue = queue_new(loop, PASSES_AT_ONCE, application_pass, controller);
    open_all_rollouts(controller);
    open_own_kinds(controller);
    controller->kinds = kinds_new(cluster, on_kinds_changed, controller);
    open_workload_kinds(controller);
    owned_open(controller);
    return controller;
}

static void close_workload_kinds(struct controller *controller)
{
    for (size_t i = 0; i < controller->workload_kind_count; i++) {
        struct workload_kind *kind = &controller->workload_kinds[i];
        kind_forget(controller->kinds, kind);
        if (kind->store)
            store_close(kind->store);
        free((char *)(uintptr_t)kind->info.api_version);
        free((char *)(uintptr_t)kind->info.kind);
        free((char *)(uintptr_t)kind->info.plural);
        free(kind->keep);
    }
    free(controller->workload_kinds);
}

void controller_free(struct controller *controller)
{
    if (!controller)
        return;
    timer_stop(cluster_loop(controller->cluster), &controller->tidy);
    for (size_t i = 0; i < ROLLOUT_KINDS; i++)
        rollout_tasks_drop(&controller->rollouts[i]);
    application_passes_drop(controller);
    owned_close(controller);
    close_workload_kinds(controller);
    store_close(controller->applications);
    watch_close(controller->revisions);
    watch_close(controller->definitions);
    queue_free(controller->application_queue);
    for (size_t i = 0; i < ROLLOUT_KINDS; i++)
        close_rollouts(&controller->rollouts[i]);
    waiters_done(&controller->application_waiters);
    kinds_free(controller->kinds);
    recorder_free(controller->recorder);
    renderer_free(controller->renderer);
    free(controller);
}
