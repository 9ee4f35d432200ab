// SPDX-License-Identifier: Apache-2.0
/*
 * The mark that says who holds a workload: "namespace/name uid" of an AppRollout, and with the kind
 * as a third word for every other. Texts only, and the stores that know whether a holder still
 * lives.
 */
#ifndef RECONCILE_HOLDER_H
#define RECONCILE_HOLDER_H

#include "reconcile/reconcile.h"

/* The mark of this rollout, and the rollout's name for people, "AppRollout default/shop". The
 * caller frees them. */
char *holder_text(const struct rollout_kind *kind, const struct approllout *rollout);
char *holder_name(const char *mark);

/* "namespace/name" of a holder of that kind, or NULL. The caller frees it. */
char *holder_key(const char *mark, const char *kind);

/* Is the mark worth something? Not when that rollout is gone. */
bool holder_lives(struct controller *controller, const char *mark);

/* Whoever holds it gets a pass. */
void holder_wake(struct controller *controller, const char *mark);

#endif
