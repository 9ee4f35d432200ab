// SPDX-License-Identifier: Apache-2.0
/*
 * A task: what the controller remembers of one rollout between its passes, and the pass that is
 * under way. It exists from the first pass of an unfinished rollout to its end; nothing in it can't
 * be found out again.
 */
#ifndef RECONCILE_TASK_H
#define RECONCILE_TASK_H

#include "oam/approllout.h"
#include "reconcile/act.h"
#include "reconcile/brake.h"
#include "reconcile/contest.h"
#include "reconcile/follow.h"
#include "reconcile/hooks.h"
#include "reconcile/locate.h"
#include "reconcile/pods.h"
#include "reconcile/reconcile.h"

struct task;
struct component;

/* See other_writer.h. err: OK, or what stood in the way of an answer. */
typedef void other_writer_fn(struct component *component, const struct error *err);

/* A hook of one component that is being called, or whose answer waits for the next pass. */
struct hook_run {
    struct hook_call *call;
    struct hook_outcome asked; /* gate, batch, index and attempt that it was called for */
    struct hook_outcome outcome;
};

struct component {
    struct task *task;
    char *name; /* NULL: the only one, of a rollout that names none */
    struct rollout_status status;
    json_t *rolls;             /* the record of them (oam/rolls.h); owned, or NULL … */
    struct decision *decision; /* of the present round */
    json_t *decided_rolls;     /* … and once that counts; likewise */
    struct observation observation;
    json_t *workload;           /* as seen in the present round; owned */
    json_t *owned;              /* what the workload owns, where the adapter reads it; likewise */
    json_t *live;               /* the workload with its writers, where that was asked; likewise */
    struct workload_kind *kind; /* of the workload; NULL while it isn't known */
    struct adapter *adapter;    /* held for the present round, whoever replaces it meanwhile */
    struct hook_run hook;
    other_writer_fn *then; /* what comes after the question who has changed it */
    int next_effect;       /* of the decision, to be carried out */
    enum acted acted;      /* what came of the effects of this round */
    char in_vain_at[160];  /* the field that such an effect was to change, if that is known */
    bool put_back;         /* in this round, what somebody else had taken off */
    bool remembered;       /* the status decided in this round has been written */
    bool forget;           /* it needs the rollout no longer */
};

/* A move with the component that made it, until it is told. */
struct told_move {
    struct move move;
    char *component;
};

/* What only the pass under way needs: most of a task, and most rollouts are at rest. */
struct pass {
    json_t *object; /* the rollout; owned */
    struct approllout rollout;
    char *holder;
    bool located; /* what it goes to was looked up */
    bool told;    /* that it waits for a person: that is recorded at once */
    size_t at;    /* the component that has its turn */
    int rounds;
    struct told_move *moves;
    size_t move_count;
    struct error unfollowed; /* why the template of what is followed isn't known; OK: it is */
    enum reason_code unfollowed_why;
    follow_fn *follow_then, *follow_after; /* what comes after the look at what is followed */
    json_t *refreshed; /* what is followed, as it was before it is read again; owned */
    json_t *seen;      /* of what is followed, see follow_seen(); owned */
    uint64_t seen_version;
    struct locate *locate;
    struct act *act;
    struct adapter_asking asking;
    struct pods_fetch *fetch;
    struct call *call;
    struct error trouble;
};

struct task {
    struct controller *controller;
    struct rollout_kind *kind;
    char *key;
    bool dead;         /* the rollout is gone: drop the task when the pass ends */
    struct pass *pass; /* that is under way, or NULL */

    struct location *location; /* of the rollout's present target */
    struct location *revert;   /* of its source, when a deletion reverts */
    struct followed followed;  /* by a rollout that follows; else empty */
    json_t *pods;              /* those that the plan names; NULL: not read yet, or it names none */
    int64_t written_at_ms;     /* of the last status, monotonic; 0: never */
    struct brake brake;        /* of the adapter that its components have, one at a time */
    struct contest contest;    /* over its workloads */
    struct component *components; /* while there is a pass, or a hook of theirs is being called */
    size_t component_count;
};

/* task.c: tasks, and the components of the rollout that is at hand. */
struct task *task_get(struct rollout_kind *kind, const char *key);
void task_drop(struct task *task);
bool task_unfinished(const struct task *task);
bool task_uses(const struct task *task, const struct workload_kind *kind);
void task_pass_done(struct task *task); /* releases what only the pass needs */
void task_object_put(struct task *task, const json_t *object); /* what a write answered: known … */
void task_object_replace(struct task *task, json_t *object); /* … and what this pass goes on with */
void component_forget(struct component *component);          /* what was seen of its workload */
void component_read(struct component *component, const char *name); /* what is recorded of it */
void component_adopt(struct component *component);                  /* what was decided counts */
void components_from_status(struct task *task);
void components_from_location(struct task *task);

/* Reads the rollout's object: plan and intent. */
void task_read(struct task *task);

/* The rollout as the line of those who wait for their turn knows it. Borrowed from the task. */
struct turns_of task_turn(const struct task *task);

/* decide.c: fills decision and decided_rolls, from what was observed. */
void component_decide(struct component *component);

/* rollout_pass.c: goes on after an observation, an effect, a write or an answer. */
void pass_locate(struct task *task);
void component_observed(struct component *component);
const char *pass_target(const struct task *task); /* the revisions that the pass is about */
const char *pass_source(const struct task *task);
void component_round_done(struct component *component);

/* effects.c: carries out the next effect of the round, and all after it. */
void component_next_effect(struct component *component);

/* What was decided in this round could not be carried out: none of it counts, the status says what
 * stands in the way, and it is tried again. */
void component_failed(struct component *component, enum reason_code why, const struct error *err);

/* record.c */
bool component_remember(struct component *component); /* true: the effect has to wait for it */
void pass_record(struct task *task);
void pass_fail(struct task *task, const struct error *err);

/* observe.c: what is to be known of the component's workload; fills observation and workload, and
 * goes on with component_observed(), at once or later. */
void component_observe(struct component *component);

/* The component's place in the location, or NULL. */
struct located_component *component_located(const struct component *component);

/* The path of the rollout itself; subresource NULL: none. The caller frees it. */
char *task_path(const struct task *task, const char *subresource);

/* The request to the adapter about what was observed. */
struct adapter_request component_request(const struct component *component);

/* tell.c: logs and Events of what has happened in the pass, each once, after it was recorded; a
 * witness is told when it is noted. */
void task_note_moves(struct task *task, const struct component *component);
void task_tell(struct task *task);
void task_tell_waiting(struct task *task, const struct component *component);
void task_forget_moves(struct task *task);

/* "AppRollout namespace/name", with the component where there are several. Caller frees it. */
char *task_label(const struct task *task, const char *component);

#endif
