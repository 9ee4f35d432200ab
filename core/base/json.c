// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include "base/alloc.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

int json_parse(const char *text, size_t length, json_t **ret_json, struct error *err)
{
    json_error_t where;
    json_t *json = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &where);
    if (!json)
        return error_set(err, ERR_INVALID, "line %d, column %d: %s", where.line, where.column,
                         where.text);
    *ret_json = json;
    return OK;
}

char *json_text(const json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
    return text ? text : str_copy("null");
}

struct packed *json_packed(struct pack *pack, const json_t *json)
{
    char *text AUTO_FREE = json_text(json);
    return pack_text(pack, text, strlen(text));
}

json_t *json_unpacked(const struct packed *packed)
{
    size_t length = 0;
    char *text AUTO_FREE = packed ? packed_text(packed, &length) : NULL;
    json_t *json = NULL;
    return text && json_parse(text, length, &json, NULL) == OK ? json : NULL;
}

char *json_canonical(const json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
    return text ? text : str_copy("null");
}

void json_hash(const json_t *json, char ret_hex[HASH_HEX_SIZE])
{
    char *text AUTO_FREE = json_canonical(json);
    hash_sha256(text, strlen(text), ret_hex);
}

enum { STEP_MAX = 512 };

void json_step_unescape(char *step)
{
    char *to = step;
    for (const char *from = step; *from; from++) {
        bool escaped = *from == '~' && (from[1] == '0' || from[1] == '1');
        *to++ = escaped ? (*++from == '1' ? '/' : '~') : *from;
    }
    *to = '\0';
}

/* Reads one step of a pointer, with ~1 and ~0 undone, and returns what follows it: the next '/'
 * or the end. NULL when the step is malformed or too long. */
static const char *pointer_step(const char *pointer, char step[STEP_MAX])
{
    if (*pointer != '/')
        return NULL;
    size_t length = 0;
    for (pointer++; *pointer && *pointer != '/'; pointer++) {
        char c = *pointer;
        if (c == '~' && (pointer[1] == '0' || pointer[1] == '1'))
            c = *++pointer == '1' ? '/' : '~';
        if (length + 1 >= STEP_MAX)
            return NULL;
        step[length++] = c;
    }
    step[length] = '\0';
    return pointer;
}

/* The place in an array that a step names; an array has none called "x" or "-1". */
static size_t step_index(const char *step)
{
    char *end;
    unsigned long index = strtoul(step, &end, 10);
    return isdigit((unsigned char)*step) && !*end ? index : SIZE_MAX;
}

static json_t *json_child(const json_t *json, const char *step)
{
    if (json_is_object(json))
        return json_object_get(json, step);
    return json_is_array(json) ? json_array_get(json, step_index(step)) : NULL;
}

json_t *json_at(const json_t *root, const char *pointer)
{
    char step[STEP_MAX];
    union {
        const json_t *in;
        json_t *out;
    } at = {.in = root}; /* borrowed as mutable, like jansson's own getters */
    while (at.in && *pointer) {
        pointer = pointer_step(pointer, step);
        if (!pointer)
            return NULL;
        at.out = json_child(at.in, step);
    }
    return at.out;
}

const char *json_string_at(const json_t *root, const char *pointer)
{
    return json_string_value(json_at(root, pointer));
}

json_t *json_find(const json_t *array, const char *pointer, const char *text)
{
    size_t i;
    json_t *item;
    json_array_foreach (array, i, item) {
        if (str_equal(json_string_at(item, pointer), text))
            return item;
    }
    return NULL;
}

int64_t json_int_at(const json_t *root, const char *pointer, int64_t fallback)
{
    const json_t *value = json_at(root, pointer);
    return json_is_integer(value) ? json_integer_value(value) : fallback;
}

bool json_bool_at(const json_t *root, const char *pointer, bool fallback)
{
    const json_t *value = json_at(root, pointer);
    return json_is_boolean(value) ? json_is_true(value) : fallback;
}

static int json_set_child_take(json_t *parent, const char *step, json_t *value)
{
    if (json_is_object(parent))
        return json_object_set_new(parent, step, value);
    if (json_is_array(parent))
        return json_array_set_new(parent, step_index(step), value);
    json_decref(value);
    return -1;
}

int json_put_take(json_t *root, const char *pointer, json_t *value)
{
    char step[STEP_MAX];
    json_t *at = root;
    for (;;) {
        pointer = pointer_step(pointer, step);
        if (!pointer) {
            json_decref(value);
            return ERR_BUG;
        }
        if (!*pointer)
            return json_set_child_take(at, step, value) < 0 ? ERR_BUG : OK;
        json_t *child = json_child(at, step);
        if (!child) {
            child = json_object();
            if (json_set_child_take(at, step, child) < 0) {
                json_decref(value);
                return ERR_BUG;
            }
        }
        at = child;
    }
}

void json_remove_at(json_t *root, const char *pointer)
{
    const char *last = strrchr(pointer, '/');
    if (!last)
        return;
    char *above AUTO_FREE = str_copy_n(pointer, (size_t)(last - pointer));
    json_t *parent = json_at(root, above);
    char step[STEP_MAX];
    if (!pointer_step(last, step))
        return;
    if (json_is_object(parent))
        json_object_del(parent, step);
    else if (json_is_array(parent))
        json_array_remove(parent, step_index(step));
}

json_t *json_pick(const json_t *root, const char *const *pointers, size_t count)
{
    static const char *const always[] = {
        "/apiVersion",          "/kind",         "/metadata/name",
        "/metadata/namespace",  "/metadata/uid", "/metadata/resourceVersion",
        "/metadata/generation",
    };
    json_t *picked = json_object();
    for (size_t i = 0; i < sizeof always / sizeof *always + count; i++) {
        size_t fixed = sizeof always / sizeof *always;
        const char *pointer = i < fixed ? always[i] : pointers[i - fixed];
        json_t *value = json_at(root, pointer);
        if (value)
            json_put_take(picked, pointer, json_incref(value));
    }
    return picked;
}

static bool is_empty(const json_t *json)
{
    return json_is_null(json) || (json_is_object(json) && !json_object_size(json)) ||
           (json_is_array(json) && !json_array_size(json));
}

static json_t *substance(json_t *json);

static json_t *object_substance(json_t *json)
{
    json_t *object = json_object(), *value;
    const char *name;
    json_object_foreach (json, name, value) {
        json_t *kept AUTO_JSON = substance(value);
        if (!is_empty(kept))
            json_object_set(object, name, kept);
    }
    return object;
}

static json_t *array_substance(json_t *json)
{
    json_t *array = json_array(), *item;
    size_t i;
    json_array_foreach (json, i, item)
        json_array_append_new(array, substance(item));
    return array;
}

/* Without members that say nothing, at every depth. The caller owns it. */
static json_t *substance(json_t *json)
{
    return json_is_object(json)  ? object_substance(json)
           : json_is_array(json) ? array_substance(json)
                                 : json_incref(json);
}

bool json_hash_at(const json_t *root, const char *const *pointers, size_t count,
                  char ret_hex[HASH_HEX_SIZE])
{
    json_t *parts AUTO_JSON = json_array();
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        json_t *part = json_at(root, pointers[i]);
        json_array_append_new(parts, part ? substance(part) : json_null());
        found = found || part;
    }
    if (found)
        json_hash(parts, ret_hex);
    return found;
}

void auto_json(json_t **place)
{
    json_decref(*place);
}
