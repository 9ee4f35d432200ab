// SPDX-License-Identifier: Apache-2.0
/* Going back where the target isn't named by the rollout: by the workload's template. */
#ifndef CLI_ROLLBACK_H
#define CLI_ROLLBACK_H

#include "cli/act_prepare.h"
#include "cli/workload.h"

/* Puts an earlier template back on the workload: in the middle of a roll the one that all pods had
 * before, else the one before the present. ERR_INVALID: none is known. */
workload_prepare_fn rollback_prepare;

#endif
