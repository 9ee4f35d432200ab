// SPDX-License-Identifier: Apache-2.0
/*
 * A world to try rollouts in: one workload with a controller of its own that takes its time, hooks
 * that answer, a record that is written, a clock that is turned by hand, and around the machine the
 * shell with its rules about what is written before what:
 *   - effects on the workload come first, then one write of the status that records them;
 *   - except for taking over, giving back and calling a hook, which are done after the record;
 *   - what only counts, or only says what is waited for, may be written a little later;
 *   - after an effect that has changed something the world is observed and the machine asked again.
 * Every decision is checked against all invariants (invariants.c), every call is made twice.
 *
 * Revisions are numbers from 1; "v3" is the name of 3. Hooks do what they are called: yes, no,
 * later (no answer twice, then yes) and never (no answer).
 */
#ifndef TESTS_WORLD_H
#define TESTS_WORLD_H

#include "base/text.h"
#include "rollout/machine.h"

#include <limits.h>

enum { REVISIONS = 10, PODS = 64, ALL_PODS = INT_MAX };
enum holder { NOBODY, US, SOMEBODY };

struct pod {
    int revision;
    bool ready;
    int64_t ready_at; /* when it becomes so */
};

struct counts {
    int updated, updated_ready, ready;
};

struct workload {
    bool exists;
    int size;     /* pods that there are to be */
    int revision; /* of the template */
    int told;     /* pods that may be of that revision */
    bool paused;
    int applied; /* mark: the revision that was applied last */
    int put;     /* mark: the template that this was */
    bool rests;  /* mark: it is held between rolls … */
    int all;     /* mark: … and all pods have this template; 0: they are of several */
    int rolled;  /* mark: the template that all pods had last; 0: not known */
    enum holder holder;
    int64_t generation, observed; /* its controller is behind while they differ */
    int64_t settles_at;
    struct pod pods[PODS];
    int pod_count;
    struct counts counts; /* as its controller has counted last */
};

struct world {
    /* What people want. */
    struct plan *plan;
    struct error plan_error;
    int target, source; /* 0: none */
    int64_t generation;
    bool deleted, revert;
    struct wish wish;
    int wishes;   /* so far */
    bool follows; /* the target is the template that is on the workload, by whomever */

    /* How the world is. */
    int64_t lag_ms, ready_ms, hook_ms;        /* how long things take */
    bool missing[REVISIONS];                  /* revisions that aren't there */
    bool unusable[REVISIONS];                 /* revisions that can't be rendered */
    bool broken[REVISIONS];                   /* revisions whose pods never become ready */
    bool trouble;                             /* the cluster doesn't answer */
    bool refuses;                             /* the adapter doesn't like the plan */
    const struct other_write *template_write; /* what is known of who has changed it; NULL: some */
    struct leave leave;                       /* what an operator's rules hold back */
    int rendered_size;
    int fixed_size; /* of a kind that nobody can scale: what the cluster makes of it; 0: it can be
                     */
    struct workload workload;
    int64_t now_ms;

    /* What is recorded, and what only the process knows. */
    struct rollout_status recorded;
    int64_t written_at_ms;
    bool gone; /* the finalizer was removed */
    struct {
        bool running;
        struct effect effect;
        int64_t due_ms;
    } call;
    struct hook_outcome outcome;
    int64_t wake_at_ms;

    /* The process dies instead of doing anything after this many writes; -1: it lives. */
    int writes_left;
    bool dead;

    /* What has happened. */
    struct text journal; /* moves and effects, a line each */
    int writes;          /* to the workload and to the record, and calls of hooks */
    int status_writes, workload_writes, events, warnings;

    /* For the invariants: of the present roll. */
    unsigned passed[4][1024]; /* hooks of a gate that have let a batch pass, as bits */
    bool anew;                /* another roll has been decided, but isn't recorded yet */
    int told, told_size;      /* the last goal, and the size at that time; -1: none */
    bool strict;              /* goals never fall, not even when a crash has lost memory */
};

/* One workload of 5 pods at revision 1, and a rollout of revision 2 (from 1) that doesn't exist
 * yet. The plan as in plan_of(). */
void world_init(struct world *world, const char *plan);
void world_done(struct world *world);

/* The same of a rollout that follows the workload. */
void world_follow(struct world *world, const char *plan);

/* What people do. */
void world_plan(struct world *world, const char *plan); /* also bad ones */
void world_target(struct world *world, int target, int source);
void world_delete(struct world *world);
void world_wish(struct world *world, enum wish_verb verb); /* of the roll that there is */
void world_scale(struct world *world, int size);           /* from outside */
void world_no_workload(struct world *world);               /* it never was */
void world_template(struct world *world, int revision);    /* somebody else puts this one on it */
void world_hold(struct world *world, enum holder holder);
void world_heal(struct world *world, int revision); /* its pods get ready after all */

/* One pass of the shell. True when it has changed anything. */
bool world_pass(struct world *world);

/* The clock goes on by some time, or to when the next thing happens (false: nothing will). */
void world_wait(struct world *world, int64_t ms);
bool world_wait_for_next(struct world *world);

/* Passes and time, until nothing more will happen or the rollout is gone; fails when that doesn't
 * come about. */
void world_run(struct world *world);

/* Until the state (and batch) is reached; fails when it isn't. */
void world_run_to(struct world *world, enum rolling_state state);
void world_run_to_batch(struct world *world, enum batch_state state, int batch);

/* The process dies and starts again, knowing only what is recorded. */
void world_crash(struct world *world);

/* invariants.c: makes a decision, and fails when it, or what led to it, breaks an invariant. */
void decide_checked(struct world *world, const struct machine_input *input,
                    struct decision *ret_decision);

bool status_equal(const struct rollout_status *a, const struct rollout_status *b);
bool effect_equal(const struct effect *a, const struct effect *b);

#endif
