// SPDX-License-Identifier: Apache-2.0
/* Pointers of a manifest that is being made: which are allowed, kept and spoken for. */
#include "draft.h"

/* ---- refusing ---- */

/* Who writes a wildcard expects that something comes of it. */
static const char *about_wildcards(json_t *found)
{
    const char *text = json_string_value(found);
    return text && strchr(text, '*') ? "; there are no wildcards" : "";
}

int32_t refuse(const struct draft *draft, const char *name, const char *expected, json_t *found)
{
    char words[160], where[200] = "/options/";
    size_t length = strlen(where);
    snprintf(where + length, sizeof where - length, "%s", name);
    for (char *dot = where; (dot = strchr(dot, '.'));)
        *dot = '/';
    return sluice_fail(draft->subject->request, SLUICE_INVALID, where,
                       "options.%s: expected %s, found %s%s", name, expected,
                       found_words(found, words, sizeof words), about_wildcards(found));
}

/* ---- what a pointer may look like ---- */

static bool is_wildcard(const char *step, size_t length)
{
    return length > 0 && strspn(step, "*") >= length;
}

bool is_pointer(const char *text)
{
    size_t step = 0;
    if (!text || text[0] != '/' || !text[1])
        return false;
    for (const char *at = text; *at; at++) {
        step = *at == '/' ? 0 : step + 1;
        if (step > 250 || (*at == '~' && at[1] != '0' && at[1] != '1') ||
            (*at == '/' && is_wildcard(at + 1, strcspn(at + 1, "/"))))
            return false;
    }
    return true;
}

/* The step after a '/' can lead through an array: it is an index, or "key=text". */
static bool through_array(const char *step)
{
    size_t length = strcspn(step, "/");
    return memchr(step, '=', length) || strspn(step, "0123456789") >= length;
}

/* How much of a pointer leads through objects only. */
static size_t objects_only(const char *pointer)
{
    const char *at = pointer;
    while (*at == '/' && !through_array(at + 1))
        at += 1 + strcspn(at + 1, "/");
    return (size_t)(at - pointer);
}

bool through_objects_only(const char *pointer)
{
    return !pointer[objects_only(pointer)];
}

bool is_pointer_of_spec(const char *text)
{
    return is_pointer(text) && strncmp(text, "/spec/", 6) == 0 && through_objects_only(text);
}

/* ---- what is kept ---- */

static void keep_add(const struct draft *draft, const char *pointer, size_t length)
{
    json_t *kept = json_stringn(pointer, length), *other;
    size_t i;
    bool there = length == 0;
    json_array_foreach (draft->keep, i, other)
        there = there || json_equal(other, kept);
    if (!there)
        json_array_append(draft->keep, kept);
    json_decref(kept);
}

void keep_read(const struct draft *draft, const char *pointer)
{
    keep_add(draft, pointer, objects_only(pointer));
}

void keep_written(const struct draft *draft, const char *pointer)
{
    size_t first = 1 + strcspn(pointer + 1, "/");
    size_t second = pointer[first] ? first + 1 + strcspn(pointer + first + 1, "/") : first;
    keep_add(draft, pointer, second);
}

/* ---- what is spoken for ---- */

static bool is_within(const char *pointer, const char *around)
{
    size_t length = strlen(around);
    return strncmp(pointer, around, length) == 0 &&
           (pointer[length] == '/' || pointer[length] == '\0');
}

void take(const struct draft *draft, const char *name, const char *pointer)
{
    json_object_set_new(draft->taken, pointer, json_string(name));
}

int32_t apart(const struct draft *draft, const char *name, const char *pointer)
{
    const char *other;
    json_t *option;
    json_object_foreach (draft->taken, other, option) {
        char expected[400];
        if (!is_within(pointer, other) && !is_within(other, pointer))
            continue;
        snprintf(expected, sizeof expected, "a field apart from %.200s, which is %s", other,
                 json_string_value(option));
        json_t *found = json_string(pointer);
        int32_t result = refuse(draft, name, expected, found);
        json_decref(found);
        return result;
    }
    return SLUICE_OK;
}
