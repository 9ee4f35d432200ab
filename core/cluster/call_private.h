// SPDX-License-Identifier: Apache-2.0
/* Private to core/cluster. */
#ifndef CLUSTER_CALL_PRIVATE_H
#define CLUSTER_CALL_PRIVATE_H

struct cluster;

/* Sends what the fence has held back, as far as it may be sent now. */
void calls_let_go(struct cluster *cluster);

/* Cancels every call that waits or runs. */
void calls_cancel_all(struct cluster *cluster);

#endif
