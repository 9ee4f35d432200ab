// SPDX-License-Identifier: Apache-2.0
/* Plans for tests. JSON is written with ' for ", so that it can be read. */
#ifndef TESTS_PLANS_H
#define TESTS_PLANS_H

#include "rollout/plan.h"

/* The caller frees both. */
json_t *quoted_json(const char *text);
struct plan *plan_of(const char *text); /* must be a good one */

#endif
