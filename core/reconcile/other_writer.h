// SPDX-License-Identifier: Apache-2.0
/*
 * The other writer: who has changed, on a workload that a rollout holds, what the rollout relies
 * on. The server is asked, because what it knows of writers isn't kept here.
 *
 * That a template isn't the one that was marked needn't be anybody's doing: a webhook that was
 * installed on the way, or another version of the API server, completes the same template in
 * another way, at whoever's next write. So the server is asked first what it would make of the
 * target's template now.
 */
#ifndef RECONCILE_OTHER_WRITER_H
#define RECONCILE_OTHER_WRITER_H

#include "reconcile/task.h"

/* Has the template that was put on the workload become another one? */
bool template_changed(const json_t *workload);

/* Finds out who has changed the template, and fills that into the observation. When nobody has, the
 * workload is marked with what its template is now, and the observation says that it hasn't
 * changed: it is out of date then. `then` is called later. */
void other_writer_ask(struct component *component, other_writer_fn *then);

/* Asks for the component's workload as it is now, with its writers: a list of at most one. Its
 * answer comes with task.call still set. */
void workload_ask(struct component *component, reply_fn *on_reply);

#endif
