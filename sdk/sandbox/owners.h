// SPDX-License-Identifier: Apache-2.0
/* Who owns whom: what the garbage collector knows. */
#ifndef SANDBOX_OWNERS_H
#define SANDBOX_OWNERS_H

#include "kinds.h"

struct owners;

/* The caller frees it. */
struct owners *owners_new(void);
void owners_free(struct owners *owners); /* NULL is fine */

/* Knows of a dependent that was written just now, before its version is told to the controllers. */
void owners_note(struct owners *owners, const char *uid, const struct kind *kind, const char *key);

/* The keys of a kind's objects that name this owner, or have. The caller owns the array. */
json_t *owners_keys(const struct owners *owners, const char *uid, const struct kind *kind);

#endif
