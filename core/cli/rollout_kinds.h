// SPDX-License-Identifier: Apache-2.0
/* The kinds that hold a rollout plan, and what else stands in their specs. */
#ifndef CLI_ROLLOUT_KINDS_H
#define CLI_ROLLOUT_KINDS_H

#include "base/error.h"
#include "cluster/kinds.h"
#include "oam/approllout.h"

#include <jansson.h>

struct rollout_kind {
    struct kind_info info;
    const char *const *spec_fields; /* NULL-terminated */
    /* What is wrong with the spec beside its plan; the first thing only. */
    int (*check)(const json_t *object, struct error *err);
    bool follows; /* its target is the template that is on its workload */
    /* The rollout, with the target and the source as they are written or as they were recorded. */
    void (*read)(const json_t *object, struct approllout *ret_rollout);
};

/* Ends in one without a kind. */
extern const struct rollout_kind rollout_kinds[];

/* By apiVersion and kind, or NULL. */
const struct rollout_kind *rollout_kind_of(const char *api_version, const char *kind);

/* "AppRollout (core.oam.dev/v1beta1) or Rollout (…)". The caller frees it. */
char *rollout_kinds_words(void);

/* Is the object, apart from its plan, as its kind wants it? ERR_INVALID with the field's path. */
int rollout_check(const struct rollout_kind *kind, const json_t *object, struct error *err);

/* Do the batches add up for a workload of so many pods? ERR_INVALID likewise. */
int rollout_sum_check(const struct plan *plan, int size, struct error *err);

/* Is its plan one that its kind can carry out, whatever the size? ERR_INVALID likewise. */
int rollout_plan_check(const struct rollout_kind *kind, const struct approllout *rollout,
                       struct error *err);

#endif
