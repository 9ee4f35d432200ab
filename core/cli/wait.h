// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_WAIT_H
#define CLI_WAIT_H

#include "cli/find.h"

#include <stdint.h>

/* Watches the rollout until it has ended, and prints each state that it comes to. Returns an exit
 * status: STATUS_DONE, _FAILED, _ABANDONED, _TIMEOUT, or _REFUSED when the cluster doesn't let us.
 */
int rollout_wait(struct session *session, const struct found *found, int64_t timeout_ms);

#endif
