// SPDX-License-Identifier: Apache-2.0
#include "rollout/plan.h"

#include "base/alloc.h"
#include "base/text.h"

#include <limits.h>
#include <stdint.h>

static int span_length(struct span span)
{
    return span.to >= span.from ? span.to - span.from : span.from - span.to;
}

static int percent_of(int64_t percent, int total)
{
    return (int)((percent * total + 99) / 100);
}

/* What batches 0 to `batch` have in whole numbers and in percentages. */
struct sums {
    int64_t pods, percent;
};

static struct sums plan_sums(const struct plan *plan, int batch)
{
    struct sums sums = {0, 0};
    for (int i = 0; i <= batch; i++) {
        struct amount amount = plan->batches[i].replicas;
        if (amount.unit == AMOUNT_PODS)
            sums.pods += amount.value;
        else if (amount.unit == AMOUNT_PERCENT)
            sums.percent += amount.value;
    }
    return sums;
}

/* Pods of the span that batches 0 to `batch` cover, before anything is capped. */
static int64_t plan_covers(const struct plan *plan, int length, int batch)
{
    struct sums sums = plan_sums(plan, batch);
    return sums.pods + percent_of(sums.percent, length);
}

int plan_target(const struct plan *plan, struct span span, int batch)
{
    int length = span_length(span);
    int64_t done = length;
    if (batch < 0)
        done = 0;
    else if ((size_t)batch + 1 >= plan->batch_count)
        done = length;
    else if (plan->even)
        done = (int64_t)length * (batch + 1) / (int64_t)plan->batch_count;
    else
        done = plan_covers(plan, length, batch);
    if (done > length)
        done = length;
    return span.from + (span.to >= span.from ? (int)done : -(int)done);
}

/* "1 + 40% of 5 (2) = 3", for messages. */
static char *plan_arithmetic(const struct plan *plan, int length)
{
    struct text text = {0};
    for (size_t i = 0; i < plan->batch_count; i++) {
        struct amount amount = plan->batches[i].replicas;
        if (amount.unit == AMOUNT_OMITTED)
            continue;
        text_addf(&text, "%s%d%s", text.len ? " + " : "", amount.value,
                  amount.unit == AMOUNT_PERCENT ? "%" : "");
    }
    int last = (int)plan->batch_count - 1;
    text_addf(&text, " of %d = %lld", length, (long long)plan_covers(plan, length, last));
    return text_steal(&text);
}

int plan_check(const struct plan *plan, struct span span, struct error *err)
{
    static const char path[] = "spec.rolloutPlan.rolloutBatches";
    if (plan->even)
        return OK;
    int length = span_length(span);
    int last = (int)plan->batch_count - 1;
    char *sum AUTO_FREE = plan_arithmetic(plan, length);
    const char *what = span.from == 0 ? "pods" : "replicas to add or remove";
    if (plan_sums(plan, last).pods > length)
        return error_at(err, ERR_INVALID, path,
                        "the batches overshoot: %s, but there are %d %s; make the whole numbers "
                        "add up to %d, or use percentages",
                        sum, length, what, length);
    bool open_end = plan->batches[last].replicas.unit == AMOUNT_OMITTED;
    int64_t covered = plan_covers(plan, length, last);
    if (!open_end && covered < length)
        return error_at(err, ERR_INVALID, path,
                        "the batches don't reach the end: %s, but there are %d %s; %lld would be "
                        "in no batch; leave the last batch's replicas out to take all the rest",
                        sum, length, what, (long long)(length - covered));
    return OK;
}

int plan_tolerance(const struct plan *plan, int batch, int size)
{
    if (batch < 0 || (size_t)batch >= plan->batch_count)
        return 0;
    struct amount amount = plan->batches[batch].max_unavailable;
    if (amount.unit == AMOUNT_PERCENT)
        return percent_of(amount.value, size);
    return amount.unit == AMOUNT_PODS ? amount.value : 0;
}

static const struct hook *hooks_nth(const struct hook *hooks, size_t count, enum hook_type type,
                                    int *index)
{
    for (size_t i = 0; i < count; i++)
        if (hooks[i].type == type && (*index)-- == 0)
            return &hooks[i];
    return NULL;
}

const struct hook *plan_hook(const struct plan *plan, enum hook_type gate, int batch, int index)
{
    const struct hook *hook = hooks_nth(plan->hooks, plan->hook_count, gate, &index);
    if (hook || batch < 0 || (size_t)batch >= plan->batch_count)
        return hook;
    const struct batch *at = &plan->batches[batch];
    return hooks_nth(at->hooks, at->hook_count, gate, &index);
}

const char *hook_type_name(enum hook_type type)
{
    static const char *const names[] = {"initialize-rollout", "pre-batch-rollout",
                                        "post-batch-rollout", "finalize-rollout"};
    return names[type];
}

const char *strategy_name(enum strategy strategy)
{
    return strategy == STRATEGY_INCREASE_FIRST ? "IncreaseFirst" : "DecreaseFirst";
}
