// SPDX-License-Identifier: Apache-2.0
#ifndef SANDBOX_PODS_H
#define SANDBOX_PODS_H

#include "sandbox_private.h"

/* Pods that a fault kept from getting ready do, where the fault is gone. */
void pods_look(struct sandbox *sandbox);

/* Each pod on that node is looked at again. */
void pods_look_on(struct sandbox *sandbox, const char *node);

/* Those that don't belong to a DaemonSet leave the node. */
void pods_evict(struct sandbox *sandbox, const char *node);

#endif
