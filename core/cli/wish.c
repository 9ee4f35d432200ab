// SPDX-License-Identifier: Apache-2.0
/* The verbs that ask the controller for something once: abort and retry. What they ask for stands
 * in an annotation, with the version of the object that it was asked of as its sign. */
#include "base/json.h"
#include "cli/act_prepare.h"
#include "cli/annotate.h"
#include "oam/asked.h"

#include "base/alloc.h"

#include <stdio.h>
#include <string.h>

/* Why there is nothing to abort in a state; NULL: there is. */
static const char *const no_abort[ROLLING_STATES] = {
    [ROLLING_HOLDING] = "its workload is being taken hold of, and no pod is moved",
    [ROLLING_FAILING] = "it is failing already",
    [ROLLING_ABANDONING] = "the last roll is being left; ask again when the next one has begun",
    [ROLLING_DELETING] = "it is being deleted",
    [ROLLING_SUCCEEDED] = "nothing is under way, it has ended",
    [ROLLING_FAILED] = "nothing is under way, it has ended",
};

static bool can_abort(const struct part *part)
{
    return !no_abort[part->status.rolling];
}

static bool can_retry(const struct part *part)
{
    return part->status.rolling == ROLLING_FAILED || part->status.rolling == ROLLING_FAILING;
}

/* The least advanced of the parts for which it holds; NULL: it does for none. */
static const struct part *part_find(const struct rollout_view *view,
                                    bool (*holds)(const struct part *part))
{
    const struct part *found = NULL;
    for (size_t i = 0; i < view->part_count; i++) {
        const struct part *part = &view->parts[i];
        if (holds(part) && (!found || part->status.batch < found->status.batch))
            found = part;
    }
    return found;
}

/* Nobody can have seen what it is about. */
static int refuse_unseen(const struct rollout_view *view, struct error *err)
{
    if (json_at(view->object, "/metadata/deletionTimestamp"))
        return error_set(err, ERR_INVALID, "it is being deleted");
    if (!view->parts[0].recorded || !*view->rollout.intent.target)
        return error_set(err, ERR_INVALID,
                         "nothing is under way: no controller has looked at it yet");
    return OK;
}

/* Is that asked for already, and not answered yet? */
static bool is_pending(const struct rollout_view *view, enum wish_verb verb)
{
    const struct wish *wish = &view->rollout.intent.wish;
    return wish->verb == verb && strcmp(wish->target, view->rollout.intent.target) == 0 &&
           strcmp(wish->id, view->parts[0].status.answered) != 0;
}

static void pending_words(const struct rollout_view *view, struct text *words)
{
    const char *by = view->rollout.intent.wish.by;
    text_addf(words, "%s has asked for that already, and no controller has looked at it yet",
              *by ? by : "somebody");
}

static void wish_add(json_t *patch, const struct rollout_view *view, enum wish_verb verb)
{
    const char *version = json_string_at(view->object, "/metadata/resourceVersion");
    struct wish wish = {.verb = verb};
    snprintf(wish.target, sizeof wish.target, "%s", view->rollout.intent.target);
    snprintf(wish.id, sizeof wish.id, "%s", version ? version : "");
    char *text AUTO_FREE = wish_text(&wish);
    annotation_add(patch, view->object, MARK_WISH, text);
}

/* "batch 2 of 3 stops where it stands, with 3 of 5 pods at shop-v2" */
static void stop_words(const struct rollout_view *view, const struct part *part, struct text *words)
{
    const struct rollout_status *status = &part->status;
    if (status->rolling != ROLLING_IN_BATCHES) {
        text_addf(words, "the roll to %s is given up in %s", view->rollout.intent.target,
                  part_state(part));
        return;
    }
    text_addf(words, "batch %d ", status->batch + 1);
    if (view->rollout.plan)
        text_addf(words, "of %zu ", view->rollout.plan->batch_count);
    text_addf(words, "stops where it stands, with %d of %d pods at %s", status->upgraded,
              status->target_size, view->rollout.intent.target);
}

int prepare_abort(const struct rollout_view *view, json_t *patch, struct text *words,
                  struct error *err)
{
    const struct part *part = part_find(view, can_abort);
    const struct part *first = &view->parts[0];
    int code = refuse_unseen(view, err);
    if (code < 0)
        return code;
    if (!part)
        return error_set(err, ERR_INVALID, "%s (%s)", no_abort[first->status.rolling],
                         part_state(first));
    if (is_pending(view, WISH_ABORT)) {
        pending_words(view, words);
        return OK;
    }
    wish_add(patch, view, WISH_ABORT);
    stop_words(view, part, words);
    text_addf(words, "; it ends as rolloutFailed, and `sluice retry %s` begins it anew",
              view->rollout.name);
    return OK;
}

int prepare_retry(const struct rollout_view *view, json_t *patch, struct text *words,
                  struct error *err)
{
    int code = refuse_unseen(view, err);
    if (code < 0)
        return code;
    if (!part_find(view, can_retry))
        return error_set(err, ERR_INVALID, "it hasn't failed (%s)", part_state(&view->parts[0]));
    if (is_pending(view, WISH_RETRY)) {
        pending_words(view, words);
        return OK;
    }
    wish_add(patch, view, WISH_RETRY);
    text_addf(words, "the roll to %s begins anew ", view->rollout.intent.target);
    plan_words(view->rollout.plan, words);
    return OK;
}
