// SPDX-License-Identifier: Apache-2.0
#include "cluster/object_text.h"

#include "base/alloc.h"
#include "base/text.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

enum { INTEGER_SAFE = 18 }; /* so many digits fit into 64 bits, whatever they are */

/* A piece of text; nowhere when `at` is NULL. */
struct span {
    const char *at, *end;
};

/* A member of an object, from its key's first quote. Texts that aren't what they should be have no
 * members: then they are parsed as a whole, and the parser says what it thinks of them. */
struct member {
    struct span key, value;
};

static struct span space_skip(struct span rest)
{
    while (rest.at < rest.end && memchr(" \t\r\n", *rest.at, 4))
        rest.at++;
    return rest;
}

/* Behind the string whose first quote stands at `at`; NULL when it doesn't end. */
static const char *string_end(const char *at, const char *end)
{
    for (at++; at < end; at++) {
        if (*at == '"')
            return at + 1;
        if (*at == '\\')
            at++;
    }
    return NULL;
}

/* Behind the value that begins at `at`. */
static const char *value_end(const char *at, const char *end)
{
    size_t depth = 0;
    while (at && at < end) {
        bool opens = *at == '{' || *at == '[', closes = *at == '}' || *at == ']';
        if (depth == 0 && (closes || *at == ','))
            return at;
        depth += opens;
        depth -= closes;
        bool whole = closes || *at == '"';
        at = *at == '"' ? string_end(at, end) : at + 1;
        if (whole && depth == 0)
            return at;
    }
    return NULL;
}

/* The member that begins here, if one does. */
static bool member_read(struct span rest, struct member *ret_member)
{
    struct member member = {.key = space_skip(rest)};
    if (member.key.at == rest.end || *member.key.at != '"')
        return false;
    member.key.end = string_end(member.key.at, rest.end);
    if (!member.key.end)
        return false;
    rest.at = member.key.end;
    rest = space_skip(rest);
    if (rest.at == rest.end || *rest.at != ':')
        return false;
    rest.at++;
    member.value = space_skip(rest);
    member.value.end = value_end(member.value.at, rest.end);
    *ret_member = member;
    return member.value.end != NULL;
}

static bool key_is(struct span key, const char *name)
{
    size_t length = strlen(name);
    return (size_t)(key.end - key.at) == length + 2 && memcmp(key.at + 1, name, length) == 0;
}

/* The member of that name of the object that stands here. */
static bool member_find(struct span object, const char *name, struct member *ret_member)
{
    object = space_skip(object);
    if (object.at == object.end || *object.at != '{')
        return false;
    struct member member;
    do {
        object.at++; /* the brace, or the comma */
        if (!member_read(object, &member))
            return false;
        object.at = member.value.end;
        object = space_skip(object);
    } while (!key_is(member.key, name) && object.at < object.end && *object.at == ',');
    *ret_member = member;
    return key_is(member.key, name);
}

static bool in_number(char c)
{
    return isdigit((unsigned char)c) || memchr("+-.eE", c, 5);
}

static const char *number_end(const char *at, const char *end)
{
    while (at < end && in_number(*at))
        at++;
    return at;
}

static bool is_long_integer(struct span number)
{
    size_t length = (size_t)(number.end - number.at), digits = 0;
    while (digits < length &&
           (isdigit((unsigned char)number.at[digits]) || number.at[digits] == '-'))
        digits++;
    return digits == length && digits > INTEGER_SAFE;
}

/* The same text with ".0" behind integers that 64 bits may not hold. */
static void numbers_mend(struct span text, struct text *ret_mended)
{
    while (text.at < text.end) {
        struct span part = {text.at, text.at + 1};
        if (*part.at == '"')
            part.end = string_end(part.at, text.end);
        else if (in_number(*part.at))
            part.end = number_end(part.at, text.end);
        if (!part.end)
            part.end = text.end;
        text_add(ret_mended, part.at, (size_t)(part.end - part.at));
        if (is_long_integer(part))
            text_puts(ret_mended, ".0");
        text.at = part.end;
    }
}

/* To the API server an integer beyond 64 bits is a floating-point number, too; jansson refuses it,
 * and the object must not be lost for that. */
static json_t *text_parse(const char *bytes, size_t count)
{
    json_error_t why;
    json_t *json = json_loadb(bytes, count, JSON_ALLOW_NUL, &why);
    if (json || json_error_code(&why) != json_error_numeric_overflow)
        return json;
    struct text mended AUTO(text_done) = {0};
    numbers_mend((struct span){bytes, bytes + count}, &mended);
    return json_loadb(mended.at, mended.len, JSON_ALLOW_NUL, NULL);
}

/* Parses the text with `null` in place of what stands there, if anything does. */
static json_t *parse_without(struct span text, struct span part)
{
    if (!part.at)
        return text_parse(text.at, (size_t)(text.end - text.at));
    struct text rest AUTO(text_done) = {0};
    text_add(&rest, text.at, (size_t)(part.at - text.at));
    text_puts(&rest, "null");
    text_add(&rest, part.end, (size_t)(text.end - part.end));
    return text_parse(rest.at, rest.len);
}

/* Where the managedFields of an object stand. */
static struct span managed_fields(struct span object)
{
    struct member metadata, managed;
    bool found = member_find(object, "metadata", &metadata) &&
                 member_find(metadata.value, "managedFields", &managed);
    return found ? managed.value : (struct span){0};
}

static void managed_fields_remove(const json_t *object)
{
    json_object_del(json_object_get(object, "metadata"), "managedFields");
}

json_t *object_parse(const char *bytes, size_t count)
{
    struct span text = {bytes, bytes + count};
    json_t *object = parse_without(text, managed_fields(text));
    managed_fields_remove(object);
    return object;
}

json_t *object_parse_whole(const char *bytes, size_t count)
{
    return text_parse(bytes, count);
}

json_t *event_parse(const char *bytes, size_t count)
{
    struct span text = {bytes, bytes + count}, managed = {0};
    struct member object;
    if (member_find(text, "object", &object))
        managed = managed_fields(object.value);
    json_t *event = parse_without(text, managed);
    managed_fields_remove(json_object_get(event, "object"));
    return event;
}
