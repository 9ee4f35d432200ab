// SPDX-License-Identifier: Apache-2.0
/*
 * The rollout machine: decides what happens next to one component of one rollout.
 *
 *     recorded status + plan + intent + observation + hook outcome + time
 *         ──► new status, effects, reason, next wake-up
 *
 * It is one pure function over the table in states.def. It is called after any change, with
 * everything, doesn't care what has changed or whether it is called twice, and runs on until it
 * must wait for the outside. It does no I/O, reads no clock, and allocates nothing.
 */
#ifndef ROLLOUT_MACHINE_H
#define ROLLOUT_MACHINE_H

#include "base/error.h"
#include "rollout/plan.h"

#include <stdbool.h>
#include <stdint.h>

/* Rollout-level states: ROLLING_LOCATING, … and batch-level states: BATCH_INITIALIZING, … */
enum rolling_state {
#define ROLLING_STATE(id, wire, condition, text) ROLLING_##id,
#include "rollout/states.def"
    ROLLING_STATES
};

enum batch_state {
#define BATCH_STATE(id, wire, condition, text) BATCH_##id,
#include "rollout/states.def"
    BATCH_STATES
};

/* Facts that can be true of a rollout in some state. */
enum rolling_event {
#define ROLLING_EVENT(id, name, text) ON_##id,
#include "rollout/states.def"
    ROLLING_EVENTS
};

enum batch_event {
#define BATCH_EVENT(id, name, text) ON_BATCH_##id,
#include "rollout/states.def"
    BATCH_EVENTS
};

/* Why nothing moves, or why the last move was made: REASON_WORKLOAD_MISSING, … */
enum reason_code {
#define REASON(id, name, person, text) REASON_##id,
#include "rollout/states.def"
    REASON_CODES
};

enum condition_type {
#define CONDITION(id, name) CONDITION_##id,
#include "rollout/states.def"
    CONDITION_TYPES
};

const char *rolling_state_name(enum rolling_state state); /* "locatingTargetApp" */
const char *batch_state_name(enum batch_state state);     /* "batchInitializing" */
const char *rolling_event_name(enum rolling_event event); /* "deleted" */
const char *batch_event_name(enum batch_event event);
const char *reason_name(enum reason_code code); /* "WorkloadMissing" */
const char *reason_text(enum reason_code code); /* "the workload isn't there any more" */
bool reason_needs_person(enum reason_code code);
const char *condition_name(enum condition_type type); /* "RolloutInitializing" */

/* The reverse; an unknown name gives ROLLING_STATES, BATCH_STATES, … */
enum rolling_state rolling_state_of(const char *name);
enum batch_state batch_state_of(const char *name);
enum reason_code reason_of(const char *name);
enum condition_type condition_of(const char *name);

bool rolling_state_terminal(enum rolling_state state); /* rolloutSucceed, rolloutFailed */

/* Does a roll count as begun in this state, and neither as ended nor as left? */
bool rolling_state_under_way(enum rolling_state state);

/* One row of the table. */
struct rolling_row {
    enum rolling_state next; /* the state itself: stay */
    enum reason_code reason;
};
struct batch_row {
    enum batch_state next;
    enum rolling_event raises; /* at the rollout; ON_WAITING: nothing */
    enum reason_code reason;
};
struct rolling_row rolling_transition(enum rolling_state state, enum rolling_event event);
struct batch_row batch_transition(enum batch_state state, enum batch_event event);

enum { NAME_SIZE = 256, SENTENCE_SIZE = 512 };

/* Why: one sentence for people, and its parts for programs. Empty parts don't apply. */
struct reason {
    enum reason_code code;
    char message[SENTENCE_SIZE];
    char object[NAME_SIZE]; /* "CloneSet default/metrics-provider" */
    char field[NAME_SIZE];  /* "status.updatedReadyReplicas" */
    char expected[64];
    char found[64];
};

enum { WISH_ID_SIZE = 64 };

/* Since when a batch stands, and how many pods were ready then. */
struct standing {
    int64_t since_ms; /* 0: it gets on, or stands because it was told to */
    int ready;
};

enum condition_status { CONDITION_ABSENT, CONDITION_FALSE, CONDITION_TRUE };

struct condition {
    enum condition_status status;
    int64_t since_ms; /* strictly later than every earlier transition of this roll */
    enum reason_code reason;
    char message[SENTENCE_SIZE];
};

/* The gate that the rollout stands at: which hook is next and how it went so far. */
struct gate {
    int passed;          /* hooks that have let it through */
    int attempts;        /* calls of the present one */
    int64_t retry_at_ms; /* not before; 0: now */
};

/* What is recorded of one component: everything the machine remembers. */
struct rollout_status {
    enum rolling_state rolling;
    enum batch_state batch_state;
    int batch;         /* counted from 0 */
    bool scale;        /* replicas are stepped from original to target size; otherwise pods of
                          the target revision from none to all */
    int original_size; /* when it was verified; -1: not known yet */
    int target_size;   /* a roll's follows the workload when that is scaled; -1: not known yet */
    int upgraded;      /* pods at the target revision */
    int upgraded_ready;
    int step_target;    /* what the workload was last told; -1: nothing yet */
    int64_t step_at_ms; /* when */
    bool step_met;      /* a scaling: that many replicas, or more, have been seen since */
    bool engaged;       /* hooks or workload may have been touched: there is something to undo */
    bool half_way; /* its pods were of two templates when it began: an operator's rules don't hold
                      it back */
    char target[NAME_SIZE];           /* lastTargetAppRevision: what this roll goes to */
    char source[NAME_SIZE];           /* LastSourceAppRevision */
    int wanted_size;                  /* the plan's targetSize that this roll goes to; -1: none */
    char target_revision[NAME_SIZE];  /* targetGeneration: the workload's hash of it */
    char applied_revision[NAME_SIZE]; /* lastAppliedPodTemplateIdentifier */
    int64_t generation;               /* of the rollout's spec when this was decided */
    char answered[WISH_ID_SIZE];      /* the last wish that was looked at */
    struct gate gate;
    struct standing standing;
    struct reason reason;
    int64_t reason_since_ms;
    struct condition conditions[CONDITION_TYPES];
};

/* What a person asks for once, of the roll to one target. It is looked at once, whether it means
 * anything then or not; while the workload is being given back to begin anew, or taken, that waits.
 */
struct wish {
    enum wish_verb { WISH_NONE, WISH_ABORT, WISH_RETRY } verb;
    char target[NAME_SIZE];
    char id[WISH_ID_SIZE]; /* another each time */
    char by[128];          /* "": not known */
};

/* What people want, from the rollout's object. Strings are borrowed. */
struct intent {
    const char *target;
    const char *source; /* "" when there is none */
    int64_t generation;
    bool deleted;
    bool revert_on_delete;
    /* The workload is held between its rolls too, and the target is whatever template it has; ""
     * until that is known. */
    bool keeps_hold;
    struct wish wish;
};

/* A write of somebody else's to what the rollout relies on. What isn't known is "". */
struct other_write {
    char who[128];         /* "kubectl-client-side-apply" */
    char how[64];          /* "Update at 2006-01-02T15:04:05Z" */
    char field[NAME_SIZE]; /* "spec.template.spec.containers[name=web].image" */
    char expected[64], found[64];
};

/* What was found out about the world. */
struct observation {
    char target[NAME_SIZE]; /* the revision that all this is about; a rollout that has just turned
                               to another target waits until it has been looked up */
    /* OK: both revisions were found and rendered and an adapter knows the kind. ERR_INVALID: they
     * can't be. Anything else: wait, the words say for what. Not OK leaves the rest unset, but for
     * object, exists and held where our mark has found the workload nevertheless: that is enough to
     * give it back. */
    struct error located;
    enum reason_code
        located_why;        /* when located isn't OK: which kind of waiting or refusal it is */
    struct error refused;   /* the adapter's word on the plan: OK, or ERR_INVALID */
    char object[NAME_SIZE]; /* "CloneSet default/metrics-provider" */
    bool exists;
    bool held;               /* carries our holder mark */
    bool rests;              /* held between rolls: no change of its template moves a pod … */
    bool rolled;             /* … and all its pods have the one that is on it */
    char held_by[NAME_SIZE]; /* another rollout, "AppRollout default/shop"; or "" */
    bool applied;            /* what was last applied to it is the target */
    bool template_changed;   /* it is ours, but by now somebody else's template is on it … */
    struct other_write template_write; /* … by this */
    bool settled;                      /* its own controller has seen the last write */
    bool fixed_size; /* nobody can step its size, as of a kind that has a pod on every node */
    int size;
    int rendered_size; /* replicas as rendered, for a first deployment */
    int updated, updated_ready, ready;
    char update_revision[NAME_SIZE];
    char why[NAME_SIZE]; /* the workload's own word on why nothing moves */
};

/* Are as many pods at the target as there are to be, and none of before ready beside them? While
 * one stands in for them, it is on its way, and held it would stay and one of the new ones go. */
bool all_at_target(const struct observation *seen);

/* What an operator's rules hold back for now. The words say which rule, and stay the same while it
 * is the same one; "" is no such rule. */
struct leave {
    char queued[160];    /* no further roll may begin */
    char closed[160];    /* neither a roll nor a batch may begin */
    int64_t opens_at_ms; /* when that is over; in the past: not known */
};

/* How the hook that was asked for last has gone. It counts only for the very call it was asked by;
 * hand it in once. A hook that is being called, and that a decision doesn't ask for any more, is to
 * be given up and its answer forgotten. */
struct hook_outcome {
    enum { HOOK_NONE, HOOK_PASSED, HOOK_REJECTED, HOOK_TROUBLE } result;
    enum hook_type gate;
    int batch, index;
    int attempt; /* as in the effect; 0: not known, any */
    char message[SENTENCE_SIZE];
};

/* ADVANCE is carried out before the decision is recorded, so that a batch costs one write of each;
 * BEGIN, HOLD, FINISH and HOOK after it, since it must be known that they may have happened. */
enum effect_kind {
    EFFECT_BEGIN,   /* take the workload over, without moving a pod */
    EFFECT_ADVANCE, /* bring it to `goal` */
    EFFECT_HOLD,    /* hold it where it is, until there is something to roll */
    EFFECT_FINISH,  /* give it back; `outcome` says in which way */
    EFFECT_HOOK,    /* call the hook */
    EFFECT_FORGET,  /* remove the finalizer */
};

/* Every effect is safe to do twice, and asked for in every decision until it has had its effect. */
struct effect {
    enum effect_kind kind;
    bool scale;            /* BEGIN, ADVANCE, FINISH: replicas are stepped, not revisions */
    int goal;              /* ADVANCE */
    bool paused;           /* ADVANCE: hold still */
    bool template_changed; /* ADVANCE: … because of another template than the target's */
    int batch;             /* ADVANCE: one that the plan has; HOOK: as plan_hook() takes it */
    const char *outcome;   /* FINISH: succeeded, failed, abandoned, deleted, rolledBack */
    enum hook_type gate;   /* HOOK */
    int index;             /* HOOK */
    int attempt;           /* HOOK: counted from 1 */
};

/* Something that happened in this call, in order: each is logged once, and told as an Event when
 * `tell` is set. */
struct move {
    enum rolling_state from, to;
    enum batch_state batch_from, batch_to;
    int batch;
    struct reason why;
    bool tell, warning;
};

enum { EFFECTS_MAX = 6, MOVES_MAX = 32 };

struct decision {
    struct rollout_status status;
    struct effect effects[EFFECTS_MAX];
    int effect_count;
    struct move moves[MOVES_MAX];
    int move_count;
    bool tell_reason;   /* the machine has begun to wait for something that takes a person */
    int64_t wake_at_ms; /* 0: when something changes; now: again, once this is recorded */
};

struct machine_input {
    const struct plan *plan;        /* NULL when plan_error says why there is none */
    const struct error *plan_error; /* NULL or OK: the plan was read */
    struct intent intent;
    struct rollout_status status; /* as recorded; status_new() for a new rollout */
    struct observation observation;
    struct leave leave;
    struct hook_outcome hook;
    int64_t now_ms;
};

/* A status that has recorded nothing yet. */
void status_new(struct rollout_status *ret_status);

/* Total: every input has a decision. */
void machine_decide(const struct machine_input *input, struct decision *ret_decision);

#endif
