// SPDX-License-Identifier: Apache-2.0
/*
 * Locating: from the names in a rollout to objects. Reads the two revisions, finds the components,
 * renders each component of the target, and finds the adapter for what came out. Asynchronous; the
 * answer is kept by the rollout's task for as long as its roll is under way.
 */
#ifndef RECONCILE_LOCATE_H
#define RECONCILE_LOCATE_H

#include "reconcile/reconcile.h"
#include "rollout/machine.h"

struct located_component {
    char *name;
    struct error error; /* OK: all the rest is set */
    enum reason_code why;
    json_t *workload;           /* as it is to be applied, with Sluice's marks on it */
    json_t *auxiliaries;        /* an array of objects to be applied beside it */
    struct workload_kind *kind; /* borrowed */
    char *packed;               /* workload and auxiliaries as text, which is all that is kept
                                   between passes; NULL before the first pass has ended */
};

struct location {
    char *target, *source; /* the revisions that this is about; source may be "" */
    struct error error;    /* of the revisions themselves; OK: there are components */
    enum reason_code why;
    struct located_component *components;
    size_t count;
};

void location_free(struct location *location);

/* Between passes a location is kept as text, which takes a tenth of what trees do. NULL is fine. */
void location_pack(struct location *location);
void location_unpack(struct location *location);

/* Everything is copied. */
struct locate_spec {
    const char *ns, *target, *source;
    const json_t *component_list; /* NULL: the component that both revisions share */
    const char *holder;           /* the mark to put on the workloads */
    struct waiters *waiters;      /* where the rollout waits for what is missing; borrowed */
    const char *key;              /* the rollout, to be woken when what is missing appears */
};

struct locate;

/* on_located is called once, never before locate_start() returns; it owns the location. */
typedef void locate_fn(void *data, struct location *location);
struct locate *locate_start(struct controller *controller, const struct locate_spec *spec,
                            locate_fn *on_located, void *data);
void locate_cancel(struct locate *locate);

#endif
