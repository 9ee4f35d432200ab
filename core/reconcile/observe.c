// SPDX-License-Identifier: Apache-2.0
/* Gathering and observing: from the stores and the adapter to what the machine wants to know. */
#include "base/alloc.h"
#include "cluster/watch.h"
#include "follow/ledger.h"
#include "oam/revision.h"
#include "reconcile/holder.h"
#include "reconcile/other_writer.h"
#include "reconcile/owned.h"
#include "reconcile/task.h"
#include "reconcile/workload_kinds.h"

#include <stdio.h>
#include <string.h>

#define COPY(to, from) snprintf(to, sizeof to, "%s", (from) ? (from) : "")

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
    const struct plan *plan = component->task->pass->rollout.plan;
    return (struct adapter_request){
        .workload = component->workload,
        .owned = component->owned,
        .target = located ? located->workload : component->workload,
        .strategy = strategy_name(plan ? plan->strategy : STRATEGY_INCREASE_FIRST),
        .strategy_given = plan && plan->strategy_given,
        .in_steps = plan && plan_in_steps(plan),
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
    const char *rests = object_mark(component->workload, MARK_REST);
    seen->exists = true;
    seen->held = str_equal(holder, component->task->pass->holder);
    seen->rests = seen->held && rests;
    seen->rolled = seen->rests && str_equal(rests, component->task->followed.template);
    if (holder && !seen->held && holder_lives(component->task->controller, holder)) {
        char *name AUTO_FREE = holder_name(holder);
        COPY(seen->held_by, name);
    }
    seen->applied = target && applied && str_equal(applied, object_mark(target, MARK_APPLIED));
    seen->template_changed = !component->task->kind->follows && seen->held && seen->applied &&
                             template_changed(component->workload);
    json_object_del(component->workload, WATCH_DIGEST);
}

/* ── What the adapter says ────────────────────────────────────────────────────────────────── */

/* Asks about the workload; the answer may come later. */
static void ask(struct component *component, enum call_kind kind,
                const struct adapter_request *request, adapter_reply_fn *on_reply)
{
    struct adapter_asking *asking = &component->task->pass->asking;
    asking->on_reply = on_reply;
    asking->data = component;
    adapter_ask(asking, component->adapter, kind, request);
}

/* Trouble with the adapter, not with the plan: it is asked again. That it can't tell yet is none.
 */
static void observe_trouble(struct component *component, const struct error *err)
{
    observe_failure(&component->observation,
                    err->code == ERR_RETRY ? REASON_CLUSTER_TROUBLE : REASON_ADAPTER_TROUBLE,
                    ERR_RETRY, err->text);
    component_observed(component);
}

static void on_validated(void *data, struct adapter_reply *reply)
{
    struct component *component = data;
    if (reply->err.code < 0 && reply->err.code != ERR_INVALID) {
        observe_trouble(component, &reply->err);
        return;
    }
    component->observation.refused = reply->err;
    component_observed(component);
}

/* The adapter's word on the plan is asked for while it can still be refused. */
static void observe_validation(struct component *component)
{
    enum rolling_state state = component->status.rolling;
    if (!rolling_state_terminal(state) && state != ROLLING_LOCATING && state != ROLLING_VERIFYING) {
        component_observed(component);
        return;
    }
    const struct plan *plan = component->task->pass->rollout.plan;
    json_t *names AUTO_JSON = plan ? plan_pod_names(plan) : NULL;
    struct adapter_request request = component_request(component);
    request.pods = names ? component->task->pods : NULL;
    request.pod_names = names;
    ask(component, CALL_VALIDATE, &request, on_validated);
}

static void on_rendered_observed(void *data, struct adapter_reply *reply)
{
    struct component *component = data;
    if (reply->err.code < 0) {
        observe_trouble(component, &reply->err);
        return;
    }
    component->observation.rendered_size = reply->status.size;
    observe_validation(component);
}

/* How many pods the target itself asks for: the adapter reads it from the rendered object. Only a
 * workload that isn't there yet begins with that size. */
static void observe_rendered_size(struct component *component)
{
    const json_t *target = component_request(component).target;
    struct adapter_request request = {.workload = target, .target = target};
    ask(component, CALL_OBSERVE, &request, on_rendered_observed);
}

static void observation_fill(struct observation *seen, const struct workload_status *status)
{
    seen->size = status->size;
    seen->updated = status->updated;
    seen->updated_ready = status->updated_ready;
    seen->ready = status->ready;
    seen->settled = status->settled;
    COPY(seen->update_revision, status->update_revision);
    COPY(seen->why, status->reason);
}

static void on_workload_observed(void *data, struct adapter_reply *reply)
{
    struct component *component = data;
    if (reply->err.code < 0) {
        observe_trouble(component, &reply->err);
        return;
    }
    observation_fill(&component->observation, &reply->status);
    if (component->workload)
        observe_validation(component);
    else
        observe_rendered_size(component);
}

static void observe_workload(struct component *component)
{
    struct adapter_request request = component_request(component);
    ask(component, CALL_OBSERVE, &request, on_workload_observed);
}

static void on_writer_known(struct component *component, const struct error *err)
{
    struct error told = *err;
    if (told.code != OK)
        component_failed(component, trouble_reason(&told), &told);
    else if (component->observation.template_changed)
        observe_workload(component);
    else
        component_observe(component);
}

/* ── What is in the stores ────────────────────────────────────────────────────────────────── */

static bool is_leaving(const struct component *component)
{
    enum rolling_state state = component->status.rolling;
    return component->task->pass->rollout.intent.deleted || state == ROLLING_DELETING ||
           state == ROLLING_ABANDONING || state == ROLLING_FAILING;
}

/* The adapter has gone from the config. That is an operator's doing and to be undone, so whoever
 * wants to leave waits too: giving the workload back takes an adapter. */
static bool kind_unhandled(struct component *component, const struct workload_kind *kind)
{
    const struct adapters *adapters = component->task->controller->adapters;
    const struct adapter *none;
    struct error err = {0};
    waiters_add(&component->task->kind->waiters, WAITS_FOR_ADAPTER, component->task->key);
    adapters_find(adapters, kind->api_version, kind->name, &none, &err);
    observe_failure(&component->observation, REASON_KIND_UNKNOWN, ERR_RETRY, err.text);
    return false;
}

/* An object of the whole cluster can't be owned by an Application, nor held by a rollout, of one of
 * its namespaces. */
static bool kind_unplaced(struct component *component, const struct workload_kind *kind)
{
    char *text AUTO_FREE =
        str_format("expected a kind whose objects stand in a namespace, found %s "
                   "(%s), which is cluster-scoped and can't be rolled",
                   kind->name, kind->api_version);
    observe_failure(&component->observation, REASON_REVISION_UNUSABLE, ERR_INVALID, text);
    return false;
}

static bool kind_unserved(struct component *component, const struct workload_kind *kind)
{
    char *text AUTO_FREE =
        str_format("the cluster doesn't serve %s (%s); it is picked up when it appears",
                   kind->kind->kind, kind->kind->api_version);
    observe_failure(&component->observation, REASON_KIND_UNKNOWN, ERR_MISSING, text);
    return false;
}

static bool kind_unlisted(struct component *component, const struct unlisted *unlisted)
{
    char *text AUTO_FREE = unlisted_words(unlisted);
    struct error err = {0};
    error_set(&err, ERR_RETRY, "%s", text);
    enum reason_code why = trouble_reason(&err);
    observe_failure(&component->observation, why, ERR_RETRY, err.text);
    return false;
}

/* Is everything there that the adapter reads, and will be told when it changes? To leave, what was
 * listed once is enough: what is written then is tested by the server. */
static bool kind_seen(const struct component *component, const struct workload_kind *kind,
                      struct unlisted *ret_unlisted)
{
    bool blind = store_denied(kind->store) && !is_leaving(component);
    *ret_unlisted = (struct unlisted){kind->name, store_failure(kind->store)};
    return store_synced(kind->store) && !blind && owned_synced(kind, kind->kind, ret_unlisted) &&
           (is_leaving(component) || !owned_denied(kind, ret_unlisted));
}

static bool kind_ready(struct component *component, struct workload_kind *kind)
{
    struct unlisted unlisted;
    if (!kind->adapter)
        return kind_unhandled(component, kind);
    if (kind->store && !kind->info.namespaced)
        return kind_unplaced(component, kind);
    if (kind->store && kind_seen(component, kind, &unlisted))
        return true;
    char *topic AUTO_FREE = waiters_kind_topic(kind->kind->kind);
    waiters_add(&component->task->kind->waiters, topic, component->task->key);
    return kind->store ? kind_unlisted(component, &unlisted) : kind_unserved(component, kind);
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
    struct held_search search = {component->task->pass->holder, component->name, NULL};
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
             component->kind->kind->kind, component->task->pass->rollout.ns,
             json_string_at(search.found, "/metadata/name"));
    observe_marks(component, NULL);
}

static void observe_located(struct component *component, const struct located_component *located)
{
    struct observation *seen = &component->observation;
    const char *name = json_string_at(located->workload, "/metadata/name");
    snprintf(seen->object, sizeof seen->object, "%s %s/%s", located->kind->kind->kind,
             component->task->pass->rollout.ns, name);
    component->kind = located->kind;
    if (!kind_ready(component, located->kind)) {
        component_observed(component);
        return;
    }
    component->adapter = adapter_hold(located->kind->adapter);
    seen->fixed_size = !adapter_scales(component->adapter);
    component->workload =
        component->task->kind->follows
            ? json_incref(follow_seen(component->task))
            : store_get(located->kind->store, component->task->pass->rollout.ns, name);
    component->owned =
        owned_objects(located->kind, json_string_at(component->workload, "/metadata/uid"));
    if (component->workload)
        observe_marks(component, located->workload);
    if (seen->template_changed)
        other_writer_ask(component, on_writer_known);
    else
        observe_workload(component);
}

static bool workloads_known(const struct controller *controller)
{
    for (size_t i = 0; i < controller->workload_kind_count; i++)
        if (controller->workload_kinds[i]->store &&
            !store_synced(controller->workload_kinds[i]->store))
            return false;
    return true;
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
    component_forget(component);
    component->kind = NULL;
    if (component->task->location)
        COPY(seen->target, component->task->location->target);
    if (err && err->code == OK) {
        observe_located(component, located);
        return;
    }
    if (!err) {
        observe_failure(seen, why, ERR_RETRY, "the revisions are being looked up");
    } else {
        seen->located = *err;
        seen->located_why = why;
        observe_unlocated(component);
    }
    component_observed(component);
}
