// SPDX-License-Identifier: Apache-2.0
#include "reconcile/controller.h"

#include "base/alloc.h"
#include "oam/revision.h"
#include "reconcile/first_look.h"
#include "reconcile/holder.h"
#include "reconcile/key.h"
#include "reconcile/owned.h"
#include "reconcile/task.h"
#include "reconcile/workload_kinds.h"

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

void rollout_see(struct rollout_kind *kind, const char *key, const json_t *object)
{
    const struct turns_of turn = {kind->info.kind, key,
                                  acts_for(kind->controller, key) ? kind->queue : NULL};
    if (object)
        census_see(&kind->census, key, object);
    else
        census_forget(&kind->census, key);
    turns_see(&kind->controller->turns, &turn, object);
}

static void on_rollout(void *data, const char *ns, const char *name, const json_t *object,
                       bool deleted)
{
    struct rollout_kind *kind = data;
    char *key AUTO_FREE = key_join(ns, name);
    rollout_see(kind, key, deleted ? NULL : object);
    queue_add(kind->queue, key);
}

static void on_rollouts_state(void *data, const struct error *err)
{
    const struct rollout_kind *kind = data;
    log_watch_state(kind->info.kind, err);
    first_look_try(kind->controller);
}

static void on_rollouts_synced(void *data)
{
    const struct rollout_kind *kind = data;
    first_look_try(kind->controller);
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
    log_watch_state("Application", err);
    first_look_try(data);
}

static void on_applications_synced(void *data)
{
    first_look_try(data);
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

static void on_crds_state(void *data, const struct error *err)
{
    (void)data;
    log_watch_state("CustomResourceDefinition", err);
}

static void on_events_state(void *data, const struct error *err)
{
    struct log_about about = {.topic = "cluster", .object = "Event"};
    (void)data;
    if (err->code == OK)
        log_write(LOG_INFO, about, "written again");
    else
        log_write(LOG_WARN, about, "not written: %s", err->text);
}

static void on_definitions_state(void *data, const struct error *err)
{
    (void)data;
    log_watch_state("ComponentDefinition", err);
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
    const struct store_events events = {
        .on_change = on_rollout, .on_synced = on_rollouts_synced, .on_state = on_rollouts_state};
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
        [ROLLOUTS_THAT_FOLLOW] = {.info = {FOLLOW_API, "Rollout", "rollouts", true},
                                  .finalizer = FOLLOW_FINALIZER,
                                  .read = rollout_read,
                                  .follows = true},
    };
    for (size_t i = 0; i < ROLLOUT_KINDS; i++)
        open_rollouts(controller, &controller->rollouts[i], &kinds[i]);
}

static void close_rollouts(struct rollout_kind *kind)
{
    store_close(kind->store);
    census_done(&kind->census);
    queue_free(kind->queue);
    waiters_done(&kind->waiters);
}

static void open_own_kinds(struct controller *controller)
{
    static const char *const application_parts[] = {"/metadata/annotations", "/metadata/labels",
                                                    "/metadata/deletionTimestamp", "/spec",
                                                    "/status"};
    const struct store_events applications = {.on_change = on_application,
                                              .on_synced = on_applications_synced,
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

/* A CRD has come or gone: kinds that weren't served are looked for again. */
static void on_kinds_changed(void *data)
{
    struct controller *controller = data;
    workload_kinds_look(controller);
    owned_look(controller);
    for (size_t i = 0; i < ROLLOUT_KINDS; i++)
        store_kick(controller->rollouts[i].store);
    store_kick(controller->applications);
    watch_kick(controller->revisions);
    watch_kick(controller->definitions);
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

struct controller *controller_new_take(struct cluster *cluster, struct adapters *adapters,
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
    adapters_attach(adapters, loop);
    controller->config = config;
    controller->renderer = renderer_new(loop, &renderer);
    controller->recorder = recorder_new(cluster, "sluice");
    recorder_on_state(controller->recorder, on_events_state, NULL);
    controller->application_queue = queue_new(loop, PASSES_AT_ONCE, application_pass, controller);
    controller_rules_changed(controller);
    open_all_rollouts(controller);
    first_look_begin(controller);
    open_own_kinds(controller);
    controller->kinds = kinds_new(cluster, on_kinds_changed, controller);
    kinds_on_state(controller->kinds, on_crds_state, NULL);
    workload_kinds_renew(controller);
    first_look_try(controller);
    return controller;
}

void controller_tell(struct controller *controller, const struct witness *witness)
{
    controller->witness = *witness;
}

void controller_rules_changed(struct controller *controller)
{
    const struct config *config = controller->config;
    const struct turns_limits limits = {config->rolls_at_once, config->rolls_at_once_in_ns};
    turns_limit(&controller->turns, limits);
    rollouts_wake(controller, TOPIC_WINDOWS);
}

void passes_hold(struct controller *controller)
{
    turns_hold(&controller->turns, true);
    queue_hold(controller->application_queue);
    for (size_t i = 0; i < ROLLOUT_KINDS; i++)
        queue_hold(controller->rollouts[i].queue);
}

void passes_release(struct controller *controller)
{
    if (controller->looking || controller->held)
        return;
    queue_release(controller->application_queue);
    for (size_t i = 0; i < ROLLOUT_KINDS; i++)
        queue_release(controller->rollouts[i].queue);
    turns_hold(&controller->turns, false);
}

void controller_hold(struct controller *controller)
{
    controller->held = true;
    passes_hold(controller);
}

void controller_release(struct controller *controller)
{
    controller->held = false;
    passes_release(controller);
}

void controller_renew_take(struct controller *controller, struct adapters *adapters)
{
    struct adapters *old = controller->adapters;
    controller->adapters = adapters;
    adapters_attach(adapters, cluster_loop(controller->cluster));
    workload_kinds_renew(controller);
    adapters_free(old);
}

struct loop *controller_loop(const struct controller *controller)
{
    return cluster_loop(controller->cluster);
}

static const struct store *missing_store(const struct controller *controller, const char **ret_kind)
{
    for (size_t i = 0; i < ROLLOUT_KINDS; i++)
        if (!store_synced(controller->rollouts[i].store)) {
            *ret_kind = controller->rollouts[i].info.kind;
            return controller->rollouts[i].store;
        }
    *ret_kind = "Application";
    return store_synced(controller->applications) ? NULL : controller->applications;
}

const char *controller_missing(const struct controller *controller)
{
    const char *kind;
    return missing_store(controller, &kind) ? kind : NULL;
}

const char *controller_missing_why(const struct controller *controller)
{
    const char *kind;
    const struct store *store = missing_store(controller, &kind);
    return store ? store_failure(store) : NULL;
}

json_t *controller_about(const struct controller *controller)
{
    json_t *list = json_array();
    for (size_t i = 0; i < adapters_count(controller->adapters); i++)
        json_array_append_new(
            list, workload_kinds_about(controller, adapters_nth(controller->adapters, i)));
    return list;
}

const struct adapters *controller_adapters(const struct controller *controller)
{
    return controller->adapters;
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
    workload_kinds_close(controller);
    store_close(controller->applications);
    watch_close(controller->revisions);
    watch_close(controller->definitions);
    queue_free(controller->application_queue);
    for (size_t i = 0; i < ROLLOUT_KINDS; i++)
        close_rollouts(&controller->rollouts[i]);
    turns_done(&controller->turns);
    free(controller->shards);
    waiters_done(&controller->application_waiters);
    kinds_free(controller->kinds);
    recorder_free(controller->recorder);
    renderer_free(controller->renderer);
    adapters_free(controller->adapters);
    free(controller);
}
