// SPDX-License-Identifier: Apache-2.0
/*
 * What other parts of Kubernetes do to objects after they were written. Each controller is told of
 * every version, in order, in a turn of the loop of its own; what it writes is told to all again.
 */
#ifndef SANDBOX_CONTROLLERS_H
#define SANDBOX_CONTROLLERS_H

#include "sandbox_private.h"

/* Has the controllers run when this turn of the loop is over. */
void controllers_wake(struct sandbox *sandbox);

/* A version, read once for all controllers. Borrowed while they are told. */
struct news {
    const struct version *version;
    const struct kind *kind; /* NULL: it isn't served any more */
    const json_t *object;    /* NULL: so its object can't be read */
};

/* Each returns at once when the news isn't its business. */
typedef void controller_fn(struct sandbox *sandbox, const struct news *news);

controller_fn crd_controller;       /* serves the kinds of CustomResourceDefinitions */
controller_fn namespace_controller; /* empties namespaces that are deleted */
controller_fn owner_controller;     /* deletes what nobody owns any more */
controller_fn node_controller;      /* lets nodes be ready, or die */
controller_fn pod_controller;       /* lets pods become ready */
controller_fn replica_set_controller;
controller_fn deployment_controller;
controller_fn stateful_set_controller;
controller_fn daemon_set_controller;
controller_fn clone_set_controller; /* of OpenKruise; has nothing to do until they are defined */

#endif
