// SPDX-License-Identifier: Apache-2.0
/* The recorded status in few bytes, and back. Words are lost on the way, and times become whether
 * they have come. */
#include "state.h"

#include <stdio.h>
#include <string.h>

enum { ATTEMPTS_MOST = 8 }; /* from there on each is like the last */

static const char *const names[REVISIONS + 1] = {"", "v1", "v2", "v3"};

const char *revision_name(int revision)
{
    return names[revision];
}

int revision_of(const char *name)
{
    int revision = REVISIONS;
    while (revision > 0 && strcmp(names[revision], name) != 0)
        revision--;
    return revision;
}

static enum timer timer_of(int64_t since_ms)
{
    if (!since_ms)
        return TIMER_OFF;
    return since_ms + DEADLINE_S * 1000 > NOW_MS ? TIMER_RUNS : TIMER_OVER;
}

static int64_t timer_since(int timer)
{
    static const int64_t since[] = {0, NOW_MS, NOW_MS - DEADLINE_S * 1000};
    return since[timer];
}

void record_pack(const struct rollout_status *s, struct record *ret_record)
{
    const struct condition *failing = &s->conditions[CONDITION_ROLLOUT_FAILING];
    int attempts = s->gate.attempts < ATTEMPTS_MOST ? s->gate.attempts : ATTEMPTS_MOST;
    *ret_record = (struct record){
        .rolling = (int8_t)s->rolling,
        .batch_state = (int8_t)s->batch_state,
        .batch = (int8_t)s->batch,
        .scale = s->scale,
        .original_size = (int8_t)s->original_size,
        .target_size = (int8_t)s->target_size,
        .upgraded = (int8_t)s->upgraded,
        .upgraded_ready = (int8_t)s->upgraded_ready,
        .step_target = (int8_t)s->step_target,
        .step_waits = s->step_at_ms + INTERVAL_S * 1000 > NOW_MS,
        .step_met = s->step_met,
        .engaged = s->engaged,
        .half_way = s->half_way,
        .target = (int8_t)revision_of(s->target),
        .source = (int8_t)revision_of(s->source),
        .wanted_size = (int8_t)s->wanted_size,
        .answered = s->answered[0] != '\0',
        .passed = (int8_t)s->gate.passed,
        .attempts = (int8_t)attempts,
        .retry_waits = s->gate.retry_at_ms > NOW_MS,
        .standing = (int8_t)timer_of(s->standing.since_ms),
        .standing_ready = (int8_t)s->standing.ready,
        .reason = (int8_t)s->reason.code,
        .failing = (int8_t)failing->status,
        .failing_reason = (int8_t)failing->reason,
        .failed_reason = (int8_t)s->conditions[CONDITION_ROLLOUT_FAILED].reason,
    };
}

static void condition_unpack(struct condition *condition, int status, int reason)
{
    condition->status = (enum condition_status)status;
    condition->reason = (enum reason_code)reason;
    snprintf(condition->message, sizeof condition->message, "as it was");
}

void record_unpack(const struct record *r, struct rollout_status *ret_status)
{
    struct rollout_status *s = ret_status;
    status_new(s);
    s->rolling = (enum rolling_state)r->rolling;
    s->batch_state = (enum batch_state)r->batch_state;
    s->batch = r->batch;
    s->scale = r->scale;
    s->original_size = r->original_size;
    s->target_size = r->target_size;
    s->upgraded = r->upgraded;
    s->upgraded_ready = r->upgraded_ready;
    s->step_target = r->step_target;
    s->step_at_ms = r->step_waits ? NOW_MS : NOW_MS - INTERVAL_S * 1000;
    s->step_met = r->step_met;
    s->engaged = r->engaged;
    s->half_way = r->half_way;
    s->wanted_size = r->wanted_size;
    s->generation = r->stale ? 1 : 2;
    s->gate.passed = r->passed;
    s->gate.attempts = r->attempts;
    s->gate.retry_at_ms = r->retry_waits ? NOW_MS + 1000 : 0;
    s->standing.since_ms = timer_since(r->standing);
    s->standing.ready = r->standing_ready;
    s->reason.code = (enum reason_code)r->reason;
    s->reason_since_ms = 1;
    snprintf(s->reason.message, sizeof s->reason.message, "as it was");
    snprintf(s->target, sizeof s->target, "%s", names[r->target]);
    snprintf(s->source, sizeof s->source, "%s", names[r->source]);
    snprintf(s->answered, sizeof s->answered, "%s", r->answered ? "wish" : "");
    condition_unpack(&s->conditions[CONDITION_ROLLOUT_FAILING], r->failing, r->failing_reason);
    condition_unpack(&s->conditions[CONDITION_ROLLOUT_FAILED], CONDITION_TRUE, r->failed_reason);
}

/* ---- for people ---- */

static size_t describe_pods(const struct workload *w, char *text, size_t size)
{
    static const char *const kinds[] = {"", " coming", " sick"};
    size_t used = 0;
    for (int revision = 1; revision <= REVISIONS; revision++)
        for (int kind = 0; kind < POD_KINDS; kind++)
            if (w->pods[revision - 1][kind])
                used += (size_t)snprintf(text + used, size - used, " %d×v%d%s",
                                         w->pods[revision - 1][kind], revision, kinds[kind]);
    return used;
}

static size_t describe_workload(const struct workload *w, char *text, size_t size)
{
    static const char *const holders[] = {"free", "ours", "another's"};
    if (!w->exists)
        return (size_t)snprintf(text, size, "no workload");
    size_t used = (size_t)snprintf(text, size, "%s, v%d", holders[w->holder], w->revision);
    if (w->told == ALL_PODS)
        used += (size_t)snprintf(text + used, size - used, " for all of %d:", w->size);
    else
        used += (size_t)snprintf(text + used, size - used, " for %d of %d:", w->told, w->size);
    used += describe_pods(w, text + used, size - used);
    used += (size_t)snprintf(text + used, size - used, "%s%s%s", w->paused ? ", still" : "",
                             w->rests ? ", rests" : "", w->behind ? ", behind" : "");
    return used;
}

void state_describe(const struct state *state, char *text, size_t size)
{
    const struct record *r = &state->record;
    size_t used = 0;
    if (state->gone) {
        used = (size_t)snprintf(text, size, "gone");
    } else {
        used =
            (size_t)snprintf(text, size, "%s", rolling_state_name((enum rolling_state)r->rolling));
        if (r->rolling == ROLLING_IN_BATCHES)
            used += (size_t)snprintf(text + used, size - used, "/%s %d, step %d",
                                     batch_state_name((enum batch_state)r->batch_state), r->batch,
                                     r->step_target);
        used += (size_t)snprintf(text + used, size - used, " (%s)",
                                 reason_name((enum reason_code)r->reason));
    }
    used += (size_t)snprintf(text + used, size - used, "; ");
    describe_workload(&state->workload, text + used, size - used);
}
