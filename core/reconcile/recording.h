// SPDX-License-Identifier: Apache-2.0
/*
 * A recording: one pass of an Application that asks to be recorded, from the look into the store to
 * the last answer. It remembers nothing from one pass to the next.
 */
#ifndef RECONCILE_RECORDING_H
#define RECONCILE_RECORDING_H

#include "reconcile/reconcile.h"

struct recording {
    struct controller *controller;
    char *key;
    json_t *application;   /* as the store had it */
    const char *ns, *name; /* its own */

    json_t *types;       /* of its components */
    size_t type;         /* the one whose definition is being fetched */
    bool shared;         /* from the namespace of shared definitions: its own has none */
    json_t *definitions; /* type -> ComponentDefinition */

    json_t *revision;
    int number;       /* of the revision */
    size_t component; /* the one that is being rendered */

    json_t *latest;     /* status.latestRevision as it should stand; may be NULL */
    json_t *conditions; /* likewise */

    struct call *call;
    bool again; /* the pass ends in trouble */
};

/* application.c: the end of the pass; the recording is gone. */
void recording_end(struct recording *recording);

/* application_status.c: what people are told. */
struct verdict {
    const char *type;   /* "Ready" or "Rendered" */
    const char *status; /* "True", "False" or "Unknown" */
    const char *reason;
    const char *message;
};

/* Makes a verdict one of the conditions to be written. */
void recording_judge(struct recording *recording, const struct verdict *verdict);

/* Writes the status if it isn't what it should be, tells what has changed, and ends the pass. */
void recording_write(struct recording *recording);

/* Logs trouble; what a person has to see stands in the status too. Ends the pass, to be repeated.
 */
void recording_fail(struct recording *recording, const struct error *err);

#endif
