// SPDX-License-Identifier: Apache-2.0
/* Two people at once: what the other one has done. Pure. */
#ifndef CLI_CONFLICT_H
#define CLI_CONFLICT_H

#include "base/text.h"

#include <jansson.h>
#include <stdbool.h>

/* Has anybody changed what people change of the object: its spec, or its annotations? */
bool conflict_there(const json_t *before, const json_t *now);

/* Adds who that was and what he has put where, each as far as the object tells it: ": ann (sluice
 * pause) has put true in spec.rolloutPlan.paused, where nothing stood". `now` was asked for whole
 * (call_spec.whole). */
void conflict_add(const json_t *before, const json_t *now, struct text *to);

/* Both have the pointer, with different values. */
bool conflict_changed(const json_t *before, const json_t *now, const char *pointer);

#endif
