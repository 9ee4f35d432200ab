// SPDX-License-Identifier: Apache-2.0
#include "cli/layout.h"

#include "base/alloc.h"

#include <stdbool.h>
#include <string.h>
#include <wchar.h>

/* One character: how many bytes it has, at least one before the end, and how many columns. */
static size_t character(const char *text, int *ret_columns)
{
    wchar_t wide;
    mbstate_t state = {0};
    size_t bytes = mbrtowc(&wide, text, strlen(text), &state);
    if (bytes == (size_t)-1 || bytes == (size_t)-2 || bytes == 0) {
        *ret_columns = *text != '\0';
        return *text != '\0';
    }
    int columns = wcwidth(wide);
    *ret_columns = columns < 0 ? 1 : columns;
    return bytes;
}

int layout_width(const char *text)
{
    int width = 0, columns;
    for (size_t bytes; (bytes = character(text, &columns)) > 0; text += bytes)
        width += columns;
    return width;
}

void layout_pad(struct text *text, int column)
{
    for (int width = text->at ? layout_width(text->at) : 0; width < column; width++)
        text_puts(text, " ");
}

char *layout_cut(const char *text, int columns)
{
    int width = 0, next;
    size_t fits = 0;
    if (layout_width(text) <= columns)
        return str_copy(text);
    for (size_t bytes; (bytes = character(text + fits, &next)) > 0; fits += bytes, width += next)
        if (width + next > columns - 1)
            break;
    return str_format("%.*s%s", (int)fits, text, columns > 0 ? "…" : "");
}

void layout_wrap(struct text *to, const char *words, int at, int indent, int width)
{
    int column = at;
    const char *separator = "";
    while (*words) {
        size_t length = strcspn(words, " \n");
        char *word AUTO_FREE = str_copy_n(words, length);
        int columns = layout_width(word);
        if (*separator && column + 1 + columns > width) {
            text_addf(to, "\n%*s", indent, "");
            column = indent;
            separator = "";
        }
        text_addf(to, "%s%s", separator, word);
        column += (*separator != '\0') + columns;
        separator = " ";
        words += length;
        words += strspn(words, " \n");
    }
    text_puts(to, "\n");
}

/* The lines of a paragraph that are wrapped together: up to an empty one, or one that begins with
 * a blank. */
static size_t paragraph_length(const char *text)
{
    size_t length = strcspn(text, "\n");
    while (text[length] && !strchr(" \n", text[length + 1]))
        length += 1 + strcspn(text + length + 1, "\n");
    return length;
}

void layout_paragraphs(struct text *to, const char *paragraphs, int width)
{
    while (*paragraphs) {
        bool as_it_is = *paragraphs == ' ' || *paragraphs == '\n';
        size_t length = as_it_is ? strcspn(paragraphs, "\n") : paragraph_length(paragraphs);
        char *part AUTO_FREE = str_copy_n(paragraphs, length);
        if (as_it_is)
            text_addf(to, "%s\n", part);
        else
            layout_wrap(to, part, 0, 0, width);
        paragraphs += length;
        paragraphs += *paragraphs == '\n';
    }
}
