// SPDX-License-Identifier: Apache-2.0
#include "rollout/plan.h"

#include <stdint.h>
#include <stdio.h>

#define BATCHES_PATH "spec.rolloutPlan.rolloutBatches"

static int span_length(struct span span)
{
    return span.to >= span.from ? span.to - span.from : span.from - span.to;
}

/* What the span counts, for messages. */
static const char *span_name(struct span span)
{
    return span.from == 0 ? "pods" : "replicas to add or remove";
}

/* Rounded up. Percentages of many batches add up to more than 100, so this may exceed an int. */
static int64_t percent_of(int64_t percent, int total)
{
    return (percent * total + 99) / 100;
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

enum { TERMS_MAX = 12, SUM_SIZE = 240 };

/* "1 + 40% of 5 = 3", for messages; a long sum is cut short. */
static void plan_arithmetic(const struct plan *plan, int length, char ret_text[SUM_SIZE])
{
    size_t used = 0;
    int last = (int)plan->batch_count - 1;
    int64_t percent = plan_sums(plan, last).percent, covers = plan_covers(plan, length, last);
    for (size_t i = 0; i < plan->batch_count && i < TERMS_MAX; i++) {
        struct amount amount = plan->batches[i].replicas;
        const char *unit = amount.unit == AMOUNT_PERCENT ? "%" : "";
        if (amount.unit != AMOUNT_OMITTED)
            used += (size_t)snprintf(ret_text + used, SUM_SIZE - used, "%s%d%s", used ? " + " : "",
                                     amount.value, unit);
    }
    if (last >= TERMS_MAX)
        used += (size_t)snprintf(ret_text + used, SUM_SIZE - used, " + …");
    if (percent > 0)
        used += (size_t)snprintf(ret_text + used, SUM_SIZE - used, " of %d", length);
    if (percent > 0 || last > 0)
        snprintf(ret_text + used, SUM_SIZE - used, " = %lld", (long long)covers);
}

static int plan_overshoots(const struct plan *plan, struct span span, struct error *err)
{
    char sum[SUM_SIZE];
    int length = span_length(span);
    plan_arithmetic(plan, length, sum);
    return error_at(err, ERR_INVALID, BATCHES_PATH,
                    "the batches overshoot: %s, but there are %d %s; make the whole numbers add up "
                    "to %d, or use percentages",
                    sum, length, span_name(span), length);
}

static int plan_falls_short(const struct plan *plan, struct span span, struct error *err)
{
    char sum[SUM_SIZE];
    int length = span_length(span), last = (int)plan->batch_count - 1;
    plan_arithmetic(plan, length, sum);
    return error_at(err, ERR_INVALID, BATCHES_PATH,
                    "the batches don't reach the end: %s, but there are %d %s; %lld would be in no "
                    "batch; leave the last batch's replicas out to take all the rest",
                    sum, length, span_name(span),
                    (long long)(length - plan_covers(plan, length, last)));
}

int plan_check(const struct plan *plan, struct span span, struct error *err)
{
    int length = span_length(span), last = (int)plan->batch_count - 1;
    if (plan->even)
        return OK;
    if (plan_sums(plan, last).pods > length)
        return plan_overshoots(plan, span, err);
    bool open_end = plan->batches[last].replicas.unit == AMOUNT_OMITTED;
    if (!open_end && plan_covers(plan, length, last) < length)
        return plan_falls_short(plan, span, err);
    return OK;
}

bool plan_in_steps(const struct plan *plan)
{
    return plan->batch_count > 1 || plan->batches[0].instance_interval_s > 0;
}

int plan_tolerance(const struct plan *plan, int batch, int size)
{
    if (batch < 0 || (size_t)batch >= plan->batch_count)
        return 0;
    struct amount amount = plan->batches[batch].max_unavailable;
    if (amount.unit == AMOUNT_PERCENT)
        return (int)percent_of(amount.value, size);
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

struct deadline plan_deadline(const struct plan *plan, int batch)
{
    struct deadline deadline = plan->deadline;
    if (batch >= 0 && (size_t)batch < plan->batch_count) {
        struct deadline own = plan->batches[batch].deadline;
        deadline.seconds = own.seconds ? own.seconds : deadline.seconds;
        deadline.then = own.then ? own.then : deadline.then;
    }
    if (deadline.then == ON_FAILURE_OMITTED)
        deadline.then = ON_FAILURE_PAUSE;
    return deadline;
}

static bool rolls_back(struct deadline deadline)
{
    return deadline.then == ON_FAILURE_ROLLBACK;
}

/* The first batch that says so itself; as many as there are: none does. */
static size_t batch_that_rolls_back(const struct plan *plan)
{
    size_t batch = 0;
    while (batch < plan->batch_count && !rolls_back(plan->batches[batch].deadline))
        batch++;
    return batch;
}

bool plan_rolls_back(const struct plan *plan)
{
    return rolls_back(plan->deadline) || batch_that_rolls_back(plan) < plan->batch_count;
}

int plan_check_followed(const struct plan *plan, struct error *err)
{
    char path[64];
    size_t batch = batch_that_rolls_back(plan);
    if (rolls_back(plan->deadline))
        snprintf(path, sizeof path, "spec.rolloutPlan.onFailure");
    else if (batch < plan->batch_count)
        snprintf(path, sizeof path, BATCHES_PATH "[%zu].onFailure", batch);
    else
        return OK;
    return error_at(err, ERR_INVALID, path,
                    "expected Pause or Abandon, found Rollback; the template of a workload that a "
                    "Rollout follows is its owner's, who takes it back with `sluice rollback`");
}
