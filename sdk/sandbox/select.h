// SPDX-License-Identifier: Apache-2.0
/* Which objects a list or a watch is about: label and field selectors. */
#ifndef SANDBOX_SELECT_H
#define SANDBOX_SELECT_H

#include "failure.h"
#include "kinds.h"

struct selector;

/* From the query's labelSelector and fieldSelector, each of which may be NULL. *ret_selector is the
 * caller's, and NULL when everything is meant. */
int selector_read(const struct kind *kind, const char *labels, const char *fields,
                  struct selector **ret_selector, struct failure *failure);
void selector_free(struct selector *selector); /* NULL is fine */

/* Can an object of that name match? No, when another is asked for by name: it needn't be read
 * then. */
bool selector_may_match(const struct selector *selector, const char *name);

/* NULL matches everything. */
bool selector_matches(const struct selector *selector, const json_t *object);

#endif
