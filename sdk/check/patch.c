// SPDX-License-Identifier: Apache-2.0
#include "patch.h"

#include "base/alloc.h"
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

static json_t *mutable_of(const json_t *json)
{
    return (json_t *)(uintptr_t)json;
}

/* RFC 7396, and near enough for an apply patch. */
static void merge(json_t *object, const json_t *patch)
{
    const char *key;
    json_t *value;
    json_object_foreach (mutable_of(patch), key, value) {
        json_t *found = json_object_get(object, key);
        if (json_is_null(value))
            json_object_del(object, key);
        else if (json_is_object(value) && json_is_object(found))
            merge(found, value);
        else
            json_object_set_new(object, key, json_deep_copy(value));
    }
}

/* Splits "/a/b" into the container "/a" and the last step "b", unescaped. The caller frees it. */
static char *last_step(json_t *object, const char *path, json_t **ret_parent)
{
    const char *slash = strrchr(path, '/');
    char *above AUTO_FREE = str_copy_n(path, (size_t)(slash - path));
    *ret_parent = json_at(object, above);
    char *step = str_copy(slash + 1), *to = step;
    for (const char *from = step; *from; from++) {
        bool escaped = *from == '~' && (from[1] == '0' || from[1] == '1');
        *to++ = escaped ? (*++from == '1' ? '/' : '~') : *from;
    }
    *to = '\0';
    return step;
}

static int add(json_t *object, const char *path, const json_t *value, struct error *err)
{
    json_t *parent;
    char *step AUTO_FREE = last_step(object, path, &parent);
    json_t *copy = json_deep_copy(value);
    int done = -1;
    if (json_is_array(parent) && strcmp(step, "-") == 0)
        done = json_array_append_new(parent, copy);
    else if (json_is_array(parent))
        done = json_array_insert_new(parent, strtoul(step, NULL, 10), copy);
    else if (json_is_object(parent))
        done = json_object_set_new(parent, step, copy);
    else
        json_decref(copy);
    return done < 0 ? error_set(err, ERR_INVALID, "add %s: nothing stands above it", path) : OK;
}

static int replace(json_t *object, const char *path, const json_t *value, struct error *err)
{
    json_t *parent;
    if (!json_at(object, path))
        return error_set(err, ERR_INVALID, "%s: nothing stands there", path);
    char *step AUTO_FREE = last_step(object, path, &parent);
    if (json_is_array(parent))
        json_array_set_new(parent, strtoul(step, NULL, 10), json_deep_copy(value));
    else
        json_object_set_new(parent, step, json_deep_copy(value));
    return OK;
}

static int test(const json_t *object, const char *path, const json_t *value, struct error *err)
{
    const json_t *found = json_at(object, path);
    if (found && json_equal(mutable_of(found), mutable_of(value)))
        return OK;
    char *expected_text AUTO_FREE = json_text(value);
    char *found_text AUTO_FREE = found ? json_text(found) : str_copy("nothing");
    return error_set(err, ERR_CONFLICT, "test %s: expected %s, found %s", path, expected_text,
                     found_text);
}

static int operate(json_t *object, const json_t *operation, struct error *err)
{
    const char *op = json_string_at(operation, "/op"), *path = json_string_at(operation, "/path");
    const json_t *value = json_at(operation, "/value");
    if (!op || !path || path[0] != '/')
        return error_set(err, ERR_INVALID, "an operation without op or path");
    if (strcmp(op, "test") == 0)
        return test(object, path, value, err);
    if (strcmp(op, "add") == 0)
        return add(object, path, value, err);
    if (strcmp(op, "replace") == 0)
        return replace(object, path, value, err);
    if (strcmp(op, "remove") != 0 || !json_at(object, path))
        return error_set(err, ERR_INVALID, "%s %s: can't be done here", op, path);
    json_remove_at(object, path);
    return OK;
}

static int check_version(const json_t *object, const json_t *body, struct error *err)
{
    const json_t *expected = json_at(body, "/metadata/resourceVersion");
    return expected && object ? test(object, "/metadata/resourceVersion", expected, err) : OK;
}

int patch_apply(json_t **object, const json_t *patch, struct error *err)
{
    const char *type = json_string_at(patch, "/type");
    const json_t *body = json_at(patch, "/body"), *operation;
    int result = OK;
    size_t i;
    if (json_is_array(body)) {
        json_t *draft = json_deep_copy(*object);
        for (i = 0; result == OK && (operation = json_array_get(body, i)); i++)
            result = operate(draft, operation, err);
        json_decref(result == OK ? *object : draft);
        if (result == OK)
            *object = draft;
        return result;
    }
    if (!*object && !str_equal(type, "apply"))
        return error_set(err, ERR_MISSING, "a %s patch of an object that isn't there", type);
    result = check_version(*object, body, err);
    if (result < 0)
        return result;
    if (!*object)
        *object = json_object();
    merge(*object, body);
    return OK;
}
