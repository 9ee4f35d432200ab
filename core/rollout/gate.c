// SPDX-License-Identifier: Apache-2.0
/* Gates: hooks that are called one after the other, again when they don't answer. */
#include "rollout/machine_private.h"

enum {
    RETRY_FIRST_MS = 1000,
    LENIENT_ATTEMPTS = 5, /* on the way out, after so many calls it goes on without the answer */
};

static int64_t retry_delay_ms(int attempts)
{
    int64_t delay = RETRY_FIRST_MS;
    while (--attempts > 0 && delay < RETRY_LAST_MS)
        delay *= 2;
    return delay < RETRY_LAST_MS ? delay : RETRY_LAST_MS;
}

static void gate_pass_hook(struct gate *gate)
{
    *gate = (struct gate){.passed = gate->passed + 1};
}

/* Does the outcome that came in belong to the hook at which the gate stands? */
static bool gate_outcome(struct run *run, enum hook_type type, struct hook_outcome *ret_outcome)
{
    const struct hook_outcome *hook = &run->hook;
    const struct gate *gate = &run->status->gate;
    if (hook->result == HOOK_NONE || hook->gate != type || hook->batch != run->status->batch ||
        hook->index != gate->passed || (hook->attempt && hook->attempt != gate->attempts + 1))
        return false;
    *ret_outcome = *hook;
    run->hook.result = HOOK_NONE;
    return true;
}

static void gate_note_trouble(struct run *run, enum gate_manner manner)
{
    struct gate *gate = &run->status->gate;
    gate->attempts++;
    if (manner == GATE_LENIENT && gate->attempts >= LENIENT_ATTEMPTS)
        gate_pass_hook(gate);
    else
        gate->retry_at_ms = run->in->now_ms + retry_delay_ms(gate->attempts);
}

/* What the trouble was is known when it happens, and from then on by the record. */
static void why_trouble(struct run *run, const struct hook *hook, const char *trouble)
{
    const struct reason *recorded = &run->in->status.reason;
    if (!trouble[0] && recorded->code == REASON_HOOK_TROUBLE)
        run->why = *recorded;
    else
        run_why(run, REASON_HOOK_TROUBLE, "%s hook %.150s is called again: %s",
                hook_type_name(hook->type), hook->name, trouble[0] ? trouble : "no answer");
}

/* Asks for the call of the hook, or to be called when that is due. */
static void gate_call(struct run *run, const struct hook *hook)
{
    const struct gate *gate = &run->status->gate;
    if (gate->retry_at_ms > run->in->now_ms)
        run_wake(run, gate->retry_at_ms);
    else
        run_effect(run, (struct effect){.kind = EFFECT_HOOK,
                                        .gate = hook->type,
                                        .batch = run->status->batch,
                                        .index = gate->passed,
                                        .attempt = gate->attempts + 1});
}

/* Why the gate is closed: its present hook hasn't answered. */
static void gate_wait(struct run *run, const struct hook *hook, const char *trouble)
{
    if (run->status->gate.attempts > 0)
        why_trouble(run, hook, trouble);
    else
        run_why(run, REASON_HOOK_PENDING, "%s hook %.150s is being called",
                hook_type_name(hook->type), hook->name);
    gate_call(run, hook);
}

/* An answer is recorded before anything is done that follows from it: or after a crash the hook
 * would be asked again about what has happened already. */
static enum gate_result gate_record(struct run *run, enum hook_type type)
{
    run_why(run, REASON_GATE_OPEN, "the %s hooks let it pass", hook_type_name(type));
    run_wake(run, run->in->now_ms);
    return GATE_WAITING;
}

enum gate_result gate_probe(struct run *run, enum hook_type type, enum gate_manner manner)
{
    const struct plan *plan = run->in->plan;
    struct hook_outcome outcome = {0};
    const struct hook *hook;
    if (!plan)
        return GATE_OPEN; /* only on the way out: everything else has waited for a plan */
    while ((hook = plan_hook(plan, type, run->status->batch, run->status->gate.passed))) {
        if (!gate_outcome(run, type, &outcome)) {
            gate_wait(run, hook, outcome.result == HOOK_TROUBLE ? outcome.message : "");
            return GATE_WAITING;
        }
        if (outcome.result == HOOK_REJECTED && manner == GATE_STRICT) {
            run_why(run, REASON_HOOK_REJECTED, "%s hook %.150s says no: %s", hook_type_name(type),
                    hook->name, outcome.message);
            return GATE_REJECTED;
        }
        if (outcome.result == HOOK_TROUBLE)
            gate_note_trouble(run, manner);
        else
            gate_pass_hook(&run->status->gate);
    }
    return outcome.result == HOOK_NONE ? GATE_OPEN : gate_record(run, type);
}
