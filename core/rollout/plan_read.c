// SPDX-License-Identifier: Apache-2.0
/* From the JSON of a rolloutPlan to a struct plan. Whatever isn't understood is refused by name. */
#include "base/alloc.h"
#include "rollout/fields.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCHES_MAX = 1000, NAMES_MAX = 1000, INTERVAL_MAX_S = 86400, DEADLINE_MAX_S = 604800 };

/* Measured values aren't evaluated yet, and nothing is accepted and then ignored. */
static int refuse_metrics(const struct field *parent, struct error *err)
{
    struct field metrics = field_of(parent, "canaryMetric");
    bool empty = json_is_array(metrics.json) && json_array_size(metrics.json) == 0;
    if (field_absent(&metrics) || empty)
        return OK;
    return error_at(err, ERR_INVALID, metrics.path,
                    "canaryMetric is not supported yet; remove it, or check the metric in a "
                    "post-batch-rollout webhook");
}

static int read_pod_name(const struct field *list, size_t index, struct error *err)
{
    struct field item = field_nth(list, index);
    if (!json_is_string(item.json) || json_string_length(item.json) == 0)
        return field_refuse(&item, "a pod name", err);
    for (size_t i = 0; i < index; i++)
        if (json_equal(item.json, json_array_get(list->json, i)))
            return error_at(err, ERR_INVALID, item.path, "pod %s is named twice",
                            json_string_value(item.json));
    return OK;
}

/* The pods that a batch names; they are its size. */
static int read_pods(const struct field *field, struct batch *batch, struct error *err)
{
    if (field_absent(field))
        return OK;
    int count = field_items(field, 1, NAMES_MAX, "pod names", err);
    int code = count < 0 ? count : OK;
    for (int i = 0; i < count && code == OK; i++)
        code = read_pod_name(field, (size_t)i, err);
    if (code < 0)
        return code;
    if (batch->replicas.unit != AMOUNT_OMITTED)
        return error_at(err, ERR_INVALID, field->path,
                        "podList and replicas exclude each other; the batch is as large as its "
                        "podList");
    batch->pods = json_deep_copy(field->json);
    batch->replicas = (struct amount){AMOUNT_PODS, count};
    return OK;
}

static int read_on_failure(const struct field *field, enum on_failure *ret_then, struct error *err)
{
    static const char *const names[] = {[ON_FAILURE_PAUSE] = "Pause",
                                        [ON_FAILURE_ABANDON] = "Abandon",
                                        [ON_FAILURE_ROLLBACK] = "Rollback"};
    const char *text = field_absent(field) ? NULL : json_string_value(field->json);
    for (int then = ON_FAILURE_PAUSE; text && then <= ON_FAILURE_ROLLBACK; then++)
        if (strcmp(names[then], text) == 0)
            *ret_then = (enum on_failure)then;
    return field_absent(field) || *ret_then
               ? OK
               : field_refuse(field, "Pause, Abandon or Rollback", err);
}

static int read_deadline(const struct field *parent, struct deadline *deadline, struct error *err)
{
    struct field seconds = field_of(parent, "progressDeadlineSeconds");
    struct field then = field_of(parent, "onFailure");
    int code = read_int(&seconds, 1, DEADLINE_MAX_S, &deadline->seconds, err);
    return code < 0 ? code : read_on_failure(&then, &deadline->then, err);
}

static int read_batch(const struct field *field, struct batch *batch, struct error *err)
{
    static const char *const known[] = {"replicas",
                                        "podList",
                                        "maxUnavailable",
                                        "instanceInterval",
                                        "batchRolloutWebhooks",
                                        "canaryMetric",
                                        "progressDeadlineSeconds",
                                        "onFailure",
                                        NULL};
    int code = field_known(field, known, err);
    if (code < 0)
        return code;
    struct field replicas = field_of(field, "replicas"), pods = field_of(field, "podList");
    struct field unavailable = field_of(field, "maxUnavailable");
    struct field interval = field_of(field, "instanceInterval");
    struct field hooks = field_of(field, "batchRolloutWebhooks");
    if ((code = read_amount(&replicas, 1, &batch->replicas, err)) < 0 ||
        (code = read_pods(&pods, batch, err)) < 0 ||
        (code = read_amount(&unavailable, 0, &batch->max_unavailable, err)) < 0 ||
        (code = read_int(&interval, 0, INTERVAL_MAX_S, &batch->instance_interval_s, err)) < 0 ||
        (code = read_deadline(field, &batch->deadline, err)) < 0 ||
        (code = refuse_metrics(field, err)) < 0)
        return code;
    return read_hooks(&hooks, true, &batch->hooks, &batch->hook_count, err);
}

static int read_batches(const struct field *field, struct plan *plan, struct error *err)
{
    if (field_absent(field))
        return OK;
    int count = field_items(field, 1, BATCHES_MAX, "batches", err);
    if (count < 0)
        return count;
    plan->batches = mem_alloc((size_t)count * sizeof *plan->batches);
    plan->batch_count = (size_t)count;
    for (int i = 0; i < count; i++) {
        struct field item = field_nth(field, (size_t)i);
        int code = read_batch(&item, &plan->batches[i], err);
        if (code < 0)
            return code;
        if (plan->batches[i].replicas.unit == AMOUNT_OMITTED && i + 1 < count)
            return error_at(err, ERR_INVALID, item.path,
                            "replicas is missing; only the last batch may leave it out, and then "
                            "takes all the rest");
    }
    return OK;
}

/* numBatches alone deals the pods out evenly; beside rolloutBatches it must agree with them. */
static int read_batch_count(const struct field *field, struct plan *plan, struct error *err)
{
    int wanted = plan->batch_count ? (int)plan->batch_count : 1;
    int code = read_int(field, 1, BATCHES_MAX, &wanted, err);
    if (code < 0)
        return code;
    if (plan->batch_count && (size_t)wanted != plan->batch_count)
        return error_at(err, ERR_INVALID, field->path,
                        "numBatches is %d, but rolloutBatches has %zu; leave one of them out",
                        wanted, plan->batch_count);
    if (!plan->batch_count) {
        plan->even = true;
        plan->batch_count = (size_t)wanted;
        plan->batches = mem_alloc(plan->batch_count * sizeof *plan->batches);
    }
    return OK;
}

static int read_partition(const struct field *field, struct plan *plan, struct error *err)
{
    int code = read_int(field, 0, INT_MAX, &plan->partition, err);
    if (code == OK && plan->partition >= (int)plan->batch_count)
        return error_at(err, ERR_INVALID, field->path,
                        "batchPartition is %d, but the last batch is %zu (batches are counted from "
                        "0); leave it out to roll them all",
                        plan->partition, plan->batch_count - 1);
    return code;
}

static int read_strategy(const struct field *field, struct plan *plan, struct error *err)
{
    const char *text = field_absent(field) ? "" : json_string_value(field->json);
    if (text && (!*text || strcmp(text, "IncreaseFirst") == 0))
        plan->strategy = STRATEGY_INCREASE_FIRST;
    else if (text && strcmp(text, "DecreaseFirst") == 0)
        plan->strategy = STRATEGY_DECREASE_FIRST;
    else
        return field_refuse(field, "IncreaseFirst or DecreaseFirst", err);
    plan->strategy_given = *text != '\0';
    return OK;
}

/* How far the batches go for now, whether they go at all, and how long one may take. */
static int read_course(const struct field *field, struct plan *plan, struct error *err)
{
    struct field partition = field_of(field, "batchPartition"), paused = field_of(field, "paused");
    int code = read_partition(&partition, plan, err);
    if (code == OK)
        code = read_bool(&paused, &plan->paused, err);
    if (code == OK)
        code = read_deadline(field, &plan->deadline, err);
    return code;
}

static int read_plan(const struct field *field, struct plan *plan, struct error *err)
{
    static const char *const known[] = {"rolloutStrategy",
                                        "targetSize",
                                        "numBatches",
                                        "rolloutBatches",
                                        "batchPartition",
                                        "paused",
                                        "rolloutWebhooks",
                                        "canaryMetric",
                                        "progressDeadlineSeconds",
                                        "onFailure",
                                        NULL};
    int code = field_known(field, known, err);
    if (code < 0)
        return code;
    struct field strategy = field_of(field, "rolloutStrategy");
    struct field size = field_of(field, "targetSize"), count = field_of(field, "numBatches");
    struct field batches = field_of(field, "rolloutBatches");
    struct field hooks = field_of(field, "rolloutWebhooks");
    if ((code = read_strategy(&strategy, plan, err)) < 0 ||
        (code = read_int(&size, 0, PODS_MAX, &plan->target_size, err)) < 0 ||
        (code = read_batches(&batches, plan, err)) < 0 ||
        (code = read_batch_count(&count, plan, err)) < 0 ||
        (code = read_course(field, plan, err)) < 0 || (code = refuse_metrics(field, err)) < 0)
        return code;
    return read_hooks(&hooks, false, &plan->hooks, &plan->hook_count, err);
}

int plan_read(const json_t *json, const char *path, struct plan **ret_plan, struct error *err)
{
    struct field field = {.json = (json_t *)(uintptr_t)json};
    snprintf(field.path, sizeof field.path, "%s", path);
    if (field_absent(&field))
        return error_at(err, ERR_INVALID, path, "is missing");
    struct plan *plan = mem_alloc(sizeof *plan);
    plan->target_size = plan->partition = -1;
    int code = read_plan(&field, plan, err);
    if (code < 0)
        plan_free(plan);
    else
        *ret_plan = plan;
    return code;
}

void plan_free(struct plan *plan)
{
    if (!plan)
        return;
    for (size_t i = 0; i < plan->batch_count; i++) {
        json_decref(plan->batches[i].pods);
        hooks_free(plan->batches[i].hooks, plan->batches[i].hook_count);
    }
    free(plan->batches);
    hooks_free(plan->hooks, plan->hook_count);
    free(plan);
}
