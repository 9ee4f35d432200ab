// SPDX-License-Identifier: Apache-2.0
/* What a controller knows of a Rollout that isn't there yet, out of what it has listed. */
#ifndef RECONCILE_KNOWS_H
#define RECONCILE_KNOWS_H

#include "reconcile/controller.h"

/* Does anything speak against a Rollout of this name in this namespace that follows the workload?
 * ERR_INVALID, at spec.workloadRef: no adapter handles its kind, or another Rollout follows it.
 * *ret_size is how many pods the workload is to have, -1 where that isn't known. Before everything
 * has been listed nothing is known. */
int controller_knows(const struct controller *controller, const json_t *rollout, int *ret_size,
                     struct error *err);

#endif
