// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include "base/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void text_reserve(struct text *text, size_t more)
{
    size_t wanted = text->len + more + 1;
    if (wanted <= text->size)
        return;
    size_t size = text->size ? text->size : 64;
    while (size < wanted)
        size *= 2;
    text->at = mem_grow(text->at, size);
    text->size = size;
}

void text_add(struct text *text, const void *bytes, size_t count)
{
    text_reserve(text, count);
    if (count)
        memcpy(text->at + text->len, bytes, count);
    text->len += count;
    text->at[text->len] = '\0';
}

void text_puts(struct text *text, const char *string)
{
    text_add(text, string, strlen(string));
}

void text_addf(struct text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *piece AUTO_FREE = str_format_v(format, args);
    va_end(args);
    text_puts(text, piece);
}

void text_drop(struct text *text, size_t count)
{
    if (!text->len)
        return;
    if (count > text->len)
        count = text->len;
    memmove(text->at, text->at + count, text->len - count + 1);
    text->len -= count;
}

void text_cut(struct text *text, size_t length)
{
    if (length >= text->len)
        return;
    text->len = length;
    text->at[length] = '\0';
}

void text_clear(struct text *text)
{
    text_cut(text, 0);
}

char *text_steal(struct text *text)
{
    char *at = text->at ? text->at : str_copy("");
    *text = (struct text){0};
    return at;
}

void text_done(struct text *text)
{
    free(text->at);
    *text = (struct text){0};
}

/* The bytes of the character at `at`, 0 when that is none. Neither longer forms than needed nor
 * surrogates nor what lies beyond U+10FFFF are characters. */
static size_t character_length(const unsigned char *at)
{
    unsigned char first = at[0];
    size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if ((first >= 0x80 && first < 0xc2) || first > 0xf4)
        return 0;
    for (size_t i = 1; i < length; i++, low = 0x80, high = 0xbf)
        if (at[i] < low || at[i] > high)
            return 0;
    return length;
}

void text_mend(char *string)
{
    while (*string) {
        size_t length = character_length((const unsigned char *)string);
        if (length == 0)
            *string = '?';
        string += length ? length : 1;
    }
}
