// SPDX-License-Identifier: Apache-2.0
/* A Kubernetes API in memory, and what runs in a cluster beside it. One thread, the loop's. */
#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

#include "base/error.h"
#include "loop/carrier.h"
#include "loop/loop.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sandbox;

struct sandbox_options {
    const char *listen; /* as in base/address.h; NULL: it doesn't, and is reached by its carrier */
    size_t history;     /* versions that are remembered; 0: 100000 */
    bool runs_pods;     /* else they stay as they are, as in a cluster without nodes */
    int64_t ready_after_ms;
    int nodes;       /* that there are from the beginning; pods go to them */
    bool openkruise; /* CloneSets are defined from the beginning */
};

/* The caller owns *ret_sandbox. Errors as those of listener_new(). */
int sandbox_new(struct loop *loop, const struct sandbox_options *options,
                struct sandbox **ret_sandbox, struct error *err);
void sandbox_free(struct sandbox *sandbox); /* NULL is fine */

/* Where it listens. */
int sandbox_port(const struct sandbox *sandbox);

/* Brings requests to it from within this process. Borrowed. */
struct carrier sandbox_carrier(struct sandbox *sandbox);

/* Adds rules of what is to go wrong, as docs/sandbox.md has them. *ret_added is what was added, the
 * caller's. ERR_INVALID: the words name the field. */
int sandbox_add_faults(struct sandbox *sandbox, const json_t *rules, json_t **ret_added,
                       struct error *err);

/* Whether they can be read. */
int sandbox_check_faults(const json_t *rules, struct error *err);

/* In place of those that there were. NULL: nothing is to go wrong any more. */
int sandbox_set_faults(struct sandbox *sandbox, const json_t *rules, struct error *err);

/* Nothing goes wrong with what this agent asks for; borrowed. */
void sandbox_spare(struct sandbox *sandbox, const char *agent);

/* {"faults": [rule, …]}, each with how many things have fitted ("seen") and gone wrong ("done").
 * The caller owns it. */
json_t *sandbox_faults(const struct sandbox *sandbox);

/* Of the pods whose containers start from now on, anew or again, this one, counted from 1, never
 * gets ready; 0: all do. */
void sandbox_stick(struct sandbox *sandbox, int pod);

/* How many versions of objects there have been; and whether controllers have something to do, now
 * or before this time of clock_monotonic_ms(). */
int64_t sandbox_revision(const struct sandbox *sandbox);
bool sandbox_is_busy(const struct sandbox *sandbox, int64_t until_ms);

#endif
