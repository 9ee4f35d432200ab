// SPDX-License-Identifier: Apache-2.0
/* A set of few texts, in the order in which they came. Zeroed, it is empty. */
#ifndef BASE_NAMES_H
#define BASE_NAMES_H

#include <stdbool.h>
#include <stddef.h>

struct names {
    char **at; /* copies of its own */
    size_t count;
};
void names_done(struct names *names);

bool names_have(const struct names *names, const char *name);

/* Nothing happens if it is there already. */
void names_add(struct names *names, const char *name);
void names_add_all(struct names *names, const char *const *others, size_t count);

#endif
