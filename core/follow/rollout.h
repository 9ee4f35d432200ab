// SPDX-License-Identifier: Apache-2.0
/*
 * Rollout (sluice.dev/v1alpha1): the plan of an AppRollout for a workload that somebody else
 * writes. It names the workload, holds it by the workload's own means, and rolls each change of its
 * template. Reading it, and reading what there is to roll; pure.
 */
#ifndef FOLLOW_ROLLOUT_H
#define FOLLOW_ROLLOUT_H

#include "oam/approllout.h"

#define FOLLOW_API       "sluice.dev/v1alpha1"
#define FOLLOW_FINALIZER "rollout.sluice.dev/give-back"

/* What an AppRollout is read into; what is to be rolled is for the workload to say. Borrowed parts
 * live as long as the object. Release with approllout_done(). */
void rollout_read(const json_t *object, struct approllout *ret_rollout);

enum { TEMPLATE_HASH_SIZE = 17 };

/* The name of the workload's present template: the beginning of its hash. ERR_INVALID: it has none
 * where every workload of Kubernetes has it, at spec.template. */
int template_hash(const json_t *workload, char ret_hash[TEMPLATE_HASH_SIZE], struct error *err);

#endif
