// SPDX-License-Identifier: Apache-2.0
/*
 * What is to go wrong, by rules. A rule says which fault, what it is about, and how often; it is
 * JSON, and docs/sandbox.md has the fields. Where several rules fit, the first that isn't used up
 * takes effect. What a rule does to a sequence of things that fit is the same in every run: chance
 * comes from its seed.
 */
#ifndef SANDBOX_FAULTS_H
#define SANDBOX_FAULTS_H

#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct faults;

enum fault_kind {
    FAULT_SLOW,        /* answered later */
    FAULT_ANSWER,      /* answered with a failure, and not carried out */
    FAULT_CUT,         /* the connection ends */
    FAULT_WATCH_CUT,   /* … in the middle of an event's line */
    FAULT_WATCH_GONE,  /* instead of the event, 410 */
    FAULT_WATCH_TWICE, /* the event is told twice */
    FAULT_WATCH_LATE,  /* it, and all that follow, later */
    FAULT_POD_NEVER_READY,
    FAULT_NODE_DEAD,
};

enum fault_scope { FAULTS_OF_REQUESTS, FAULTS_OF_EVENTS, FAULTS_OF_PODS, FAULTS_OF_NODES };

enum fault_cut {
    CUT_NOT,
    CUT_REQUEST, /* before it is carried out */
    CUT_ANSWER,  /* it is carried out, and nobody is told */
    CUT_BODY,    /* in the middle of the answer */
};

struct fault {
    enum fault_kind kind;
    int64_t delay_ms;
    unsigned code;
    int64_t retry_after_s; /* 0: it doesn't say */
    enum fault_cut cut;
};

/* What may go wrong. NULL and "" are the same; borrowed. */
struct fault_subject {
    const char *verb;     /* get, list, watch, create, update, patch, delete, deletecollection */
    const char *resource; /* "deployments", "deployments/status" */
    const char *ns, *name;
    const char *agent; /* who asks: its User-Agent */
};

struct faults *faults_new(void);
void faults_free(struct faults *faults); /* NULL is fine */

/* Adds one rule, or all of {"faults": [rule, …]}, or none of them. ERR_INVALID: the words name the
 * field. *ret_added is {"faults": […]} with their ids, the caller's. */
int faults_add(struct faults *faults, const json_t *rules, json_t **ret_added, struct error *err);

/* All of them, with how many things have fitted ("seen") and gone wrong ("done"). The caller owns
 * it. */
json_t *faults_list(const struct faults *faults);

/* False: there is none with that id. */
bool faults_remove(struct faults *faults, int64_t id);
void faults_clear(struct faults *faults);

/* Nothing goes wrong with what this agent asks for; borrowed. */
void faults_spare(struct faults *faults, const char *agent);

/* What is to go wrong with this one, which counts; NULL: nothing. Borrowed until rules go. */
const struct fault *faults_pick(struct faults *faults, enum fault_scope scope,
                                const struct fault_subject *subject);

#endif
