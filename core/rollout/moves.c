// SPDX-License-Identifier: Apache-2.0
/* Telling moves: each is logged, and those that people wait for are told in a sentence. */
#include "rollout/machine_private.h"

#include <string.h>

struct move *move_add(struct run *run, const struct reason *why)
{
    const struct rollout_status *s = run->status;
    struct move *move = &run->out->moves[run->out->move_count++];
    *move = (struct move){.from = s->rolling,
                          .to = s->rolling,
                          .batch_from = s->batch_state,
                          .batch_to = s->batch_state,
                          .batch = s->batch,
                          .why = *why};
    return move;
}

static void move_tell(struct move *move, bool warning)
{
    move->tell = true;
    move->warning = warning;
}

/* Its owner changed the template before anybody held the workload: that is said. */
static const char *rolling_already(const struct run *run)
{
    const struct rollout_status *s = run->status;
    bool found = run->in->intent.keeps_hold && !s->source[0] && run->in->observation.updated > 0;
    return found ? "; its template had changed before it was held, and some have it already" : "";
}

/* "CloneSet default/web: 5 pods to shop-v2 from shop-v1 in 3 batches" */
static void tell_start(const struct run *run, struct move *move)
{
    const struct rollout_status *s = run->status;
    const char *object = run->in->observation.object;
    int batches = batch_total(run);
    const char *plural = batches == 1 ? "batch" : "batches";
    if (s->scale)
        reason_say(&move->why, "%.200s: from %d to %d pods of %.150s in %d %s", object,
                   s->original_size, s->target_size, s->target, batches, plural);
    else
        reason_say(&move->why, "%.150s: %d pods to %.110s%s%.110s in %d %s%s", object,
                   s->target_size, s->target, s->source[0] ? " from " : "", s->source, batches,
                   plural, rolling_already(run));
    move_tell(move, false);
}

void tell_batch(const struct run *run, struct move *move)
{
    const struct rollout_status *s = run->status;
    reason_say(&move->why,
               s->scale ? "batch %d of %d is done: %d of %d replicas"
                        : "batch %d of %d is done: %d of %d pods upgraded",
               s->batch + 1, batch_total(run), s->step_target, s->target_size);
    move_tell(move, false);
}

static void tell_success(const struct run *run, struct move *move)
{
    const struct rollout_status *s = run->status;
    reason_say(&move->why, "%.200s: all %d pods are at %.200s%s", run->in->observation.object,
               s->target_size, s->target,
               run->in->intent.keeps_hold ? "; it is held until its template changes" : "");
    move_tell(move, false);
}

static void tell_abandoning(const struct run *run, struct move *move)
{
    const struct rollout_status *s = run->status;
    const struct intent *intent = &run->in->intent;
    static const char stays[] = "the workload stays where it is until the new roll begins";
    if (strcmp(s->target, intent->target) != 0)
        reason_say(&move->why, "the target has changed from %.180s to %.180s; %s", s->target,
                   intent->target, stays);
    else if (!intent->keeps_hold && strcmp(s->source, intent->source) != 0)
        reason_say(&move->why, "the source has changed from \"%.180s\" to \"%.180s\"; %s",
                   s->source, intent->source, stays);
    else
        reason_say(&move->why, "targetSize has changed; %s", stays);
    move_tell(move, false);
}

void move_describe(const struct run *run, struct move *move)
{
    switch (move->to) {
    case ROLLING_IN_BATCHES:
        tell_start(run, move);
        return;
    case ROLLING_SUCCEEDED:
        tell_success(run, move);
        return;
    case ROLLING_ABANDONING:
        tell_abandoning(run, move);
        return;
    case ROLLING_FAILING:
    case ROLLING_FAILED:
        move_tell(move, true);
        return;
    case ROLLING_DELETING:
        move->tell = run->status->engaged;
        return;
    case ROLLING_LOCATING:
        move->tell = move->why.code == REASON_RETRIED;
        return;
    case ROLLING_VERIFYING:
    case ROLLING_HOLDING:
    case ROLLING_INITIALIZING:
    case ROLLING_FINALISING:
    case ROLLING_STATES:
        return;
    }
}
