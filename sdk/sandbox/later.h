// SPDX-License-Identifier: Apache-2.0
/* What controllers have to do at a later time, for an object, which may have gone by then. */
#ifndef SANDBOX_LATER_H
#define SANDBOX_LATER_H

#include "sandbox_private.h"

typedef void later_fn(struct sandbox *sandbox, const char *key);

/* In a turn of its own, once, however often it was wanted until then. */
void later_soon(struct sandbox *sandbox, later_fn *function, const char *key);

/* As often as it was wanted. */
void later_do(struct sandbox *sandbox, int64_t delay_ms, later_fn *function, const char *key);

/* When the first of all that is wanted is to be done, by clock_monotonic_ms(); INT64_MAX: nothing
 * is. */
int64_t later_next_ms(const struct sandbox *sandbox);

/* Forgets all. */
void later_done(struct sandbox *sandbox);

#endif
