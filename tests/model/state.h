// SPDX-License-Identifier: Apache-2.0
/*
 * A state of the model: one rollout, its workload and everybody around it, in a hundred bytes that
 * are compared as they are. What can't change a decision isn't in it: words, and times but for
 * whether they have come.
 *
 * Revisions are numbers from 1; "v3" is the name of 3, and 0 is none.
 */
#ifndef TESTS_MODEL_STATE_H
#define TESTS_MODEL_STATE_H

#include "rollout/machine.h"

enum { REVISIONS = 3, SIZE_MOST = 4, ALL_PODS = 127, BATCHES_MOST = 3, HOOK_TYPES = 4 };
enum { NOBODY, US, SOMEBODY };

/* YOUNG: it has never been ready; SICK: not any more. */
enum pod_kind { POD_READY, POD_YOUNG, POD_SICK, POD_KINDS };

enum written { PLAN_FIRST, PLAN_EDITED, PLAN_BROKEN };

/* What people want. */
struct wants {
    int8_t target, source, plan, paused, partition, target_size, deleted, wish, wish_target;
};

/* As in tests/unit/rollout/world.h. */
struct workload {
    int8_t exists, size, revision, told, paused, applied, put, rests, all, rolled, holder;
    int8_t behind;  /* its controller hasn't seen the last write */
    int8_t counted; /* the revision that counted as the new one when it last looked */
    int8_t pods[REVISIONS][POD_KINDS];
};

/* What stands in the way of everybody. */
struct weather {
    int8_t trouble, missing, unusable, refuses, closed, queued, hooks_down;
};

/* The hook that is being called, or has answered. */
struct call {
    int8_t running, answer, gate, batch, index, attempt;
};

enum timer { TIMER_OFF, TIMER_RUNS, TIMER_OVER };

/* Of the rollout's status, as it is recorded, whatever decisions are made from. */
struct record {
    int8_t rolling, batch_state, batch, scale, original_size, target_size, upgraded, upgraded_ready;
    int8_t step_target, step_waits, step_met, engaged, half_way, target, source, wanted_size;
    int8_t stale; /* the spec was edited since */
    int8_t answered;
    int8_t passed, attempts, retry_waits;
    int8_t standing, standing_ready;
    int8_t reason, failing, failing_reason, failed_reason;
};

/* What nobody knows, for the judges: of the present roll. */
struct memory {
    int8_t told, told_size;     /* the last goal, and the size at that time; -1: none */
    int8_t verified;            /* as many pods as have been at the target and ready together */
    int8_t excused;             /* its size, plan or template was changed on the way */
    int8_t touched;             /* its workload, at the end: taken from it, made anew or scaled */
    int8_t anew;                /* another roll has been decided, but isn't recorded yet */
    uint8_t passed[HOOK_TYPES]; /* batches whose gate a hook has opened, as bits */
};

struct state {
    struct wants wants;
    struct workload workload;
    struct weather weather;
    struct call call;
    struct record record;
    struct memory memory;
    int8_t dirty; /* something has changed since the controller looked */
    int8_t wakes; /* it has asked to be called when a time comes */
    int8_t gone;  /* the finalizer was removed */
};

/* record.c: the clock stands still, and what is waited for lies ahead of it or behind. */
static const int64_t NOW_MS = 1700000000000;
enum { INTERVAL_S = 10, DEADLINE_S = 600 };

void record_pack(const struct rollout_status *status, struct record *ret_record);
void record_unpack(const struct record *record, struct rollout_status *ret_status);

const char *revision_name(int revision); /* "" for none */
int revision_of(const char *name);

/* pods.c: counting, and the workload's own controller. */
int pods_of(const struct workload *w, int revision);
int pods_like(const struct workload *w, enum pod_kind kind);
int pods_all(const struct workload *w);
int pods_ready_of(const struct workload *w, int revision);

/* Makes, takes away or replaces one pod; false when it has nothing to do. */
bool pods_move(struct workload *w, bool surge);

/* One line, without its end. */
void state_describe(const struct state *state, char *text, size_t size);

#endif
