// SPDX-License-Identifier: Apache-2.0
/*
 * What a Rollout does differently from an AppRollout: its target is the template that its workload
 * has, so it is read from the live object instead of being rendered, and whatever is changed of
 * that object is entered in its ledger. Everything else is shared. Private to reconcile/.
 */
#ifndef RECONCILE_FOLLOW_H
#define RECONCILE_FOLLOW_H

#include "base/error.h"
#include "follow/rollout.h"
#include "rollout/machine.h"

struct action;
struct actions;
struct adapter_request;
struct component;
struct effect;
struct task;

/* What is known of the workload that is followed. */
struct followed {
    struct workload_kind *kind; /* borrowed; NULL: not known */
    struct error error;         /* OK: the template is known */
    enum reason_code why;
    char uid[64];
    int64_t generation; /* of the object whose template this is */
    char template[TEMPLATE_HASH_SIZE];
    char applied[TEMPLATE_HASH_SIZE]; /* what was rolled last, or "" */
    json_t *whole;                    /* the live object; NULL: to be read */
    char *packed;                     /* the same as text, between passes */
};

/* Looks the workload up, reads it if it isn't the one that is known, and goes on with `then`, at
 * once or later. The target of the rollout is set. */
typedef void follow_fn(struct task *task);
void follow_aim(struct task *task, follow_fn *then);

/* The target and the source, from what is known. */
void follow_intend(struct task *task);

/* Is the workload held, at rest, and as it was when it was looked at? */
bool follow_rests(const struct task *task);

/* Sets the task's location, from the object as it is now, and goes on with `then`. */
void follow_locate(struct task *task, follow_fn *then);

/* Asks the adapter what an effect means for the workload, and enters it in the ledger. */
int follow_actions(struct component *component, const struct effect *effect,
                   struct actions *ret_actions, struct error *err);

/* The object has changed, or may have: it is read again before anything is changed. */
void follow_forget_object(struct task *task);

/* At the end of a pass and at the beginning of the next. */
void follow_pack(struct task *task, bool rolling);
void follow_unpack(struct task *task);

#endif
