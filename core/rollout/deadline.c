// SPDX-License-Identifier: Apache-2.0
/* The deadline of a batch: how long it may stand for what ought to come by itself. */
#include "rollout/machine_private.h"

/* A gate that a person opens, and a pause between two pods, are no lack of progress; and what takes
 * a person anyway has its own words. */
static bool stands(const struct run *run)
{
    enum reason_code why = run->why.code;
    return why == REASON_PODS_NOT_READY || why == REASON_PODS_LEAVING ||
           why == REASON_WORKLOAD_BEHIND || why == REASON_HOOK_PENDING ||
           why == REASON_HOOK_TROUBLE;
}

/* More pods than ever since it stands are ready, or fewer where pods are to go; or it was told
 * something new. One that comes and goes again is no progress. */
static bool got_on(const struct run *run)
{
    const struct rollout_status *s = run->status, *before = &run->in->status;
    bool down = s->scale && s->target_size < s->original_size;
    int more = s->upgraded_ready - s->standing.ready;
    return s->step_target != before->step_target || s->gate.passed > before->gate.passed ||
           (down ? more < 0 : more > 0);
}

static void stand_from_now(struct run *run)
{
    run->status->standing =
        (struct standing){.since_ms = run->in->now_ms, .ready = run->status->upgraded_ready};
}

/* Pods of the new revision that aren't ready are a reason to move no more. Where all are, the
 * trouble is another one, and held still the batch could never get on. */
static bool pods_in_doubt(const struct run *run)
{
    const struct observation *seen = &run->in->observation;
    return seen->updated > seen->updated_ready;
}

/* What it waits for is still said. */
static void why_exceeded(struct run *run, struct deadline deadline)
{
    static const char *const consequences[] = {
        [ON_FAILURE_PAUSE] = "; no further pod is moved until it gets on",
        [ON_FAILURE_ABANDON] = "; the workload stays where it is",
        [ON_FAILURE_ROLLBACK] = "; the workload goes back",
    };
    const struct reason *recorded = &run->in->status.reason;
    struct reason waits = run->why;
    bool lets = deadline.then == ON_FAILURE_PAUSE && !pods_in_doubt(run);
    if (waits.code == REASON_WORKLOAD_BEHIND && recorded->code == REASON_DEADLINE_EXCEEDED) {
        run->why = *recorded; /* behind by our own word to hold still */
        return;
    }
    run->why.code = REASON_DEADLINE_EXCEEDED;
    reason_say(&run->why, "no progress within %d s (progressDeadlineSeconds): %.300s%s",
               deadline.seconds, waits.message,
               lets ? "; it goes on when that has come" : consequences[deadline.then]);
}

static enum rolling_event exceeded(struct run *run, struct deadline deadline)
{
    why_exceeded(run, deadline);
    if (deadline.then != ON_FAILURE_PAUSE)
        return ON_STALLED;
    /* Not before its controller has seen the last write. */
    if (run->in->observation.settled && pods_in_doubt(run))
        batches_hold_still(run);
    return ON_WAITING;
}

enum rolling_event deadline_probe(struct run *run, enum rolling_event event)
{
    struct standing *standing = &run->status->standing;
    struct deadline deadline = {0};
    if (run->in->plan)
        deadline = plan_deadline(run->in->plan, told_batch(run));
    if (event != ON_WAITING || !deadline.seconds || !stands(run)) {
        *standing = (struct standing){0};
        return event;
    }
    if (!standing->since_ms || got_on(run))
        stand_from_now(run);
    int64_t due = standing->since_ms + (int64_t)deadline.seconds * 1000;
    if (due <= run->in->now_ms)
        return exceeded(run, deadline);
    run_wake(run, due);
    return event;
}

const char *failure_outcome(const struct run *run)
{
    const struct rollout_status *s = run->status;
    enum reason_code cause = s->conditions[CONDITION_ROLLOUT_FAILING].reason;
    bool failed = cause == REASON_DEADLINE_EXCEEDED || cause == REASON_HOOK_REJECTED;
    bool back = run->in->plan &&
                plan_deadline(run->in->plan, s->batch).then == ON_FAILURE_ROLLBACK &&
                !run->in->intent.keeps_hold;
    return failed && back && !s->scale && s->source[0] ? "rolledBack" : "failed";
}
