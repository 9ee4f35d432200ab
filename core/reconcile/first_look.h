// SPDX-License-Identifier: Apache-2.0
/*
 * Before its first pass the controller looks at everything that passes read: of each kind a list is
 * complete, or it is known why none comes. A pass that ran earlier would take what isn't listed yet
 * for what isn't there, write that into a status, and take it back a moment later.
 */
#ifndef RECONCILE_FIRST_LOOK_H
#define RECONCILE_FIRST_LOOK_H

#include "reconcile/reconcile.h"

/* No pass begins until everything has been seen. */
void first_look_begin(struct controller *controller);

/* To be called when a list is complete, and when it turns out why none comes. */
void first_look_try(struct controller *controller);

#endif
