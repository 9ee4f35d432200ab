// SPDX-License-Identifier: Apache-2.0
/*
 * What is written to a terminal so that it shows a text: only the lines that have changed, each cut
 * to the columns that there are. Pure.
 */
#ifndef CLI_SCREEN_H
#define CLI_SCREEN_H

#include "base/text.h"

#include <stdbool.h>

struct screen_look {
    int columns, rows;
    bool colour; /* the signs of bar.h get one each, and what has failed */
};

/* Adds the bytes that turn a screen with the lines of `old` into one with those of `new`; nothing
 * when they look the same. `old` is NULL when nobody knows what is there: all is drawn. Lines below
 * the last row are left out. */
void screen_draw(const char *old, const char *new, const struct screen_look *look,
                 struct text *bytes);

/* The same lines, one below the other, from where the cursor is. */
void screen_print(const char *lines, const struct screen_look *look, struct text *bytes);

#endif
