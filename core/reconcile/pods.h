// SPDX-License-Identifier: Apache-2.0
/* Reading the pods that a plan names, each by itself: there are few, and nothing else is listed. */
#ifndef RECONCILE_PODS_H
#define RECONCILE_PODS_H

#include "reconcile/reconcile.h"
#include "rollout/plan.h"

/* The pods that any batch of the plan names, each once: an array of strings, which the caller owns,
 * or NULL when no batch names any. */
json_t *plan_pod_names(const struct plan *plan);

struct pods_fetch;

/* on_fetched is called once, never before pods_fetch_start() returns. `pods` is borrowed: those
 * that are there; NULL when err isn't OK. */
typedef void pods_fn(void *data, json_t *pods, const struct error *err);
struct pods_fetch *pods_fetch_start(struct controller *controller, const char *ns,
                                    const json_t *names, pods_fn *on_fetched, void *data);
void pods_fetch_cancel(struct pods_fetch *fetch);

#endif
