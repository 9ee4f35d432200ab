// SPDX-License-Identifier: Apache-2.0
/*
 * The pass of a rollout: gather, observe, decide, advance, act. Components have their turn one
 * after the other; each goes round until its machine has nothing to do that changes anything, then
 * the status of all is written once. Effects on a workload come before the status that records
 * them, except for what must be remembered before it is done: taking over, giving back, and calling
 * a hook.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "reconcile/holder.h"
#include "reconcile/key.h"
#include "reconcile/task.h"

#include <stdlib.h>

enum {
    ROUNDS_MAX = 20, /* of one component in one pass; the rest comes with the next pass */
};

static void pass_component(struct task *task);
static void pass_aimed(struct task *task);

/* Between two rolls of a workload that stays held, nobody must have touched it. */
static bool component_undisturbed(const struct component *component)
{
    const struct task *task = component->task;
    return !task->kind->follows || !component->status.engaged || follow_rests(task);
}

/* A workload that was held when its pods were there, but not ready yet, is looked at until they
 * are. */
static bool component_complete(const struct component *component)
{
    const struct rollout_status *s = &component->status;
    return !component->task->kind->follows || s->rolling != ROLLING_SUCCEEDED ||
           s->upgraded_ready >= s->upgraded;
}

/* A rollout that has ended, and from which nobody wants anything new, needs no look at the world.
 */
static bool pass_idle(struct task *task)
{
    bool idle = true;
    for (size_t i = 0; i < task->component_count && idle; i++) {
        struct component *component = &task->components[i];
        if (!rolling_state_terminal(component->status.rolling) || !component_complete(component))
            return false;
        component->observation = (struct observation){.located = {.code = ERR_RETRY}};
        component_decide(component);
        idle = component->decision->move_count == 0 && component_undisturbed(component);
    }
    for (size_t i = 0; i < task->component_count && idle; i++)
        component_adopt(&task->components[i]);
    return idle;
}

/* While something is under way the pass is about the target that was recorded when it began, also
 * when another one is wanted by now. */
const char *pass_target(const struct task *task)
{
    const struct rollout_status *s = &task->components[0].status;
    return s->engaged && s->target[0] ? s->target : task->pass->rollout.intent.target;
}

const char *pass_source(const struct task *task)
{
    const struct rollout_status *s = &task->components[0].status;
    return s->engaged && s->target[0] ? s->source : task->pass->rollout.intent.source;
}

static struct locate *locate_for(struct task *task, const char *target, const char *source,
                                 locate_fn *on_located)
{
    struct locate_spec spec = {
        .ns = task->pass->rollout.ns,
        .target = target,
        .source = source,
        .component_list = task->pass->rollout.component_list,
        .holder = task->pass->holder,
        .waiters = &task->kind->waiters,
        .key = task->key,
    };
    return locate_start(task->controller, &spec, on_located, task);
}

static void on_pods(void *data, json_t *pods, const struct error *err)
{
    struct task *task = data;
    task->pass->fetch = NULL;
    if (err->code != OK && err->code != ERR_DENIED) {
        pass_fail(task, err);
        return;
    }
    if (err->code == ERR_DENIED) { /* an operator's to fix, so it must be told */
        task->location->error = *err;
        task->location->why = trouble_reason(&task->location->error);
    } else {
        task->pods = json_incref(pods);
    }
    pass_component(task);
}

/* Pods that the plan names are read once a roll. */
static void pass_pods(struct task *task)
{
    json_t *names AUTO_JSON =
        task->pass->rollout.plan ? plan_pod_names(task->pass->rollout.plan) : NULL;
    if (names && !task->pods)
        task->pass->fetch =
            pods_fetch_start(task->controller, task->pass->rollout.ns, names, on_pods, task);
    else
        pass_component(task);
}

static void on_revert_located(void *data, struct location *location)
{
    struct task *task = data;
    task->pass->locate = NULL;
    location_free(task->revert);
    task->revert = location;
    pass_pods(task);
}

/* By its deletion, or by a batch that fails: when that happens it is known already where to. */
static bool may_revert(const struct task *task)
{
    const struct intent *intent = &task->pass->rollout.intent;
    if (intent->deleted)
        return intent->revert_on_delete;
    return !task->kind->follows && task->pass->rollout.plan &&
           plan_rolls_back(task->pass->rollout.plan);
}

static bool wants_revert(const struct task *task)
{
    const struct rollout_status *s = &task->components[0].status;
    if (!s->engaged || !may_revert(task))
        return false;
    if (task->kind->follows)
        return !task->revert;
    return s->source[0] && !(task->revert && str_equal(task->revert->target, s->source));
}

/* Where it goes back to. */
static void locate_revert(struct task *task)
{
    if (task->kind->follows)
        on_revert_located(task, follow_revert(task));
    else
        task->pass->locate =
            locate_for(task, task->components[0].status.source, "", on_revert_located);
}

static void pass_located(struct task *task)
{
    components_from_location(task);
    if (wants_revert(task))
        locate_revert(task);
    else
        pass_pods(task);
}

static void on_located(void *data, struct location *location)
{
    struct task *task = data;
    task->pass->locate = NULL;
    task->location = location;
    task->pass->located = true;
    pass_located(task);
}

/* What was located serves until another target is wanted; what couldn't be located is looked up
 * again, but once a pass is enough. */
static bool location_usable(const struct task *task)
{
    const struct location *location = task->location;
    bool usable = location && str_equal(location->target, pass_target(task)) &&
                  str_equal(location->source, pass_source(task));
    if (usable && !task->pass->located)
        usable = location->error.code == OK;
    for (size_t i = 0; usable && !task->pass->located && i < location->count; i++)
        usable = location->components[i].error.code == OK;
    return usable;
}

/* A rollout that goes and has touched nothing needs to know nothing. */
static bool goes_untouched(const struct task *task)
{
    bool engaged = false;
    for (size_t i = 0; i < task->component_count; i++)
        engaged = engaged || task->components[i].status.engaged;
    return task->pass->rollout.intent.deleted && !engaged;
}

void pass_locate(struct task *task)
{
    if (goes_untouched(task)) {
        pass_component(task);
        return;
    }
    if (task->kind->follows) {
        follow_locate(task, pass_located);
        return;
    }
    if (location_usable(task)) {
        pass_located(task);
        return;
    }
    location_free(task->location);
    task->location = NULL;
    json_decref(task->pods);
    task->pods = NULL;
    task->pass->locate = locate_for(task, pass_target(task), pass_source(task), on_located);
}

static void on_protected(void *data, const struct reply *reply)
{
    struct task *task = data;
    task->pass->call = NULL;
    if (reply->error.code != OK) {
        pass_fail(task, &reply->error);
        return;
    }
    task_object_replace(task, reply->body);
    pass_locate(task);
}

/* The finalizer comes before anything is touched, so that nothing touched is left behind. */
static void pass_protect(struct task *task)
{
    if (task->pass->rollout.has_finalizer || task->pass->rollout.intent.deleted) {
        pass_locate(task);
        return;
    }
    json_t *finalizers = json_at(task->pass->object, "/metadata/finalizers");
    finalizers = finalizers ? json_copy(finalizers) : json_array();
    json_array_append_new(finalizers, json_string(task->kind->finalizer));
    json_t *patch AUTO_JSON = json_pack(
        "{s:{s:s, s:o}}", "metadata", "resourceVersion",
        json_string_at(task->pass->object, "/metadata/resourceVersion"), "finalizers", finalizers);
    char *body AUTO_FREE = json_text(patch);
    char *path AUTO_FREE = task_path(task, NULL);
    struct call_spec spec = {
        .method = "PATCH", .path = path, .content_type = PATCH_MERGE, .body = body};
    task->pass->call = cluster_call(task->controller->cluster, &spec, on_protected, task);
}

static void pass_begin(struct task *task, json_t *object_take)
{
    task->pass = mem_alloc(sizeof *task->pass);
    task->pass->object = object_take;
    task_read(task);
    task->pass->holder = holder_text(task->kind, &task->pass->rollout);
    location_unpack(task->location);
    location_unpack(task->revert);
    follow_unpack(task);
    task->brake.rounds = 0;
    if (task->kind->follows)
        follow_aim(task, pass_aimed);
    else
        pass_aimed(task);
}

/* It is known what the rollout wants. */
static void pass_aimed(struct task *task)
{
    if (task->kind->follows)
        follow_intend(task);
    if (task->component_count)
        for (size_t i = 0; i < task->component_count; i++)
            component_read(&task->components[i],
                           task->component_count > 1 ? task->components[i].name : NULL);
    else
        components_from_status(task);
    if (pass_idle(task))
        pass_record(task);
    else
        pass_protect(task);
}

void rollout_pass(void *data, const char *key)
{
    struct rollout_kind *kind = data;
    if (!acts_for(kind->controller, key)) {
        queue_done(kind->queue, key);
        return;
    }
    char *ns AUTO_FREE = NULL, *name AUTO_FREE = NULL;
    key_split(key, &ns, &name);
    json_t *object = store_get(kind->store, ns, name);
    struct task *task = object ? task_get(kind, key) : map_get(&kind->tasks, key);
    if (object) {
        pass_begin(task, object);
        return;
    }
    if (task)
        task_drop(task);
    waiters_forget(&kind->waiters, key);
    queue_done(kind->queue, key);
}

/* One round of the component whose turn it is. */
static void pass_component(struct task *task)
{
    if (task->pass->at == task->component_count) {
        pass_record(task);
        return;
    }
    component_observe(&task->components[task->pass->at]);
}

void component_observed(struct component *component)
{
    component_decide(component);
    component->next_effect = 0;
    component->acted = ACTED_NOT;
    component->in_vain_at[0] = '\0';
    component->put_back = false;
    component->remembered = false;
    component_next_effect(component);
}

/* The round's effects are done: what was decided now counts. */
void component_round_done(struct component *component)
{
    struct task *task = component->task;
    bool moved = component->decision->move_count > 0;
    if (brake_round(&task->brake, component, moved || component->put_back)) {
        brake_tell(&task->brake, component);
        return;
    }
    task_note_moves(task, component);
    component_adopt(component);
    component->hook.outcome.result = HOOK_NONE;
    if (component->decision->tell_reason) {
        task_tell_waiting(task, component);
        task->pass->told = true;
    }
    if ((component->acted >= ACTED_PATCHED || moved) && ++task->pass->rounds < ROUNDS_MAX) {
        pass_locate(task);
        return;
    }
    task->pass->at++;
    task->pass->rounds = 0;
    pass_component(task);
}
