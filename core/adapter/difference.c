// SPDX-License-Identifier: Apache-2.0
#include "adapter/difference.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static json_t *iterable(const json_t *json)
{
    return (json_t *)(uintptr_t)json; /* iterating doesn't change it */
}

static bool same(const json_t *a, const json_t *b)
{
    return a && b && json_equal(iterable(a), iterable(b));
}

static void add_step(struct text *path, const char *step)
{
    text_puts(path, "/");
    for (; *step; step++)
        if (*step == '~' || *step == '/')
            text_puts(path, *step == '~' ? "~0" : "~1");
        else
            text_add(path, step, 1);
}

/* A member of `a` that `b` has not, or has otherwise; NULL when there is none. */
static const char *differing_member(const json_t *a, const json_t *b)
{
    const char *name;
    json_t *value;
    json_object_foreach (iterable(a), name, value)
        if (!same(value, json_object_get(b, name)))
            return name;
    return NULL;
}

static bool step_into_object(struct difference *at)
{
    const char *name = differing_member(at->expected, at->found);
    if (!name)
        name = differing_member(at->found, at->expected);
    if (!name)
        return false;
    add_step(&at->path, name);
    at->expected = json_object_get(at->expected, name);
    at->found = json_object_get(at->found, name);
    return true;
}

/* Into the first item that differs, unless there are more in one than in the other. */
static bool step_into_array(struct difference *at)
{
    size_t count = json_array_size(at->expected), i = 0;
    if (json_array_size(at->found) != count)
        return false;
    while (i < count && same(json_array_get(at->expected, i), json_array_get(at->found, i)))
        i++;
    if (i == count)
        return false;
    text_addf(&at->path, "/%zu", i);
    at->expected = json_array_get(at->expected, i);
    at->found = json_array_get(at->found, i);
    return true;
}

static bool step_into(struct difference *at)
{
    if (json_is_object(at->expected) && json_is_object(at->found))
        return step_into_object(at);
    if (json_is_array(at->expected) && json_is_array(at->found))
        return step_into_array(at);
    return false;
}

void difference_find(const json_t *expected, const json_t *found, struct difference *ret_difference)
{
    struct difference at = {.expected = expected, .found = found};
    while (step_into(&at))
        ;
    *ret_difference = at;
}
