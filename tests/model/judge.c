// SPDX-License-Identifier: Apache-2.0
/* What must hold. The judges see what nobody in the model sees, and reckon for themselves what a
 * batch leads to. */
#include "trial.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void violated(struct trial *trial, const char *format, ...)
{
    va_list args;
    if (trial->violation[0])
        return;
    va_start(args, format);
    vsnprintf(trial->violation, sizeof trial->violation, format, args);
    va_end(args);
}

/* ---- the way through the tables ---- */

static void note_rolling(struct trial *trial, const struct move *move)
{
    for (int event = 0; event < ROLLING_EVENTS; event++) {
        struct rolling_row row = rolling_transition(move->from, (enum rolling_event)event);
        if (row.next == move->to && row.reason == move->why.code) {
            trial->coverage->rolling[move->from][event] = true;
            return;
        }
    }
    violated(trial, "from %s to %s (%s): that is in no table", rolling_state_name(move->from),
             rolling_state_name(move->to), reason_name(move->why.code));
}

static void note_batch(struct trial *trial, const struct move *move)
{
    for (int event = 0; event < BATCH_EVENTS; event++) {
        struct batch_row row = batch_transition(move->batch_from, (enum batch_event)event);
        if (row.next == move->batch_to && row.reason == move->why.code) {
            trial->coverage->batch[move->batch_from][event] = true;
            return;
        }
    }
    violated(trial, "from %s to %s (%s): that is in no table", batch_state_name(move->batch_from),
             batch_state_name(move->batch_to), reason_name(move->why.code));
}

/* ---- gates ---- */

static bool gate_passed(const struct trial *trial, const struct plan *plan, enum hook_type gate,
                        int batch)
{
    int hooks = 0;
    while (plan_hook(plan, gate, batch, hooks))
        hooks++;
    return hooks == 0 || trial->state.memory.passed[gate] & 1u << batch;
}

static bool partition_allows(const struct plan *plan, int batch)
{
    int last = (int)plan->batch_count - 1;
    return plan->partition < 0 || batch <= plan->partition || plan->partition >= last;
}

static void must_have_passed(struct trial *trial, const struct plan *plan, enum hook_type gate,
                             const struct move *move)
{
    if (!gate_passed(trial, plan, gate, move->batch))
        violated(trial, "no %s hook of batch %d has said yes", hook_type_name(gate), move->batch);
}

static void judge_rolling(struct trial *trial, const struct plan *plan, const struct move *move)
{
    if (plan && move->to == ROLLING_IN_BATCHES)
        must_have_passed(trial, plan, HOOK_INITIALIZE, move);
    if (plan && move->to == ROLLING_SUCCEEDED && move->from == ROLLING_FINALISING)
        must_have_passed(trial, plan, HOOK_FINALIZE, move);
}

static void judge_batch(struct trial *trial, const struct plan *plan, const struct move *move)
{
    if (move->from != ROLLING_IN_BATCHES || !plan || plan->paused) {
        violated(trial, "batch %d moves, but %s", move->batch,
                 plan && plan->paused ? "it is paused" : "there is none");
        return;
    }
    if (move->batch_to == BATCH_IN_ROLLING)
        must_have_passed(trial, plan, HOOK_PRE_BATCH, move);
    if (move->batch_to == BATCH_READY)
        must_have_passed(trial, plan, HOOK_POST_BATCH, move);
    if (move->batch_from == BATCH_READY && !partition_allows(plan, move->batch + 1))
        violated(trial, "batch %d begins beyond partition %d", move->batch + 1, plan->partition);
}

/* Batches come one after the other, none twice, and the moves lead to what is recorded. */
static void judge_way(struct trial *trial, const struct machine_input *input,
                      const struct decision *decision)
{
    int batch = input->status.batch;
    for (int i = 0; i < decision->move_count; i++) {
        const struct move *move = &decision->moves[i];
        if (move->batch != batch)
            violated(trial, "batch %d moves after batch %d", move->batch, batch);
        if (move->to == move->from)
            batch += move->batch_from == BATCH_READY;
        else if (move->to == ROLLING_LOCATING)
            batch = 0;
    }
    if (decision->status.batch != batch)
        violated(trial, "batch %d is recorded after batch %d", decision->status.batch, batch);
}

/* ---- ends ---- */

static bool wants_what_was(const struct trial *trial, const struct machine_input *input)
{
    const struct rollout_status *s = &input->status;
    const struct intent *intent = &input->intent;
    bool answered = !intent->wish.verb || s->answered[0];
    bool sourced = trial->stage->follows || !strcmp(s->source, intent->source);
    return answered && sourced && !strcmp(s->target, intent->target) && !intent->deleted &&
           s->generation == intent->generation;
}

static void judge_end(struct trial *trial, const struct machine_input *input,
                      const struct decision *decision)
{
    if (!rolling_state_terminal(input->status.rolling) || !wants_what_was(trial, input))
        return;
    if (decision->move_count)
        violated(trial, "an end is left for %s", rolling_state_name(decision->moves[0].to));
    for (int i = 0; i < decision->effect_count; i++)
        if (decision->effects[i].kind != EFFECT_HOLD)
            violated(trial, "an end has effects");
}

void judge_decision(struct trial *trial, const struct machine_input *input,
                    const struct decision *decision)
{
    for (int i = 0; i < decision->move_count; i++) {
        const struct move *move = &decision->moves[i];
        trial->coverage->reason[move->why.code] = true;
        if (move->to != move->from) {
            note_rolling(trial, move);
            judge_rolling(trial, input->plan, move);
        } else {
            note_batch(trial, move);
            judge_batch(trial, input->plan, move);
        }
    }
    judge_way(trial, input, decision);
    judge_end(trial, input, decision);
}

/* ---- what the workload is told ---- */

static struct span span_of(const struct rollout_status *s)
{
    if (s->scale)
        return (struct span){s->original_size, s->target_size};
    return (struct span){0, s->target_size};
}

static bool goes_down(const struct rollout_status *s)
{
    return s->scale && s->target_size < s->original_size;
}

/* Is goal a further along than b? */
static bool further(const struct rollout_status *s, int a, int b)
{
    return goes_down(s) ? a < b : a > b;
}

/* The batch to which a goal belongs. */
static int batch_of(const struct plan *plan, const struct rollout_status *s, int goal)
{
    int batch = 0, last = (int)plan->batch_count - 1;
    while (batch < last && further(s, goal, plan_target(plan, span_of(s), batch)))
        batch++;
    return batch;
}

/* It goes further than ever in this roll: then its batch must have its turn, and the one before
 * must have had its pods ready. */
static void judge_turn(struct trial *trial, const struct machine_input *input,
                       const struct rollout_status *s, int goal)
{
    const struct memory *memory = &trial->state.memory;
    int batch = batch_of(input->plan, s, goal);
    if (input->plan->paused)
        violated(trial, "told %d in a pause", goal);
    if (memory->excused)
        return;
    if (batch > 0 && !partition_allows(input->plan, batch))
        violated(trial, "told %d, of batch %d, with partition %d", goal, batch,
                 input->plan->partition);
    if (!gate_passed(trial, input->plan, HOOK_PRE_BATCH, batch))
        violated(trial, "told %d before a hook has let batch %d begin", goal, batch);
    int before = plan_target(input->plan, span_of(s), batch - 1);
    if (batch > 0 && !s->scale && memory->verified < before)
        violated(trial, "told %d, of batch %d, but only %d pods of the %d before were ready", goal,
                 batch, memory->verified, before);
}

void judge_advance(struct trial *trial, const struct machine_input *input,
                   const struct decision *decision, const struct effect *effect)
{
    const struct rollout_status *s = &decision->status;
    const struct memory *memory = &trial->state.memory;
    const struct workload *w = &trial->state.workload;
    int goal = effect->goal;
    bool known = memory->told >= 0, same_size = w->size == memory->told_size;
    bool his = s->scale && goal == w->size; /* what somebody else has brought further along */
    if (!w->exists || w->holder != US)
        violated(trial, "told without being ours");
    if (w->behind && !effect->template_changed)
        violated(trial, "told %d while its controller is behind", goal);
    if (w->revision != w->put && !trial->stage->follows && !effect->paused && !s->scale)
        violated(trial, "led to somebody else's template");
    if (known && !his && further(s, memory->told, goal) && (s->scale || same_size))
        violated(trial, "told %d after %d", goal, memory->told);
    if (effect->paused || his)
        return;
    if (known ? further(s, goal, memory->told) : !s->scale && goal > w->told)
        judge_turn(trial, input, s, goal);
}

static bool may_go_back(const struct trial *trial, const struct machine_input *input)
{
    if (input->intent.deleted)
        return trial->stage->reverts;
    return input->plan &&
           plan_deadline(input->plan, input->status.batch).then == ON_FAILURE_ROLLBACK;
}

void judge_finish(struct trial *trial, const struct machine_input *input,
                  const struct effect *effect)
{
    const struct state *state = &trial->state;
    const struct workload *w = &state->workload;
    if (strcmp(effect->outcome, "rolledBack") == 0 && !may_go_back(trial, input))
        violated(trial, "taken back, as nobody has asked for");
    if (strcmp(effect->outcome, "succeeded") == 0 && !effect->scale && !state->memory.excused &&
        input->plan && input->status.rolling == ROLLING_FINALISING &&
        pods_of(w, w->applied) < w->size)
        violated(trial, "called a success with %d of %d pods at the target", pods_of(w, w->applied),
                 w->size);
}

/* ---- every state ---- */

static int most_tolerated(const struct plan *plan, int size)
{
    int most = 0;
    for (int i = 0; i < (int)plan->batch_count; i++) {
        int tolerance = plan_tolerance(plan, i, size);
        most = tolerance > most ? tolerance : most;
    }
    return most;
}

/* As many pods come at once as the batch has, and those that may be missing of the one before. A
 * pod that was ready and isn't any more was nobody's doing. */
static void judge_promise(struct trial *trial, const struct plan *plan,
                          const struct rollout_status *s, int tolerance)
{
    const struct workload *w = &trial->state.workload;
    struct span span = span_of(s);
    int told = w->told < w->size ? w->told : w->size, batch = batch_of(plan, s, told);
    int begun = batch ? plan_target(plan, span, batch - 1) : 0;
    int coming = w->pods[w->applied - 1][POD_YOUNG];
    if (coming > told - begun + tolerance)
        violated(trial, "%d pods are coming at once; batch %d has %d, and %d may be missing",
                 coming, batch, told - begun, tolerance);
}

static void remember_ready(struct trial *trial, int tolerance)
{
    struct memory *memory = &trial->state.memory;
    const struct workload *w = &trial->state.workload;
    int all = pods_of(w, w->applied), enough = pods_ready_of(w, w->applied) + tolerance;
    int verified = all < enough ? all : enough;
    if (verified > memory->verified)
        memory->verified = (int8_t)verified;
}

void judge_state(struct trial *trial)
{
    const struct record *r = &trial->state.record;
    const struct workload *w = &trial->state.workload;
    struct rollout_status s = {
        .scale = r->scale, .original_size = r->original_size, .target_size = r->target_size};
    struct plan plan;
    bool begun = r->rolling == ROLLING_INITIALIZING || r->rolling == ROLLING_IN_BATCHES;
    bool rolls = begun && w->exists && w->holder == US && w->applied == r->target &&
                 w->revision == w->applied && !r->scale;
    if (!rolls || !trial_plan(trial, &plan))
        return;
    int tolerance = most_tolerated(&plan, w->size);
    if (!trial->state.memory.excused)
        judge_promise(trial, &plan, &s, tolerance);
    remember_ready(trial, tolerance);
}

/* ---- when nothing will happen any more ---- */

void judge_rest(struct trial *trial)
{
    const struct state *state = &trial->state;
    const struct workload *w = &state->workload;
    const struct record *r = &state->record;
    bool ended = state->gone || rolling_state_terminal((enum rolling_state)r->rolling);
    if (!ended) {
        violated(trial, "stands in %s (%s), and nothing will ever happen",
                 rolling_state_name((enum rolling_state)r->rolling),
                 reason_name((enum reason_code)r->reason));
        return;
    }
    if (!w->exists)
        return;
    if (w->holder == US && (state->gone || !trial->stage->follows))
        violated(trial, "has ended, and the workload isn't given back");
    if (w->paused && w->holder != SOMEBODY)
        violated(trial, "has ended, and the workload is held still");
    /* Known; see README.md. */
    bool known = state->memory.touched;
    bool at_target = r->rolling == ROLLING_SUCCEEDED && !state->gone && !known &&
                     w->applied == r->target && w->revision == r->target;
    if (at_target && pods_ready_of(w, r->target) < w->size)
        violated(trial, "has succeeded, and %d of %d pods are at the target",
                 pods_ready_of(w, r->target), w->size);
}
