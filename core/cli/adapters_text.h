// SPDX-License-Identifier: Apache-2.0
/* Adapters as people read them, from the JSON that docs/hosting.md describes under /adapters. */
#ifndef CLI_ADAPTERS_TEXT_H
#define CLI_ADAPTERS_TEXT_H

#include "base/text.h"

#include <jansson.h>

/* Which columns a table has. */
enum adapters_view {
    ADAPTERS_RUNNING = 1, /* within 80 columns: what they are, and what they have to do */
    ADAPTERS_LOADED = 2,  /* likewise, where nothing has been asked of them yet */
    ADAPTERS_WIDE = 4,    /* everything that a line can hold */
};

/* `width` is the terminal's, 0: none; the last column is cut to it. */
void adapters_table(const json_t *adapters, enum adapters_view view, int width, struct text *out);

/* A line for each that is refused, and for each version that isn't in force yet. */
void adapters_notes(const json_t *adapters, struct text *out);

/* Everything about one, a line a member. */
void adapter_details(const json_t *adapter, struct text *out);

#endif
