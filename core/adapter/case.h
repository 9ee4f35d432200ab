// SPDX-License-Identifier: Apache-2.0
/*
 * A case: a request and what must come of it. The smoke case of a manifest has this form, and so
 * has every file in an adapter's cases/:
 *
 *     { "call": "advance",
 *       "request": { … },
 *       "emitted": [ { "patch": { … } } ] }
 *
 * "emitted" lists what must be emitted, in order, each as an object with one member: status,
 * patch, deletePod, event or manifest. Instead of it, "result" names a failure (invalid,
 * unsupported, stale, limit, bug) and "fails" may say what its text must contain.
 */
#ifndef ADAPTER_CASE_H
#define ADAPTER_CASE_H

#include "adapter/call.h"

#include <jansson.h>

/* A case read: what to ask, and what must come of it. */
struct case_plan {
    enum call_kind call;
    const json_t *request; /* borrowed from the case, as are the others */
    const json_t *emitted; /* NULL when a failure is expected */
    const char *result;    /* "ok" unless a failure is expected */
    const char *fails;     /* part of the failure's text; NULL: any */
};
int case_read(const json_t *json, struct case_plan *ret_plan, struct error *err);

/* Runs the case. ERR_INVALID: the case is wrong; ERR_BUG: something else came of it; the words
 * say what was expected and found. */
int case_run(struct transport *transport, const json_t *json, struct error *err);

/* What was emitted, in the form of "emitted". The caller owns it. ERR_BUG: some isn't JSON. */
int case_emitted(const struct answer *answer, json_t **ret_emitted, struct error *err);

/* "ok", "invalid", …; NULL for a number that is none of them. */
const char *result_name(int32_t result);

#endif
