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

/* machine.c: adds an effect; of each kind only the latest counts. */
void run_effect(struct run *run, struct effect effect);

/* Asks to be called again at a time, or at the earliest of several. */
void run_wake(struct run *run, int64_t at_ms);

/* reason.c: writes the sentence; whatever was put into it, it is UTF-8 and cut where it must be. */
void reason_say(struct reason *reason, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Begins the reason of the moment; its parts are added after that. */
void run_why(struct run *run, enum reason_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void why_field(struct run *run, const char *field);
void why_object(struct run *run, const char *field); /* a field of the workload; "": all of it */
void why_found(struct run *run, const char *expected, const char *found);
void why_number(struct run *run, const char *field, const char *bound, int expected, int found);

/* conditions.c: the condition that belongs to a state. */
enum condition_type rolling_condition(enum rolling_state state);
enum condition_type batch_condition(enum batch_state state);

/* Sets a condition; its time stays while its status does. */
void condition_set(struct run *run, enum condition_type type, bool fulfilled,
                   const struct reason *why);

/* Entering a state starts its condition anew, also where an earlier batch has left it false. */
void condition_start(struct run *run, enum condition_type type, bool fulfilled,
                     const struct reason *why);

/* BatchPaused, which belongs to no state. */
void condition_paused(struct run *run);

/* moves.c: notes a move that begins in the present state; the caller says where it leads. */
struct move *move_add(struct run *run, const struct reason *why);
void move_describe(const struct run *run, struct move *move);
void tell_batch(const struct run *run, struct move *move); /* a batch is done */

/* rolling.c and batches.c: what is true of the rollout in its state. */
enum rolling_event rolling_probe(struct run *run);
enum batch_event batch_probe(struct run *run);

/* machine.c: moves the batch level by one step and returns what that raises at the rollout. */
enum rolling_event batch_step(struct run *run);

/* How many pods the workload is to have, as it was seen. */
int seen_size(const struct run *run);

/* rolling.c: does a maintenance window hold back what would begin now? Says so, and asks to be
 * called when it opens. */
bool window_closed(struct run *run);

/* batches.c: the span that the plan is held against while the roll is under way. */
struct span run_span(const struct run *run);

/* How many batches there are: those of the plan, or more when it was cut short on the way. */
int batch_total(const struct run *run);

/* Holds the workload to what it was told. */
void batches_hold(struct run *run);

/* Somebody else has put another template on the workload: stops it as far as that is possible, and
 * says who it was. */
void batches_stop(struct run *run);

/* Remembers that a scaling has got to where it was told, also while its controller hasn't seen that
 * yet: whoever takes it back afterwards is somebody else. */
void batches_note_size(struct run *run);

/* The workload was scaled from outside in the middle of a roll: the targets move in proportion. */
void batches_resize(struct run *run, int size);

/* The batch to which what the workload was last told belongs, as the plan counts them now. */
int told_batch(const struct run *run);

/* Stops the workload where it is on its way, if it is on one. */
void batches_hold_still(struct run *run);

/* Has a person paused it? Then it stands still, and says so. */
bool batches_paused(struct run *run);

/* deadline.c: ON_STALLED when the batch, which has just been asked for its event, has stood for too
 * long and isn't to be waited for any longer. */
enum rolling_event deadline_probe(struct run *run, enum rolling_event event);

/* How a roll that has failed leaves its workload. */
const char *failure_outcome(const struct run *run);

enum { RETRY_LAST_MS = 60000 }; /* no gate waits longer for its next call */

/* gate.c: the gate's hooks, one after the other. LENIENT: on the way out a hook can say no, or not
 * answer, without holding the rollout for ever. */
enum gate_result { GATE_OPEN, GATE_WAITING, GATE_REJECTED };
enum gate_manner { GATE_STRICT, GATE_LENIENT };
enum gate_result gate_probe(struct run *run, enum hook_type type, enum gate_manner manner);

#endif
