// SPDX-License-Identifier: Apache-2.0
#include "rollout/fields.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/nearest.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FOUND_MAX = 80 };

struct field field_of(const struct field *parent, const char *name)
{
    struct field field = {.json = json_object_get(parent->json, name)};
    snprintf(field.path, sizeof field.path, "%s.%s", parent->path, name);
    return field;
}

struct field field_nth(const struct field *array, size_t index)
{
    struct field field = {.json = json_array_get(array->json, index)};
    snprintf(field.path, sizeof field.path, "%s[%zu]", array->path, index);
    return field;
}

bool field_absent(const struct field *field)
{
    return !field->json || json_is_null(field->json);
}

/* What stands there, cut between two characters when it is long. The caller frees it. */
static char *field_found(const struct field *field)
{
    char *text AUTO_FREE = json_text(field->json);
    int cut = FOUND_MAX;
    if (field_absent(field))
        return str_copy("nothing");
    if (strlen(text) <= FOUND_MAX)
        return str_copy(text);
    while ((text[cut] & 0xC0) == 0x80)
        cut--;
    return str_format("%.*s…", cut, text);
}

int field_refuse(const struct field *field, const char *expected, struct error *err)
{
    char *found AUTO_FREE = field_found(field);
    return error_at(err, ERR_INVALID, field->path, "expected %s, found %s", expected, found);
}

static int refuse_unknown(const struct field *object, const char *name, const char *const *known,
                          struct error *err)
{
    struct field field = field_of(object, name);
    char *hint AUTO_FREE = nearest_hint(name, known);
    return error_at(err, ERR_INVALID, field.path, "unknown field%s", hint);
}

int field_known(const struct field *object, const char *const *known, struct error *err)
{
    if (!json_is_object(object->json))
        return field_refuse(object, "an object", err);
    const char *name;
    json_t *value;
    json_object_foreach (object->json, name, value) {
        const char *const *match = known;
        while (*match && strcmp(*match, name) != 0)
            match++;
        if (!*match)
            return refuse_unknown(object, name, known, err);
    }
    return OK;
}

int field_items(const struct field *list, int low, int high, const char *what, struct error *err)
{
    char expected[80];
    size_t count = json_array_size(list->json);
    if (json_is_array(list->json) && count >= (size_t)low && count <= (size_t)high)
        return (int)count;
    snprintf(expected, sizeof expected, "a list of %d to %d %s", low, high, what);
    if (!json_is_array(list->json) || count == 0)
        return field_refuse(list, expected, err);
    return error_at(err, ERR_INVALID, list->path, "expected %s, found %zu", expected, count);
}

int read_int(const struct field *field, json_int_t low, json_int_t high, int *ret_value,
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

int read_bool(const struct field *field, bool *ret_value, struct error *err)
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
    if (text[0] == '0' && text[1] != '%') { /* the API server doesn't take it either */
        snprintf(expected, sizeof expected, "\"%ld%%\"", value);
        return field_refuse(field, expected, err);
    }
    *ret_amount = (struct amount){AMOUNT_PERCENT, (int)value};
    return OK;
}

int read_amount(const struct field *field, int low, struct amount *ret_amount, struct error *err)
{
    if (field_absent(field))
        return OK;
    char expected[96];
    if (json_is_string(field->json))
        return read_percent(field, low, ret_amount, err);
    json_int_t value = json_integer_value(field->json);
    if (!json_is_integer(field->json) || value < low || value > PODS_MAX) {
        snprintf(expected, sizeof expected, "%d to %d pods, or a percentage such as \"20%%\"", low,
                 PODS_MAX);
        return field_refuse(field, expected, err);
    }
    *ret_amount = (struct amount){AMOUNT_PODS, (int)value};
    return OK;
}
