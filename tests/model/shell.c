// SPDX-License-Identifier: Apache-2.0
/* Around the machine: what it is shown, and what is done with its decisions. */
#include "trial.h"

#include <stdio.h>
#include <string.h>

enum { ROUNDS_MAX = 20 };

/* ---- what it is shown ---- */

bool trial_plan(const struct trial *trial, struct plan *ret_plan)
{
    const struct wants *wants = &trial->state.wants;
    if (wants->plan == PLAN_BROKEN)
        return false;
    *ret_plan = *trial->stage->plans[wants->plan];
    ret_plan->paused = wants->paused;
    ret_plan->partition = wants->partition;
    ret_plan->target_size = wants->target_size;
    return true;
}

static int wanted_target(const struct trial *trial)
{
    const struct workload *w = &trial->state.workload;
    if (!trial->stage->follows)
        return trial->state.wants.target;
    return w->exists ? w->revision : 0;
}

static int wanted_source(const struct trial *trial)
{
    const struct workload *w = &trial->state.workload;
    if (!trial->stage->follows)
        return trial->state.wants.source;
    if (w->rolled && w->rolled != w->revision)
        return w->rolled;
    return w->applied != w->revision ? w->applied : 0;
}

/* What is being rolled is what is looked up, until it has been given back. */
static int looked_up(const struct trial *trial, const struct rollout_status *status)
{
    bool rolling = status->engaged && status->target[0];
    return rolling ? revision_of(status->target) : wanted_target(trial);
}

static void locate_fail(struct observation *seen, int code, enum reason_code why, const char *text)
{
    error_at(&seen->located, code, "", "%s", text);
    seen->located_why = why;
}

static void locate(const struct trial *trial, int target, struct observation *seen)
{
    const struct weather *weather = &trial->state.weather;
    if (weather->trouble)
        locate_fail(seen, ERR_RETRY, REASON_CLUSTER_TROUBLE, "the cluster doesn't answer");
    else if (target && weather->missing == target)
        locate_fail(seen, ERR_MISSING, REASON_REVISION_MISSING, "the revision isn't there");
    else if (target && weather->unusable == target)
        locate_fail(seen, ERR_INVALID, REASON_REVISION_UNUSABLE, "the revision doesn't render");
    else if (trial->stage->follows && !trial->state.workload.exists)
        locate_fail(seen, ERR_MISSING, REASON_WORKLOAD_MISSING, "the workload isn't there");
}

static void observe_workload(const struct trial *trial, int target, struct observation *seen)
{
    const struct workload *w = &trial->state.workload;
    seen->exists = true;
    seen->held = w->holder == US;
    if (w->holder == SOMEBODY)
        snprintf(seen->held_by, sizeof seen->held_by, "AppRollout default/other");
    seen->applied = w->applied == target;
    seen->rests = seen->held && w->rests;
    seen->rolled = seen->rests && w->all == w->revision;
    seen->template_changed =
        !trial->stage->follows && seen->held && seen->applied && w->revision != w->put;
    seen->settled = !w->behind || trial->plant == PLANT_TRUST;
    seen->size = w->size;
    seen->updated = pods_of(w, w->counted);
    seen->updated_ready = pods_ready_of(w, w->counted);
    seen->ready = pods_like(w, POD_READY);
    snprintf(seen->update_revision, sizeof seen->update_revision, "%s", revision_name(w->counted));
}

static void observe(const struct trial *trial, const struct rollout_status *status,
                    struct observation *seen)
{
    const struct workload *w = &trial->state.workload;
    int target = looked_up(trial, status);
    *seen = (struct observation){.object = "CloneSet default/web"};
    snprintf(seen->target, sizeof seen->target, "%s", revision_name(target));
    locate(trial, target, seen);
    if (seen->located.code != OK) {
        seen->exists = status->engaged && w->exists && w->holder == US; /* our mark finds it */
        seen->held = seen->exists;
        return;
    }
    if (trial->state.weather.refuses)
        error_at(&seen->refused, ERR_INVALID, "spec.rolloutPlan", "not with this");
    seen->rendered_size = 2;
    seen->fixed_size = trial->stage->fixed_size;
    seen->settled = true;
    if (w->exists)
        observe_workload(trial, target, seen);
}

static struct hook_outcome outcome_of(const struct trial *trial)
{
    const struct call *call = &trial->state.call;
    struct hook_outcome outcome = {.gate = (enum hook_type)call->gate,
                                   .batch = call->batch,
                                   .index = call->index,
                                   .attempt = call->attempt,
                                   .message = "so it is"};
    outcome.result = trial->plant == PLANT_YES && call->answer ? HOOK_PASSED : call->answer;
    return outcome;
}

/* ---- writes ---- */

/* Every write may be the one that is refused, or before which the controller dies. */
static bool may_write(struct trial *trial)
{
    trial->cut = trial->cut || trial->writes_left == 0;
    if (!trial->cut && trial->writes_left > 0)
        trial->writes_left--;
    return !trial->cut;
}

/* A new roll is judged from its own beginning. */
static void forget_roll(struct state *state)
{
    state->memory = (struct memory){.told = -1};
}

/* Where there is none, no time between two pods is waited for. */
static bool has_interval(const struct stage *stage)
{
    return stage->plans[PLAN_FIRST]->batches[0].instance_interval_s > 0;
}

static bool write_status(struct trial *trial, const struct rollout_status *status)
{
    struct state *state = &trial->state;
    struct record record;
    record_pack(status, &record);
    record.step_waits = record.step_waits && has_interval(trial->stage);
    if (memcmp(&record, &state->record, sizeof record) == 0)
        return true;
    if (!may_write(trial))
        return false;
    if (state->memory.anew)
        forget_roll(state);
    state->record = record;
    if (trial->plant == PLANT_FORGET && record.rolling == ROLLING_SUCCEEDED)
        state->record.rolling = ROLLING_LOCATING;
    trial->coverage->reason[record.reason] = true;
    return true;
}

void workload_changed(struct state *state)
{
    state->workload.behind = true;
    state->dirty = true;
}

/* ---- effects: each returns false when there was nothing to do ---- */

/* The workload's controller counts what has the template already. */
static void let_loose(struct state *state, int target)
{
    struct workload *w = &state->workload;
    w->told = (int8_t)pods_of(w, target);
    w->paused = false;
    if (w->told > 0 || pods_all(w) < w->size)
        state->memory.excused = true;
}

/* What has the workload for its target begins with what is on it. */
static bool begin_followed(struct trial *trial, int target)
{
    struct workload *w = &trial->state.workload;
    if (target != w->revision || !may_write(trial))
        return false;
    w->holder = US;
    w->applied = (int8_t)target;
    w->rests = false;
    let_loose(&trial->state, target);
    workload_changed(&trial->state);
    return true;
}

static bool begin(struct trial *trial, const struct effect *effect)
{
    struct workload *w = &trial->state.workload;
    int8_t target = trial->state.wants.target;
    bool made = !w->exists;
    if ((w->exists && w->holder == US && w->applied == target) || !may_write(trial))
        return false;
    if (made)
        *w = (struct workload){.exists = true,
                               .size = trial->stage->fixed_size ? 3 : 0,
                               .revision = target,
                               .counted = target};
    w->holder = US;
    w->applied = target;
    if (!effect->scale) {
        w->revision = target;
        let_loose(&trial->state, target);
    }
    if (made)
        w->told = ALL_PODS;
    w->put = w->revision;
    workload_changed(&trial->state);
    return true;
}

static bool advance(struct trial *trial, const struct effect *effect)
{
    struct memory *memory = &trial->state.memory;
    struct workload *w = &trial->state.workload, before = *w;
    int updated = pods_of(w, w->counted);
    int goal = effect->goal + (trial->plant == PLANT_SKIP && effect->goal < w->size);
    if (effect->scale && !effect->paused)
        w->size = (int8_t)effect->goal;
    if (!effect->scale)
        w->paused = effect->paused;
    if (!effect->scale && !effect->paused)
        w->told = (int8_t)(goal > updated ? goal : updated);
    bool same = memcmp(w, &before, sizeof before) == 0;
    if (!same && !may_write(trial)) {
        *w = before;
        return false;
    }
    bool his = effect->scale && effect->goal == before.size;
    if (!his || !same)
        memory->told = (int8_t)effect->goal;
    memory->told_size = w->size;
    if (same)
        return false;
    if (trial->plant == PLANT_LOOSE)
        w->holder = NOBODY;
    workload_changed(&trial->state);
    return true;
}

/* No pod takes another template from now on. */
static bool hold(struct trial *trial, const struct observation *seen)
{
    struct workload *w = &trial->state.workload;
    int8_t target = (int8_t)revision_of(seen->target);
    bool all = seen->settled && seen->updated >= seen->size && target == w->revision;
    bool there = w->holder == US && w->rests && w->told == 0 && !(all && w->all != w->revision);
    if (there || !may_write(trial))
        return false;
    if (all)
        w->all = w->rolled = w->revision;
    else if (w->holder != US || !w->rests)
        w->all = 0;
    w->holder = US;
    w->applied = target;
    w->rests = true;
    w->paused = false;
    w->told = 0;
    workload_changed(&trial->state);
    return true;
}

/* While its controller is behind, what it was told is left as it is. */
static void give_back(struct trial *trial, const struct effect *effect)
{
    struct workload *w = &trial->state.workload;
    bool back = strcmp(effect->outcome, "rolledBack") == 0;
    if (trial->stage->follows && back) {
        w->told = w->rolled ? ALL_PODS : (int8_t)pods_of(w, w->counted);
        w->revision = w->rolled ? w->rolled : w->revision;
    } else if (back) {
        w->revision = w->applied = trial->state.wants.source;
        w->told = ALL_PODS;
    } else if (!effect->scale && strcmp(effect->outcome, "succeeded") == 0) {
        w->told = ALL_PODS;
    } else if (!effect->scale && !w->behind) {
        w->told = (int8_t)pods_of(w, w->counted);
    }
}

static bool finish(struct trial *trial, const struct effect *effect)
{
    struct workload *w = &trial->state.workload;
    if (trial->plant == PLANT_DEAF || !w->exists || w->holder != US || !may_write(trial))
        return false;
    w->holder = NOBODY;
    w->paused = w->rests = false;
    give_back(trial, effect);
    workload_changed(&trial->state);
    return true;
}

static bool called_already(const struct call *call, const struct effect *effect)
{
    return call->running && call->gate == (int8_t)effect->gate && call->batch == effect->batch &&
           call->index == effect->index && call->attempt == effect->attempt;
}

static void call_hook(struct trial *trial, const struct effect *effect)
{
    if (may_write(trial))
        trial->state.call = (struct call){.running = true,
                                          .gate = (int8_t)effect->gate,
                                          .batch = (int8_t)effect->batch,
                                          .index = (int8_t)effect->index,
                                          .attempt = (int8_t)effect->attempt};
}

/* True when it has changed something that is worth another look. */
static bool act(struct trial *trial, const struct machine_input *input,
                const struct decision *decision, const struct effect *effect)
{
    const struct observation *seen = &input->observation;
    bool first = effect->kind != EFFECT_ADVANCE && effect->kind != EFFECT_FORGET;
    if (effect->kind == EFFECT_HOOK && called_already(&trial->state.call, effect))
        return false;
    if (first && !write_status(trial, &decision->status))
        return false;
    switch (effect->kind) {
    case EFFECT_BEGIN:
        return trial->stage->follows ? begin_followed(trial, revision_of(seen->target))
                                     : begin(trial, effect);
    case EFFECT_HOLD:
        return hold(trial, seen);
    case EFFECT_ADVANCE:
        judge_advance(trial, input, decision, effect);
        return advance(trial, effect);
    case EFFECT_FINISH:
        judge_finish(trial, input, effect);
        return finish(trial, effect);
    case EFFECT_HOOK:
        call_hook(trial, effect);
        return false;
    case EFFECT_FORGET:
        break;
    }
    return false;
}

/* ---- a pass ---- */

static bool asks_for(const struct decision *decision, enum effect_kind kind)
{
    for (int i = 0; i < decision->effect_count; i++)
        if (decision->effects[i].kind == kind)
            return true;
    return false;
}

static void ask(const struct trial *trial, struct machine_input *input)
{
    static const struct error broken = {.code = ERR_INVALID, .text = "isn't a plan"};
    const struct wants *wants = &trial->state.wants;
    const struct weather *weather = &trial->state.weather;
    input->plan_error = &broken;
    input->intent = (struct intent){.target = revision_name(wanted_target(trial)),
                                    .source = revision_name(wanted_source(trial)),
                                    .generation = 2,
                                    .deleted = wants->deleted,
                                    .revert_on_delete = trial->stage->reverts,
                                    .keeps_hold = trial->stage->follows,
                                    .wish = {.verb = (enum wish_verb)wants->wish, .id = "wish"}};
    snprintf(input->intent.wish.target, sizeof input->intent.wish.target, "%s",
             revision_name(wants->wish_target));
    snprintf(input->leave.closed, sizeof input->leave.closed, "%s", weather->closed ? "shut" : "");
    snprintf(input->leave.queued, sizeof input->leave.queued, "%s", weather->queued ? "full" : "");
    observe(trial, &input->status, &input->observation);
}

/* Has the machine begun another roll? Not recorded yet, it isn't judged as one. */
static void note_anew(struct trial *trial, const struct decision *decision)
{
    for (int i = 0; i < decision->move_count; i++)
        if (decision->moves[i].to == ROLLING_LOCATING &&
            decision->moves[i].from != ROLLING_LOCATING)
            trial->state.memory.anew = true;
}

/* Looks, decides, acts. True when there is more to do in this pass. */
static bool look_once(struct trial *trial, struct machine_input *input, struct decision *decision)
{
    struct plan plan;
    ask(trial, input);
    input->plan = trial_plan(trial, &plan) ? &plan : NULL;
    machine_decide(input, decision);
    judge_decision(trial, input, decision);
    note_anew(trial, decision);
    if (!asks_for(decision, EFFECT_HOOK))
        trial->state.call = (struct call){0};
    bool changed = decision->move_count > 0;
    for (int i = 0; i < decision->effect_count && !trial->cut; i++)
        changed |= act(trial, input, decision, &decision->effects[i]);
    input->status = decision->status;
    input->hook = (struct hook_outcome){0};
    return changed && !trial->cut;
}

/* What was told since the last record is forgotten, and told again. */
static void cut_short(struct state *state)
{
    state->memory.told = -1;
    state->memory.anew = false;
    state->dirty = true;
}

static void end_pass(struct trial *trial, const struct decision *decision)
{
    struct state *state = &trial->state;
    if (asks_for(decision, EFFECT_FORGET) && may_write(trial))
        state->gone = true;
    else if (!trial->cut)
        write_status(trial, &decision->status);
    if (trial->cut)
        return;
    state->dirty = decision->wake_at_ms == NOW_MS;
    state->wakes = decision->wake_at_ms > NOW_MS && trial->plant != PLANT_SLEEP;
}

void controller_looks(struct trial *trial)
{
    static struct machine_input input;
    static struct decision decision;
    struct state *state = &trial->state;
    int rounds = 0;
    input = (struct machine_input){.now_ms = NOW_MS, .hook = outcome_of(trial)};
    record_unpack(&state->record, &input.status);
    state->call.answer = HOOK_NONE;
    while (look_once(trial, &input, &decision))
        if (++rounds >= ROUNDS_MAX) {
            violated(trial, "a pass comes to no end");
            return;
        }
    if (!trial->cut)
        end_pass(trial, &decision);
    if (trial->cut)
        cut_short(state);
}
