// SPDX-License-Identifier: Apache-2.0
/* Members of a JSON object, read strictly: the words of a refusal name the member, what was
 * expected and what was found. All return OK or ERR_BUG, and leave the output untouched when they
 * fail; for an optional member that is absent too, with OK. */
#ifndef ADAPTER_MEMBERS_H
#define ADAPTER_MEMBERS_H

#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* An object that is being read. */
struct members {
    const json_t *object;
    const char *what; /* "STATUS", for the words */
    struct error *err;
};

int member_count(const struct members *members, const char *name, int *ret_count);
int member_flag(const struct members *members, const char *name, bool *ret_flag);

/* A text of at most `size` - 1 bytes, copied. Optional. */
int member_text(const struct members *members, const char *name, char *ret_text, size_t size);

/* A text that isn't empty. Borrowed. */
int member_string(const struct members *members, const char *name, const char **ret_string);

/* The index of the member's text in `words` (ends in NULL). */
int member_word(const struct members *members, const char *name, const char *const *words,
                int *ret_index);

/* Refuses a member that isn't in `known` (ends in NULL). */
int members_known(const struct members *members, const char *const *known);

#endif
