// SPDX-License-Identifier: Apache-2.0
/*
 * Rollout (sluice.dev/v1alpha1): the plan of an AppRollout for a workload that somebody else
 * writes. It names the workload, holds it by the workload's own means, and rolls each change of its
 * template. Reading it; pure.
 */
#ifndef FOLLOW_ROLLOUT_H
#define FOLLOW_ROLLOUT_H

#include "oam/approllout.h"

#define FOLLOW_API       "sluice.dev/v1alpha1"
#define FOLLOW_FINALIZER "rollout.sluice.dev/give-back"

/* What an AppRollout is read into; what is to be rolled is for the workload to say. Borrowed parts
 * live as long as the object. Release with approllout_done(). */
void rollout_read(const json_t *object, struct approllout *ret_rollout);

#endif
