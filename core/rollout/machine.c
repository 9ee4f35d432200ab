// SPDX-License-Identifier: Apache-2.0
/*
 * The driver of the machine: asks the probe of the present state what is true, looks the answer up
 * in the table, makes the move, and goes on until the table says "stay".
 */
#include "rollout/machine_private.h"

#include <stdio.h>
#include <string.h>

enum {
    SIZE_LIMIT = 1000000000, /* pods; sums of two still fit an int */
    COUNT_LIMIT = 1000000,   /* batches, hooks, attempts */
    MOVES_A_STEP = 2,        /* one of the batch, one of the rollout */
};
static const int64_t TIME_LIMIT_MS = 253402300799999; /* the end of the year 9999 */

void status_new(struct rollout_status *ret_status)
{
    *ret_status = (struct rollout_status){
        .original_size = -1, .target_size = -1, .step_target = -1, .wanted_size = -1};
}

/* What was wished once isn't wished again. */
static void status_renew(struct rollout_status *s, bool engaged)
{
    char answered[WISH_ID_SIZE];
    memcpy(answered, s->answered, sizeof answered);
    status_new(s);
    memcpy(s->answered, answered, sizeof answered);
    s->engaged = engaged;
}

static int64_t within(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

/* Does the record lack what its state needs? */
static bool status_broken(const struct rollout_status *s)
{
    if (s->rolling >= ROLLING_STATES || s->batch_state >= BATCH_STATES)
        return true;
    bool under_way = s->rolling == ROLLING_INITIALIZING || s->rolling == ROLLING_IN_BATCHES ||
                     s->rolling == ROLLING_FINALISING;
    return under_way && (!s->target[0] || s->original_size < 0 || s->target_size < 0);
}

/* Whoever may write the status can write nonsense. What is broken is begun anew, which finds
 * everything out again; numbers are brought to where the arithmetic holds. */
static void status_mend(struct rollout_status *s, int64_t now_ms)
{
    if (status_broken(s)) {
        status_renew(s, s->engaged);
        return;
    }
    s->batch = (int)within(s->batch, 0, COUNT_LIMIT);
    s->original_size = (int)within(s->original_size, -1, SIZE_LIMIT);
    s->target_size = (int)within(s->target_size, -1, SIZE_LIMIT);
    s->step_target = (int)within(s->step_target, -1, SIZE_LIMIT);
    s->step_at_ms = within(s->step_at_ms, 0, now_ms);
    s->standing.since_ms = within(s->standing.since_ms, 0, now_ms);
    s->standing.ready = (int)within(s->standing.ready, 0, SIZE_LIMIT);
    s->gate.passed = (int)within(s->gate.passed, 0, COUNT_LIMIT);
    s->gate.attempts = (int)within(s->gate.attempts, 0, COUNT_LIMIT);
    s->gate.retry_at_ms = within(s->gate.retry_at_ms, 0, now_ms + RETRY_LAST_MS);
    for (int i = 0; i < CONDITION_TYPES; i++)
        s->conditions[i].since_ms = within(s->conditions[i].since_ms, 0, TIME_LIMIT_MS);
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
    if (effect.kind == EFFECT_FINISH || effect.kind == EFFECT_HOLD)
        effect_drop(out, EFFECT_ADVANCE);
    out->effects[out->effect_count++] = effect;
}

void run_wake(struct run *run, int64_t at_ms)
{
    if (!run->out->wake_at_ms || at_ms < run->out->wake_at_ms)
        run->out->wake_at_ms = at_ms;
}

/* A reason in the probe's own words where it has any, else in the words of the table. */
static struct reason reason_of_row(const struct run *run, enum reason_code code)
{
    struct reason why = run->why;
    why.code = code;
    if (!why.message[0])
        reason_say(&why, "%s", reason_text(code));
    return why;
}

/* Did the state that is left do what it is there for, or was it interrupted? */
static bool event_completes(enum rolling_event event)
{
    return event == ON_LOCATED || event == ON_VERIFIED || event == ON_TAKEN_OVER ||
           event == ON_BATCHES_DONE || event == ON_RELEASED || event == ON_HELD ||
           event == ON_UNCHANGED;
}

/* A new roll begins with nothing but the memory of why the last one was left, and of a workload
 * that is held all the time. */
static void status_restart(struct run *run)
{
    struct rollout_status *s = run->status;
    struct condition abandoned = s->conditions[CONDITION_ROLLOUT_ABANDONING];
    status_renew(s, s->engaged && run->in->intent.keeps_hold);
    s->conditions[CONDITION_ROLLOUT_ABANDONING] = abandoned;
}

/* What is rolled is written down when it was found, and compared with what is wanted later. */
static void record_target(struct run *run)
{
    struct rollout_status *s = run->status;
    snprintf(s->target, sizeof s->target, "%s", run->in->intent.target);
    snprintf(s->source, sizeof s->source, "%s", run->in->intent.source);
    s->wanted_size = run->in->plan ? run->in->plan->target_size : -1;
}

static void enter_end(struct run *run, enum rolling_state end)
{
    struct rollout_status *s = run->status;
    s->engaged = s->engaged && run->in->intent.keeps_hold;
    if (end == ROLLING_SUCCEEDED)
        memcpy(s->applied_revision, s->target_revision, sizeof s->applied_revision);
}

static void enter_first_batch(struct rollout_status *s)
{
    s->batch_state = BATCH_INITIALIZING;
    s->batch = 0;
    s->step_target = -1;
    s->step_met = false;
}

/* Every state has a gate of its own; an answer that came for the last one means nothing here. */
static void leave_gate(struct run *run)
{
    run->status->gate = (struct gate){0};
    run->hook.result = HOOK_NONE;
}

static void enter_rolling(struct run *run, enum rolling_state next)
{
    struct rollout_status *s = run->status;
    if (s->rolling == ROLLING_LOCATING)
        record_target(run);
    leave_gate(run);
    if (next == ROLLING_LOCATING)
        status_restart(run);
    s->generation = run->in->intent.generation; /* what is refused now was written then */
    if (next == ROLLING_INITIALIZING || next == ROLLING_HOLDING)
        s->engaged = true;
    if (next == ROLLING_IN_BATCHES)
        enter_first_batch(s);
    if (rolling_state_terminal(next))
        enter_end(run, next);
    s->rolling = next;
}

/* The cause for which a way out was taken is told once more at its end. */
static void recall_cause(const struct run *run, struct reason *why)
{
    enum rolling_state from = run->status->rolling;
    const char *cause = run->status->conditions[rolling_condition(from)].message;
    if (cause[0] && (from == ROLLING_FAILING || from == ROLLING_ABANDONING))
        reason_say(why, "%s", cause);
}

/* Makes the move that the table has for the event, unless that says "stay". */
static void rolling_apply(struct run *run, enum rolling_event event)
{
    enum rolling_state from = run->status->rolling;
    struct rolling_row row = rolling_transition(from, event);
    if (row.next == from) {
        if (!run->why.message[0])
            run->why.code = row.reason;
        return;
    }
    struct reason why = reason_of_row(run, row.reason);
    if (event == ON_RELEASED)
        recall_cause(run, &why);
    struct move *move = move_add(run, &why);
    move->to = row.next;
    move_describe(run, move);
    condition_set(run, rolling_condition(from), event_completes(event), &why);
    enter_rolling(run, row.next);
    condition_start(run, rolling_condition(row.next), rolling_state_terminal(row.next), &move->why);
    if (row.next == ROLLING_IN_BATCHES)
        condition_start(run, CONDITION_BATCH_INITIALIZING, false, &why);
}

static void enter_batch(struct run *run, enum batch_state next)
{
    struct rollout_status *s = run->status;
    if (next == BATCH_INITIALIZING)
        s->batch++; /* the first one is entered with its roll */
    s->batch_state = next;
    leave_gate(run);
}

enum rolling_event batch_step(struct run *run)
{
    enum batch_state from = run->status->batch_state;
    enum batch_event event = batch_probe(run);
    struct batch_row row = batch_transition(from, event);
    if (row.next == from)
        return row.raises;
    struct reason why = reason_of_row(run, row.reason);
    struct move *move = move_add(run, &why);
    move->batch_to = row.next;
    if (row.next == BATCH_READY)
        tell_batch(run, move);
    condition_set(run, batch_condition(from), event != ON_BATCH_REJECTED, &why);
    enter_batch(run, row.next);
    bool reached = row.next == BATCH_VERIFY_FAILED || row.raises == ON_BATCHES_DONE;
    condition_start(run, batch_condition(row.next), reached, &move->why);
    return row.raises;
}

/* A new workload is held as soon as its pods are there, and they become ready afterwards. What
 * comes and goes later is the workload's own business, and no news of the roll. */
static bool ready_at_rest(const struct run *run)
{
    const struct observation *seen = &run->in->observation;
    const struct rollout_status *s = run->status;
    return s->rolling == ROLLING_SUCCEEDED && run->in->intent.keeps_hold &&
           seen->updated == s->upgraded && seen->updated_ready > s->upgraded_ready;
}

/* Counters are true only once the workload's controller has seen what we wrote. */
static void record_observation(struct run *run)
{
    const struct observation *seen = &run->in->observation;
    struct rollout_status *s = run->status;
    bool counts = s->rolling == ROLLING_IN_BATCHES || s->rolling == ROLLING_FINALISING ||
                  s->rolling == ROLLING_FAILING ||
                  (s->rolling == ROLLING_VERIFYING && run->in->intent.keeps_hold) ||
                  ready_at_rest(run);
    if (!counts || !seen->exists || !seen->settled || !seen->applied || seen->template_changed)
        return;
    s->upgraded = seen->updated;
    s->upgraded_ready = seen->updated_ready;
    snprintf(s->target_revision, sizeof s->target_revision, "%s", seen->update_revision);
}

/* False when the machine has to wait. */
static bool run_step(struct run *run)
{
    int moves = run->out->move_count;
    record_observation(run);
    run->why = (struct reason){.code = REASON_WAITING};
    rolling_apply(run, rolling_probe(run));
    return run->out->move_count > moves;
}

/* Why it stands where it stands; the time stays while the reason does. */
static void record_reason(struct run *run)
{
    const struct rollout_status *before = &run->in->status;
    struct rollout_status *s = run->status;
    s->reason = reason_of_row(run, run->why.code);
    bool same = s->reason.code == before->reason.code && s->rolling == before->rolling &&
                s->batch == before->batch && before->reason_since_ms;
    s->reason_since_ms = same ? before->reason_since_ms : run->in->now_ms;
    run->out->tell_reason = !same && reason_needs_person(s->reason.code);
}

void machine_decide(const struct machine_input *input, struct decision *ret_decision)
{
    *ret_decision = (struct decision){.status = input->status};
    struct run run = {
        .in = input, .out = ret_decision, .status = &ret_decision->status, .hook = input->hook};
    status_mend(run.status, input->now_ms);
    bool moved = true;
    while (moved && ret_decision->move_count + MOVES_A_STEP <= MOVES_MAX)
        moved = run_step(&run);
    if (moved) /* there was more to do than one call tells */
        run_wake(&run, input->now_ms);
    record_reason(&run);
    condition_paused(&run);
    run.status->generation = input->intent.generation;
}
