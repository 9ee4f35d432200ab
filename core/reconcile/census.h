// SPDX-License-Identifier: Apache-2.0
/*
 * How many rollouts of a kind are in which state, and wait for what: counted as they change, so
 * that nobody has to read them all to know. Private to reconcile/.
 */
#ifndef RECONCILE_CENSUS_H
#define RECONCILE_CENSUS_H

#include "base/map.h"
#include "rollout/machine.h"

#include <jansson.h>

/* Zeroed, it is empty. */
struct census {
    struct map seen; /* key → its state and reason, as a number */
    size_t states[ROLLING_STATES];
    size_t reasons[REASON_CODES];
};
void census_done(struct census *census);

/* As it is now, by what its status records. */
void census_see(struct census *census, const char *key, const json_t *object);
void census_forget(struct census *census, const char *key);

/* Each of them, in no order. */
typedef void census_fn(void *data, const char *key, enum rolling_state state,
                       enum reason_code reason);
void census_each(const struct census *census, census_fn *each, void *data);

#endif
