// SPDX-License-Identifier: Apache-2.0
/*
 * Text on a terminal: how many columns it takes, and how it is put into them. Pure. Text is UTF-8,
 * and the program's locale is one of UTF-8 (main.c sees to it).
 */
#ifndef CLI_LAYOUT_H
#define CLI_LAYOUT_H

#include "base/text.h"

/* The columns that the text takes. What can't be printed counts as one each. */
int layout_width(const char *text);

/* Blanks until the text is `column` wide. */
void layout_pad(struct text *text, int column);

/* The text cut to so many columns, with "…" at its end when something was cut off. The caller
 * frees it. */
char *layout_cut(const char *text, int columns);

/* Adds words in lines of at most `width` columns, of which the first begins at column `at` and each
 * further one at `indent`. Ends the last line. */
void layout_wrap(struct text *to, const char *words, int at, int indent, int width);

/* Adds paragraphs: wrapped, but for lines that begin with a blank, which stand as they are. */
void layout_paragraphs(struct text *to, const char *paragraphs, int width);

#endif
