// SPDX-License-Identifier: Apache-2.0
/*
 * Exhaustive search from the beginning of a stage: every order of everything that may happen, with
 * no more than so many troubles in it. States with fewer troubles come first, and of those the ones
 * that are nearer: so a way that is printed is one of the shortest.
 */
#ifndef TESTS_MODEL_SEARCH_H
#define TESTS_MODEL_SEARCH_H

#include "events.h"

struct search_result {
    size_t states, steps; /* that there are, and that lead from one to another */
    int longest_way;      /* to a state, in steps */
    int longest_rest;     /* from a state to where it comes to rest when everything goes well */
    char violation[300];  /* "": none; the way there has been printed */
};

/* With the stage's plans read. */
struct search_result search(const struct stage *stage, enum plant plant, int troubles,
                            struct coverage *coverage);

#endif
