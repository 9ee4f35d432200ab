// SPDX-License-Identifier: Apache-2.0
/* The batch level: how far the workload may go now, and whether it is there. */
#include "rollout/machine_private.h"

#include <stdio.h>
#include <string.h>

static struct span run_span(const struct run *run)
{
    const struct rollout_status *s = run->status;
    return s->scale ? (struct span){s->original_size, s->target_size}
                    : (struct span){0, s->original_size};
}

static int in_proportion(int pods, int from_size, int to_size)
{
    return (int)(((int64_t)pods * to_size + from_size - 1) / from_size);
}

int batch_goal(const struct run *run, int batch)
{
    const struct rollout_status *s = run->status;
    int goal = plan_target(run->in->plan, run_span(run), batch);
    if (s->scale || s->target_size == s->original_size)
        return goal;
    return s->original_size > 0 ? in_proportion(goal, s->original_size, s->target_size)
                                : s->target_size;
}

void batches_resize(struct run *run, int size)
{
    struct rollout_status *s = run->status;
    bool whole_batch = s->step_target >= 0 && s->step_target == batch_goal(run, s->batch);
    int step = s->step_target;
    if (step > 0)
        step = s->target_size > 0 ? in_proportion(step, s->target_size, size) : size;
    s->target_size = size;
    /* Computed anew where that is possible, so that many resizes don't add up their roundings. */
    s->step_target = whole_batch ? batch_goal(run, s->batch) : step;
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

static void run_advance(struct run *run, bool paused)
{
    const struct rollout_status *s = run->status;
    run_effect(run, (struct effect){.kind = EFFECT_ADVANCE,
                                    .scale = s->scale,
                                    .goal = run_reached(run),
                                    .paused = paused,
                                    .batch = s->batch});
}

static const struct batch *run_batch(const struct run *run)
{
    const struct plan *plan = run->in->plan;
    size_t batch = (size_t)run->status->batch;
    return &plan->batches[batch < plan->batch_count ? batch : plan->batch_count - 1];
}

static void why_compare(struct run *run, const char *expected, const char *found)
{
    snprintf(run->why.expected, sizeof run->why.expected, "%s", expected);
    snprintf(run->why.found, sizeof run->why.found, "%s", found);
}

static bool step_due(struct run *run, int64_t interval_ms)
{
    const struct rollout_status *s = run->status;
    int64_t due = s->step_at_ms + interval_ms;
    if (s->step_target < 0 || interval_ms == 0 || due <= run->in->now_ms)
        return true;
    run_why(run, REASON_INSTANCE_INTERVAL,
            "the next pod of batch %d is due %lld s after the last one (instanceInterval)",
            s->batch + 1, (long long)(interval_ms / 1000));
    run_wake(run, due);
    return false;
}

/* Tells the workload the next step of the batch: all of it, or one pod where an interval is asked
 * for. */
static enum batch_event probe_in_rolling(struct run *run)
{
    struct rollout_status *s = run->status;
    int reached = run_reached(run);
    int goal = further(run, batch_goal(run, s->batch), reached);
    int64_t interval_ms = (int64_t)run_batch(run)->instance_interval_s * 1000;
    if (s->step_target < 0 || (reached != goal && step_due(run, interval_ms))) {
        int one = goal > reached ? 1 : -1;
        s->step_target = interval_ms && goal != reached ? reached + one : goal;
        s->step_at_ms = run->in->now_ms;
    }
    run_advance(run, false);
    if (s->step_target == goal)
        return ON_BATCH_ROLLED;
    step_due(run, interval_ms);
    return ON_BATCH_WAITING;
}

static bool enough_ready(const struct run *run, int tolerance)
{
    const struct rollout_status *s = run->status;
    const struct observation *seen = &run->in->observation;
    /* A pod may be missing from the ready ones, but not from those that were told to change: or a
     * tolerance as large as the batch would let it pass before anything has happened. */
    if (!s->scale)
        return seen->updated >= s->step_target && seen->updated_ready + tolerance >= s->step_target;
    if (s->target_size >= s->original_size)
        return seen->size >= s->step_target && seen->ready + tolerance >= s->step_target;
    return seen->size <= s->step_target && seen->ready <= s->step_target;
}

static enum batch_event probe_verifying(struct run *run)
{
    const struct rollout_status *s = run->status;
    const struct observation *seen = &run->in->observation;
    run_advance(run, false);
    int tolerance = plan_tolerance(run->in->plan, s->batch, s->target_size);
    if (enough_ready(run, tolerance))
        return ON_BATCH_AVAILABLE;
    char expected[64], found[64];
    int ready = s->scale ? seen->ready : seen->updated_ready;
    snprintf(expected, sizeof expected, "%d", s->step_target - (s->scale ? 0 : tolerance));
    snprintf(found, sizeof found, "%d", ready);
    run_why(run, REASON_PODS_NOT_READY, "batch %d: %d of %d %s ready%s%.200s", s->batch + 1, ready,
            s->step_target, s->scale ? "pods are" : "updated pods are", seen->why[0] ? "; " : "",
            seen->why);
    snprintf(run->why.field, sizeof run->why.field, "%s",
             s->scale ? "ready pods" : "ready pods of the target revision");
    why_compare(run, expected, found);
    return ON_BATCH_WAITING;
}

static enum batch_event probe_finalizing(struct run *run)
{
    run_advance(run, false);
    switch (gate_probe(run, HOOK_POST_BATCH, GATE_STRICT)) {
    case GATE_REJECTED:
        return ON_BATCH_REJECTED;
    case GATE_WAITING:
        return ON_BATCH_WAITING;
    case GATE_OPEN:
        break;
    }
    bool last = (size_t)run->status->batch + 1 >= run->in->plan->batch_count;
    return last ? ON_BATCH_CLOSED_LAST : ON_BATCH_CLOSED;
}

static enum batch_event probe_ready(struct run *run)
{
    int partition = run->in->plan->partition, batch = run->status->batch;
    char expected[64], found[64];
    run_advance(run, false);
    if (partition < 0 || partition > batch)
        return ON_BATCH_APPROVED;
    run_why(run, REASON_PARTITION_REACHED,
            "batch %d of %zu is ready; batchPartition is %d, raise it to go on", batch + 1,
            run->in->plan->batch_count, partition);
    snprintf(run->why.field, sizeof run->why.field, "spec.rolloutPlan.batchPartition");
    snprintf(expected, sizeof expected, "more than %d", batch);
    snprintf(found, sizeof found, "%d", partition);
    why_compare(run, expected, found);
    return ON_BATCH_WAITING;
}

static enum batch_event probe_initializing(struct run *run)
{
    switch (gate_probe(run, HOOK_PRE_BATCH, GATE_STRICT)) {
    case GATE_REJECTED:
        return ON_BATCH_REJECTED;
    case GATE_WAITING:
        return ON_BATCH_WAITING;
    case GATE_OPEN:
        break;
    }
    return ON_BATCH_OPENED;
}

enum batch_event batch_probe(struct run *run)
{
    const struct rollout_status *s = run->status;
    if (run->in->plan->paused) {
        run_why(run, REASON_PAUSED,
                "paused in batch %d of %zu; set spec.rolloutPlan.paused to "
                "false to go on",
                s->batch + 1, run->in->plan->batch_count);
        if (s->step_target >= 0)
            run_advance(run, true);
        return ON_BATCH_WAITING;
    }
    switch (s->batch_state) {
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
