// SPDX-License-Identifier: Apache-2.0
/* Holding values against schemas, and saying what is wrong in Kubernetes' words. */
#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"
#include "failure.h"
#include "schema.h"

#include <regex.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static json_t *mutable_of(const json_t *json)
{
    return (json_t *)(uintptr_t)json;
}

static const char *type_of(const json_t *value)
{
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
        break;
    }
    return "null";
}

static bool holds_int_or_string(struct schema schema)
{
    const char *format = schema_word(schema, "format");
    return json_is_true(json_object_get(schema.rules, "x-kubernetes-int-or-string")) ||
           str_equal(format, "int-or-string");
}

static bool has_type(struct schema schema, const json_t *value)
{
    const char *wanted = schema_word(schema, "type"), *found = type_of(value);
    if (holds_int_or_string(schema))
        return json_is_integer(value) || json_is_string(value);
    if (!wanted || strcmp(wanted, found) == 0)
        return true;
    return strcmp(wanted, "number") == 0 && json_is_number(value);
}

/* ── Values ───────────────────────────────────────────────────────────────────────────────── */

static void check_enum(const json_t *rules, const json_t *value, const char *path, json_t *causes)
{
    struct text allowed AUTO(text_done) = {0};
    const json_t *list = json_object_get(rules, "enum");
    size_t i;
    json_t *each;
    if (!list)
        return;
    json_array_foreach (list, i, each) {
        if (json_equal(each, mutable_of(value)))
            return;
        char *text AUTO_FREE = json_text(each);
        text_addf(&allowed, "%s%s", i ? ", " : "", text);
    }
    char *found AUTO_FREE = json_text(value);
    cause_add(causes, "FieldValueNotSupported", path, "Unsupported value: %s: supported values: %s",
              found, allowed.at);
}

static void check_bounds(const json_t *rules, const json_t *value, const char *path, json_t *causes)
{
    const json_t *least = json_object_get(rules, "minimum");
    const json_t *most = json_object_get(rules, "maximum");
    char *text AUTO_FREE = json_text(value);
    if (least && json_number_value(value) < json_number_value(least))
        cause_add(causes, "FieldValueInvalid", path,
                  "Invalid value: %s: %s in body should be greater than or equal to %.15g", text,
                  path, json_number_value(least));
    if (most && json_number_value(value) > json_number_value(most))
        cause_add(causes, "FieldValueInvalid", path,
                  "Invalid value: %s: %s in body should be less than or equal to %.15g", text, path,
                  json_number_value(most));
}

static bool matches(const char *pattern, const char *text)
{
    regex_t regex;
    if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
        return true;
    bool found = regexec(&regex, text, 0, NULL, 0) == 0;
    regfree(&regex);
    return found;
}

static void check_text(const json_t *rules, const json_t *value, const char *path, json_t *causes)
{
    const char *pattern = json_string_value(json_object_get(rules, "pattern"));
    int64_t least = json_int_at(rules, "/minLength", 0);
    int64_t most = json_int_at(rules, "/maxLength", INT64_MAX);
    int64_t length = (int64_t)json_string_length(value);
    char *text AUTO_FREE = json_text(value);
    if (length > most)
        cause_add(causes, "FieldValueTooLong", path, "Too long: may not be more than %lld bytes",
                  (long long)most);
    if (length < least)
        cause_add(causes, "FieldValueInvalid", path,
                  "Invalid value: %s: %s in body should be at least %lld chars long", text, path,
                  (long long)least);
    if (pattern && !matches(pattern, json_string_value(value)))
        cause_add(causes, "FieldValueInvalid", path,
                  "Invalid value: %s: %s in body should match '%s'", text, path, pattern);
}

/* ── Containers ───────────────────────────────────────────────────────────────────────────── */

static void check(struct schema schema, const json_t *value, const char *path, json_t *causes);

static char *below(const char *path, const char *name)
{
    return str_format("%s%s%s", path, *path ? "." : "", name);
}

static void check_object(struct schema schema, const json_t *value, const char *path,
                         json_t *causes)
{
    const char *name;
    json_t *member, *wanted;
    size_t i;
    json_array_foreach (json_object_get(schema.rules, "required"), i, wanted) {
        char *at AUTO_FREE = below(path, json_string_value(wanted));
        if (!json_object_get(value, json_string_value(wanted)))
            cause_add(causes, "FieldValueRequired", at, "Required value");
    }
    json_object_foreach (mutable_of(value), name, member) {
        char *at AUTO_FREE = below(path, name);
        check(schema_member(schema, name), member, at, causes);
    }
}

static void check_array(struct schema schema, const json_t *value, const char *path, json_t *causes)
{
    int64_t least = json_int_at(schema.rules, "/minItems", 0);
    int64_t most = json_int_at(schema.rules, "/maxItems", INT64_MAX);
    int64_t count = (int64_t)json_array_size(value);
    size_t i;
    json_t *item;
    if (count > most)
        cause_add(causes, "FieldValueTooMany", path, "Too many: %lld: must have at most %lld items",
                  (long long)count, (long long)most);
    if (count < least)
        cause_add(causes, "FieldValueInvalid", path,
                  "Invalid value: %lld: %s in body should have at least %lld items",
                  (long long)count, path, (long long)least);
    json_array_foreach (value, i, item) {
        char *at AUTO_FREE = str_format("%s[%zu]", path, i);
        check(schema_items(schema), item, at, causes);
    }
}

static void check(struct schema schema, const json_t *value, const char *path, json_t *causes)
{
    if (!schema.rules ||
        (json_is_null(value) && json_is_true(json_object_get(schema.rules, "nullable"))))
        return;
    if (!has_type(schema, value)) {
        const char *wanted = schema_word(schema, "type");
        cause_add(causes, "FieldValueTypeInvalid", path,
                  "Invalid value: \"%s\": %s in body must be of type %s: \"%s\"", type_of(value),
                  path, wanted ? wanted : "integer,string", type_of(value));
        return;
    }
    check_enum(schema.rules, value, path, causes);
    if (json_is_number(value))
        check_bounds(schema.rules, value, path, causes);
    else if (json_is_string(value))
        check_text(schema.rules, value, path, causes);
    else if (json_is_object(value))
        check_object(schema, value, path, causes);
    else if (json_is_array(value))
        check_array(schema, value, path, causes);
}

void schema_find_faults(struct schema schema, const json_t *value, json_t *causes)
{
    check(schema, value, "", causes);
}

/* ── As Go's decoder sees it ──────────────────────────────────────────────────────────────── */

static const char *go_found(const json_t *value)
{
    const char *type = type_of(value);
    return strcmp(type, "integer") == 0 ? "number" : strcmp(type, "boolean") == 0 ? "bool" : type;
}

static const char *go_wanted(struct schema schema)
{
    const char *type = schema_word(schema, "type"), *format = schema_word(schema, "format");
    if (str_equal(type, "integer"))
        return format ? format : "int64";
    return str_equal(type, "boolean") ? "bool" : type;
}

static char *mistyped_within(struct schema schema, const json_t *value, const char *path)
{
    const char *name;
    json_t *member;
    size_t i;
    char *found = NULL;
    if (json_is_object(value)) {
        json_object_foreach (mutable_of(value), name, member) {
            char *at AUTO_FREE = below(path, name);
            struct schema known = schema_member(schema, name);
            bool is_map = !json_object_get(json_object_get(schema.rules, "properties"), name);
            if (known.rules && (found = schema_mistyped(known, member, is_map ? path : at)))
                return found;
        }
    } else if (json_is_array(value)) {
        json_array_foreach (value, i, member)
            if ((found = schema_mistyped(schema_items(schema), member, path)))
                return found;
    }
    return NULL;
}

char *schema_mistyped(struct schema schema, const json_t *value, const char *path)
{
    const char *type = schema_word(schema, "type");
    if (!schema.rules || json_is_null(value))
        return NULL;
    if (has_type(schema, value))
        return mistyped_within(schema, value, path);
    if (str_equal(type, "string") || str_equal(type, "integer") || str_equal(type, "boolean"))
        return str_format("json: cannot unmarshal %s into Go struct field %s of type %s",
                          go_found(value), path, go_wanted(schema));
    return str_format("json: cannot unmarshal %s into Go struct field %s", go_found(value), path);
}
