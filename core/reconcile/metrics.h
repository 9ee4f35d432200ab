// SPDX-License-Identifier: Apache-2.0
/* What a controller tells Prometheus. Unless the config asks for each rollout
 * (serve.rolloutMetrics), the number of lines doesn't grow with their number: labels are states,
 * reasons, kinds of rollouts, verbs, statuses of HTTP, and adapters. */
#ifndef RECONCILE_METRICS_H
#define RECONCILE_METRICS_H

#include "base/text.h"
#include "reconcile/controller.h"

void controller_metrics(const struct controller *controller, struct text *text);

#endif
