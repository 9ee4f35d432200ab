// SPDX-License-Identifier: Apache-2.0
/* A Kubernetes API in memory. One thread, the loop's. */
#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

#include "http.h"
#include "kinds.h"
#include "store.h"

#include "base/list.h"
#include "loop/loop.h"

struct sandbox {
    struct loop *loop;
    struct store *store;
    struct kinds *kinds;
    struct http *http;
    struct owners *owners;
    struct list watches;
    struct list soon, later;  /* what controllers have to do (later.h) */
    int64_t ready_after_ms;   /* from a pod's beginning; -1: it never is */
    struct timer controllers; /* runs when there are versions that they haven't seen */
    int64_t controlled;       /* the revision that they have seen */
};

struct sandbox_options {
    const char *listen; /* as in base/address.h */
    size_t history;     /* versions that are remembered; 0: 100000 */
    bool runs_pods;     /* else they stay as they are, as in a cluster without nodes */
    int64_t ready_after_ms;
};

/* The caller owns *ret_sandbox. Errors as those of listener_new(). */
int sandbox_new(struct loop *loop, const struct sandbox_options *options,
                struct sandbox **ret_sandbox, struct error *err);
void sandbox_free(struct sandbox *sandbox); /* NULL is fine */

#endif
