// SPDX-License-Identifier: Apache-2.0
/*
 * What really happens on a stage, seen by somebody whom no fault touches: every version of every
 * pod of one workload, in order; and what must hold of each, whatever happens to the controller.
 *
 * A roll goes to an image. Of its pods no more may be there than the batches lead to whose turn it
 * is: a batch has its turn once enough pods of the one before have been ready, its hook has said
 * yes, and the partition allows it. They never get fewer. And as many pods are ready as the plan
 * promises.
 */
#ifndef TESTS_TRUTH_H
#define TESTS_TRUTH_H

#include "stage.h"

#include "base/map.h"

enum { BATCHES_MAX = 8 };

struct roll {
    char image[32];
    int size;
    int batches, until[BATCHES_MAX]; /* pods at the end of each */
    int tolerance;                   /* pods that may be missing when a batch counts as ready */
    int partition;                   /* the last batch that may be rolled; -1: all */
    bool held;                       /* nothing may move */
    bool hooked;                     /* batches have hooks that must pass first */
    int passed;                      /* the last batch whose hook has passed; -1: none */
    int frontier;                    /* the batch whose turn it is */
    int loose;                       /* pods that an interrupted roll has let go */
    int missing;                     /* pods that weren't ready when it began */
    int most;                        /* pods of this image that there have been */
    bool strict;                     /* its size and template have not been changed on the way */
};

struct truth {
    struct stage *stage;
    struct carried *watch;
    struct text line;
    struct map pods; /* "ready image" by name */
    struct roll roll;
    int versions; /* of pods that were looked at */
    int ready, updated, updated_ready, count;
    bool verbose;        /* each of them is printed */
    char violation[400]; /* the first one; "" */
};

void truth_open(struct truth *truth, struct stage *stage);
void truth_close(struct truth *truth);

/* From now on it goes to another image. */
void truth_roll(struct truth *truth, const struct roll *roll);

/* Nothing holds it any more, and batches up to this one may be rolled; -1: all. */
void truth_let_on(struct truth *truth, int partition);

/* A hook has let a batch begin. */
void truth_passed(struct truth *truth, int batch);

/* Records a violation, unless there is one. */
void truth_violated(struct truth *truth, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
