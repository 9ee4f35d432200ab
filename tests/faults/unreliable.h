// SPDX-License-Identifier: Apache-2.0
/*
 * A carrier that can't be relied on, around one that can: between a controller and the API in this
 * process it does what networks, servers and proxies do to requests and answers, as a seed says. It
 * also is where a controller is killed: from then on nothing it asks for leaves, and nothing it has
 * asked for comes back.
 */
#ifndef TESTS_UNRELIABLE_H
#define TESTS_UNRELIABLE_H

#include "base/list.h"
#include "base/map.h"
#include "loop/carrier.h"
#include "loop/loop.h"
#include "random.h"

enum fault {
    FAULT_NONE,
    FAULT_DELAY_REQUEST,
    FAULT_DELAY_ANSWER,
    FAULT_LOSE_REQUEST,
    FAULT_LOSE_ANSWER,
    FAULT_REFUSE,    /* 409, 410, 429, 500 or 503, and nothing was done */
    FAULT_CUT,       /* in mid-body, of a stream too */
    FAULT_DUPLICATE, /* events of a watch */
    FAULT_STALE,     /* a list as it was once */
    FAULTS
};
extern const char *const fault_names[FAULTS];

/* What a controller would do that has a bug, done in its name: a test of the test. */
enum plant {
    PLANT_NOTHING,
    PLANT_SKIP,   /* leads a workload to its end at once */
    PLANT_HURT,   /* lets a workload take all its old pods away at once */
    PLANT_BACK,   /* puts a template back that was there before */
    PLANT_LOSE,   /* deletes the rollout */
    PLANT_STANDS, /* isn't started again after it was killed */
    PLANTS
};
extern const char *const plant_names[PLANTS];

struct unreliable {
    struct loop *loop;
    struct carrier inner;
    struct random *random;
    int percent;       /* of requests that have a fault; 0: it is reliable */
    unsigned kinds;    /* of faults, as bits */
    int writes;        /* that have been let through, of all lives */
    int kill_at;       /* the write with this number is the last; 0: it lives */
    bool kill_unheard; /* … and its answer doesn't come back */
    bool dead;
    bool verbose; /* what is asked and answered is printed */
    enum plant plant;
    int planted;
    int faults[FAULTS]; /* how many there were */
    struct map lists;   /* what each was answered once */
    struct list under_way;
};

void unreliable_init(struct unreliable *unreliable, struct loop *loop, struct carrier inner,
                     struct random *random);

/* What is under way without anybody who waits for it is dropped. */
void unreliable_done(struct unreliable *unreliable);

/* Borrowed. */
struct carrier unreliable_carrier(struct unreliable *unreliable);

#endif
