// SPDX-License-Identifier: Apache-2.0
/* What a plan would do, as text. Pure. */
#ifndef CLI_PLAN_VIEW_H
#define CLI_PLAN_VIEW_H

#include "base/text.h"
#include "rollout/plan.h"

struct plan_view {
    const struct plan *plan;
    struct span span; /* `to` -1: the size of the workload isn't known */
    bool scale;
};

/* Adds a table of batches, and one of hooks if there are any; `width` 0: as wide as needed. */
void plan_view_add(const struct plan_view *view, int width, struct text *to);

#endif
