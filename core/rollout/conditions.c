// SPDX-License-Identifier: Apache-2.0
/* The conditions: a trace of the way, one for each state, readable from their times. */
#include "rollout/machine_private.h"

#include <stdio.h>

enum condition_type rolling_condition(enum rolling_state state)
{
    static const enum condition_type types[] = {
#define ROLLING_STATE(id, wire, condition, text) CONDITION_##condition,
#include "rollout/states.def"
    };
    return types[state];
}

enum condition_type batch_condition(enum batch_state state)
{
    static const enum condition_type types[] = {
#define BATCH_STATE(id, wire, condition, text) CONDITION_##condition,
#include "rollout/states.def"
    };
    return types[state];
}

/* Later than every transition before, so that moves within one call stay in order. */
static int64_t next_stamp(const struct run *run)
{
    int64_t stamp = run->in->now_ms;
    for (int i = 0; i < CONDITION_TYPES; i++)
        if (run->status->conditions[i].status != CONDITION_ABSENT &&
            run->status->conditions[i].since_ms >= stamp)
            stamp = run->status->conditions[i].since_ms + 1;
    return stamp;
}

void condition_set(struct run *run, enum condition_type type, bool fulfilled,
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

void condition_start(struct run *run, enum condition_type type, bool fulfilled,
                     const struct reason *why)
{
    int64_t stamp = next_stamp(run);
    condition_set(run, type, fulfilled, why);
    run->status->conditions[type].since_ms = stamp;
}

void condition_paused(struct run *run)
{
    const struct rollout_status *s = run->status;
    enum condition_status known = s->conditions[CONDITION_BATCH_PAUSED].status;
    bool paused = s->reason.code == REASON_PAUSED;
    if (paused || known == CONDITION_TRUE)
        condition_set(run, CONDITION_BATCH_PAUSED, paused, &s->reason);
}
