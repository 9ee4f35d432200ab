// SPDX-License-Identifier: Apache-2.0
/* The webhooks of a plan. */
#include "base/alloc.h"
#include "rollout/fields.h"

#include <stdlib.h>
#include <string.h>

enum { HOOKS_MAX = 16, STATUSES_MAX = 100 };

static int read_type(const struct field *field, bool in_batch, enum hook_type *ret_type,
                     struct error *err)
{
    int first = in_batch ? HOOK_PRE_BATCH : HOOK_INITIALIZE;
    int last = in_batch ? HOOK_POST_BATCH : HOOK_FINALIZE;
    const char *text = json_string_value(field->json);
    for (int type = first; text && type <= last; type++)
        if (strcmp(text, hook_type_name((enum hook_type)type)) == 0) {
            *ret_type = (enum hook_type)type;
            return OK;
        }
    return field_refuse(field,
                        in_batch ? "pre-batch-rollout or post-batch-rollout (the others belong in "
                                   "rolloutWebhooks)"
                                 : "initialize-rollout, pre-batch-rollout, post-batch-rollout or "
                                   "finalize-rollout",
                        err);
}

static int read_name(const struct field *field, char **ret_name, struct error *err)
{
    if (!json_is_string(field->json) || json_string_length(field->json) == 0)
        return field_refuse(field, "a name", err);
    *ret_name = str_copy(json_string_value(field->json));
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
    static const char *const methods[] = {"POST", "PUT", "PATCH", "GET"};
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
    int count = field_absent(field) ? 0 : field_items(field, 0, STATUSES_MAX, "statuses", err);
    if (count <= 0)
        return count;
    hook->expected = mem_alloc((size_t)count * sizeof *hook->expected);
    for (int i = 0; i < count; i++) {
        struct field item = field_nth(field, (size_t)i);
        int code = field_absent(&item) ? field_refuse(&item, "an HTTP status", err)
                                       : read_int(&item, 100, 599, &hook->expected[i], err);
        if (code < 0)
            return code;
        hook->expected_count++;
    }
    return OK;
}

static int read_metadata(const struct field *field, struct hook *hook, struct error *err)
{
    const char *key;
    json_t *value;
    if (field_absent(field))
        return OK;
    if (!json_is_object(field->json))
        return field_refuse(field, "an object of texts", err);
    json_object_foreach (field->json, key, value) {
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
    if ((code = read_type(&type, in_batch, &hook->type, err)) < 0 ||
        (code = read_name(&name, &hook->name, err)) < 0 ||
        (code = read_url(&url, &hook->url, err)) < 0 ||
        (code = read_method(&method, &hook->method, err)) < 0 ||
        (code = read_expected(&expected, hook, err)) < 0)
        return code;
    return read_metadata(&metadata, hook, err);
}

int read_hooks(const struct field *field, bool in_batch, struct hook **ret_hooks, size_t *ret_count,
               struct error *err)
{
    int count = field_absent(field) ? 0 : field_items(field, 0, HOOKS_MAX, "webhooks", err);
    if (count <= 0)
        return count;
    *ret_hooks = mem_alloc((size_t)count * sizeof **ret_hooks);
    *ret_count = (size_t)count;
    for (int i = 0; i < count; i++) {
        struct field item = field_nth(field, (size_t)i);
        int code = read_hook(&item, in_batch, &(*ret_hooks)[i], err);
        if (code < 0)
            return code;
    }
    return OK;
}

void hooks_free(struct hook *hooks, size_t count)
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
