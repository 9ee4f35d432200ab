// SPDX-License-Identifier: Apache-2.0
/*
 * The webhook that API servers ask before they write a rollout (config: admission). It answers over
 * TLS, at once and out of memory.
 *
 * Each process makes its own certificate, and keeps it in the caBundle of the
 * ValidatingWebhookConfiguration that names it, beside those of the others. So several answer
 * behind one Service, and no key is ever stored. The next certificate is put there when two thirds
 * of the present one's time are over, and used a while after it is seen there.
 */
#ifndef CLI_ADMISSION_H
#define CLI_ADMISSION_H

#include "base/text.h"
#include "cluster/cluster.h"
#include "config/config.h"
#include "reconcile/controller.h"

struct admission;

/* NULL when the config doesn't ask for it and, with a line of the log, when it can't listen there:
 * the controller works without. Borrows all. */
struct admission *admission_new(struct cluster *cluster, const struct controller *controller,
                                const struct config *config);

/* How many were asked about and what came of it, and how long its certificate counts. NULL is fine:
 * nothing. */
void admission_metrics(const struct admission *admission, struct text *text);

void admission_free(struct admission *admission); /* before the cluster; NULL is fine */

#endif
