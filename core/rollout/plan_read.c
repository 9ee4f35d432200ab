// SPDX-License-Identifier: Apache-2.0
/* From the JSON of a rolloutPlan to a struct plan. Whatever isn't understood is refused by name. */
#include "base/alloc.h"
#include "base/json.h"
#include "rollout/plan.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A value in the document together with the way to it. */
struct field {
    const json_t *json;
    char path[140];
};

static struct field field_of(const struct field *parent, const char *name)
{
    struct field field = {.json = json_object_get(parent->json, name)};
    snprintf(field.path, sizeof field.path, "%s.%s", parent->path, name);
    return field;
}

static struct field field_nth(const struct field *array, size_t index)
{
    struct field field = {.json = json_array_get(array->json, index)};
    snprintf(field.path, sizeof field.path, "%s[%zu]", array->path, index);
    return field;
}

static bool field_absent(const struct field *field)
{
    return !field->json || json_is_null(field->json);
}

/* "found …" in words a person would use. The caller frees it. */
static char *field_found(const struct field *field)
{
    char *text AUTO_FREE = json_text(field->json);
    return strlen(text) > 80 ? str_format("%.80s…", text) : str_copy(text);
}

static int field_refuse(const struct field *field, const char *expected, struct error *err)
{
    char *found AUTO_FREE = field_found(field);
    return error_at(err, ERR_INVALID, field->path, "expected %s, found %s", expected, found);
}

/* Every member must be one of `known` (NULL-terminated). */
static int field_known(const struct field *object, const char *const *known, struct error *err)
{
    if (!json_is_object(object->json))
        return field_refuse(object, "an object", err);
    for (void *at = json_object_iter((json_t *)(uintptr_t)object->json); at;
         at = json_object_iter_next((json_t *)(uintptr_t)object->json, at)) {
        const char *name = json_object_iter_key(at);
        const char *const *match = known;
        while (*match && strcmp(*match, name) != 0)
            match++;
        if (!*match)
            return error_at(err, ERR_INVALID, object->path, "unknown field \"%s\"", name);
    }
    return OK;
}

/* An integer within bounds; `*ret_value` stays as it is when the field is absent. */
static int read_int(const struct field *field, json_int_t low, json_int_t high, int *ret_value,
                    struct error *err)
{
    char expected[80];
    if (field_absent(field))
        return OK;
    json_int_t value = json_integer_value(field->json);
    if (!json_is_integer(field->json) || value < low || value > high) {
        snprintf(expected, sizeof expected, "a whole number from %lld to %lld", (long long)low,
                 (long long)high);
        return field_refuse(field, expected, err);
    }
    *ret_value = (int)value;
    return OK;
}

static int read_bool(const struct field *field, bool *ret_value, struct error *err)
{
    if (field_absent(field))
        return OK;
    if (!json_is_boolean(field->json))
        return field_refuse(field, "true or false", err);
    *ret_value = json_is_true(field->json);
    return OK;
}

static int read_percent(const struct field *field, int low, struct amount *ret_amount,
                        struct error *err)
{
    char expected[96];
    const char *text = json_string_value(field->json);
    char *end = NULL;
    long value = isdigit((unsigned char)*text) ? strtol(text, &end, 10) : -1;
    if (end && !*end) {
        snprintf(expected, sizeof expected, "%.12s for pods or \"%.12s%%\" for a percentage", text,
                 text);
        return field_refuse(field, expected, err);
    }
    if (!end || strcmp(end, "%") != 0 || value < low || value > 100) {
        snprintf(expected, sizeof expected, "a percentage from %d%% to 100%%, or a number of pods",
                 low);
        return field_refuse(field, expected, err);
    }
    *ret_amount = (struct amount){AMOUNT_PERCENT, (int)value};
    return OK;
}

/* An integer or a percentage, from `low` on. */
static int read_amount(const struct field *field, int low, struct amount *ret_amount,
                       struct error *err)
{
    if (field_absent(field))
        return OK;
    if (json_is_string(field->json))
        return read_percent(field, low, ret_amount, err);
    json_int_t value = json_integer_value(field->json);
    if (!json_is_integer(field->json) || value < low || value > 1000000)
        return field_refuse(field,
                            low > 0 ? "at least 1 pod, or a percentage such as \"20%\""
                                    : "0 or more pods, or a percentage such as \"20%\"",
                            err);
    *ret_amount = (struct amount){AMOUNT_PODS, (int)value};
    return OK;
}

static int read_hook_type(const struct field *field, bool in_batch, enum hook_type *ret_type,
                          struct error *err)
{
    const char *text = json_string_value(field->json);
    for (int type = in_batch ? HOOK_PRE_BATCH : HOOK_INITIALIZE;
         text && type <= (in_batch ? HOOK_POST_BATCH : HOOK_FINALIZE); type++) {
        if (strcmp(text, hook_type_name((enum hook_type)type)) != 0)
            continue;
        *ret_type = (enum hook_type)type;
        return OK;
    }
    return field_refuse(field,
                        in_batch ? "pre-batch-rollout or post-batch-rollout"
                                 : "initialize-rollout, pre-batch-rollout, post-batch-rollout or "
                                   "finalize-rollout",
                        err);
}

static int read_text(const struct field *field, const char *fallback, char **ret_text,
                     struct error *err)
{
    if (field_absent(field) && fallback) {
        *ret_text = str_copy(fallback);
        return OK;
    }
    if (!json_is_string(field->json) || json_string_length(field->json) == 0)
        return field_refuse(field, "a text", err);
    *ret_text = str_copy(json_string_value(field->json));
    return OK;
}

static int read_url(const struct field *field, char **ret_url, struct error *err)
{
    const char *url = json_string_value(field->json);
    if (!url || (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0))
        return field_refuse(field, "a URL that begins with http:// or https://", err);
    *ret_url = str_copy(url);
    return OK;
}

static int read_method(const struct field *field, char **ret_method, struct error *err)
{
    static const char *const methods[] = {"POST", "PUT", "GET", "PATCH"};
    const char *text = field_absent(field) ? "POST" : json_string_value(field->json);
    for (size_t i = 0; text && i < sizeof methods / sizeof *methods; i++)
        if (strcasecmp(text, methods[i]) == 0) {
            *ret_method = str_copy(methods[i]);
            return OK;
        }
    return field_refuse(field, "POST, PUT, PATCH or GET", err);
}

static int read_expected(const struct field *field, struct hook *hook, struct error *err)
{
    if (field_absent(field))
        return OK;
    if (!json_is_array(field->json))
        return field_refuse(field, "a list of HTTP statuses", err);
    size_t count = json_array_size(field->json);
    hook->expected = mem_alloc(count * sizeof *hook->expected);
    for (size_t i = 0; i < count; i++) {
        struct field item = field_nth(field, i);
        if (field_absent(&item))
            return field_refuse(&item, "an HTTP status", err);
        int code = read_int(&item, 100, 599, &hook->expected[i], err);
        if (code < 0)
            return code;
        hook->expected_count++;
    }
    return OK;
}

static int read_metadata(const struct field *field, struct hook *hook, struct error *err)
{
    if (field_absent(field))
        return OK;
    const char *key;
    json_t *value;
    if (!json_is_object(field->json))
        return field_refuse(field, "an object of texts", err);
    json_object_foreach((json_t *)(uintptr_t)field->json, key, value)
    {
        struct field item = field_of(field, key);
        if (!json_is_string(value))
            return field_refuse(&item, "a text", err);
    }
    hook->metadata = json_deep_copy(field->json);
    return OK;
}

static int read_hook(const struct field *field, bool in_batch, struct hook *hook, struct error *err)
{
    static const char *const known[] = {"type",           "name",     "url", "method",
                                        "expectedStatus", "metadata", NULL};
    int code = field_known(field, known, err);
    if (code < 0)
        return code;
    struct field type = field_of(field, "type"), name = field_of(field, "name");
    struct field url = field_of(field, "url"), method = field_of(field, "method");
    struct field expected = field_of(field, "expectedStatus");
    struct field metadata = field_of(field, "metadata");
    if ((code = read_hook_type(&type, in_batch, &hook->type, err)) < 0 ||
        (code = read_text(&name, NULL, &hook->name, err)) < 0 ||
        (code = read_url(&url, &hook->url, err)) < 0 ||
        (code = read_method(&method, &hook->method, err)) < 0 ||
        (code = read_expected(&expected, hook, err)) < 0)
        return code;
    return read_metadata(&metadata, hook, err);
}

static int read_hooks(const struct field *field, bool in_batch, struct hook **ret_hooks,
                      size_t *ret_count, struct error *err)
{
    if (field_absent(field))
        return OK;
    if (!json_is_array(field->json))
        return field_refuse(field, "a list of hooks", err);
    size_t count = json_array_size(field->json);
    *ret_hooks = mem_alloc(count * sizeof **ret_hooks);
    *ret_count = count;
    for (size_t i = 0; i < count; i++) {
        struct field item = field_nth(field, i);
        int code = read_hook(&item, in_batch, &(*ret_hooks)[i], err);
        if (code < 0)
            return code;
    }
    return OK;
}

/* Measured values aren't evaluated yet, and nothing is accepted and then ignored. */
static int refuse_metrics(const struct field *parent, struct error *err)
{
    struct field metrics = field_of(parent, "canaryMetric");
    if (field_absent(&metrics) || json_array_size(metrics.json) == 0)
        return OK;
    return error_at(err, ERR_INVALID, metrics.path,
                    "canaryMetric is not supported yet; remove it, or check the metric in a "
                    "post-batch-rollout webhook");
}

/* The pods that a batch names; they are its size. */
static int read_pods(const struct field *field, struct batch *batch, struct error *err)
{
    if (field_absent(field))
        return OK;
    size_t count = json_array_size(field->json);
    if (!json_is_array(field->json) || count == 0)
        return field_refuse(field, "a list of at least one pod name", err);
    for (size_t i = 0; i < count; i++) {
        struct field item = field_nth(field, i);
        if (!json_is_string(item.json) || json_string_length(item.json) == 0)
            return field_refuse(&item, "a pod name", err);
        for (size_t k = 0; k < i; k++)
            if (json_equal(item.json, json_array_get(field->json, k)))
                return error_at(err, ERR_INVALID, item.path, "pod %s is named twice",
                                json_string_value(item.json));
    }
    if (batch->replicas.unit != AMOUNT_OMITTED)
        return error_at(err, ERR_INVALID, field->path,
                        "podList and replicas exclude each other; the batch is as large as its "
                        "podList");
    batch->pods = json_deep_copy(field->json);
    batch->replicas = (struct amount){AMOUNT_PODS, (int)count};
    return OK;
}

static int read_batch(const struct field *field, struct batch *batch, struct error *err)
{
    static const char *const known[] = {
        "replicas",     "podList", "maxUnavailable", "instanceInterval", "batchRolloutWebhooks",
        "canaryMetric", NULL};
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
        (code = read_int(&interval, 0, 86400, &batch->instance_interval_s, err)) < 0 ||
        (code = refuse_metrics(field, err)) < 0)
        return code;
    return read_hooks(&hooks, true, &batch->hooks, &batch->hook_count, err);
}

static int read_batches(const struct field *field, struct plan *plan, struct error *err)
{
    size_t count = json_array_size(field->json);
    if (!json_is_array(field->json) || count == 0 || count > 1000)
        return field_refuse(field, "a list of 1 to 1000 batches", err);
    plan->batches = mem_alloc(count * sizeof *plan->batches);
    plan->batch_count = count;
    for (size_t i = 0; i < count; i++) {
        struct field item = field_nth(field, i);
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
    int code = read_int(field, 1, 1000, &wanted, err);
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
    int code = read_int(field, 0, 1000000, &plan->partition, err);
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
    return OK;
}

static int read_plan(const struct field *field, struct plan *plan, struct error *err)
{
    static const char *const known[] = {"rolloutStrategy", "targetSize",     "numBatches",
                                        "rolloutBatches",  "batchPartition", "paused",
                                        "rolloutWebhooks", "canaryMetric",   NULL};
    int code = field_known(field, known, err);
    if (code < 0)
        return code;
    struct field strategy = field_of(field, "rolloutStrategy");
    struct field size = field_of(field, "targetSize"), count = field_of(field, "numBatches");
    struct field batches = field_of(field, "rolloutBatches");
    struct field partition = field_of(field, "batchPartition");
    struct field paused = field_of(field, "paused"), hooks = field_of(field, "rolloutWebhooks");
    if ((code = read_strategy(&strategy, plan, err)) < 0 ||
        (code = read_int(&size, 0, 1000000, &plan->target_size, err)) < 0 ||
        (!field_absent(&batches) && (code = read_batches(&batches, plan, err)) < 0) ||
        (code = read_batch_count(&count, plan, err)) < 0 ||
        (code = read_partition(&partition, plan, err)) < 0 ||
        (code = read_bool(&paused, &plan->paused, err)) < 0 ||
        (code = refuse_metrics(field, err)) < 0)
        return code;
    return read_hooks(&hooks, false, &plan->hooks, &plan->hook_count, err);
}

int plan_read(const json_t *json, const char *path, struct plan **ret_plan, struct error *err)
{
    struct field field = {.json = json};
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

static void hooks_free(struct hook *hooks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(hooks[i].name);
        free(hooks[i].url);
        free(hooks[i].method);
        free(hooks[i].expected);
        json_decref(hooks[i].metadata);
    }
    free(hooks);
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
