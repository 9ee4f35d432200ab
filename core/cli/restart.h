// SPDX-License-Identifier: Apache-2.0
/* New pods from the template that there is: by a mark in it, as `kubectl rollout restart` sets it.
 */
#ifndef CLI_RESTART_H
#define CLI_RESTART_H

#include "cli/act_prepare.h"

/* ERR_INVALID: the workload has no template where workloads use to have it. */
workload_prepare_fn restart_prepare;

/* Of a rollout that doesn't follow its workload: says what to do instead. */
prepare_fn restart_refuse;

#endif
