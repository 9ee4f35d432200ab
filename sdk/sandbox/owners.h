// SPDX-License-Identifier: Apache-2.0
/* Who owns whom: what the garbage collector knows. */
#ifndef SANDBOX_OWNERS_H
#define SANDBOX_OWNERS_H

struct owners;

/* The caller frees it. */
struct owners *owners_new(void);
void owners_free(struct owners *owners); /* NULL is fine */

#endif
