// SPDX-License-Identifier: Apache-2.0
/* Private to core/cluster. */
#ifndef CLUSTER_CALL_PRIVATE_H
#define CLUSTER_CALL_PRIVATE_H

struct cluster;

/* Cancels every call that waits or runs. */
void calls_cancel_all(struct cluster *cluster);

#endif
