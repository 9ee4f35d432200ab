// SPDX-License-Identifier: Apache-2.0
/*
 * The plan: how a rollout is cut into batches, what each batch may cost, and which gates stand
 * between them. It is read from the `rolloutPlan` that AppRollout and every later kind share, and
 * stands alone from then on.
 *
 * All arithmetic is here, in one place: a batch's target is the running sum of whole numbers plus
 * the running sum of percentages of the span, rounded up once, capped at the span; the last batch
 * lands on it. The span of a roll is the workload's size (from 0 pods at the target revision to
 * all); the span of a scaling is the distance between the sizes.
 *
 * Pure: no I/O, no clock. A plan is immutable once read.
 */
#ifndef ROLLOUT_PLAN_H
#define ROLLOUT_PLAN_H

#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum strategy { STRATEGY_INCREASE_FIRST, STRATEGY_DECREASE_FIRST };

/* A number of pods: 3, 30%, or left out. */
struct amount {
    enum { AMOUNT_OMITTED, AMOUNT_PODS, AMOUNT_PERCENT } unit;
    int value;
};

enum hook_type { HOOK_INITIALIZE, HOOK_PRE_BATCH, HOOK_POST_BATCH, HOOK_FINALIZE };

struct hook {
    enum hook_type type;
    char *name;
    char *url;
    char *method;  /* "POST" unless given */
    int *expected; /* statuses that pass; none: any 2xx */
    size_t expected_count;
    json_t *metadata; /* an object of strings, or NULL */
};

/* How long a batch may stand without getting on, and what is done about it then. */
struct deadline {
    int seconds; /* 0: for ever */
    enum on_failure {
        ON_FAILURE_OMITTED,
        ON_FAILURE_PAUSE,
        ON_FAILURE_ABANDON,
        ON_FAILURE_ROLLBACK
    } then;
};

struct batch {
    struct amount replicas;
    json_t *pods;                  /* podList: an array of names, or NULL */
    struct amount max_unavailable; /* omitted: 0 */
    int instance_interval_s;       /* between two pods; 0: all at once */
    struct deadline deadline;      /* what it leaves out is the plan's */
    struct hook *hooks;
    size_t hook_count;
};

struct plan {
    enum strategy strategy;
    bool strategy_given; /* otherwise IncreaseFirst is what nobody has asked for */
    int target_size;     /* -1: not given */
    bool even;           /* only numBatches was given: the span is dealt out evenly */
    struct batch *batches;
    size_t batch_count;
    int partition; /* last batch that may be rolled; -1: all may */
    bool paused;
    struct deadline deadline; /* of every batch that has none of its own */
    struct hook *hooks;
    size_t hook_count;
};

/* From where to where: pods at the target revision (0 to size) in a roll, replicas in a scaling. */
struct span {
    int from, to;
};

/* Reads and checks everything that can be checked without knowing the workload. `path` is where the
 * plan stands in its object, for messages ("spec.rolloutPlan"). The caller owns *ret_plan.
 * ERR_INVALID with the path of the field at fault. */
int plan_read(const json_t *json, const char *path, struct plan **ret_plan, struct error *err);
void plan_free(struct plan *plan);

/* Does the plan lead exactly from one end of the span to the other? ERR_INVALID tells the sum, at
 * spec.rolloutPlan.rolloutBatches. Doesn't allocate. */
int plan_check(const struct plan *plan, struct span span, struct error *err);

/* Pods (or replicas) after batch `batch`, counted from 0. Total: any batch at or past the last
 * gives span.to, whatever the plan says, so that a size that changes on the way can't strand it. */
int plan_target(const struct plan *plan, struct span span, int batch);

/* Does it bring the pods in more than one step? */
bool plan_in_steps(const struct plan *plan);

/* How many of `size` pods may be missing when the batch is verified. */
int plan_tolerance(const struct plan *plan, int batch, int size);

/* The deadline of a batch; without a word about what follows, it is a pause. */
struct deadline plan_deadline(const struct plan *plan, int batch);

/* May a batch that fails take its pods back? */
bool plan_rolls_back(const struct plan *plan);

/* Is it a plan for a workload that a Rollout follows? Its template is its owner's to take back.
 * ERR_INVALID at the onFailure that says otherwise. */
int plan_check_followed(const struct plan *plan, struct error *err);

/* The hooks of one gate in the order in which they are called: the plan's, then the batch's.
 * NULL when there are fewer than `index` + 1. */
const struct hook *plan_hook(const struct plan *plan, enum hook_type gate, int batch, int index);

/* "initialize-rollout", … */
const char *hook_type_name(enum hook_type type);
const char *strategy_name(enum strategy strategy);

#endif
