// SPDX-License-Identifier: Apache-2.0
/*
 * Calling a rollout's webhooks, without ever blocking. Any 2xx passes unless the hook lists what it
 * expects; a 3xx (no redirection is followed) and a 4xx other than 408 and 429 are a no; everything
 * else, and no answer, is trouble, after which the machine decides when to call again. GET is sent
 * without a body. Of the answer 64 KiB are read, and its beginning is quoted in the message.
 *
 * Where a call may go is judged by its URL before anything is looked up, by each address before it
 * is connected to, and by the address of the connection before anything is sent: a name that
 * resolves otherwise the second time gains nothing. No proxy is asked, for it would hide that
 * address. Each call carries an idempotency key that stays the same for the same hook of the same
 * gate of the same roll, so that a receiver can tell a repetition; and a traceparent (W3C Trace
 * Context), with a trace for the roll and a span for the call.
 */
#ifndef RECONCILE_HOOKS_H
#define RECONCILE_HOOKS_H

#include "config/allow.h"
#include "loop/loop.h"
#include "rollout/machine.h"

struct hook_call;

/* Everything is copied. */
struct hook_spec {
    const struct hook *hook;
    const char *ns, *name;       /* of the rollout */
    const char *phase;           /* the state that calls, on the wire */
    const char *idempotency_key; /* header Idempotency-Key */
    int attempt;                 /* header Sluice-Attempt; counted from 1 */
    const char *roll;            /* tells it from all others: its hooks are of one trace */
    int64_t timeout_ms;
    struct allow *allow; /* where hooks may go; NULL: no list */
};

/* HOOK_PASSED, HOOK_REJECTED or HOOK_TROUBLE, with words that say what was answered. */
typedef void hook_fn(void *data, int result, const char *message);

/* on_done is called once, never before hook_start() returns; the call is gone when it returns. */
struct hook_call *hook_start(struct loop *loop, const struct hook_spec *spec, hook_fn *on_done,
                             void *data);

/* Calls nobody: on_done is told this result. */
struct hook_call *hook_pretend(struct loop *loop, int result, hook_fn *on_done, void *data);

/* Drops a call; NULL is fine. */
void hook_cancel(struct hook_call *call);

#endif
