// SPDX-License-Identifier: Apache-2.0
/* One step that is tried from a state: who does it, what comes of it, and what is wrong with that.
 */
#ifndef TESTS_MODEL_TRIAL_H
#define TESTS_MODEL_TRIAL_H

#include "state.h"

/* What is explored: a rollout with its plan, and a workload. */
struct stage {
    const char *name;
    const char *plan, *edited; /* as plan_of() reads them; edited: into what a person may edit it */
    int size;                  /* pods at v1; 0: there is no workload */
    bool fixed_size;           /* nobody can scale it */
    bool scales;               /* it stays at v1 */
    bool follows;              /* the target is the template that is on the workload … */
    bool rests;                /* … which is held already, and gets v2 */
    bool surges;               /* a new pod comes before an old one goes */
    bool reverts;              /* on deletion */
    struct plan *plans[2];
};

/* A bug between the machine and the rest: it is there to be found. */
enum plant {
    PLANT_NOTHING,
    PLANT_SKIP,   /* the workload is told one pod more */
    PLANT_TRUST,  /* its controller is said to have seen everything at once */
    PLANT_DEAF,   /* it isn't given back */
    PLANT_LOOSE,  /* the hold goes with every word to it */
    PLANT_SLEEP,  /* nobody is called when a time has come */
    PLANT_FORGET, /* an end isn't recorded as one: the rollout begins anew */
    PLANT_YES,    /* whatever a hook says, it is taken for a yes */
    PLANT_MUTE,   /* no hook says no: not an error, but then half of the table isn't explored */
    PLANTS
};

/* Which rows of the tables were used, and which reasons were recorded. */
struct coverage {
    bool rolling[ROLLING_STATES][ROLLING_EVENTS];
    bool batch[BATCH_STATES][BATCH_EVENTS];
    bool reason[REASON_CODES];
};

struct trial {
    const struct stage *stage;
    enum plant plant;
    struct coverage *coverage;
    struct state state;
    char violation[300]; /* the first one */

    /* Of one pass of the controller. */
    int writes_left; /* -1: all succeed */
    bool cut;        /* one didn't */
};

/* Notes a violation, unless there is one already. */
void violated(struct trial *trial, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The plan as it is written now. The copy lives as long as its stage; false: it can't be read. */
bool trial_plan(const struct trial *trial, struct plan *ret_plan);

/* shell.c: the controller looks, decides and acts, until nothing more comes of it or a write fails.
 * In what order things are written is told in tests/unit/rollout/world.h. */
void controller_looks(struct trial *trial);

/* Somebody has changed the workload; its controller will see that. */
void workload_changed(struct state *state);

/* judge.c: what must hold of a decision, of what the workload is told, of how it is given back … */
void judge_decision(struct trial *trial, const struct machine_input *input,
                    const struct decision *decision);
void judge_advance(struct trial *trial, const struct machine_input *input,
                   const struct decision *decision, const struct effect *effect);
void judge_finish(struct trial *trial, const struct machine_input *input,
                  const struct effect *effect);

/* … of every state; it also learns what was seen to be ready … */
void judge_state(struct trial *trial);

/* … and of one in which nothing will happen any more. */
void judge_rest(struct trial *trial);

#endif
