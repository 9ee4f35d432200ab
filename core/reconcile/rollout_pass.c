// SPDX-License-Identifier: Apache-2.0
/*
 * The pass of an AppRollout: gather, observe, decide, advance, act. Components have their turn one
 * after the other; each goes round until its machine has nothing to do that changes anything, then
 * the status of all is written once. Effects on a workload come before the status that records
 * them, except for what must be remembered before it is done: taking over, and calling a hook.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "oam/revision.h"
#include "reconcile/task.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROUNDS_MAX = 20,          /* of one component in one pass; the rest comes with the next pass */
    COUNTERS_EVERY_MS = 5000, /* a status that differs only in its counters is written so often */
};

static void pass_protect(struct task *task);
static void pass_locate(struct task *task);
static void pass_component(struct task *task);
static void component_next_effect(struct component *component);
static void pass_record(struct task *task);

/* ── The task ─────────────────────────────────────────────────────────────────────────────── */

static struct task *task_get(struct controller *controller, const char *key)
{
    struct task *task = map_get(&controller->tasks, key);
    if (task)
        return task;
    task = mem_alloc(sizeof *task);
    task->controller = controller;
    task->key = str_copy(key);
    map_put(&controller->tasks, key, task);
    return task;
}

static void component_done(struct component *component)
{
    hook_cancel(component->hook.call);
    json_decref(component->workload);
    free(component->decision);
    free(component->name);
}

static void components_drop(struct task *task)
{
    for (size_t i = 0; i < task->component_count; i++)
        component_done(&task->components[i]);
    free(task->components);
    task->components = NULL;
    task->component_count = 0;
}

/* What only the pass needs. */
static void pass_clear(struct task *task)
{
    approllout_done(&task->rollout);
    json_decref(task->object);
    task->object = NULL;
    free(task->holder);
    task->holder = NULL;
    task_forget_moves(task);
    for (size_t i = 0; i < task->component_count; i++) {
        json_decref(task->components[i].workload);
        task->components[i].workload = NULL;
        free(task->components[i].decision);
        task->components[i].decision = NULL;
    }
}

static void task_free(void *data)
{
    struct task *task = data;
    locate_cancel(task->locate);
    act_cancel(task->act);
    pods_fetch_cancel(task->fetch);
    if (task->call)
        call_cancel(task->call);
    pass_clear(task);
    components_drop(task);
    location_free(task->location);
    location_free(task->revert);
    json_decref(task->pods);
    free(task->key);
    free(task);
}

static void task_drop(struct task *task)
{
    map_remove(&task->controller->tasks, task->key);
    task_free(task);
}

void rollout_tasks_drop(struct controller *controller)
{
    map_done(&controller->tasks, task_free);
}

static bool task_unfinished(const struct task *task)
{
    for (size_t i = 0; i < task->component_count; i++)
        if (!rolling_state_terminal(task->components[i].status.rolling))
            return true;
    return task->component_count == 0;
}

/* ── The end of a pass ────────────────────────────────────────────────────────────────────── */

static void pass_end(struct task *task)
{
    struct queue *queue = task->controller->rollout_queue;
    char *key AUTO_FREE = str_copy(task->key);
    bool trouble = task->trouble.code != OK;
    bool keep = task_unfinished(task) || trouble;
    pass_clear(task);
    if (!keep || task->dead)
        task_drop(task);
    if (trouble)
        queue_retry(queue, key);
    else
        queue_done(queue, key);
}

/* Somebody was faster: look again soon. Anything else that failed is told and tried again. */
static void pass_fail(struct task *task, const struct error *err)
{
    struct log_about about = {.topic = "rollout", .object = task->key};
    task->trouble = *err;
    if (err->code != ERR_CONFLICT)
        log_write(LOG_WARN, about, "%s", err->text);
    pass_end(task);
}

/* ── Components ───────────────────────────────────────────────────────────────────────────── */

static struct component *component_find(struct task *task, const char *name)
{
    for (size_t i = 0; i < task->component_count; i++)
        if (str_equal(task->components[i].name, name) || !task->components[i].name)
            return &task->components[i];
    return NULL;
}

/* Lays the components out anew; what is known of hooks under way goes along. */
static void components_set(struct task *task, char **names, size_t count)
{
    struct component *components = mem_alloc(count * sizeof *components);
    for (size_t i = 0; i < count; i++) {
        struct component *old = component_find(task, names[i]);
        components[i].task = task;
        components[i].name = str_copy(names[i]);
        if (old && !old->hook.call)
            components[i].hook = old->hook;
        approllout_status_read(task->object, count > 1 ? names[i] : NULL, &components[i].status);
    }
    components_drop(task);
    task->components = components;
    task->component_count = count;
}

/* Before anything was located, the components are those that the status speaks of. */
static void components_from_status(struct task *task)
{
    const json_t *listed = json_at(task->object, "/status/components");
    size_t count = json_array_size(listed) > 1 ? json_array_size(listed) : 1;
    char **names AUTO_FREE = mem_alloc(count * sizeof *names);
    for (size_t i = 0; i < count; i++)
        names[i] =
            (char *)(uintptr_t)(count > 1 ? json_string_at(json_array_get(listed, i), "/name")
                                          : json_string_at(task->object, "/status/component"));
    components_set(task, names, count);
}

static bool components_match(const struct task *task, const struct location *location)
{
    bool match = task->component_count == location->count;
    for (size_t i = 0; match && i < location->count; i++)
        match = str_equal(task->components[i].name, location->components[i].name);
    return match;
}

static void components_from_location(struct task *task)
{
    const struct location *location = task->location;
    if (location->error.code != OK || components_match(task, location))
        return;
    char **names AUTO_FREE = mem_alloc(location->count * sizeof *names);
    for (size_t i = 0; i < location->count; i++)
        names[i] = location->components[i].name;
    components_set(task, names, location->count);
}

static void component_decide(struct component *component)
{
    struct task *task = component->task;
    if (!component->decision)
        component->decision = mem_alloc(sizeof *component->decision);
    struct machine_input *input = mem_alloc(sizeof *input);
    *input = (struct machine_input){
        .plan = task->rollout.plan,
        .plan_error = &task->rollout.plan_error,
        .intent = task->rollout.intent,
        .status = component->status,
        .observation = component->observation,
        .hook = component->hook.outcome,
        .now_ms = clock_wall_ms(),
    };
    machine_decide(input, component->decision);
    free(input);
}

/* ── Gather ───────────────────────────────────────────────────────────────────────────────── */

/* A rollout that has ended, and from which nobody wants anything new, needs no look at the world.
 */
static bool pass_idle(struct task *task)
{
    bool idle = true;
    for (size_t i = 0; i < task->component_count; i++) {
        struct component *component = &task->components[i];
        component->observation = (struct observation){.located = {.code = ERR_RETRY}};
        component_decide(component);
        idle = idle && rolling_state_terminal(component->status.rolling) &&
               component->decision->move_count == 0;
    }
    for (size_t i = 0; i < task->component_count && idle; i++)
        task->components[i].status = task->components[i].decision->status;
    return idle;
}

static void pass_begin(struct task *task, json_t *object_take)
{
    task->object = object_take;
    approllout_read(task->object, &task->rollout);
    task->holder = str_format("%s/%s %s", task->rollout.ns, task->rollout.name, task->rollout.uid);
    task->trouble = (struct error){0};
    task->located = false;
    task->rounds = 0;
    task->at = 0;
    if (task->component_count)
        for (size_t i = 0; i < task->component_count; i++)
            approllout_status_read(task->object,
                                   task->component_count > 1 ? task->components[i].name : NULL,
                                   &task->components[i].status);
    else
        components_from_status(task);
    if (pass_idle(task))
        pass_record(task);
    else
        pass_protect(task);
}

void rollout_pass(void *data, const char *key)
{
    struct controller *controller = data;
    char *ns AUTO_FREE = NULL, *name AUTO_FREE = NULL;
    key_split(key, &ns, &name);
    json_t *object = store_get(controller->rollouts, ns, name);
    struct task *task = object ? task_get(controller, key) : map_get(&controller->tasks, key);
    if (object) {
        pass_begin(task, object);
        return;
    }
    if (task)
        task_drop(task);
    queue_done(controller->rollout_queue, key);
}

static void object_replace(struct task *task, const json_t *object)
{
    store_put(task->controller->rollouts, object);
    approllout_done(&task->rollout);
    json_decref(task->object);
    task->object = json_deep_copy(object);
    approllout_read(task->object, &task->rollout);
}

static void on_protected(void *data, const struct reply *reply)
{
    struct task *task = data;
    task->call = NULL;
    if (reply->error.code != OK) {
        pass_fail(task, &reply->error);
        return;
    }
    object_replace(task, reply->body);
    pass_locate(task);
}

/* The finalizer comes before anything is touched, so that nothing touched is left behind. */
static void pass_protect(struct task *task)
{
    if (task->rollout.has_finalizer || task->rollout.intent.deleted) {
        pass_locate(task);
        return;
    }
    json_t *finalizers = json_at(task->object, "/metadata/finalizers");
    finalizers = finalizers ? json_copy(finalizers) : json_array();
    json_array_append_new(finalizers, json_string(APPROLLOUT_FINALIZER));
    json_t *patch AUTO_JSON = json_pack("{s:{s:s, s:o}}", "metadata", "resourceVersion",
                                        json_string_at(task->object, "/metadata/resourceVersion"),
                                        "finalizers", finalizers);
    char *body AUTO_FREE = json_text(patch);
    char *path AUTO_FREE = oam_path("approllouts", task->rollout.ns, task->rollout.name, NULL);
    struct call_spec spec = {
        .method = "PATCH", .path = path, .content_type = PATCH_MERGE, .body = body};
    task->call = cluster_call(task->controller->cluster, &spec, on_protected, task);
}

/* While something is under way the pass is about the target that was recorded when it began, also
 * when another one is wanted by now. */
static const char *pass_target(const struct task *task)
{
    const struct rollout_status *s = &task->components[0].status;
    return s->engaged && s->target[0] ? s->target : task->rollout.intent.target;
}

static const char *pass_source(const struct task *task)
{
    const struct rollout_status *s = &task->components[0].status;
    return s->engaged && s->target[0] ? s->source : task->rollout.intent.source;
}

static struct locate *locate_for(struct task *task, const char *target, const char *source,
                                 locate_fn *on_located)
{
    struct locate_spec spec = {
        .ns = task->rollout.ns,
        .target = target,
        .source = source,
        .component_list = task->rollout.component_list,
        .holder = task->holder,
        .key = task->key,
    };
    return locate_start(task->controller, &spec, on_located, task);
}

static void on_pods(void *data, json_t *pods, const struct error *err)
{
    struct task *task = data;
    task->fetch = NULL;
    if (err->code != OK) {
        pass_fail(task, err);
        return;
    }
    task->pods = json_incref(pods);
    pass_component(task);
}

/* Pods that the plan names are read once a roll. */
static void pass_pods(struct task *task)
{
    json_t *names AUTO_JSON = task->rollout.plan ? plan_pod_names(task->rollout.plan) : NULL;
    if (names && !task->pods)
        task->fetch = pods_fetch_start(task->controller, task->rollout.ns, names, on_pods, task);
    else
        pass_component(task);
}

static void on_revert_located(void *data, struct location *location)
{
    struct task *task = data;
    task->locate = NULL;
    task->revert = location;
    pass_pods(task);
}

static bool wants_revert(const struct task *task)
{
    const struct rollout_status *s = &task->components[0].status;
    return task->rollout.intent.deleted && task->rollout.intent.revert_on_delete && s->engaged &&
           s->source[0] && !task->revert;
}

static void pass_located(struct task *task)
{
    components_from_location(task);
    if (wants_revert(task))
        task->locate = locate_for(task, task->components[0].status.source, "", on_revert_located);
    else
        pass_pods(task);
}

static void on_located(void *data, struct location *location)
{
    struct task *task = data;
    task->locate = NULL;
    task->location = location;
    task->located = true;
    pass_located(task);
}

/* What was located serves until another target is wanted; what couldn't be located is looked up
 * again, but once a pass is enough. */
static bool location_usable(const struct task *task)
{
    const struct location *location = task->location;
    bool usable = location && str_equal(location->target, pass_target(task)) &&
                  str_equal(location->source, pass_source(task));
    if (usable && !task->located)
        usable = location->error.code == OK;
    for (size_t i = 0; usable && !task->located && i < location->count; i++)
        usable = location->components[i].error.code == OK;
    return usable;
}

static void pass_locate(struct task *task)
{
    if (location_usable(task)) {
        pass_located(task);
        return;
    }
    location_free(task->location);
    task->location = NULL;
    json_decref(task->pods);
    task->pods = NULL;
    task->locate = locate_for(task, pass_target(task), pass_source(task), on_located);
}

/* ── Decide and act, component by component ───────────────────────────────────────────────── */

/* One round of the component whose turn it is. */
static void pass_component(struct task *task)
{
    if (task->at == task->component_count) {
        pass_record(task);
        return;
    }
    struct component *component = &task->components[task->at];
    component_observe(component);
    component_decide(component);
    component->next_effect = 0;
    component->acted = component->remembered = false;
    component_next_effect(component);
}

/* The round's effects are done: what was decided now counts. */
static void component_round_done(struct component *component)
{
    struct task *task = component->task;
    bool moved = component->decision->move_count > 0;
    task_note_moves(task, component);
    component->status = component->decision->status;
    component->hook.outcome.result = HOOK_NONE;
    if (component->decision->tell_reason)
        task_tell_waiting(task, component);
    if ((component->acted || moved) && ++task->rounds < ROUNDS_MAX) {
        pass_locate(task);
        return;
    }
    task->at++;
    task->rounds = 0;
    pass_component(task);
}

static bool hook_already_asked(const struct component *component, const struct effect *effect)
{
    const struct hook_run *run = &component->hook;
    return run->call && run->asked.gate == effect->gate && run->asked.batch == effect->batch &&
           run->asked.index == effect->index && run->attempt == effect->attempt;
}

static void on_hook_done(void *data, int result, const char *message)
{
    struct component *component = data;
    struct hook_run *run = &component->hook;
    run->call = NULL;
    run->outcome = run->asked;
    switch (result) {
    case HOOK_PASSED:
        run->outcome.result = HOOK_PASSED;
        break;
    case HOOK_REJECTED:
        run->outcome.result = HOOK_REJECTED;
        break;
    default:
        run->outcome.result = HOOK_TROUBLE;
        break;
    }
    snprintf(run->outcome.message, sizeof run->outcome.message, "%s", message);
    queue_add(component->task->controller->rollout_queue, component->task->key);
}

static const char *hook_phase(const struct component *component)
{
    const struct rollout_status *s = &component->decision->status;
    return s->rolling == ROLLING_IN_BATCHES ? batch_state_name(s->batch_state)
                                            : rolling_state_name(s->rolling);
}

static void start_hook(struct component *component, const struct effect *effect)
{
    struct task *task = component->task;
    const struct rollout_status *s = &component->decision->status;
    const struct hook *hook =
        plan_hook(task->rollout.plan, effect->gate, effect->batch, effect->index);
    char *identity AUTO_FREE =
        str_format("%s/%s/%s/%s/%d/%s/%d", task->rollout.uid,
                   component->name ? component->name : "", s->target, hook_phase(component),
                   effect->batch, hook_type_name(effect->gate), effect->index);
    struct hook_spec spec = {
        .hook = hook,
        .ns = task->rollout.ns,
        .name = task->rollout.name,
        .phase = hook_phase(component),
        .idempotency_key = identity,
        .attempt = effect->attempt,
        .timeout_ms = task->controller->config->hook_timeout_ms,
    };
    hook_cancel(component->hook.call);
    component->hook.asked =
        (struct hook_outcome){.gate = effect->gate, .batch = effect->batch, .index = effect->index};
    component->hook.attempt = effect->attempt;
    component->hook.call =
        hook_start(cluster_loop(task->controller->cluster), &spec, on_hook_done, component);
}

static const json_t *revert_target(const struct component *component)
{
    const struct location *revert = component->task->revert;
    if (!revert || revert->error.code != OK)
        return NULL;
    for (size_t i = 0; i < revert->count; i++)
        if (!component->name || str_equal(revert->components[i].name, component->name))
            return revert->components[i].error.code == OK ? revert->components[i].workload : NULL;
    return NULL;
}

/* Reverting takes two rounds: the source is applied as every target is, without moving a pod; then
 * the workload is given back as after a success, which moves them all. Without a source left to go
 * to, it stays where it is. */
static int revert_actions(struct component *component, struct adapter_request *request,
                          struct actions *ret_actions, struct error *err)
{
    const struct adapter *adapter = component->kind->adapter;
    const json_t *source = revert_target(component);
    request->outcome = source ? "succeeded" : "deleted";
    if (!source)
        return adapter_finish(adapter, request, ret_actions, err);
    request->target = source;
    if (str_equal(object_mark(component->workload, MARK_APPLIED),
                  object_mark(source, MARK_APPLIED)))
        return adapter_finish(adapter, request, ret_actions, err);
    return adapter_begin(adapter, request, ret_actions, err);
}

/* Asks the adapter what an effect means for the workload. */
static int effect_actions(struct component *component, const struct effect *effect,
                          struct actions *ret_actions, struct error *err)
{
    const struct adapter *adapter = component->kind->adapter;
    const struct plan *plan = component->task->rollout.plan;
    struct adapter_request request = component_request(component);
    request.scale = effect->scale;
    request.goal = effect->goal;
    request.paused = effect->paused;
    request.outcome = effect->outcome;
    if (effect->kind == EFFECT_BEGIN)
        return adapter_begin(adapter, &request, ret_actions, err);
    if (effect->kind == EFFECT_ADVANCE) {
        request.max_unavailable = plan_tolerance(plan, effect->batch, component->observation.size);
        return adapter_advance(adapter, &request, ret_actions, err);
    }
    if (strcmp(effect->outcome, "rolledBack") == 0)
        return revert_actions(component, &request, ret_actions, err);
    return adapter_finish(adapter, &request, ret_actions, err);
}

/* An effect could not be carried out: nothing that was decided with it counts, and the status says
 * what stands in the way. It is tried again. */
static void effect_failed(struct component *component, const struct error *err)
{
    struct task *task = component->task;
    struct rollout_status *s = &component->status;
    if (err->code == ERR_CONFLICT) {
        pass_fail(task, err);
        return;
    }
    bool news = s->reason.code != REASON_CLUSTER_TROUBLE;
    s->reason = (struct reason){.code = REASON_CLUSTER_TROUBLE};
    snprintf(s->reason.message, sizeof s->reason.message, "%.500s", err->text);
    snprintf(s->reason.object, sizeof s->reason.object, "%s", component->observation.object);
    if (news) {
        s->reason_since_ms = clock_wall_ms();
        task_tell_waiting(task, component);
    }
    task->trouble = *err;
    pass_record(task);
}

static void on_acted(void *data, const struct error *err)
{
    struct component *component = data;
    component->task->act = NULL;
    if (err->code != OK) {
        effect_failed(component, err);
        return;
    }
    component->acted = true;
    component->next_effect++;
    component_next_effect(component);
}

static const json_t *effect_auxiliaries(const struct component *component,
                                        const struct effect *effect)
{
    const struct located_component *located = component_located(component);
    return effect->kind == EFFECT_BEGIN && located ? located->auxiliaries : NULL;
}

/* Carries out an effect on the workload; one that changes nothing costs nothing. */
static void act_on_workload(struct component *component, const struct effect *effect)
{
    struct task *task = component->task;
    struct actions actions = {0};
    struct error err = {0};
    if (effect_actions(component, effect, &actions, &err) < 0) {
        error_prefix(&err, "adapter %s", adapter_name(component->kind->adapter));
        effect_failed(component, &err);
        return;
    }
    if (!actions.count) {
        actions_done(&actions);
        component->next_effect++;
        component_next_effect(component);
        return;
    }
    struct adapter_request request = component_request(component);
    struct act_spec spec = {
        .kind = component->kind,
        .workload = component->workload,
        .target = request.target,
        .holder = task->holder,
        .auxiliaries = effect_auxiliaries(component, effect),
    };
    task->act = act_start_take(task->controller, &spec, &actions, on_acted, component);
}

/* ── Recording ────────────────────────────────────────────────────────────────────────────── */

static json_t *status_json(struct task *task, const struct component *deciding)
{
    size_t count = task->component_count;
    struct component_status *parts AUTO_FREE = mem_alloc(count * sizeof *parts);
    for (size_t i = 0; i < count; i++) {
        const struct component *component = &task->components[i];
        parts[i].name = component->name;
        parts[i].status = component == deciding ? &component->decision->status : &component->status;
    }
    return approllout_status_write(parts, count);
}

static void write_status(struct task *task, json_t *status_take, reply_fn *on_written)
{
    json_t *object AUTO_JSON =
        json_pack("{s:s, s:s, s:{s:s, s:s, s:s, s:s}, s:O, s:o}", "apiVersion", OAM_API, "kind",
                  "AppRollout", "metadata", "name", task->rollout.name, "namespace",
                  task->rollout.ns, "uid", task->rollout.uid, "resourceVersion",
                  json_string_at(task->object, "/metadata/resourceVersion"), "spec",
                  json_object_get(task->object, "spec"), "status", status_take);
    char *body AUTO_FREE = json_text(object);
    char *path AUTO_FREE = oam_path("approllouts", task->rollout.ns, task->rollout.name, "status");
    struct call_spec spec = {.method = "PUT", .path = path, .body = body};
    task->call = cluster_call(task->controller->cluster, &spec, on_written, task);
    task->written_at_ms = clock_monotonic_ms();
}

/* What must be remembered before it is done has been written: now it may be done. */
static void on_remembered(void *data, const struct reply *reply)
{
    struct task *task = data;
    task->call = NULL;
    if (reply->error.code != OK) {
        pass_fail(task, &reply->error);
        return;
    }
    struct component *component = &task->components[task->at];
    object_replace(task, reply->body);
    /* It is recorded, so it counts and may be told, whatever becomes of the effect. */
    task_note_moves(task, component);
    task_tell(task);
    component->status = component->decision->status;
    component->decision->move_count = 0;
    component->remembered = true;
    component_next_effect(component);
}

/* True when the status had to be written first; the effect comes up again after that. */
static bool remember_first(struct component *component)
{
    struct task *task = component->task;
    if (component->remembered)
        return false;
    json_t *status = status_json(task, component);
    json_t *recorded = json_object_get(task->object, "status");
    if (approllout_status_compare(recorded, status) != STATUS_DIFFERENT) {
        json_decref(status);
        return false;
    }
    write_status(task, status, on_remembered);
    return true;
}

static void component_next_effect(struct component *component)
{
    const struct decision *decision = component->decision;
    if (component->next_effect == decision->effect_count) {
        component_round_done(component);
        return;
    }
    const struct effect *effect = &decision->effects[component->next_effect];
    switch (effect->kind) {
    case EFFECT_BEGIN:
        if (!remember_first(component))
            act_on_workload(component, effect);
        return;
    case EFFECT_ADVANCE:
    case EFFECT_FINISH:
        act_on_workload(component, effect);
        return;
    case EFFECT_HOOK:
        if (!hook_already_asked(component, effect)) {
            if (remember_first(component))
                return;
            start_hook(component, effect);
        }
        break;
    case EFFECT_FORGET:
        component->forget = true;
        break;
    }
    component->next_effect++;
    component_next_effect(component);
}

static void on_forgotten(void *data, const struct reply *reply)
{
    struct task *task = data;
    task->call = NULL;
    if (reply->error.code != OK && reply->error.code != ERR_MISSING) {
        pass_fail(task, &reply->error);
        return;
    }
    task_tell(task);
    task->dead = true;
    pass_end(task);
}

/* All components have been given back: the rollout may go. */
static void forget_rollout(struct task *task)
{
    json_t *kept = json_array();
    size_t i;
    json_t *finalizer;
    json_array_foreach (json_at(task->object, "/metadata/finalizers"), i, finalizer) {
        if (!str_equal(json_string_value(finalizer), APPROLLOUT_FINALIZER))
            json_array_append(kept, finalizer);
    }
    json_t *patch AUTO_JSON =
        json_pack("{s:{s:s, s:o}}", "metadata", "resourceVersion",
                  json_string_at(task->object, "/metadata/resourceVersion"), "finalizers", kept);
    char *body AUTO_FREE = json_text(patch);
    char *path AUTO_FREE = oam_path("approllouts", task->rollout.ns, task->rollout.name, NULL);
    struct call_spec spec = {
        .method = "PATCH", .path = path, .content_type = PATCH_MERGE, .body = body};
    task->call = cluster_call(task->controller->cluster, &spec, on_forgotten, task);
}

static void on_recorded(void *data, const struct reply *reply)
{
    struct task *task = data;
    task->call = NULL;
    if (reply->error.code != OK) {
        pass_fail(task, &reply->error);
        return;
    }
    store_put(task->controller->rollouts, reply->body);
    task_tell(task);
    pass_end(task);
}

static bool all_forgotten(const struct task *task)
{
    bool all = task->rollout.has_finalizer && task->component_count > 0;
    for (size_t i = 0; i < task->component_count; i++)
        all = all && task->components[i].forget;
    return all;
}

/* Times at which the machine wants to be asked again, and workloads that aren't ours yet. */
static void wait_for_more(struct task *task)
{
    struct controller *controller = task->controller;
    for (size_t i = 0; i < task->component_count; i++) {
        const struct component *component = &task->components[i];
        int64_t wake_at = component->decision ? component->decision->wake_at_ms : 0;
        if (wake_at)
            queue_add_after(controller->rollout_queue, task->key, wake_at - clock_wall_ms());
        if (component->kind && !component->observation.held &&
            !rolling_state_terminal(component->status.rolling)) {
            char *topic AUTO_FREE = str_format("workload %s", component->observation.object);
            waiters_add(&controller->rollout_waiters, topic, task->key);
        }
        if (component->observation.located.code == ERR_RETRY &&
            !rolling_state_terminal(component->status.rolling) && !task->trouble.code)
            task->trouble = component->observation.located;
    }
}

/* Counters that only count may wait, so that a batch of many pods doesn't cost a write a pod. */
static bool counters_due(struct task *task)
{
    int64_t due = task->written_at_ms + COUNTERS_EVERY_MS - clock_monotonic_ms();
    if (due > 0)
        queue_add_after(task->controller->rollout_queue, task->key, due);
    return due <= 0;
}

/* The last step of a pass: one write with the status of all components, if it says anything new. */
static void pass_record(struct task *task)
{
    wait_for_more(task);
    if (all_forgotten(task)) {
        forget_rollout(task);
        return;
    }
    json_t *status = status_json(task, NULL);
    enum status_change change =
        approllout_status_compare(json_object_get(task->object, "status"), status);
    if (change == STATUS_DIFFERENT || (change == STATUS_COUNTERS && counters_due(task))) {
        write_status(task, status, on_recorded);
        return;
    }
    json_decref(status);
    task_tell(task);
    pass_end(task);
}
