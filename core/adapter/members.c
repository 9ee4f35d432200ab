// SPDX-License-Identifier: Apache-2.0
#include "adapter/members.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"

#include <limits.h>
#include <string.h>

static int refuse(const struct members *members, const char *name, const char *expected)
{
    const json_t *found = json_object_get(members->object, name);
    char *text AUTO_FREE = found ? json_text(found) : str_copy("nothing");
    return error_at(members->err, ERR_BUG, name, "%s.%s: expected %s, found %.200s", members->what,
                    name, expected, text);
}

int member_count(const struct members *members, const char *name, int *ret_count)
{
    const json_t *value = json_object_get(members->object, name);
    json_int_t count = json_integer_value(value);
    if (!json_is_integer(value) || count < 0 || count > INT_MAX)
        return refuse(members, name, "an integer from 0 to 2147483647");
    *ret_count = (int)count;
    return OK;
}

int member_flag(const struct members *members, const char *name, bool *ret_flag)
{
    const json_t *value = json_object_get(members->object, name);
    if (!json_is_boolean(value))
        return refuse(members, name, "true or false");
    *ret_flag = json_is_true(value);
    return OK;
}

int member_text(const struct members *members, const char *name, char *ret_text, size_t size)
{
    const json_t *value = json_object_get(members->object, name);
    if (!value)
        return OK;
    if (!json_is_string(value) || json_string_length(value) >= size) {
        char *expected AUTO_FREE = str_format("a text of at most %zu bytes", size - 1);
        return refuse(members, name, expected);
    }
    memcpy(ret_text, json_string_value(value), json_string_length(value) + 1);
    return OK;
}

int member_string(const struct members *members, const char *name, const char **ret_string)
{
    const json_t *value = json_object_get(members->object, name);
    if (!json_is_string(value) || !json_string_length(value))
        return refuse(members, name, "a text that isn't empty");
    *ret_string = json_string_value(value);
    return OK;
}

static char *list_text(const char *const *words)
{
    struct text list = {0};
    for (size_t i = 0; words[i]; i++)
        text_addf(&list, "%s%s", i ? ", " : "", words[i]);
    return text_steal(&list);
}

int member_word(const struct members *members, const char *name, const char *const *words,
                int *ret_index)
{
    const char *word = json_string_value(json_object_get(members->object, name));
    for (int i = 0; words[i]; i++)
        if (str_equal(word, words[i])) {
            *ret_index = i;
            return OK;
        }
    char *list AUTO_FREE = list_text(words);
    char *expected AUTO_FREE = str_format("one of %s", list);
    return refuse(members, name, expected);
}

int members_known(const struct members *members, const char *const *known)
{
    json_t *object = (json_t *)(uintptr_t)members->object; /* iterating doesn't change it */
    const char *name;
    json_t *value;
    json_object_foreach (object, name, value) {
        size_t i = 0;
        while (known[i] && strcmp(known[i], name) != 0)
            i++;
        if (known[i])
            continue;
        char *list AUTO_FREE = list_text(known);
        return error_at(members->err, ERR_BUG, name, "%s.%s: unknown member; known are %s",
                        members->what, name, list);
    }
    return OK;
}
