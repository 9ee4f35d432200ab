// SPDX-License-Identifier: Apache-2.0
#include "cli/screen.h"

#include "base/alloc.h"
#include "cli/layout.h"

#include <string.h>

/* What a sign looks like, or a word. They are told without colours too; these only help. */
static const struct {
    const char *sign, *begin;
} colours[] = {{"●", "\033[32m"},
               {"○", "\033[33m"},
               {"·", "\033[2m"},
               {"rolloutFailed", "\033[31m"},
               {"rolloutFailing", "\033[31m"}};

enum { SIGNS = sizeof colours / sizeof *colours };
#define COLOUR_END "\033[m"

static int sign_at(const char *text)
{
    for (int i = 0; i < SIGNS; i++)
        if (strncmp(text, colours[i].sign, strlen(colours[i].sign)) == 0)
            return i;
    return SIGNS;
}

/* How many times the sign stands there in a row, in bytes. */
static size_t run_length(const char *text, const char *sign)
{
    size_t each = strlen(sign), length = 0;
    while (strncmp(text + length, sign, each) == 0)
        length += each;
    return length;
}

static void coloured_add(struct text *bytes, const char *line)
{
    while (*line) {
        int sign = sign_at(line);
        size_t length = sign < SIGNS ? run_length(line, colours[sign].sign) : 1;
        text_puts(bytes, sign < SIGNS ? colours[sign].begin : "");
        text_add(bytes, line, length);
        text_puts(bytes, sign < SIGNS ? COLOUR_END : "");
        line += length;
    }
}

/* Words of objects may hold what a terminal would obey: ASCII's control characters, and those that
 * UTF-8 writes as C2 80 to C2 9F. */
static void disarm(char *line)
{
    for (unsigned char *at = (unsigned char *)line; *at; at++) {
        if (*at < ' ' || *at == 0x7f)
            *at = ' ';
        else if (at[0] == 0xc2 && 0x80 <= at[1] && at[1] < 0xa0)
            at[0] = at[1] = '?';
    }
}

/* The line that begins here as it is shown. The caller frees it. */
static char *line_take(const char **text, int columns)
{
    size_t length = strcspn(*text, "\n");
    char *line AUTO_FREE = str_copy_n(*text, length);
    *text += length + ((*text)[length] == '\n');
    text_mend(line);
    disarm(line);
    return layout_cut(line, columns);
}

static void line_add(struct text *bytes, const char *line, bool colour)
{
    if (colour)
        coloured_add(bytes, line);
    else
        text_puts(bytes, line);
}

void screen_draw(const char *old, const char *new, const struct screen_look *look,
                 struct text *bytes)
{
    const char *before = old ? old : "";
    int row = 1;
    for (; *new && row <= look->rows; row++) {
        bool there = *before != '\0';
        char *was AUTO_FREE = line_take(&before, look->columns);
        char *line AUTO_FREE = line_take(&new, look->columns);
        if (there && strcmp(was, line) == 0)
            continue;
        text_addf(bytes, "\033[%d;1H", row);
        line_add(bytes, line, look->colour);
        /* Behind a full line the cursor still stands on its last column, which would be erased. */
        if (layout_width(line) < look->columns)
            text_puts(bytes, "\033[K");
    }
    if (row <= look->rows && (!old || *before))
        text_addf(bytes, "\033[%d;1H\033[J", row);
}

void screen_print(const char *lines, const struct screen_look *look, struct text *bytes)
{
    while (*lines) {
        char *line AUTO_FREE = line_take(&lines, look->columns);
        line_add(bytes, line, look->colour);
        text_puts(bytes, "\n");
    }
}
