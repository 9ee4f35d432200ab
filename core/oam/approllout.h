// SPDX-License-Identifier: Apache-2.0
/*
 * AppRollout: from its JSON to intent and plan, and from the machine's status to the JSON that
 * users of the design know.
 *
 * With one component the status stands at the top, as it always did. With several, `components[]`
 * holds each one's own status and the top is the summary.
 */
#ifndef OAM_APPROLLOUT_H
#define OAM_APPROLLOUT_H

#include "base/error.h"
#include "rollout/machine.h"

#include <jansson.h>
#include <stddef.h>

struct approllout {
    const char *ns, *name, *uid;  /* borrowed from the object */
    struct intent intent;         /* strings borrowed from the object */
    const json_t *component_list; /* spec.componentList, or NULL; borrowed */
    struct plan *plan;            /* NULL when plan_error isn't OK */
    struct error plan_error;
    bool has_finalizer;
};

/* Reads the object; borrowed parts live as long as it does. A bad plan is no failure here: the
 * machine decides what it means. Release with approllout_done(). */
void approllout_read(const json_t *object, struct approllout *ret_rollout);
void approllout_done(struct approllout *rollout);
bool approllout_has_finalizer(const json_t *object, const char *finalizer);

/* The recorded status of one component; `component` NULL or the only one: the top.
 * What isn't there, or can't be understood, is as in status_new(). */
void approllout_status_read(const json_t *object, const char *component,
                            struct rollout_status *ret_status);

/* Its state and its reason alone, as the top tells them: cheap enough for every event. What isn't
 * there, or can't be understood, is as in status_new(). */
void approllout_states_read(const json_t *object, enum rolling_state *ret_state,
                            enum reason_code *ret_reason);

/* Is a roll of any of its components under way, as far as is recorded? */
bool approllout_under_way(const json_t *object);

/* The record of its last rolls (rolls.h); borrowed, NULL: there is none. */
const json_t *approllout_rolls(const json_t *object, const char *component);

/* The components of one rollout with their statuses and the records of their rolls, for writing. */
struct component_status {
    const char *name;
    const struct rollout_status *status;
    const json_t *rolls; /* or NULL */
};

/* The whole `status` as it should stand. The caller owns it. */
json_t *approllout_status_write(const struct component_status *components, size_t count);

/* Do two statuses differ in more than moves by itself while nothing is decided (the counters, and
 * what is waited for just now)? Such a change may wait for a moment. */
enum status_change { STATUS_SAME, STATUS_COUNTERS, STATUS_DIFFERENT };
enum status_change approllout_status_compare(const json_t *before, const json_t *after);

#define APPROLLOUT_FINALIZER "finalizers.approllout.oam.dev"

#endif
