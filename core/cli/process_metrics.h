// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_PROCESS_METRICS_H
#define CLI_PROCESS_METRICS_H

#include "base/text.h"

/* What the process itself takes, under the names that Prometheus' own clients use. What can't be
 * found out is left out. */
void process_metrics(struct text *text);

#endif
