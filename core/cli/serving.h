// SPDX-License-Identifier: Apache-2.0
/* What a running controller tells over HTTP: /livez, /readyz, /metrics and /adapters. */
#ifndef CLI_SERVING_H
#define CLI_SERVING_H

#include "cli/admission.h"
#include "cli/leading.h"
#include "reconcile/controller.h"
#include "reconcile/reload.h"

struct serving;

/* What it tells about; all borrowed. */
struct serving_about {
    const struct controller *controller;
    const struct reload *reload;
    const struct leading *leading;     /* NULL: without an election */
    const struct admission *admission; /* NULL: no webhook is served */
};

/* NULL, with a line of the log, when it can't listen on `listen`, and when that is empty: the
 * controller works without. */
struct serving *serving_new(const char *listen, const struct serving_about *about);
void serving_free(struct serving *serving); /* NULL is fine */

#endif
