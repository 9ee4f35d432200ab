// SPDX-License-Identifier: Apache-2.0
/* Going back where the target isn't named by the rollout: by the workload's template. */
#ifndef CLI_ROLLBACK_H
#define CLI_ROLLBACK_H

#include "cli/rollout_view.h"
#include "cli/workload.h"

/* Adds the steps that put an earlier template back on the workload, and the words for what that
 * does: in the middle of a roll the one that all pods had before, else the one before the present.
 * ERR_INVALID: none is known. */
int rollback_prepare(const struct rollout_view *view, const json_t *workload, json_t *patch,
                     struct text *words, struct error *err);

#endif
