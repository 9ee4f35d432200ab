// SPDX-License-Identifier: Apache-2.0
/*
 * What every adapter must keep, whatever it is for. Each rule is tried with the requests of the
 * author's cases; a rule that is broken says with which call and how.
 */
#ifndef CHECK_CONTRACT_H
#define CHECK_CONTRACT_H

#include "subject.h"

#include <jansson.h>

/* A case of the author's, by file name. */
struct specimen {
    const char *name;
    const json_t *json;
    bool passed;                        /* by itself, before any rule was tried with it */
    const struct specimens *neighbours; /* all, this one among them */
};
struct specimens {
    struct specimen *items;
    size_t count;
};

struct rule {
    const char *text; /* "the same request gets the same answer" */
    unsigned calls;   /* bits 1 << CALL_…: cases of other calls say nothing; 0: all do */
    /* OK, or ERR_BUG with words. Runs in a process of its own: it may crash. */
    int (*check)(const struct subject *subject, const struct specimen *specimen, struct error *err);
};

/* Ends in a rule without text. */
extern const struct rule contract_rules[];

#endif
