// SPDX-License-Identifier: Apache-2.0
/*
 * What other parts of Kubernetes do to objects after they were written. Each controller is told of
 * every version, in order, in a turn of the loop of its own; what it writes is told to all again.
 */
#ifndef SANDBOX_CONTROLLERS_H
#define SANDBOX_CONTROLLERS_H

#include "sandbox.h"

/* Has the controllers run when this turn of the loop is over. */
void controllers_wake(struct sandbox *sandbox);

/* Each returns at once when the version isn't its business. */
typedef void controller_fn(struct sandbox *sandbox, const struct version *version);

controller_fn crd_controller;       /* serves the kinds of CustomResourceDefinitions */
controller_fn namespace_controller; /* empties namespaces that are deleted */
controller_fn owner_controller;     /* deletes what nobody owns any more */
controller_fn pod_controller;       /* lets pods become ready */
controller_fn replica_set_controller;
controller_fn deployment_controller;

#endif
