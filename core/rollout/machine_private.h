// SPDX-License-Identifier: Apache-2.0
/* What the files of the machine share; nobody else includes it. */
#ifndef ROLLOUT_MACHINE_PRIVATE_H
#define ROLLOUT_MACHINE_PRIVATE_H

#include "rollout/machine.h"

/* One call of machine_decide(). */
struct run {
    const struct machine_input *in;
    struct decision *out;
    struct rollout_status *status; /* &out->status, as decided so far */
    struct hook_outcome hook;      /* HOOK_NONE once it was used */
    struct reason why;             /* what the last probe has to say */
};

/* Writes the reason of the moment; the parts are added by the caller. */
void run_why(struct run *run, enum reason_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Adds an effect; of each kind only the latest counts. */
void run_effect(struct run *run, struct effect effect);

/* Asks to be called again at a time, or at the earliest of several. */
void run_wake(struct run *run, int64_t at_ms);

/* What is true of the rollout in its state: rolling.c and batches.c. */
enum rolling_event rolling_probe(struct run *run);
enum batch_event batch_probe(struct run *run);

/* Moves the batch level by one step and returns what that raises at the rollout. */
enum rolling_event batch_step(struct run *run);

/* Where a batch leads, in pods of the target revision or in replicas while scaling. */
int batch_goal(const struct run *run, int batch);

/* The workload was scaled from outside in the middle of a roll: the targets move in proportion. */
void batches_resize(struct run *run, int size);

/* The gate's hooks, one after the other. LENIENT: on the way out a hook can say no, or not answer,
 * without holding the rollout for ever. */
enum gate_result { GATE_OPEN, GATE_WAITING, GATE_REJECTED };
enum gate_manner { GATE_STRICT, GATE_LENIENT };
enum gate_result gate_probe(struct run *run, enum hook_type type, enum gate_manner manner);

#endif
