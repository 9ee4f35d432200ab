// SPDX-License-Identifier: Apache-2.0
/*
 * The driver of the machine: asks the probe of the present state what is true, looks the answer up
 * in the table, makes the move, and goes on until the table says "stay".
 */
#include "rollout/machine_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void status_new(struct rollout_status *ret_status)
{
    *ret_status = (struct rollout_status){
        .original_size = -1, .target_size = -1, .step_target = -1, .wanted_size = -1};
}

void run_why(struct run *run, enum reason_code code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    run->why = (struct reason){.code = code};
    vsnprintf(run->why.message, sizeof run->why.message, format, args);
    va_end(args);
}

static void effect_drop(struct decision *out, enum effect_kind kind)
{
    int kept = 0;
    for (int i = 0; i < out->effect_count; i++)
        if (out->effects[i].kind != kind)
            out->effects[kept++] = out->effects[i];
    out->effect_count = kept;
}

void run_effect(struct run *run, struct effect effect)
{
    struct decision *out = run->out;
    effect_drop(out, effect.kind);
    /* What is given back needn't be advanced any more. */
    if (effect.kind == EFFECT_FINISH)
        effect_drop(out, EFFECT_ADVANCE);
    out->effects[out->effect_count++] = effect;
}

void run_wake(struct run *run, int64_t at_ms)
{
    if (!run->out->wake_at_ms || at_ms < run->out->wake_at_ms)
        run->out->wake_at_ms = at_ms;
}

/* A time later than that of every transition before: moves within one call stay in order. */
static int64_t next_stamp(const struct run *run)
{
    int64_t stamp = run->in->now_ms;
    for (int i = 0; i < CONDITION_TYPES; i++)
        if (run->status->conditions[i].status != CONDITION_ABSENT &&
            run->status->conditions[i].since_ms >= stamp)
            stamp = run->status->conditions[i].since_ms + 1;
    return stamp;
}

static void condition_set(struct run *run, enum condition_type type, bool fulfilled,
                          const struct reason *why)
{
    struct condition *condition = &run->status->conditions[type];
    enum condition_status status = fulfilled ? CONDITION_TRUE : CONDITION_FALSE;
    if (condition->status != status)
        condition->since_ms = next_stamp(run);
    condition->status = status;
    condition->reason = why->code;
    snprintf(condition->message, sizeof condition->message, "%s", why->message);
}

/* Entering a state starts its condition anew, also where an earlier batch has left it false. */
static void condition_start(struct run *run, enum condition_type type, bool fulfilled,
                            const struct reason *why)
{
    run->status->conditions[type].status = CONDITION_ABSENT;
    condition_set(run, type, fulfilled, why);
}

static enum condition_type rolling_condition(enum rolling_state state)
{
    static const enum condition_type types[] = {
#define ROLLING_STATE(id, wire, condition, text) CONDITION_##condition,
#include "rollout/states.def"
    };
    return types[state];
}

static enum condition_type batch_condition(enum batch_state state)
{
    static const enum condition_type types[] = {
#define BATCH_STATE(id, wire, condition, text) CONDITION_##condition,
#include "rollout/states.def"
    };
    return types[state];
}

/* Did the state that is left do what it is there for, or was it interrupted? */
static bool event_completes(enum rolling_event event)
{
    return event == ON_LOCATED || event == ON_VERIFIED || event == ON_TAKEN_OVER ||
           event == ON_BATCHES_DONE || event == ON_RELEASED;
}

static struct move *move_add(struct run *run, struct reason why)
{
    const struct rollout_status *s = run->status;
    struct move *move = &run->out->moves[run->out->move_count++];
    *move = (struct move){.from = s->rolling,
                          .to = s->rolling,
                          .batch_from = s->batch_state,
                          .batch_to = s->batch_state,
                          .batch = s->batch,
                          .why = why};
    return move;
}

/* The row's reason, in the probe's own words where it has any. */
static struct reason row_reason(const struct run *run, enum reason_code code)
{
    struct reason why = run->why;
    if (!why.message[0])
        snprintf(why.message, sizeof why.message, "%s", reason_text(code));
    why.code = code;
    return why;
}

static void move_tell(struct move *move, bool warning)
{
    move->tell = true;
    move->warning = warning;
}

/* "CloneSet default/web: 5 pods to shop-v2 from shop-v1 in 3 batches" */
static void tell_start(const struct run *run, struct move *move)
{
    const struct rollout_status *s = run->status;
    int batches = (int)run->in->plan->batch_count;
    if (s->scale)
        snprintf(move->why.message, sizeof move->why.message,
                 "%.200s: from %d to %d pods of %.150s in %d %s", run->in->observation.object,
                 s->original_size, s->target_size, s->target, batches,
                 batches == 1 ? "batch" : "batches");
    else
        snprintf(move->why.message, sizeof move->why.message,
                 "%.150s: %d pods to %.150s%s%.150s in %d %s", run->in->observation.object,
                 s->target_size, s->target, s->source[0] ? " from " : "", s->source, batches,
                 batches == 1 ? "batch" : "batches");
    move_tell(move, false);
}

static void tell_batch(const struct run *run, struct move *move)
{
    const struct rollout_status *s = run->status;
    snprintf(move->why.message, sizeof move->why.message,
             s->scale ? "batch %d of %zu is done: %d of %d replicas"
                      : "batch %d of %zu is done: %d of %d pods upgraded",
             s->batch + 1, run->in->plan->batch_count, s->step_target, s->target_size);
    move_tell(move, false);
}

static void tell_success(const struct run *run, struct move *move)
{
    const struct rollout_status *s = run->status;
    snprintf(move->why.message, sizeof move->why.message, "%.200s: all %d pods are at %.200s",
             run->in->observation.object, s->target_size, s->target);
    move_tell(move, false);
}

static void move_describe(const struct run *run, struct move *move)
{
    switch (move->to) {
    case ROLLING_IN_BATCHES:
        tell_start(run, move);
        return;
    case ROLLING_SUCCEEDED:
        tell_success(run, move);
        return;
    case ROLLING_ABANDONING:
        snprintf(move->why.message, sizeof move->why.message,
                 "the target has changed from %.200s to %.200s; the workload stays where it is "
                 "until that begins",
                 run->status->target, run->in->intent.target);
        move_tell(move, false);
        return;
    case ROLLING_FAILED:
        if (move->from == ROLLING_FAILING) /* the end of it tells the cause once more */
            snprintf(move->why.message, sizeof move->why.message, "%s",
                     run->status->conditions[CONDITION_ROLLOUT_FAILING].message);
        move_tell(move, true);
        return;
    case ROLLING_FAILING:
        move_tell(move, true);
        return;
    case ROLLING_DELETING:
        move->tell = run->status->engaged;
        return;
    case ROLLING_LOCATING:
    case ROLLING_VERIFYING:
    case ROLLING_INITIALIZING:
    case ROLLING_FINALISING:
    case ROLLING_STATES:
        return;
    }
}

/* A new roll begins with nothing but the memory of why the last one was left. */
static void status_restart(struct rollout_status *s)
{
    struct condition abandoned = s->conditions[CONDITION_ROLLOUT_ABANDONING];
    status_new(s);
    s->conditions[CONDITION_ROLLOUT_ABANDONING] = abandoned;
}

/* What is being rolled is written down when it was found, and compared with what is wanted later.
 */
static void record_target(struct run *run)
{
    struct rollout_status *s = run->status;
    snprintf(s->target, sizeof s->target, "%s", run->in->intent.target);
    snprintf(s->source, sizeof s->source, "%s", run->in->intent.source);
    s->wanted_size = run->in->plan ? run->in->plan->target_size : -1;
}

static void enter_rolling(struct run *run, enum rolling_state next)
{
    struct rollout_status *s = run->status;
    if (s->rolling == ROLLING_LOCATING)
        record_target(run);
    s->gate = (struct gate){0};
    if (next == ROLLING_LOCATING)
        status_restart(s);
    if (next == ROLLING_INITIALIZING)
        s->engaged = true;
    if (rolling_state_terminal(next)) {
        s->engaged = false;
        s->applied_revision[0] = '\0';
        if (next == ROLLING_SUCCEEDED)
            memcpy(s->applied_revision, s->target_revision, sizeof s->applied_revision);
    }
    s->rolling = next;
}

/* Makes the move that the table has for the event, unless that says "stay". */
static void rolling_apply(struct run *run, enum rolling_event event)
{
    struct rollout_status *s = run->status;
    enum rolling_state from = s->rolling;
    struct rolling_row row = rolling_transition(from, event);
    if (row.next == from)
        return;
    struct reason why = row_reason(run, row.reason);
    struct move *move = move_add(run, why);
    move->to = row.next;
    move_describe(run, move);
    condition_set(run, rolling_condition(from), event_completes(event), &why);
    enter_rolling(run, row.next);
    bool terminal = rolling_state_terminal(row.next);
    condition_start(run, rolling_condition(row.next), terminal, &move->why);
    if (row.next == ROLLING_IN_BATCHES) {
        s->batch_state = BATCH_INITIALIZING;
        condition_start(run, CONDITION_BATCH_INITIALIZING, false, &why);
    }
}

static void enter_batch(struct run *run, enum batch_state next)
{
    struct rollout_status *s = run->status;
    if (s->batch_state == BATCH_READY && next == BATCH_INITIALIZING)
        s->batch++;
    s->batch_state = next;
    s->gate = (struct gate){0};
}

enum rolling_event batch_step(struct run *run)
{
    struct rollout_status *s = run->status;
    enum batch_state from = s->batch_state;
    enum batch_event event = batch_probe(run);
    struct batch_row row = batch_transition(from, event);
    if (row.next == from)
        return row.raises;
    struct reason why = row_reason(run, row.reason);
    struct move *move = move_add(run, why);
    move->batch_to = row.next;
    if (row.next == BATCH_READY)
        tell_batch(run, move);
    condition_set(run, batch_condition(from), event != ON_BATCH_REJECTED, &why);
    enter_batch(run, row.next);
    bool reached = row.next == BATCH_VERIFY_FAILED || row.raises == ON_BATCHES_DONE;
    condition_start(run, batch_condition(row.next), reached, &move->why);
    return row.raises;
}

/* False when the machine has to wait. */
static bool run_step(struct run *run)
{
    int moves = run->out->move_count;
    run->why = (struct reason){.code = REASON_WAITING};
    rolling_apply(run, rolling_probe(run));
    return run->out->move_count > moves;
}

/* Counters are true only once the workload's controller has seen what we wrote. */
static void record_observation(struct run *run)
{
    const struct observation *seen = &run->in->observation;
    struct rollout_status *s = run->status;
    bool under_way = s->rolling >= ROLLING_IN_BATCHES && s->rolling <= ROLLING_FAILING;
    if (!under_way || !seen->exists || !seen->settled || !seen->applied)
        return;
    s->upgraded = seen->updated;
    s->upgraded_ready = seen->updated_ready;
    snprintf(s->target_revision, sizeof s->target_revision, "%s", seen->update_revision);
}

static void record_paused(struct run *run)
{
    struct rollout_status *s = run->status;
    bool paused = s->rolling == ROLLING_IN_BATCHES && s->reason.code == REASON_PAUSED;
    bool known = s->conditions[CONDITION_BATCH_PAUSED].status != CONDITION_ABSENT;
    if (paused || known)
        condition_set(run, CONDITION_BATCH_PAUSED, paused, &s->reason);
}

/* Why it stands where it stands; the time stays while the reason does. */
static void record_reason(struct run *run, const struct rollout_status *before)
{
    struct rollout_status *s = run->status;
    bool terminal = rolling_state_terminal(s->rolling);
    if (terminal)
        run_why(run, s->rolling == ROLLING_SUCCEEDED ? REASON_SUCCEEDED : REASON_FAILED, "%s",
                s->conditions[rolling_condition(s->rolling)].message);
    s->reason = run->why;
    if (!s->reason.message[0])
        snprintf(s->reason.message, sizeof s->reason.message, "%s", reason_text(s->reason.code));
    bool same = s->reason.code == before->reason.code && s->rolling == before->rolling &&
                s->batch == before->batch && before->reason_since_ms;
    s->reason_since_ms = same ? before->reason_since_ms : run->in->now_ms;
    run->out->tell_reason = !same && !terminal && reason_needs_person(s->reason.code);
}

void machine_decide(const struct machine_input *input, struct decision *ret_decision)
{
    *ret_decision = (struct decision){.status = input->status};
    struct run run = {
        .in = input, .out = ret_decision, .status = &ret_decision->status, .hook = input->hook};
    record_observation(&run);
    /* Each step adds at most two moves. */
    bool moved = true;
    while (moved && ret_decision->move_count + 2 <= MOVES_MAX)
        moved = run_step(&run);
    if (moved)
        run_wake(&run, input->now_ms);
    record_reason(&run, &input->status);
    record_paused(&run);
    ret_decision->status.generation = input->intent.generation;
}
