// SPDX-License-Identifier: Apache-2.0
#include "cli/act_prepare.h"

#include "base/json_patch.h"

#define PARTITION "/spec/rolloutPlan/batchPartition"
#define PAUSED    "/spec/rolloutPlan/paused"
#define TARGET    "/spec/targetAppRevisionName"
#define SOURCE    "/spec/sourceAppRevisionName"

static void step_add(json_t *patch, const char *op, const char *path, json_t *value_take)
{
    json_array_append_new(patch, json_patch_step_take(op, path, value_take));
}

void plan_words(const struct plan *plan, struct text *words)
{
    text_addf(words, "in %zu %s", plan->batch_count, plan->batch_count == 1 ? "batch" : "batches");
    if (plan->partition >= 0)
        text_addf(words, "; batchPartition %d holds it as before", plan->partition);
    if (plan->paused)
        text_puts(words, "; it stays paused");
}

/* One that follows its workload has another roll before it. */
static int refuse_ended(const struct rollout_view *view, struct error *err)
{
    const struct part *part = &view->parts[0];
    if (view->kind->follows)
        return OK;
    if (!rolling_state_terminal(part->status.rolling))
        return OK;
    return error_set(err, ERR_INVALID, "it has ended already (%s)", part_state(part));
}

/* The batch that the slowest component is in. */
static int slowest_batch(const struct rollout_view *view)
{
    int batch = view->parts[0].status.batch;
    for (size_t i = 1; i < view->part_count; i++)
        if (view->parts[i].status.batch < batch)
            batch = view->parts[i].status.batch;
    return batch;
}

int prepare_approve(const struct rollout_view *view, json_t *patch, struct text *words,
                    struct error *err)
{
    const struct plan *plan = view->rollout.plan;
    int code = refuse_ended(view, err), last = (int)plan->batch_count - 1;
    if (code < 0)
        return code;
    if (plan->partition < 0 || plan->partition >= last)
        return error_set(err, ERR_INVALID, "no batchPartition holds it");
    int batch = slowest_batch(view);
    int next = (plan->partition > batch ? plan->partition : batch) + 1;
    next = next > last ? last : next;
    step_add(patch, "replace", PARTITION, json_integer(next));
    text_addf(words, "batchPartition goes from %d to %d: batch %d of %d may be rolled",
              plan->partition, next, next + 1, last + 1);
    return OK;
}

int prepare_promote(const struct rollout_view *view, json_t *patch, struct text *words,
                    struct error *err)
{
    const struct plan *plan = view->rollout.plan;
    int code = refuse_ended(view, err);
    if (code < 0)
        return code;
    text_puts(words, "no batchPartition holds it");
    if (plan->partition < 0)
        return OK;
    step_add(patch, "remove", PARTITION, NULL);
    text_clear(words);
    text_addf(words, "batchPartition %d is removed: all batches may be rolled", plan->partition);
    return OK;
}

int prepare_pause(const struct rollout_view *view, json_t *patch, struct text *words,
                  struct error *err)
{
    int code = refuse_ended(view, err);
    if (code < 0)
        return code;
    if (view->rollout.plan->paused) {
        text_puts(words, "it is paused already");
        return OK;
    }
    step_add(patch, "add", PAUSED, json_true());
    text_puts(words, "paused is set: it holds still where it is");
    return OK;
}

int prepare_resume(const struct rollout_view *view, json_t *patch, struct text *words,
                   struct error *err)
{
    (void)err;
    if (!view->rollout.plan->paused) {
        text_puts(words, "it isn't paused");
        return OK;
    }
    step_add(patch, "remove", PAUSED, NULL);
    text_puts(words, "paused is removed: it goes on");
    return OK;
}

int prepare_rollback(const struct rollout_view *view, json_t *patch, struct text *words,
                     struct error *err)
{
    const struct intent *intent = &view->rollout.intent;
    if (!*intent->source)
        return error_set(err, ERR_INVALID, "it has no sourceAppRevisionName to go back to");
    step_add(patch, "replace", TARGET, json_string(intent->source));
    step_add(patch, "replace", SOURCE, json_string(intent->target));
    text_addf(words, "target and source change places: it goes to %s from %s ", intent->source,
              intent->target);
    plan_words(view->rollout.plan, words);
    return OK;
}
