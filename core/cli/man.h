// SPDX-License-Identifier: Apache-2.0
/* The man pages sluice(1) and sluice-VERB(1), in mdoc, made from the table of verbs. Pure. */
#ifndef CLI_MAN_H
#define CLI_MAN_H

#include "cli/cli.h"

/* The page of a verb; NULL: that of the program. `date` is when it was made: "January 31, 2026".
 * The caller frees it. */
char *man_page(const struct verb *verb, const char *date);

#endif
