// SPDX-License-Identifier: Apache-2.0
/* What must hold of every decision, whatever led to it. */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* One decision with what it was made from. */
struct case_of {
    struct world *world;
    const struct machine_input *in;
    const struct decision *out;
};

#define MUST(c, condition, ...)                                                                    \
    do {                                                                                           \
        if (!(condition))                                                                          \
            broken(c, #condition, __VA_ARGS__);                                                    \
    } while (0)

__attribute__((format(printf, 3, 4))) static void
broken(const struct case_of *c, const char *condition, const char *format, ...)
{
    char words[300];
    const struct rollout_status *s = &c->in->status;
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    fail_msg("%s: %s\n  in %s/%s of batch %d, step %d, sizes %d to %d\nafter\n%s", condition, words,
             rolling_state_name(s->rolling), batch_state_name(s->batch_state), s->batch,
             s->step_target, s->original_size, s->target_size,
             c->world->journal.at ? c->world->journal.at : "");
}

/* ---- equality ---- */

static bool reason_equal(const struct reason *a, const struct reason *b)
{
    return a->code == b->code && !strcmp(a->message, b->message) && !strcmp(a->object, b->object) &&
           !strcmp(a->field, b->field) && !strcmp(a->expected, b->expected) &&
           !strcmp(a->found, b->found);
}

static bool condition_equal(const struct condition *a, const struct condition *b)
{
    return a->status == b->status && a->since_ms == b->since_ms && a->reason == b->reason &&
           !strcmp(a->message, b->message);
}

bool status_equal(const struct rollout_status *a, const struct rollout_status *b)
{
    for (int i = 0; i < CONDITION_TYPES; i++)
        if (!condition_equal(&a->conditions[i], &b->conditions[i]))
            return false;
    return a->rolling == b->rolling && a->batch_state == b->batch_state && a->batch == b->batch &&
           a->scale == b->scale && a->original_size == b->original_size &&
           a->target_size == b->target_size && a->upgraded == b->upgraded &&
           a->upgraded_ready == b->upgraded_ready && a->step_target == b->step_target &&
           a->step_at_ms == b->step_at_ms && a->step_met == b->step_met &&
           a->half_way == b->half_way && a->engaged == b->engaged &&
           !strcmp(a->target, b->target) && !strcmp(a->source, b->source) &&
           a->wanted_size == b->wanted_size && !strcmp(a->target_revision, b->target_revision) &&
           !strcmp(a->applied_revision, b->applied_revision) && a->generation == b->generation &&
           !strcmp(a->answered, b->answered) && a->gate.passed == b->gate.passed &&
           a->gate.attempts == b->gate.attempts && a->gate.retry_at_ms == b->gate.retry_at_ms &&
           reason_equal(&a->reason, &b->reason) && a->reason_since_ms == b->reason_since_ms;
}

static bool text_equal(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

bool effect_equal(const struct effect *a, const struct effect *b)
{
    return a->kind == b->kind && a->scale == b->scale && a->goal == b->goal &&
           a->paused == b->paused && a->batch == b->batch && text_equal(a->outcome, b->outcome) &&
           a->gate == b->gate && a->index == b->index && a->attempt == b->attempt;
}

static bool effects_equal(const struct decision *a, const struct decision *b)
{
    if (a->effect_count != b->effect_count)
        return false;
    for (int i = 0; i < a->effect_count; i++)
        if (!effect_equal(&a->effects[i], &b->effects[i]))
            return false;
    return true;
}

static bool move_equal(const struct move *a, const struct move *b)
{
    return a->from == b->from && a->to == b->to && a->batch_from == b->batch_from &&
           a->batch_to == b->batch_to && a->batch == b->batch && reason_equal(&a->why, &b->why) &&
           a->tell == b->tell && a->warning == b->warning;
}

static bool decision_equal(const struct decision *a, const struct decision *b)
{
    bool equal = status_equal(&a->status, &b->status) && effects_equal(a, b) &&
                 a->move_count == b->move_count && a->tell_reason == b->tell_reason &&
                 a->wake_at_ms == b->wake_at_ms;
    for (int i = 0; equal && i < a->move_count; i++)
        equal = move_equal(&a->moves[i], &b->moves[i]);
    return equal;
}

/* ---- moves ---- */

static bool in_rolling_table(enum rolling_state from, enum rolling_state to)
{
    for (int event = 0; event < ROLLING_EVENTS; event++)
        if (rolling_transition(from, (enum rolling_event)event).next == to)
            return true;
    return false;
}

static bool in_batch_table(enum batch_state from, enum batch_state to)
{
    for (int event = 0; event < BATCH_EVENTS; event++)
        if (batch_transition(from, (enum batch_event)event).next == to)
            return true;
    return false;
}

/* The moves are a way through the tables, from the recorded state to the decided one. */
static void check_moves(const struct case_of *c)
{
    const struct rollout_status *s = &c->out->status;
    enum rolling_state at = c->in->status.rolling;
    enum batch_state batch_at = c->in->status.batch_state;
    int batch = c->in->status.batch;
    for (int i = 0; i < c->out->move_count; i++) {
        const struct move *move = &c->out->moves[i];
        MUST(c, move->from == at && move->batch_from == batch_at && move->batch == batch,
             "move %d doesn't begin where the last one ended", i);
        MUST(c, move->why.message[0], "move %d has no words", i);
        if (move->to != move->from) {
            MUST(c, in_rolling_table(move->from, move->to), "move %d isn't in the table", i);
            at = move->to;
        } else {
            MUST(c, move->from == ROLLING_IN_BATCHES, "a batch moved in %s",
                 rolling_state_name(move->from));
            MUST(c, in_batch_table(move->batch_from, move->batch_to), "move %d isn't in the table",
                 i);
            batch_at = move->batch_to;
            batch += move->batch_from == BATCH_READY;
        }
        if (at == ROLLING_LOCATING)
            batch = 0;
        if (move->to == ROLLING_LOCATING || move->to == ROLLING_IN_BATCHES)
            batch_at = move->to != move->from ? BATCH_INITIALIZING : batch_at;
    }
    MUST(c, s->rolling == at && s->batch_state == batch_at && s->batch == batch,
         "the moves lead to %s/%s %d", rolling_state_name(at), batch_state_name(batch_at), batch);
}

/* An end stays an end until something else is wanted. */
static void check_end(const struct case_of *c)
{
    const struct rollout_status *before = &c->in->status;
    const struct intent *intent = &c->in->intent;
    bool answered = !intent->wish.verb || !strcmp(before->answered, intent->wish.id);
    bool same = answered && !strcmp(before->target, intent->target) &&
                (!strcmp(before->source, intent->source) || intent->keeps_hold) &&
                before->generation == intent->generation && !intent->deleted;
    if (!rolling_state_terminal(before->rolling) || !same)
        return;
    MUST(c, c->out->move_count == 0, "an end was left");
    for (int i = 0; i < c->out->effect_count; i++)
        MUST(c, c->out->effects[i].kind == EFFECT_HOLD, "an end has effects");
    MUST(c, c->out->wake_at_ms == 0, "an end asks for something");
    if (intent->keeps_hold)
        return; /* it tells what becomes of the workload */
    MUST(c, !c->out->tell_reason, "an end asks for something");
    MUST(c, status_equal(before, &c->out->status), "an end is written anew");
}

/* ---- gates, partition, pause ---- */

static void check_gate(const struct case_of *c, enum hook_type gate, int batch)
{
    for (int i = 0; c->in->plan && plan_hook(c->in->plan, gate, batch, i); i++)
        MUST(c, c->world->passed[gate][batch] & 1u << i, "%s hook %d of batch %d hasn't said yes",
             hook_type_name(gate), i, batch);
}

static void check_approval(const struct case_of *c, int batch)
{
    const struct plan *plan = c->in->plan;
    int last = (int)plan->batch_count - 1;
    MUST(c, plan->partition < 0 || plan->partition > batch || plan->partition >= last,
         "batch %d is beyond partition %d", batch + 1, plan->partition);
}

static void check_passages(const struct case_of *c)
{
    for (int i = 0; i < c->out->move_count; i++) {
        const struct move *move = &c->out->moves[i];
        if (move->to == ROLLING_IN_BATCHES && move->from == ROLLING_INITIALIZING)
            check_gate(c, HOOK_INITIALIZE, 0);
        if (move->to == ROLLING_SUCCEEDED && move->from == ROLLING_FINALISING)
            check_gate(c, HOOK_FINALIZE, move->batch);
        if (move->to != move->from || move->from != ROLLING_IN_BATCHES)
            continue;
        MUST(c, !c->in->plan->paused, "batch %d moves while it is paused", move->batch);
        if (move->batch_to == BATCH_IN_ROLLING)
            check_gate(c, HOOK_PRE_BATCH, move->batch);
        if (move->batch_from == BATCH_FINALIZING && move->batch_to == BATCH_READY)
            check_gate(c, HOOK_POST_BATCH, move->batch);
        if (move->batch_from == BATCH_READY)
            check_approval(c, move->batch);
    }
}

/* ---- goals ---- */

static int in_proportion(int pods, int to, int from)
{
    return from > 0 ? (int)(((int64_t)pods * to + from - 1) / from) : to;
}

/* Where the plan leads with a batch, by its own arithmetic. */
static int limit_of(const struct case_of *c, int batch)
{
    const struct rollout_status *s = &c->out->status;
    if (s->scale)
        return plan_target(c->in->plan, (struct span){s->original_size, s->target_size}, batch);
    if (s->original_size == 0)
        return plan_target(c->in->plan, (struct span){0, s->target_size}, batch);
    return in_proportion(plan_target(c->in->plan, (struct span){0, s->original_size}, batch),
                         s->target_size, s->original_size);
}

static bool scales_down(const struct rollout_status *s)
{
    return s->scale && s->target_size < s->original_size;
}

/* Is goal a no further along than b? */
static bool no_further(const struct case_of *c, int a, int b)
{
    return scales_down(&c->out->status) ? a >= b : a <= b;
}

/* Goals go one way only, and never beyond the batch that its gate has let pass. */
static void check_goal(const struct case_of *c, const struct effect *effect)
{
    const struct rollout_status *s = &c->out->status;
    const struct observation *seen = &c->in->observation;
    const struct world *world = c->world;
    int size = world->workload.size, told = world->told, goal = effect->goal;
    int batch = s->batch_state == BATCH_INITIALIZING ? s->batch - 1 : s->batch;
    MUST(c, seen->exists && seen->held && seen->applied, "told without being ready for it");
    MUST(c, !seen->rests || s->scale, "told while it rests");
    MUST(c, seen->settled || seen->template_changed, "told while its controller is behind");
    MUST(c, effect->template_changed == seen->template_changed, "told of the wrong template");
    MUST(c, effect->paused || !seen->template_changed, "led to somebody else's template");
    MUST(c, effect->batch >= 0 && effect->batch < (int)c->in->plan->batch_count,
         "batch %d isn't in the plan", effect->batch);
    MUST(c, effect->scale == s->scale, "of the other kind");
    /* It may hold what was told or recorded before, also when the plan leads less far by now. */
    const struct rollout_status *before = &c->in->status;
    bool held =
        (told >= 0 && no_further(c, goal, in_proportion(told, size, world->told_size))) ||
        (before->step_target >= 0 &&
         no_further(c, goal,
                    in_proportion(before->step_target, s->target_size, before->target_size)));
    /* While scaling, what somebody else has brought further along is his. */
    bool his = s->scale && goal == seen->size;
    MUST(c, held || his || no_further(c, goal, limit_of(c, batch)),
         "told %d after %d; batch %d leads to %d", goal, told, batch, limit_of(c, batch));
    if (told < 0 || (effect->template_changed && s->step_target < 0))
        return; /* before the first batch it can be stopped, but not led anywhere */
    if (s->scale)
        MUST(c, his || goal == s->step_target, "told %d instead of %d", goal, s->step_target);
    else
        MUST(c, goal >= told || size < world->told_size, "told %d after %d", goal, told);
    if (effect->paused)
        MUST(c, goal == told || size != world->told_size, "told %d after %d in a pause", goal,
             told);
}

/* What a roll has come to is never taken back, unless there are fewer pods. */
static void check_step(const struct case_of *c)
{
    const struct rollout_status *before = &c->in->status, *s = &c->out->status;
    if (s->rolling != ROLLING_IN_BATCHES || before->rolling != ROLLING_IN_BATCHES ||
        s->target_size < before->target_size || before->step_target < 0)
        return;
    MUST(c, no_further(c, before->step_target, s->step_target), "step %d after %d", s->step_target,
         before->step_target);
}

/* Had this batch been told all that it is told, when the call came? */
static bool wholly_told(const struct rollout_status *s, int batch)
{
    if (s->rolling != ROLLING_IN_BATCHES)
        return false;
    if (s->batch_state == BATCH_INITIALIZING)
        return s->batch == batch + 1;
    return s->batch == batch && s->batch_state != BATCH_IN_ROLLING;
}

/* What a batch was told: it was told in this call, or before it, and then moved in proportion when
 * the size has changed since. */
static int goal_of(const struct case_of *c, int batch)
{
    const struct rollout_status *before = &c->in->status, *s = &c->out->status;
    if (!wholly_told(before, batch))
        return limit_of(c, batch);
    if (before->target_size == s->target_size || before->target_size == 0)
        return before->step_target;
    int moved = (int)((int64_t)before->step_target * s->target_size / before->target_size);
    return moved < limit_of(c, batch) ? moved : limit_of(c, batch);
}

/* A batch is left only when enough of its pods are ready, and the next begins only when they still
 * are. */
static void check_verified(const struct case_of *c)
{
    const struct rollout_status *s = &c->out->status;
    const struct observation *seen = &c->in->observation;
    for (int i = 0; i < c->out->move_count; i++) {
        const struct move *move = &c->out->moves[i];
        bool begins = move->batch_to == BATCH_IN_ROLLING && move->batch > 0;
        if (move->to != move->from || (move->batch_from != BATCH_VERIFYING && !begins))
            continue;
        int told = begins ? move->batch - 1 : move->batch, goal = goal_of(c, told);
        int last = (int)c->in->plan->batch_count - 1, batch = told < last ? told : last;
        int tolerance = plan_tolerance(c->in->plan, batch, s->target_size);
        if (!s->scale)
            MUST(c, seen->updated >= goal && seen->updated_ready + tolerance >= goal,
                 "%d of %d updated pods were enough", seen->updated_ready, goal);
        else if (scales_down(s))
            MUST(c, seen->ready <= goal, "%d pods for %d", seen->ready, goal);
        else
            MUST(c, seen->ready + tolerance >= goal, "%d of %d pods were enough", seen->ready,
                 goal);
    }
}

/* ---- effects ---- */

static void check_effect(const struct case_of *c, const struct effect *effect)
{
    const struct rollout_status *s = &c->out->status;
    const struct observation *seen = &c->in->observation;
    switch (effect->kind) {
    case EFFECT_BEGIN:
        MUST(c, s->rolling == ROLLING_INITIALIZING || s->rolling == ROLLING_IN_BATCHES,
             "begins in %s", rolling_state_name(s->rolling));
        MUST(c, !seen->held_by[0] && seen->located.code == OK, "takes what isn't free");
        MUST(c, !(seen->exists && seen->held && seen->applied) || seen->rests, "takes what it has");
        MUST(c, seen->exists || ((s->scale || seen->fixed_size) && s->original_size == 0),
             "makes what was lost");
        MUST(c, !s->scale || !seen->fixed_size, "steps a size that isn't for it to set");
        MUST(c, !s->scale || !seen->exists || seen->applied, "scales what it doesn't know");
        return;
    case EFFECT_ADVANCE:
        check_goal(c, effect);
        return;
    case EFFECT_HOLD:
        MUST(c, c->in->intent.keeps_hold && !seen->held_by[0], "holds what it may not");
        return;
    case EFFECT_FINISH:
        MUST(c, seen->exists && seen->held, "gives back what it doesn't hold");
        MUST(c, effect->outcome && effect->outcome[0], "in no way");
        return;
    case EFFECT_HOOK:
        MUST(c, plan_hook(c->in->plan, effect->gate, effect->batch, effect->index), "no such hook");
        MUST(c,
             effect->attempt == s->gate.attempts + 1 && effect->index == s->gate.passed &&
                 effect->batch == s->batch,
             "not the hook of its gate");
        return;
    case EFFECT_FORGET:
        MUST(c, s->rolling == ROLLING_DELETING && c->in->intent.deleted, "nobody deleted it");
        return;
    }
}

static void check_effects(const struct case_of *c)
{
    unsigned kinds = 0;
    for (int i = 0; i < c->out->effect_count; i++) {
        const struct effect *effect = &c->out->effects[i];
        MUST(c, !(kinds & 1u << effect->kind), "two effects of a kind");
        kinds |= 1u << effect->kind;
        check_effect(c, effect);
    }
    unsigned both = 1u << EFFECT_ADVANCE | 1u << EFFECT_FINISH;
    unsigned rest = 1u << EFFECT_ADVANCE | 1u << EFFECT_HOLD;
    MUST(c, (kinds & both) != both, "told and given back at once");
    MUST(c, (kinds & rest) != rest, "told and brought to rest at once");
}

/* ---- the record ---- */

static bool is_utf8(const char *text)
{
    json_t *json = json_string(text);
    json_decref(json);
    return json != NULL;
}

/* There is always a reason, and everything that is written is text. */
static void check_reason(const struct case_of *c)
{
    const struct rollout_status *s = &c->out->status;
    MUST(c, s->reason.code < REASON_CODES && s->reason.message[0], "no reason");
    MUST(c, is_utf8(s->reason.message) && is_utf8(s->reason.object) && is_utf8(s->reason.field),
         "not text");
    MUST(c, s->reason_since_ms > 0, "since never");
    for (int i = 0; i < CONDITION_TYPES; i++)
        MUST(c, is_utf8(s->conditions[i].message), "not text");
    for (int i = 0; i < c->out->move_count; i++)
        MUST(c, is_utf8(c->out->moves[i].why.message), "not text");
}

/* Conditions that change get times later than all before, in the order of the moves. */
static void check_times(const struct case_of *c)
{
    const struct rollout_status *before = &c->in->status, *s = &c->out->status;
    bool anew = false;
    int64_t last = 0;
    for (int i = 0; i < c->out->move_count; i++)
        anew = anew || c->out->moves[i].to == ROLLING_LOCATING;
    for (int i = 0; i < CONDITION_TYPES && !anew; i++)
        if (before->conditions[i].status != CONDITION_ABSENT &&
            before->conditions[i].since_ms > last)
            last = before->conditions[i].since_ms;
    for (int i = 0; i < CONDITION_TYPES; i++) {
        const struct condition *now = &s->conditions[i], *old = &before->conditions[i];
        if (now->status == CONDITION_ABSENT)
            continue;
        MUST(c, now->message[0], "%s has no words", condition_name((enum condition_type)i));
        if (now->status != old->status || now->since_ms != old->since_ms)
            MUST(c, now->since_ms > last && now->since_ms >= c->in->now_ms, "%s is out of order",
                 condition_name((enum condition_type)i));
        for (int k = 0; k < i; k++)
            MUST(c,
                 s->conditions[k].status == CONDITION_ABSENT ||
                     s->conditions[k].since_ms != now->since_ms,
                 "%s and %s at once", condition_name((enum condition_type)i),
                 condition_name((enum condition_type)k));
    }
}

static void check_record(const struct case_of *c)
{
    const struct rollout_status *s = &c->out->status;
    bool touched = s->rolling == ROLLING_INITIALIZING || s->rolling == ROLLING_IN_BATCHES ||
                   s->rolling == ROLLING_FINALISING || s->rolling == ROLLING_FAILING ||
                   s->rolling == ROLLING_ABANDONING;
    bool may_be_touched = touched || s->rolling == ROLLING_DELETING;
    int most = s->original_size > s->target_size ? s->original_size : s->target_size;
    MUST(c, s->generation == c->in->intent.generation, "of another generation");
    MUST(c, s->step_target >= -1 && s->step_target <= most, "told %d", s->step_target);
    MUST(c, !touched || s->engaged, "%s, but nothing to undo", rolling_state_name(s->rolling));
    MUST(c, may_be_touched || !s->engaged || c->in->intent.keeps_hold, "%s, but something to undo",
         rolling_state_name(s->rolling));
    MUST(c, s->rolling == ROLLING_LOCATING || s->target[0], "no target");
    MUST(c, c->out->wake_at_ms == 0 || c->out->wake_at_ms >= c->in->now_ms, "wakes in the past");
}

/* ---- twice ---- */

/* The same input gives the same decision, whatever was in the memory before. */
static void check_repeatable(const struct case_of *c)
{
    struct decision *again = malloc(sizeof *again);
    memset(again, 0xA5, sizeof *again);
    machine_decide(c->in, again);
    bool equal = decision_equal(c->out, again);
    free(again);
    MUST(c, equal, "decided differently");
}

/* What was decided, decided again while the world is the same: nothing new. */
static void check_idempotent(const struct case_of *c)
{
    struct decision *again = malloc(sizeof *again);
    struct machine_input *input = malloc(sizeof *input);
    *input = *c->in;
    input->status = c->out->status;
    input->hook = (struct hook_outcome){0};
    machine_decide(input, again);
    bool more_to_do = c->out->wake_at_ms == c->in->now_ms;
    bool quiet = more_to_do ||
                 (again->move_count == 0 && !again->tell_reason && effects_equal(c->out, again) &&
                  status_equal(&c->out->status, &again->status));
    int moves = again->move_count;
    free(input);
    free(again);
    MUST(c, quiet, "%d more moves, other effects or another record in the same world", moves);
}

void decide_checked(struct world *world, const struct machine_input *input,
                    struct decision *ret_decision)
{
    const struct case_of c = {world, input, ret_decision};
    machine_decide(input, ret_decision);
    check_moves(&c);
    check_end(&c);
    check_passages(&c);
    check_step(&c);
    check_verified(&c);
    check_effects(&c);
    check_reason(&c);
    check_times(&c);
    check_record(&c);
    check_repeatable(&c);
    check_idempotent(&c);
}
