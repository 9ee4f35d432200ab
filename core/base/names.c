// SPDX-License-Identifier: Apache-2.0
#include "base/names.h"

#include "base/alloc.h"

#include <stdlib.h>

bool names_have(const struct names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (str_equal(names->at[i], name))
            return true;
    return false;
}

void names_add(struct names *names, const char *name)
{
    if (names_have(names, name))
        return;
    names->at = mem_grow(names->at, (names->count + 1) * sizeof(char *));
    names->at[names->count++] = str_copy(name);
}

void names_add_all(struct names *names, const char *const *others, size_t count)
{
    for (size_t i = 0; i < count; i++)
        names_add(names, others[i]);
}

void names_done(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->at[i]);
    free(names->at);
    *names = (struct names){0};
}
