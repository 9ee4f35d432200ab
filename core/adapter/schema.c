// SPDX-License-Identifier: Apache-2.0
#include "adapter/schema.h"

#include "base/alloc.h"
#include "base/json.h"

#include <string.h>

const char *json_type_name(const json_t *value)
{
    if (!value)
        return "nothing";
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "object";
    case JSON_ARRAY:
        return "array";
    case JSON_STRING:
        return "string";
    case JSON_INTEGER:
        return "integer";
    case JSON_REAL:
        return "number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "boolean";
    case JSON_NULL:
        return "null";
    }
    return "nothing";
}

static bool type_fits(const char *type, const json_t *value)
{
    return strcmp(type, json_type_name(value)) == 0 ||
           (strcmp(type, "number") == 0 && json_is_integer(value));
}

static bool type_known(const json_t *type)
{
    static const char *const types[] = {"object", "array",   "string", "integer",
                                        "number", "boolean", "null"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (str_equal(json_string_value(type), types[i]))
            return true;
    return false;
}

static bool strings_only(const json_t *array)
{
    size_t i;
    const json_t *item;
    if (!json_is_array(array))
        return false;
    json_array_foreach (array, i, item)
        if (!json_is_string(item))
            return false;
    return true;
}

static int properties_check(const json_t *properties, const char *path, struct error *err)
{
    if (!json_is_object(properties))
        return error_at(err, ERR_INVALID, path, "%s: expected an object, found %s", path,
                        json_type_name(properties));
    /* jansson's iterators take a mutable object but don't change it. */
    json_t *object = (json_t *)(uintptr_t)properties;
    const char *name;
    json_t *schema;
    json_object_foreach (object, name, schema) {
        char *inner AUTO_FREE = str_format("%s.%s", path, name);
        int result = schema_check(schema, inner, err);
        if (result < 0)
            return result;
    }
    return OK;
}

/* One keyword of a schema and its value. Sets *ret_fits when the value is of the right form. */
static int keyword_check(const char *keyword, const json_t *value, const char *path,
                         const char **ret_expected, struct error *err)
{
    *ret_expected = NULL;
    if (strcmp(keyword, "properties") == 0)
        return properties_check(value, path, err);
    if (strcmp(keyword, "items") == 0)
        return schema_check(value, path, err);
    if (strcmp(keyword, "type") == 0)
        *ret_expected = type_known(value) ? NULL : "the name of one JSON type";
    else if (strcmp(keyword, "required") == 0)
        *ret_expected = strings_only(value) ? NULL : "an array of strings";
    else if (strcmp(keyword, "additionalProperties") == 0)
        *ret_expected = json_is_boolean(value) ? NULL : "true or false";
    else if (strcmp(keyword, "enum") == 0)
        *ret_expected = json_array_size(value) ? NULL : "an array that isn't empty";
    else if (strcmp(keyword, "minimum") == 0 || strcmp(keyword, "maximum") == 0)
        *ret_expected = json_is_number(value) ? NULL : "a number";
    else if (strcmp(keyword, "title") != 0 && strcmp(keyword, "description") != 0 &&
             strcmp(keyword, "default") != 0)
        return error_at(err, ERR_INVALID, path,
                        "%s: unknown keyword; known are type, properties, required, "
                        "additionalProperties, items, enum, minimum, maximum, title, description, "
                        "default",
                        path);
    return OK;
}

int schema_check(const json_t *schema, const char *path, struct error *err)
{
    if (!json_is_object(schema))
        return error_at(err, ERR_INVALID, path, "%s: expected a schema (an object), found %s", path,
                        json_type_name(schema));
    json_t *object = (json_t *)(uintptr_t)schema;
    const char *keyword;
    json_t *value;
    json_object_foreach (object, keyword, value) {
        char *inner AUTO_FREE = str_format("%s.%s", path, keyword);
        const char *expected;
        int result = keyword_check(keyword, value, inner, &expected, err);
        if (result < 0)
            return result;
        if (expected)
            return error_at(err, ERR_INVALID, inner, "%s: expected %s, found %s", inner, expected,
                            json_type_name(value));
    }
    return OK;
}

static int validate_enum(const json_t *schema, const json_t *value, const char *path,
                         struct error *err)
{
    const json_t *allowed = json_object_get(schema, "enum");
    size_t i;
    const json_t *item;
    if (!allowed)
        return OK;
    json_array_foreach (allowed, i, item)
        if (json_equal(item, value))
            return OK;
    char *list AUTO_FREE = json_text(allowed), *found AUTO_FREE = json_text(value);
    return error_at(err, ERR_INVALID, path, "%s: expected one of %s, found %s", path, list, found);
}

static int validate_range(const json_t *schema, const json_t *value, const char *path,
                          struct error *err)
{
    const json_t *minimum = json_object_get(schema, "minimum");
    const json_t *maximum = json_object_get(schema, "maximum");
    double number = json_number_value(value);
    if (!json_is_number(value))
        return OK;
    if (minimum && number < json_number_value(minimum))
        return error_at(err, ERR_INVALID, path, "%s: expected at least %g, found %g", path,
                        json_number_value(minimum), number);
    if (maximum && number > json_number_value(maximum))
        return error_at(err, ERR_INVALID, path, "%s: expected at most %g, found %g", path,
                        json_number_value(maximum), number);
    return OK;
}

static int validate_required(const json_t *schema, const json_t *value, const char *path,
                             struct error *err)
{
    size_t i;
    const json_t *name;
    json_array_foreach (json_object_get(schema, "required"), i, name)
        if (!json_object_get(value, json_string_value(name)))
            return error_at(err, ERR_INVALID, path, "%s.%s: expected a value, found nothing", path,
                            json_string_value(name));
    return OK;
}

static int validate_members(const json_t *schema, const json_t *value, const char *path,
                            struct error *err)
{
    const json_t *properties = json_object_get(schema, "properties");
    bool closed = json_is_false(json_object_get(schema, "additionalProperties"));
    json_t *object = (json_t *)(uintptr_t)value;
    const char *name;
    json_t *member;
    json_object_foreach (object, name, member) {
        const json_t *inner_schema = json_object_get(properties, name);
        char *inner AUTO_FREE = str_format("%s.%s", path, name);
        if (!inner_schema && closed)
            return error_at(err, ERR_INVALID, inner, "%s: unknown option", inner);
        int result = inner_schema ? schema_validate(inner_schema, member, inner, err) : OK;
        if (result < 0)
            return result;
    }
    return validate_required(schema, value, path, err);
}

static int validate_items(const json_t *schema, const json_t *value, const char *path,
                          struct error *err)
{
    const json_t *items = json_object_get(schema, "items");
    size_t i;
    const json_t *item;
    if (!items)
        return OK;
    json_array_foreach (value, i, item) {
        char *inner AUTO_FREE = str_format("%s[%zu]", path, i);
        int result = schema_validate(items, item, inner, err);
        if (result < 0)
            return result;
    }
    return OK;
}

int schema_validate(const json_t *schema, const json_t *value, const char *path, struct error *err)
{
    const char *type = json_string_value(json_object_get(schema, "type"));
    if (type && !type_fits(type, value)) {
        char *found AUTO_FREE = json_text(value);
        return error_at(err, ERR_INVALID, path, "%s: expected %s, found %s %.100s", path, type,
                        json_type_name(value), found);
    }
    int result = validate_enum(schema, value, path, err);
    if (result == OK)
        result = validate_range(schema, value, path, err);
    if (result == OK && json_is_object(value))
        result = validate_members(schema, value, path, err);
    if (result == OK && json_is_array(value))
        result = validate_items(schema, value, path, err);
    return result;
}
