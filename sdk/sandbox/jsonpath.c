// SPDX-License-Identifier: Apache-2.0
#include "jsonpath.h"

#include "base/alloc.h"
#include "base/json.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ".a\.b" up to the next step; what follows. */
static const char *step_member(const char *path, const json_t **at)
{
    char *name AUTO_FREE = str_copy(path + 1), *to = name;
    const char *from = path + 1;
    for (; *from && *from != '.' && *from != '['; from++) {
        if (*from == '\\' && from[1])
            from++;
        *to++ = *from;
    }
    *to = '\0';
    *at = json_object_get(*at, name);
    return from;
}

/* [?(@.type=="Ready")] */
static const char *step_filter(const char *path, const json_t **at)
{
    const char *equals = strstr(path, "=="), *end = strstr(path, ")]");
    if (strncmp(path, "[?(@.", 5) != 0 || !equals || !end || equals > end)
        return NULL;
    char *name AUTO_FREE = str_copy_n(path + 5, (size_t)(equals - path - 5));
    char *value AUTO_FREE = str_copy_n(equals + 2, (size_t)(end - equals - 2));
    size_t length = strlen(value), i;
    const json_t *found = NULL;
    json_t *item;
    if (length >= 2 && (*value == '"' || *value == '\'')) {
        value[length - 1] = '\0';
        memmove(value, value + 1, length - 1);
    }
    json_array_foreach (*at, i, item)
        if (!found && str_equal(json_string_value(json_object_get(item, name)), value))
            found = item;
    *at = found;
    return end + 2;
}

/* [0], ['a'], or a filter. */
static const char *step_bracket(const char *path, const json_t **at)
{
    const char *end = strchr(path, ']');
    if (path[1] == '?')
        return step_filter(path, at);
    if (!end)
        return NULL;
    if (isdigit((unsigned char)path[1])) {
        *at = json_array_get(*at, strtoul(path + 1, NULL, 10));
    } else if (path[1] == '\'' && end - path > 2) {
        char *name AUTO_FREE = str_copy_n(path + 2, (size_t)(end - path - 3));
        *at = json_object_get(*at, name);
    } else if (path[1] == '*') {
        *at = json_array_get(*at, 0);
    } else {
        return NULL;
    }
    return end + 1;
}

json_t *jsonpath_first(const json_t *root, const char *path)
{
    const json_t *at = root;
    while (at && path && *path) {
        if (*path == '.')
            path = step_member(path, &at);
        else if (*path == '[')
            path = step_bracket(path, &at);
        else
            return NULL;
    }
    return path && at ? json_incref((json_t *)(uintptr_t)at) : NULL;
}
