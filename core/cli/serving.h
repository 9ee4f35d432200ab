// SPDX-License-Identifier: Apache-2.0
/* What a running controller tells over HTTP: /livez, /readyz, /metrics and /adapters. */
#ifndef CLI_SERVING_H
#define CLI_SERVING_H

#include "cli/leading.h"
#include "reconcile/controller.h"
#include "reconcile/reload.h"

struct serving;

/* NULL, with a line of the log, when it can't listen on `listen`, and when that is empty: the
 * controller works without. Borrows all; without an election `leading` is NULL. */
struct serving *serving_new(const char *listen, const struct controller *controller,
                            const struct reload *reload, const struct leading *leading);
void serving_free(struct serving *serving); /* NULL is fine */

#endif
