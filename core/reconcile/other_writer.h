// SPDX-License-Identifier: Apache-2.0
/*
 * The other writer: who has changed, on a workload that a rollout holds, what the rollout relies
 * on. The server is asked, because what it knows of writers isn't kept here.
 */
#ifndef RECONCILE_OTHER_WRITER_H
#define RECONCILE_OTHER_WRITER_H

#include "reconcile/task.h"

/* Has the template that was put on the workload become another one? */
bool template_changed(const json_t *workload);

/* Finds out who has changed the template, fills that into the observation, and calls `then`: later,
 * and also when it can't be found out. */
void other_writer_ask(struct component *component, void (*then)(struct component *component));

#endif
