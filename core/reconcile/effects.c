// SPDX-License-Identifier: Apache-2.0
/* Carrying out what the machine has decided for one component: on its workload through the adapter,
 * and at its webhooks. */
#include "base/alloc.h"
#include "base/clock.h"
#include "oam/revision.h"
#include "reconcile/task.h"

#include <stdio.h>
#include <string.h>

static bool hook_already_asked(const struct component *component, const struct effect *effect)
{
    const struct hook_run *run = &component->hook;
    return run->call && run->asked.gate == effect->gate && run->asked.batch == effect->batch &&
           run->asked.index == effect->index && run->asked.attempt == effect->attempt;
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
    queue_add(component->task->kind->queue, component->task->key);
}

static const char *hook_phase(const struct component *component)
{
    const struct rollout_status *s = &component->decision->status;
    return s->rolling == ROLLING_IN_BATCHES ? batch_state_name(s->batch_state)
                                            : rolling_state_name(s->rolling);
}

static struct hook_call *call_hook(struct component *component, const struct hook_spec *spec)
{
    struct controller *controller = component->task->controller;
    const struct witness *witness = &controller->witness;
    struct loop *loop = cluster_loop(controller->cluster);
    if (!witness->on_hook)
        return hook_start(loop, spec, on_hook_done, component);
    int result = witness->on_hook(witness->data, component->task->kind->info.kind, spec);
    return hook_pretend(loop, result, on_hook_done, component);
}

static void start_hook(struct component *component, const struct effect *effect)
{
    struct task *task = component->task;
    const struct rollout_status *s = &component->decision->status;
    const struct hook *hook =
        plan_hook(task->pass->rollout.plan, effect->gate, effect->batch, effect->index);
    /* When the roll began tells it from a later one to the same revision. */
    int64_t began_ms = s->conditions[CONDITION_ROLLOUT_LOCATING].since_ms;
    char *identity AUTO_FREE = str_format("%s/%s/%s/%lld/%s/%d/%s/%d", task->pass->rollout.uid,
                                          component->name ? component->name : "", s->target,
                                          (long long)began_ms, hook_phase(component), effect->batch,
                                          hook_type_name(effect->gate), effect->index);
    char *roll AUTO_FREE =
        str_format("%s/%s/%lld", task->pass->rollout.uid, s->target, (long long)began_ms);
    struct hook_spec spec = {
        .hook = hook,
        .ns = task->pass->rollout.ns,
        .name = task->pass->rollout.name,
        .phase = hook_phase(component),
        .idempotency_key = identity,
        .attempt = effect->attempt,
        .roll = roll,
        .timeout_ms = task->controller->config->hook_timeout_ms,
        .allow = task->controller->config->hook_allow,
    };
    hook_cancel(component->hook.call);
    component->hook.call = NULL;
    /* To call it is an effect as a write is; whoever may not have any is about to end. */
    if (!cluster_may_write_in(task->controller->cluster, task->pass->rollout.ns))
        return;
    component->hook.asked = (struct hook_outcome){.gate = effect->gate,
                                                  .batch = effect->batch,
                                                  .index = effect->index,
                                                  .attempt = effect->attempt};
    component->hook.call = call_hook(component, &spec);
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
static enum call_kind revert_question(const struct component *component,
                                      struct adapter_request *request)
{
    const json_t *source = revert_target(component);
    request->outcome = source ? "succeeded" : "deleted";
    if (!source)
        return CALL_FINISH;
    request->target = source;
    bool applied = str_equal(object_mark(component->workload, MARK_APPLIED),
                             object_mark(source, MARK_APPLIED));
    return applied ? CALL_FINISH : CALL_BEGIN;
}

static enum call_kind advance_question(const struct component *component,
                                       const struct effect *effect, struct adapter_request *request)
{
    const struct plan *plan = component->task->pass->rollout.plan;
    request->max_unavailable = plan_tolerance(plan, effect->batch, component->observation.size);
    request->pods = component->task->pods;
    if ((size_t)effect->batch < plan->batch_count)
        request->pod_names = plan->batches[effect->batch].pods;
    return CALL_ADVANCE;
}

/* What the adapter is to be asked about an effect on the workload. */
static enum call_kind effect_question(const struct component *component,
                                      const struct effect *effect, struct adapter_request *request)
{
    *request = component_request(component);
    request->scale = effect->scale;
    request->goal = effect->goal;
    request->paused = effect->paused;
    request->template_changed = effect->template_changed;
    request->outcome = effect->outcome;
    request->hold = effect->kind == EFFECT_HOLD;
    if (effect->kind == EFFECT_BEGIN || effect->kind == EFFECT_HOLD)
        return CALL_BEGIN;
    if (effect->kind == EFFECT_ADVANCE)
        return advance_question(component, effect, request);
    return strcmp(effect->outcome, "rolledBack") == 0 ? revert_question(component, request)
                                                      : CALL_FINISH;
}

void component_failed(struct component *component, enum reason_code why, const struct error *err)
{
    struct task *task = component->task;
    struct rollout_status *s = &component->status;
    if (err->code == ERR_CONFLICT) {
        pass_fail(task, err);
        return;
    }
    bool news = s->reason.code != why;
    s->reason = (struct reason){.code = why};
    snprintf(s->reason.message, sizeof s->reason.message, "%.500s", err->text);
    snprintf(s->reason.object, sizeof s->reason.object, "%s", component->observation.object);
    if (news) {
        s->reason_since_ms = clock_wall_ms();
        task_tell_waiting(task, component);
        task->pass->told = true;
    }
    task->pass->trouble = *err;
    pass_record(task);
}

/* The effect that has its turn. */
static const struct effect *effect_now(const struct component *component)
{
    return &component->decision->effects[component->next_effect];
}

/* Nobody else is told of a write of our own, and one may wait for a workload that is free now. */
static void tell_if_free(const struct component *component)
{
    if (effect_now(component)->kind != EFFECT_FINISH)
        return;
    char *topic AUTO_FREE = waiters_object_topic(component->observation.object);
    rollouts_wake(component->task->controller, topic);
}

static void on_acted(void *data, enum acted acted, const struct error *err)
{
    struct component *component = data;
    component->task->pass->act = NULL;
    follow_forget_object(component->task);
    if (err->code != OK) {
        struct error told = *err;
        enum reason_code why = trouble_reason(&told);
        component_failed(component, why, &told);
        return;
    }
    if (acted == ACTED_IN_VAIN)
        snprintf(component->in_vain_at, sizeof component->in_vain_at, "%s", err->path);
    if (acted > component->acted)
        component->acted = acted;
    tell_if_free(component);
    component->next_effect++;
    component_next_effect(component);
}

static const json_t *effect_auxiliaries(const struct component *component)
{
    const struct effect *effect = effect_now(component);
    const struct located_component *located = component_located(component);
    return effect->kind == EFFECT_BEGIN && located ? located->auxiliaries : NULL;
}

static void effect_done(struct component *component)
{
    component->next_effect++;
    component_next_effect(component);
}

static void act_now_take(struct component *component, struct actions *actions)
{
    struct task *task = component->task;
    struct adapter_request request = component_request(component);
    struct act_spec spec = {
        .kind = component->kind,
        .workload = component->workload,
        .target = request.target,
        .holder = task->kind->follows && !component->observation.held ? NULL : task->pass->holder,
        .auxiliaries = effect_auxiliaries(component),
    };
    task->pass->act = act_start_take(task->controller, &spec, actions, on_acted, component);
}

/* One that changes nothing costs nothing. */
static void carry_out(struct component *component, struct adapter_reply *reply)
{
    if (reply->err.code < 0) {
        /* What the adapter saw is out of date: that is somebody else's change, not trouble. */
        if (reply->err.code == ERR_RETRY)
            reply->err.code = ERR_CONFLICT;
        component_failed(component, REASON_ADAPTER_TROUBLE, &reply->err);
        return;
    }
    if (!reply->actions.count) {
        actions_done(&reply->actions);
        effect_done(component);
        return;
    }
    if (contest_suspected(component, &reply->actions))
        contest_judge_take(component, &reply->actions, act_now_take);
    else
        act_now_take(component, &reply->actions);
}

static void on_asked(void *data, struct adapter_reply *reply)
{
    struct component *component = data;
    if (reply->err.code == OK && component->task->kind->follows)
        follow_turn(component, effect_now(component), reply);
    carry_out(component, reply);
}

/* Asks the adapter what the effect that has its turn means for the workload, and carries that out.
 */
static void act_on_workload(struct component *component)
{
    const struct effect *effect = effect_now(component);
    struct adapter_asking *asking = &component->task->pass->asking;
    struct adapter_request request;
    struct adapter_reply reply = {0};
    if (brake_holds(&component->task->brake, component)) {
        brake_tell(&component->task->brake, component);
        return;
    }
    if (component->task->kind->follows && follow_answers(component, effect, &reply)) {
        carry_out(component, &reply);
        return;
    }
    enum call_kind kind = effect_question(component, effect, &request);
    json_t *untaken AUTO_JSON =
        component->task->kind->follows && kind == CALL_BEGIN ? follow_untaken(component) : NULL;
    if (untaken)
        request.workload = untaken;
    asking->on_reply = on_asked;
    asking->data = component;
    adapter_ask(asking, component->adapter, kind, &request);
}

static void act_on_refreshed(struct task *task)
{
    act_on_workload(&task->components[task->pass->at]);
}

static void act_on_latest(struct component *component)
{
    if (component->task->kind->follows)
        follow_refresh(component->task, act_on_refreshed);
    else
        act_on_workload(component);
}

void component_next_effect(struct component *component)
{
    const struct decision *decision = component->decision;
    if (component->next_effect == decision->effect_count) {
        component_round_done(component);
        return;
    }
    const struct effect *effect = effect_now(component);
    switch (effect->kind) {
    case EFFECT_BEGIN:
    case EFFECT_HOLD:
    case EFFECT_FINISH: /* or who finds the workload given back would take it over again */
        if (!component_remember(component))
            act_on_latest(component);
        return;
    case EFFECT_ADVANCE:
        act_on_workload(component);
        return;
    case EFFECT_HOOK:
        if (!hook_already_asked(component, effect)) {
            if (component_remember(component))
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
