// SPDX-License-Identifier: Apache-2.0
/*
 * Asks an adapter, and does what it emits to the objects of the request, as the host would do it to
 * those in the cluster.
 */
#ifndef CHECK_CARRY_H
#define CHECK_CARRY_H

#include "subject.h"

#include <jansson.h>

/* Asks with a JSON request. The caller releases the answer with answer_done(). ERR_MISSING: the
 * adapter lacks the call, so there is nothing to try. */
int carry_ask(const struct subject *subject, const struct manner *manner, enum call_kind call,
              const json_t *request, struct answer *ret_answer);

/* Changes the request's objects as the answer's actions say. ERR_BUG: they aren't what the host
 * accepts; ERR_CONFLICT, ERR_INVALID: one can't be carried out. */
int carry_out(const struct subject *subject, const struct answer *answer, json_t *request,
              struct error *err);

#endif
