// SPDX-License-Identifier: Apache-2.0
#include "scale.h"

#include "base/alloc.h"
#include "base/json.h"
#include "object.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* ── A label selector as text ─────────────────────────────────────────────────────────────── */

/* {"a": "b"} is a requirement too. */
static json_t *requirements_of(const json_t *selector)
{
    json_t *all = json_array(), *value, *expression;
    const char *key;
    size_t i;
    json_object_foreach (json_object_get(selector, "matchLabels"), key, value)
        json_array_append_new(all, json_pack("{ss sO}", "key", key, "equals", value));
    json_array_foreach (json_object_get(selector, "matchExpressions"), i, expression)
        json_array_append(all, expression);
    return all;
}

static const char *key_of(const json_t *requirement)
{
    const char *key = json_string_at(requirement, "/key");
    return key ? key : "";
}

/* By key; those of one key stay in their order. */
static void sort_by_key(json_t *requirements)
{
    for (size_t i = 1; i < json_array_size(requirements); i++) {
        json_t *moved AUTO_JSON = json_incref(json_array_get(requirements, i));
        size_t to = i;
        while (to > 0 && strcmp(key_of(json_array_get(requirements, to - 1)), key_of(moved)) > 0)
            to--;
        json_array_remove(requirements, i);
        json_array_insert(requirements, to, moved);
    }
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* " in (a,b)" */
static void add_values(struct text *out, const char *word, const json_t *values)
{
    size_t count = json_array_size(values);
    const char **sorted = mem_alloc((count + 1) * sizeof *sorted);
    for (size_t i = 0; i < count; i++)
        sorted[i] = json_string_value(json_array_get(values, i));
    qsort(sorted, count, sizeof *sorted, by_text);
    text_addf(out, " %s (", word);
    for (size_t i = 0; i < count; i++)
        text_addf(out, "%s%s", i ? "," : "", sorted[i]);
    text_puts(out, ")");
    free(sorted);
}

static void add_requirement(struct text *out, const json_t *requirement)
{
    const char *equals = json_string_at(requirement, "/equals");
    const char *operator= json_string_at(requirement, "/operator");
    const json_t *values = json_object_get(requirement, "values");
    text_addf(out, "%s%s%s", out->len ? "," : "", str_equal(operator, "DoesNotExist") ? "!" : "",
              key_of(requirement));
    if (equals)
        text_addf(out, "=%s", equals);
    else if (str_equal(operator, "In"))
        add_values(out, "in", values);
    else if (str_equal(operator, "NotIn"))
        add_values(out, "notin", values);
}

json_t *scale_selector(const json_t *selector)
{
    struct text text AUTO(text_done) = {0};
    json_t *requirements AUTO_JSON = requirements_of(selector), *requirement;
    size_t i;
    sort_by_key(requirements);
    json_array_foreach (requirements, i, requirement)
        add_requirement(&text, requirement);
    return json_string(text.len ? text.at : "");
}

/* ── Where kinds have it ──────────────────────────────────────────────────────────────────── */

/* A pointer of what a definition has as ".spec.size". The caller frees it. */
static char *pointer_of(const struct kind *kind, const char *name, const char *usual)
{
    const char *path = kind->scale ? json_string_value(json_object_get(kind->scale, name)) : usual;
    char *pointer = str_copy(path ? path : "/");
    for (char *at = pointer; *at; at++)
        if (*at == '.')
            *at = '/';
    return pointer;
}

static char *wanted_at(const struct kind *kind)
{
    return pointer_of(kind, "specReplicasPath", "/spec/replicas");
}

static json_t *status_of(const struct kind *kind, const json_t *object)
{
    char *count_at AUTO_FREE = pointer_of(kind, "statusReplicasPath", "/status/replicas");
    char *selector_at AUTO_FREE = pointer_of(kind, "labelSelectorPath", "/");
    json_t *status = json_pack("{sI}", "replicas", json_int_at(object, count_at, 0));
    json_t *selector AUTO_JSON = kind->custom ? json_incref(json_at(object, selector_at))
                                              : scale_selector(json_at(object, "/spec/selector"));
    if (json_string_length(selector))
        json_object_set(status, "selector", selector);
    return status;
}

static int fail_no_size(const struct kind *kind, struct failure *failure)
{
    const char *path = json_string_at(kind->scale, "/specReplicasPath");
    char *why AUTO_FREE = str_format("the spec replicas field \"%s\" does not exist", path);
    fail(failure, 500, "InternalError", "Internal error occurred: %s", why);
    failure->details = json_pack("{s[{ss}]}", "causes", "message", why);
    return -1;
}

json_t *scale_of(const struct kind *kind, const json_t *object, struct failure *failure)
{
    static const char *const shared[] = {"name", "namespace", "uid", "resourceVersion",
                                         "creationTimestamp"};
    char *at AUTO_FREE = wanted_at(kind);
    int64_t replicas = json_int_at(object, at, 0);
    if (kind->custom && !json_at(object, at)) {
        fail_no_size(kind, failure);
        return NULL;
    }
    json_t *scale = json_pack("{ss ss s{} s{} so}", "kind", "Scale", "apiVersion", "autoscaling/v1",
                              "metadata", "spec", "status", status_of(kind, object));
    for (size_t i = 0; i < sizeof shared / sizeof *shared; i++)
        json_object_set(json_object_get(scale, "metadata"), shared[i],
                        json_object_get(json_object_get(object, "metadata"), shared[i]));
    if (replicas)
        json_put_take(scale, "/spec/replicas", json_integer(replicas));
    return scale;
}

static int check_size(const struct sandbox *sandbox, const json_t *scale, struct failure *failure)
{
    int64_t replicas = json_int_at(scale, "/spec/replicas", 0);
    if (replicas >= 0)
        return 0;
    json_t *causes = json_array();
    cause_add(causes, "FieldValueInvalid", "spec.replicas",
              "Invalid value: %lld: must be greater than or equal to 0", (long long)replicas);
    return fail_invalid_take(failure, registry_scale(sandbox->kinds),
                             json_string_at(scale, "/metadata/name"), causes);
}

int scale_put(const struct sandbox *sandbox, const struct kind *kind, json_t *object,
              const json_t *scale, struct failure *failure)
{
    static const char *const preconditions[] = {"uid", "resourceVersion"};
    char *at AUTO_FREE = wanted_at(kind);
    if (check_size(sandbox, scale, failure) < 0)
        return -1;
    for (size_t i = 0; i < sizeof preconditions / sizeof *preconditions; i++) {
        json_t *said = json_object_get(json_object_get(scale, "metadata"), preconditions[i]);
        if (said)
            json_object_set(json_object_get(object, "metadata"), preconditions[i], said);
    }
    return json_put_take(object, at, json_integer(json_int_at(scale, "/spec/replicas", 0)));
}

int scale_read(struct sandbox *sandbox, const struct target *target, const struct request *request,
               struct answer *answer, struct failure *failure)
{
    const struct version *version = collection_get(target->kind->collection, target->key);
    if (!version)
        return fail_not_found(failure, target->kind, target->name);
    json_t *object AUTO_JSON = object_of(target->kind, version);
    json_t *scale AUTO_JSON = scale_of(target->kind, object, failure);
    if (!scale)
        return -1;
    char *text AUTO_FREE = json_text(scale);
    text_puts(&answer->body, text);
    return 0;
}
