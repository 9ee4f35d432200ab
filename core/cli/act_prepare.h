// SPDX-License-Identifier: Apache-2.0
/* What the verbs that change a rollout do to it, as a JSON patch and in words. Pure. */
#ifndef CLI_ACT_PREPARE_H
#define CLI_ACT_PREPARE_H

#include "cli/rollout_view.h"

/* Adds the steps, none when it is so already, and the words for what they do. The view has a plan,
 * but for prepare_abort(). ERR_INVALID: it makes no sense here. */
typedef int prepare_fn(const struct rollout_view *view, json_t *patch, struct text *words,
                       struct error *err);

prepare_fn prepare_approve, prepare_promote, prepare_pause, prepare_resume, prepare_rollback;
prepare_fn prepare_abort, prepare_retry; /* wishes, as annotations; wish.c */

/* The same of the workload that the rollout follows. */
typedef int workload_prepare_fn(const struct rollout_view *view, const json_t *workload,
                                json_t *patch, struct text *words, struct error *err);

/* Adds to the words how the plan rolls what begins now: "in 3 batches; it stays paused". */
void plan_words(const struct plan *plan, struct text *words);

#endif
