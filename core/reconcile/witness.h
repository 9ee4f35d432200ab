// SPDX-License-Identifier: Apache-2.0
/* Somebody in the controller's own process who is told what it decides, and who answers in the
 * place of webhooks: a simulation. */
#ifndef RECONCILE_WITNESS_H
#define RECONCILE_WITNESS_H

#include "reconcile/hooks.h"
#include "rollout/machine.h"

/* What was decided for one component, and has been carried out. Borrowed. */
struct witnessed {
    const char *kind, *ns, *name; /* of the rollout */
    const char *component;        /* NULL: the only one, of a rollout that names none */
    const struct plan *plan;      /* NULL: it can't be read */
    const struct decision *decision;
};

struct witness {
    void (*on_decision)(void *data, const struct witnessed *what);
    /* HOOK_PASSED, HOOK_REJECTED or HOOK_TROUBLE, as the one whom the hook would call. `kind` is
     * the rollout's. */
    int (*on_hook)(void *data, const char *kind, const struct hook_spec *spec);
    void *data;
};

#endif
