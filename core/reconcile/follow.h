// SPDX-License-Identifier: Apache-2.0
/*
 * What a Rollout does differently from an AppRollout: its target is the template that its workload
 * has, so it is read from the live object instead of being rendered, and whatever is changed of
 * that object is entered in its ledger. Everything else is shared. Private to reconcile/.
 */
#ifndef RECONCILE_FOLLOW_H
#define RECONCILE_FOLLOW_H

#include "base/error.h"
#include "follow/history.h"
#include "follow/rollout.h"
#include "rollout/machine.h"

struct adapter_reply;
struct component;
struct effect;
struct location;
struct task;

/* What is known of the workload that is followed. Templates go by their names. */
struct followed {
    struct workload_kind *kind; /* borrowed; NULL: not known */
    char uid[64];
    int64_t generation;                /* of the object whose template this is */
    char template[TEMPLATE_NAME_SIZE]; /* "": it isn't known */
    char applied[TEMPLATE_NAME_SIZE];  /* what the last roll has gone to, or "" */
    char rolled[TEMPLATE_NAME_SIZE];   /* what all pods had last, or "" */
    json_t *whole;                     /* the live object; NULL: to be read */
    struct packed *packed;             /* the same between passes */
};

/* Looks the workload up, reads it if it isn't the one that is known, and goes on with `then`, at
 * once or later. The target of the rollout is set. */
typedef void follow_fn(struct task *task);
void follow_aim(struct task *task, follow_fn *then);

/* The target and the source, from what is known. */
void follow_intend(struct task *task);

/* Is the workload held, at rest, and as it was when it was looked at last? */
bool follow_rests(const struct task *task);

/* The workload as the store has it, for as long as it has no other; borrowed, and not to be
 * changed. NULL as well while the cluster doesn't serve the kind, or that isn't known yet. */
json_t *follow_seen(const struct task *task);

/* Sets the task's location, from the object as it is now, and goes on with `then`. */
void follow_locate(struct task *task, follow_fn *then);

/* The way back of a deletion: the workload with the template that all its pods had last. The caller
 * frees it. */
struct location *follow_revert(const struct task *task);

/* What needs no adapter: giving the workload back as its owner has it. False: it is to be asked. */
bool follow_answers(const struct component *component, const struct effect *effect,
                    struct adapter_reply *ret_reply);

/* The workload as an adapter is asked to take it over: by nobody yet. So it says all that belongs
 * to a hold, and how much of that is there already, the ledger finds out. The caller owns it. */
json_t *follow_untaken(const struct component *component);

/* Enters what an adapter has answered in the ledger. */
void follow_turn(const struct component *component, const struct effect *effect,
                 struct adapter_reply *reply);

/* The object has changed, or may have: it is read again before anything is changed. */
void follow_forget_object(struct task *task);

/* Reads the object again if it has been written since, by whoever tells of its pods: what is put on
 * it as a whole has to be made of its latest version. The pass fails if its spec was written, too.
 */
void follow_refresh(struct task *task, follow_fn *then);

/* What the object asked for couldn't be done in this pass: the next looks at it again, though
 * nothing of it has changed. */
void follow_doubt(struct task *task);

/* At the end of a pass and at the beginning of the next. */
void follow_pack(struct task *task, bool rolling);
void follow_unpack(struct task *task);

#endif
