// SPDX-License-Identifier: Apache-2.0
/* Watches: the log, from a version on, as a stream of events. */
#ifndef SANDBOX_WATCH_H
#define SANDBOX_WATCH_H

#include "failure.h"
#include "sandbox_private.h"
#include "target.h"

/* A target with a name is watched alone. */
int watch_begin_stream(struct sandbox *sandbox, const struct target *target,
                       const struct request *request, struct answer *answer,
                       struct failure *failure);

/* Tells the watches of a collection that there is something to read. */
void watches_wake(struct sandbox *sandbox, const struct collection *collection);

/* Ends those of a kind that is no longer what it was. */
void watches_end(struct sandbox *sandbox, const struct kind *kind);

#endif
