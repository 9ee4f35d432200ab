// SPDX-License-Identifier: Apache-2.0
/* For a name that nobody knows: the names that were probably meant. */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

/* "; did you mean \"status\" or \"states\"?", or "" when none of `names` (NULL-terminated) is like
 * `word`: at most three, the likest first. Case doesn't count. The caller frees it. */
char *nearest_hint(const char *word, const char *const *names);

#endif
