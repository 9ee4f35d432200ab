// SPDX-License-Identifier: Apache-2.0
#include "base/json_patch.h"

#include "base/alloc.h"
#include "base/json.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* jansson's walks and comparisons want what they don't change to be changeable. */
static json_t *mutable_of(const json_t *json)
{
    return (json_t *)(uintptr_t)json;
}

/* Where a path leads: the container, which may not be there, and the last step, unescaped. */
struct place {
    json_t *parent;
    char *step;
};

static void place_done(struct place *place)
{
    free(place->step);
}

static struct place place_of(json_t *document, const char *path)
{
    const char *slash = strrchr(path, '/');
    char *above AUTO_FREE = str_copy_n(path, (size_t)(slash - path));
    struct place place = {.parent = json_at(document, above), .step = str_copy(slash + 1)};
    json_step_unescape(place.step);
    return place;
}

/* "-" is the place after the last. */
static size_t place_index(const struct place *place)
{
    char *end;
    if (strcmp(place->step, "-") == 0)
        return json_array_size(place->parent);
    unsigned long index = strtoul(place->step, &end, 10);
    return isdigit((unsigned char)*place->step) && !*end ? index : SIZE_MAX;
}

static int refuse(struct error *err, const char *op, const char *path)
{
    return error_set(err, ERR_INVALID, "%s %s: nothing stands there", op, path);
}

static int add_take(json_t **document, const char *path, json_t *value, struct error *err)
{
    int done = -1;
    if (!*path) {
        json_decref(*document);
        *document = value;
        return OK;
    }
    struct place place AUTO(place_done) = place_of(*document, path);
    if (json_is_array(place.parent))
        done = json_array_insert_new(place.parent, place_index(&place), value);
    else if (json_is_object(place.parent))
        done = json_object_set_new(place.parent, place.step, value);
    else
        json_decref(value);
    return done < 0 ? refuse(err, "add", path) : OK;
}

static int replace(json_t **document, const char *path, const json_t *value, struct error *err)
{
    if (!json_at(*document, path))
        return refuse(err, "replace", path);
    struct place place AUTO(place_done) = {0};
    if (!*path)
        return add_take(document, path, json_deep_copy(value), err);
    place = place_of(*document, path);
    if (json_is_array(place.parent))
        json_array_set_new(place.parent, place_index(&place), json_deep_copy(value));
    else
        json_object_set_new(place.parent, place.step, json_deep_copy(value));
    return OK;
}

static int test(const json_t *document, const char *path, const json_t *value, struct error *err)
{
    const json_t *found = json_at(document, path);
    if (found && json_equal(mutable_of(found), mutable_of(value)))
        return OK;
    char *expected_text AUTO_FREE = json_text(value);
    char *found_text AUTO_FREE = found ? json_text(found) : str_copy("nothing");
    return error_set(err, ERR_CONFLICT, "test %s: expected %s, found %s", path, expected_text,
                     found_text);
}

static int remove_at(json_t *document, const char *path, struct error *err)
{
    if (!*path || !json_at(document, path))
        return refuse(err, "remove", path);
    json_remove_at(document, path);
    return OK;
}

/* copy and move, which differ in what stays behind. */
static int carry(json_t **document, const char *op, const char *from, const char *path,
                 struct error *err)
{
    json_t *value AUTO_JSON = from ? json_deep_copy(json_at(*document, from)) : NULL;
    if (!value)
        return refuse(err, op, from ? from : "without from");
    if (strcmp(op, "move") == 0 && remove_at(*document, from, err) < 0)
        return ERR_INVALID;
    return add_take(document, path, json_incref(value), err);
}

static int operate(json_t **document, const json_t *operation, struct error *err)
{
    const char *op = json_string_at(operation, "/op"), *path = json_string_at(operation, "/path");
    const json_t *value = json_object_get(operation, "value");
    if (!op || !path || (*path && *path != '/'))
        return error_set(err, ERR_INVALID, "an operation without op or path");
    if (strcmp(op, "remove") == 0)
        return remove_at(*document, path, err);
    if (strcmp(op, "move") == 0 || strcmp(op, "copy") == 0)
        return carry(document, op, json_string_at(operation, "/from"), path, err);
    if (!value)
        return error_set(err, ERR_INVALID, "%s %s: without a value", op, path);
    if (strcmp(op, "test") == 0)
        return test(*document, path, value, err);
    if (strcmp(op, "add") == 0)
        return add_take(document, path, json_deep_copy(value), err);
    if (strcmp(op, "replace") == 0)
        return replace(document, path, value, err);
    return error_set(err, ERR_INVALID, "%s %s: no such operation", op, path);
}

int json_patch(json_t **document, const json_t *operations, struct error *err)
{
    json_t *draft = json_deep_copy(*document);
    int result = OK;
    for (size_t i = 0; result == OK && i < json_array_size(operations); i++)
        result = operate(&draft, json_array_get(operations, i), err);
    json_decref(result == OK ? *document : draft);
    if (result == OK)
        *document = draft;
    return result;
}

json_t *json_patch_step_take(const char *op, const char *path, json_t *value)
{
    json_t *step = json_pack("{s:s, s:s}", "op", op, "path", path);
    if (value)
        json_object_set_new(step, "value", value);
    return step;
}

void json_merge(json_t *object, const json_t *patch)
{
    const char *key;
    json_t *value;
    json_object_foreach (mutable_of(patch), key, value) {
        if (json_is_null(value)) {
            json_object_del(object, key);
            continue;
        }
        if (!json_is_object(value)) {
            json_object_set_new(object, key, json_deep_copy(value));
            continue;
        }
        if (!json_is_object(json_object_get(object, key)))
            json_object_set_new(object, key, json_object());
        json_merge(json_object_get(object, key), value);
    }
}
