// SPDX-License-Identifier: Apache-2.0
/* The batch level: how far the workload may go now, and whether it is there. */
#include "rollout/machine_private.h"

struct span run_span(const struct run *run)
{
    const struct rollout_status *s = run->status;
    return s->scale ? (struct span){s->original_size, s->target_size}
                    : (struct span){0, s->original_size};
}

int batch_total(const struct run *run)
{
    int planned = (int)run->in->plan->batch_count, batch = run->status->batch;
    return batch < planned ? planned : batch + 1;
}

/* Is it the last batch, or past it because the plan was cut short? */
static bool batch_last(const struct run *run)
{
    return run->status->batch + 1 >= (int)run->in->plan->batch_count;
}

/* One that has yet to begin has told the workload nothing. */
static int latest_begun(const struct rollout_status *s)
{
    return s->batch_state == BATCH_INITIALIZING && s->batch > 0 ? s->batch - 1 : s->batch;
}

int told_batch(const struct run *run)
{
    int batch = latest_begun(run->status), last = (int)run->in->plan->batch_count - 1;
    return batch < last ? batch : last;
}

/* Where a batch leads, in pods of the target revision or in replicas while scaling. */
static int batch_goal(const struct run *run, int batch)
{
    const struct rollout_status *s = run->status;
    const struct plan *plan = run->in->plan;
    int goal = plan_target(plan, run_span(run), batch);
    if (s->scale || s->target_size == s->original_size)
        return goal;
    if (s->original_size == 0)
        return plan_target(plan, (struct span){0, s->target_size}, batch);
    /* Scaled from outside since it was verified: in proportion, rounded up as percentages are. */
    return (int)(((int64_t)goal * s->target_size + s->original_size - 1) / s->original_size);
}

void batches_resize(struct run *run, int size)
{
    struct rollout_status *s = run->status;
    int told = told_batch(run), before = s->target_size;
    bool whole_batch = s->step_target == batch_goal(run, told);
    s->target_size = size;
    /* Computed anew where that is possible, and else rounded down, so that sizes that go up and
     * down don't carry the roll beyond what its gates have let pass. */
    if (whole_batch)
        s->step_target = batch_goal(run, told);
    else if (s->step_target > 0)
        s->step_target = (int)((int64_t)s->step_target * size / (before > 0 ? before : size));
}

/* Of two goals the one that lies further along the way. */
static int further(const struct run *run, int a, int b)
{
    bool down = run->status->scale && run->status->target_size < run->status->original_size;
    return (a > b) == down ? b : a;
}

/* What the workload has been brought to: never back from what it was told. */
static int run_reached(const struct run *run)
{
    const struct rollout_status *s = run->status;
    return s->step_target >= 0 ? s->step_target : run_span(run).from;
}

void batches_note_size(struct run *run)
{
    struct rollout_status *s = run->status;
    if (s->scale && s->step_target >= 0 &&
        further(run, s->step_target, seen_size(run)) == seen_size(run))
        s->step_met = true;
}

/* Has somebody else taken back replicas that were there? An autoscaler with other bounds would be
 * fought for ever. */
static bool scaled_back(const struct run *run)
{
    const struct rollout_status *s = run->status;
    return s->scale && s->step_met &&
           further(run, s->step_target, seen_size(run)) != seen_size(run);
}

static void why_scaled_back(struct run *run)
{
    int told = run->status->step_target, size = seen_size(run);
    run_why(run, REASON_SCALED_BACK,
            "batch %d: %s was scaled to %d, and somebody else has scaled it to %d; let it have %d "
            "(is there an autoscaler?), or change spec.rolloutPlan.targetSize",
            run->status->batch + 1, run->in->observation.object, told, size, told);
    why_object(run, "");
    why_number(run, "size", told > size ? "at least" : "at most", told, size);
}

static void tell_step(struct run *run, int goal)
{
    struct rollout_status *s = run->status;
    s->step_target = goal;
    s->step_at_ms = run->in->now_ms;
    s->step_met = false;
}

/* STOP: it is on its way to somebody else's template. */
enum manner { GO_ON, HOLD_STILL, STOP };

/* Holds the workload to what it was told, so that whatever was changed behind our back is put
 * right; but for replicas, which others may set too. */
static void run_advance(struct run *run, enum manner manner)
{
    struct rollout_status *s = run->status;
    int goal = run_reached(run);
    if (manner != STOP && scaled_back(run))
        return;
    batches_note_size(run);
    if (s->scale)
        goal = further(run, goal, seen_size(run));
    run_effect(run, (struct effect){.kind = EFFECT_ADVANCE,
                                    .scale = s->scale,
                                    .goal = goal,
                                    .paused = manner != GO_ON,
                                    .template_changed = manner == STOP,
                                    .batch = told_batch(run)});
}

void batches_hold(struct run *run)
{
    run_advance(run, GO_ON);
}

static bool step_due(struct run *run, int64_t interval_ms)
{
    const struct rollout_status *s = run->status;
    int64_t due = s->step_at_ms + interval_ms;
    if (interval_ms == 0 || due <= run->in->now_ms)
        return true;
    run_why(run, REASON_INSTANCE_INTERVAL,
            "the next pod of batch %d is due %lld s after the last one (instanceInterval)",
            s->batch + 1, (long long)(interval_ms / 1000));
    run_wake(run, due);
    return false;
}

static enum batch_event pass_gate(struct run *run, enum hook_type type, enum batch_event opened)
{
    switch (gate_probe(run, type, GATE_STRICT)) {
    case GATE_REJECTED:
        return ON_BATCH_REJECTED;
    case GATE_WAITING:
        return ON_BATCH_WAITING;
    case GATE_OPEN:
        break;
    }
    return opened;
}

/* Tells the workload the next step of the batch: all of it, or one pod where an interval is asked
 * for. */
static enum batch_event probe_in_rolling(struct run *run)
{
    struct rollout_status *s = run->status;
    const struct batch *batch = &run->in->plan->batches[told_batch(run)];
    int64_t interval_ms = (int64_t)batch->instance_interval_s * 1000;
    int reached = run_reached(run);
    int goal = further(run, batch_goal(run, s->batch), reached);
    if (scaled_back(run)) {
        why_scaled_back(run);
        return ON_BATCH_WAITING;
    }
    if (s->step_target < 0 || (reached != goal && step_due(run, interval_ms))) {
        int one = goal > reached ? 1 : -1;
        tell_step(run, interval_ms && goal != reached ? reached + one : goal);
    }
    run_advance(run, GO_ON);
    if (s->step_target == goal)
        return ON_BATCH_ROLLED;
    step_due(run, interval_ms);
    return ON_BATCH_WAITING;
}

/* Waits for pods of the target revision. A pod may be missing from the ready ones, but not from
 * those that were told to change: or a tolerance as large as the batch would let it pass before
 * anything has happened. */
static bool roll_verified(struct run *run, int tolerance)
{
    const struct observation *seen = &run->in->observation;
    int goal = run->status->step_target;
    bool all_updated = seen->updated >= goal;
    if (all_updated && seen->updated_ready >= goal - tolerance)
        return true;
    run_why(run, REASON_PODS_NOT_READY, "batch %d: %d of %d pods are updated, %d of them ready%s%s",
            latest_begun(run->status) + 1, seen->updated, goal, seen->updated_ready,
            seen->why[0] ? "; " : "", seen->why);
    why_object(run, "");
    if (all_updated)
        why_number(run, "updatedReady", "at least", goal - tolerance, seen->updated_ready);
    else
        why_number(run, "updated", "at least", goal, seen->updated);
    return false;
}

static bool scale_up_verified(struct run *run, int tolerance)
{
    const struct observation *seen = &run->in->observation;
    int goal = run->status->step_target;
    if (seen->size >= goal && seen->ready >= goal - tolerance)
        return true;
    run_why(run, REASON_PODS_NOT_READY, "batch %d: %d of %d pods are ready%s%s",
            latest_begun(run->status) + 1, seen->ready, goal, seen->why[0] ? "; " : "", seen->why);
    why_object(run, "");
    why_number(run, "ready", "at least", goal - tolerance, seen->ready);
    return false;
}

static bool scale_down_verified(struct run *run)
{
    const struct observation *seen = &run->in->observation;
    int goal = run->status->step_target;
    if (seen->size <= goal && seen->ready <= goal)
        return true;
    run_why(run, REASON_PODS_LEAVING, "batch %d: %d pods are ready, all but %d are to go%s%s",
            latest_begun(run->status) + 1, seen->ready, goal, seen->why[0] ? "; " : "", seen->why);
    why_object(run, "");
    why_number(run, "ready", "at most", goal, seen->ready);
    return false;
}

/* Are the pods there that the workload was told to have? Says what is missing. */
static bool pods_verified(struct run *run)
{
    const struct rollout_status *s = run->status;
    int tolerance = plan_tolerance(run->in->plan, told_batch(run), s->target_size);
    if (scaled_back(run)) {
        why_scaled_back(run);
        return false;
    }
    run_advance(run, GO_ON);
    if (!s->scale)
        return roll_verified(run, tolerance);
    if (s->target_size >= s->original_size)
        return scale_up_verified(run, tolerance);
    return scale_down_verified(run);
}

static enum batch_event probe_verifying(struct run *run)
{
    return pods_verified(run) ? ON_BATCH_AVAILABLE : ON_BATCH_WAITING;
}

/* The batch before may have waited for its leave, or for a hook, for a week. Its pods must be ready
 * now: since it was verified some may have gone, or have to come because the workload was scaled.
 */
static enum batch_event probe_initializing(struct run *run)
{
    if (run->status->step_target >= 0 && !pods_verified(run))
        return ON_BATCH_WAITING;
    return pass_gate(run, HOOK_PRE_BATCH, ON_BATCH_OPENED);
}

/* Does the roll end with this batch? One that has become the last because the plan was cut short
 * was told less than all, and the rest is in one more. */
static bool batch_ends(const struct run *run)
{
    int reached = run_reached(run);
    return batch_last(run) && further(run, batch_goal(run, run->status->batch), reached) == reached;
}

static enum batch_event probe_finalizing(struct run *run)
{
    run_advance(run, GO_ON);
    return pass_gate(run, HOOK_POST_BATCH,
                     batch_ends(run) ? ON_BATCH_CLOSED_LAST : ON_BATCH_CLOSED);
}

/* A partition at the last batch, or past it because the plan was cut short, holds nothing back. */
static bool partition_allows(const struct plan *plan, int batch)
{
    int last = (int)plan->batch_count - 1;
    return plan->partition < 0 || plan->partition > batch || plan->partition >= last;
}

/* A workload whose owner may change its template at any time stands still while a person is waited
 * for: what the batches have let loose would take the next template at once. */
static bool stands_still(const struct run *run)
{
    return run->in->intent.keeps_hold && !run->status->scale;
}

/* What the batch has brought on top goes before the workload stands still, and nobody is told that
 * it does before. */
static bool surplus_leaves(struct run *run)
{
    int ready = run->in->observation.ready, size = seen_size(run);
    if (!stands_still(run) || ready <= size)
        return false;
    run_why(run, REASON_PODS_LEAVING, "batch %d is ready; %d pods more than its size are to go",
            run->status->batch + 1, ready - size);
    why_object(run, "");
    why_number(run, "ready", "at most", size, ready);
    return true;
}

static void why_partition(struct run *run)
{
    int batch = run->status->batch, partition = run->in->plan->partition;
    int last = (int)run->in->plan->batch_count - 1;
    run_why(run, REASON_PARTITION_REACHED,
            "batch %d of %d is ready; batchPartition is %d, raise it to go on", batch + 1,
            batch_total(run), partition);
    why_number(run, "spec.rolloutPlan.batchPartition", "at least", batch < last ? batch + 1 : last,
               partition);
}

/* May the next batch begin? Says what holds it back. */
static bool next_may_begin(struct run *run)
{
    if (partition_allows(run->in->plan, run->status->batch))
        return !window_closed(run);
    why_partition(run);
    return false;
}

static enum batch_event probe_ready(struct run *run)
{
    bool allowed = next_may_begin(run);
    bool leaves = !allowed && surplus_leaves(run);
    bool still = !allowed && !leaves && stands_still(run);
    run_advance(run, still ? HOLD_STILL : GO_ON);
    return allowed ? ON_BATCH_APPROVED : ON_BATCH_WAITING;
}

void batches_stop(struct run *run)
{
    const struct observation *seen = &run->in->observation;
    const struct other_write *write = &seen->template_write;
    run_advance(run, STOP);
    run_why(run, REASON_TEMPLATE_CHANGED,
            "%s has put another template on %s%s%s%s%s%s: no pod is moved until it is that of %s "
            "again, or the rollout goes to another revision",
            write->who[0] ? write->who : "somebody else", seen->object,
            write->field[0] ? ", by " : "", write->field, write->how[0] ? " (" : "", write->how,
            write->how[0] ? ")" : "", run->status->target);
    why_object(run, write->field[0] ? write->field : "spec.template");
    why_found(run, write->expected, write->found);
}

void batches_hold_still(struct run *run)
{
    if (run->status->step_target >= 0)
        run_advance(run, HOLD_STILL);
}

static void why_paused(struct run *run)
{
    run_why(run, REASON_PAUSED,
            "paused in batch %d of %d; set spec.rolloutPlan.paused to false to go on",
            run->status->batch + 1, batch_total(run));
    why_field(run, "spec.rolloutPlan.paused");
}

bool batches_paused(struct run *run)
{
    if (!run->in->plan->paused)
        return false;
    batches_hold_still(run);
    why_paused(run);
    return true;
}

enum batch_event batch_probe(struct run *run)
{
    if (batches_paused(run))
        return ON_BATCH_WAITING;
    switch (run->status->batch_state) {
    case BATCH_INITIALIZING:
        return probe_initializing(run);
    case BATCH_IN_ROLLING:
        return probe_in_rolling(run);
    case BATCH_VERIFYING:
        return probe_verifying(run);
    case BATCH_FINALIZING:
        return probe_finalizing(run);
    case BATCH_READY:
        return probe_ready(run);
    case BATCH_VERIFY_FAILED:
    case BATCH_STATES:
        break;
    }
    return ON_BATCH_WAITING;
}
