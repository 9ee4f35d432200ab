// SPDX-License-Identifier: Apache-2.0
/* Gathering and observing: from the stores and the adapter to what the machine wants to know. */
#include "base/alloc.h"
#include "follow/ledger.h"
#include "oam/revision.h"
#include "reconcile/holder.h"
#include "reconcile/owned.h"
#include "reconcile/task.h"
#include "reconcile/workload_kinds.h"

#include <stdio.h>
#include <string.h>

#define COPY(to, from) snprintf(to, sizeof to, "%s", (from) ? (from) : "")

const char *object_mark(const json_t *object, const char *mark)
{
    return json_string_value(json_object_get(json_at(object, "/metadata/annotations"), mark));
}

struct located_component *component_located(const struct component *component)
{
    struct location *location = component->task->location;
    if (!location || location->error.code != OK)
        return NULL;
    for (size_t i = 0; i < location->count; i++)
        if (!component->name || str_equal(location->components[i].name, component->name))
            return &location->components[i];
    return NULL;
}

struct adapter_request component_request(const struct component *component)
{
    const struct located_component *located = component_located(component);
    const struct plan *plan = component->task->rollout.plan;
    return (struct adapter_request){
        .workload = component->workload,
        .owned = component->owned,
        .target = located ? located->workload : component->workload,
        .strategy = strategy_name(plan ? plan->strategy : STRATEGY_INCREASE_FIRST),
        .scale = component->status.scale,
    };
}

static void observe_failure(struct observation *seen, enum reason_code why, int code,
                            const char *text)
{
    seen->located = (struct error){.code = code};
    seen->located_why = why;
    COPY(seen->located.text, text);
}

static void observe_marks(struct component *component, const json_t *target)
{
    struct observation *seen = &component->observation;
    const char *holder = object_mark(component->workload, MARK_HOLDER);
    const char *applied = object_mark(component->workload, MARK_APPLIED);
    seen->exists = true;
    seen->held = str_equal(holder, component->task->holder);
    seen->rests = seen->held && object_mark(component->workload, MARK_REST);
    if (holder && !seen->held && holder_lives(component->task->controller, holder)) {
        char *name AUTO_FREE = holder_name(holder);
        COPY(seen->held_by, name);
    }
    seen->applied = target && applied && str_equal(applied, object_mark(target, MARK_APPLIED));
}

static void observe_workload(struct component *component, const struct adapter *adapter)
{
    struct observation *seen = &component->observation;
    struct adapter_request request = component_request(component);
    struct workload_status status = {0};
    struct error err = {0};
    if (adapter_observe(adapter, &request, &status, &err) < 0) {
        observe_failure(seen, REASON_CLUSTER_TROUBLE, ERR_RETRY, err.text);
        return;
    }
    seen->size = status.size;
    seen->updated = status.updated;
    seen->updated_ready = status.updated_ready;
    seen->ready = status.ready;
    seen->settled = status.settled;
    COPY(seen->update_revision, status.update_revision);
    COPY(seen->why, status.reason);
}

/* How many pods the target itself asks for: the adapter reads it from the rendered object. Only a
 * workload that isn't there yet begins with that size. */
static void observe_rendered_size(struct component *component, const struct adapter *adapter,
                                  const json_t *target)
{
    struct adapter_request request = {.workload = target, .target = target};
    struct workload_status status = {0};
    if (adapter_observe(adapter, &request, &status, NULL) == OK)
        component->observation.rendered_size = status.size;
}

/* The adapter's word on the plan is asked for while it can still be refused. */
static void observe_validation(struct component *component, const struct adapter *adapter)
{
    enum rolling_state state = component->status.rolling;
    if (!rolling_state_terminal(state) && state != ROLLING_LOCATING && state != ROLLING_VERIFYING)
        return;
    const struct plan *plan = component->task->rollout.plan;
    json_t *names AUTO_JSON = plan ? plan_pod_names(plan) : NULL;
    struct adapter_request request = component_request(component);
    request.pods = names ? component->task->pods : NULL;
    request.pod_names = names;
    struct error err = {0};
    if (adapter_validate(adapter, &request, &err) < 0)
        component->observation.refused = err;
}

/* The adapter has gone from the config. That is an operator's doing and to be undone, so whoever
 * wants to leave waits too: giving the workload back takes an adapter. */
static void kind_unhandled(const struct workload_kind *kind, const struct task *task,
                           struct error *err)
{
    const struct adapter *none;
    waiters_add(&task->kind->waiters, WAITS_FOR_ADAPTER, task->key);
    adapters_find(task->controller->adapters, kind->api_version, kind->name, &none, err);
    err->code = ERR_RETRY;
}

/* The kind is there and handled, but not everything of it is known yet. */
static void kind_unlisted(const struct workload_kind *kind, const struct task *task,
                          const struct unlisted *unlisted, struct error *err)
{
    char *topic AUTO_FREE = str_format("kind %s", kind->kind->kind);
    char *words AUTO_FREE = kind->store ? unlisted_words(unlisted) : NULL;
    waiters_add(&task->kind->waiters, topic, task->key);
    if (kind->store)
        error_set(err, ERR_RETRY, "%s", words);
    else
        error_set(err, ERR_MISSING,
                  "the cluster doesn't serve %s (%s); it is picked up when it appears",
                  kind->kind->kind, kind->kind->api_version);
}

bool workload_kind_ready(struct workload_kind *kind, const struct task *task,
                         enum reason_code *ret_why, struct error *err)
{
    struct unlisted unlisted = {kind->name, kind->store ? store_failure(kind->store) : NULL};
    *ret_why = REASON_KIND_UNKNOWN;
    if (!kind->adapter) {
        kind_unhandled(kind, task, err);
        return false;
    }
    /* Such an object can't be owned by an Application, nor held by a rollout, of a namespace. */
    if (kind->store && !kind->info.namespaced) {
        *ret_why = REASON_REVISION_UNUSABLE;
        error_set(err, ERR_INVALID,
                  "expected a kind whose objects stand in a namespace, found %s (%s), which is "
                  "cluster-scoped and can't be rolled",
                  kind->name, kind->api_version);
        return false;
    }
    if (kind->store && store_synced(kind->store) && owned_synced(kind, kind->kind, &unlisted))
        return true;
    if (kind->store)
        *ret_why = REASON_CLUSTER_TROUBLE;
    kind_unlisted(kind, task, &unlisted, err);
    return false;
}

/* A search for the workload that carries our mark, for when the revision that names it is gone. */
struct held_search {
    const char *holder, *component;
    json_t *found;
};

static void match_held(void *data, const json_t *object)
{
    struct held_search *search = data;
    if (search->found || !str_equal(object_mark(object, MARK_HOLDER), search->holder))
        return;
    if (search->component &&
        !str_equal(json_string_at(object, "/metadata/name"), search->component))
        return;
    search->found = json_deep_copy(object);
}

static void find_held(struct component *component)
{
    struct controller *controller = component->task->controller;
    struct held_search search = {component->task->holder, component->name, NULL};
    for (size_t i = 0; i < controller->workload_kind_count && !search.found; i++) {
        struct workload_kind *kind = controller->workload_kinds[i];
        if (!kind->store)
            continue;
        store_each(kind->store, match_held, &search);
        component->kind = kind;
    }
    if (!search.found)
        return;
    component->workload = search.found;
    component->adapter = adapter_hold(component->kind->adapter);
    component->owned =
        owned_objects(component->kind, json_string_at(search.found, "/metadata/uid"));
    snprintf(component->observation.object, sizeof component->observation.object, "%s %s/%s",
             component->kind->kind->kind, component->task->rollout.ns,
             json_string_at(search.found, "/metadata/name"));
    observe_marks(component, NULL);
}

static void observe_located(struct component *component, const struct located_component *located)
{
    struct observation *seen = &component->observation;
    const char *name = json_string_at(located->workload, "/metadata/name");
    snprintf(seen->object, sizeof seen->object, "%s %s/%s", located->kind->kind->kind,
             component->task->rollout.ns, name);
    component->kind = located->kind;
    if (!workload_kind_ready(located->kind, component->task, &seen->located_why, &seen->located))
        return;
    component->adapter = adapter_hold(located->kind->adapter);
    seen->fixed_size = !adapter_scales(component->adapter);
    component->workload = store_get(located->kind->store, component->task->rollout.ns, name);
    component->owned =
        owned_objects(located->kind, json_string_at(component->workload, "/metadata/uid"));
    if (component->workload)
        observe_marks(component, located->workload);
    observe_workload(component, component->adapter);
    if (!component->workload)
        observe_rendered_size(component, component->adapter, located->workload);
    observe_validation(component, component->adapter);
}

static bool workloads_known(const struct controller *controller)
{
    for (size_t i = 0; i < controller->workload_kind_count; i++)
        if (controller->workload_kinds[i]->store &&
            !store_synced(controller->workload_kinds[i]->store))
            return false;
    return true;
}

static bool is_leaving(const struct component *component)
{
    enum rolling_state state = component->status.rolling;
    return component->task->rollout.intent.deleted || state == ROLLING_DELETING ||
           state == ROLLING_ABANDONING || state == ROLLING_FAILING;
}

/* To leave, only the workload is needed, and our mark finds it: a renderer that doesn't work, or a
 * revision that is gone, holds nobody. Where nobody handles the kind, the mark can't be seen. */
static void observe_unlocated(struct component *component)
{
    struct observation *seen = &component->observation;
    bool unhandled = seen->located_why == REASON_KIND_UNKNOWN;
    if (!component->status.engaged)
        return;
    find_held(component);
    if (unhandled && !component->workload)
        seen->located.code = ERR_RETRY;
    else if (is_leaving(component) && workloads_known(component->task->controller))
        seen->located.code = ERR_MISSING;
}

static const struct error *location_error(const struct component *component,
                                          enum reason_code *ret_why)
{
    const struct location *location = component->task->location;
    const struct located_component *located = component_located(component);
    if (!location || location->error.code != OK) {
        *ret_why = location ? location->why : REASON_WAITING;
        return location ? &location->error : NULL;
    }
    *ret_why = located ? located->why : REASON_REVISION_UNUSABLE;
    return located ? &located->error : NULL;
}

void component_observe(struct component *component)
{
    struct observation *seen = &component->observation;
    const struct located_component *located = component_located(component);
    enum reason_code why;
    const struct error *err = location_error(component, &why);
    *seen = (struct observation){0};
    json_decref(component->workload);
    json_decref(component->owned);
    component->workload = component->owned = NULL;
    adapter_release(component->adapter);
    component->adapter = NULL;
    component->kind = NULL;
    if (component->task->location)
        COPY(seen->target, component->task->location->target);
    if (!err) {
        observe_failure(seen, why, ERR_RETRY, "the revisions are being looked up");
    } else if (err->code != OK) {
        seen->located = *err;
        seen->located_why = why;
        observe_unlocated(component);
    } else {
        observe_located(component, located);
    }
}
