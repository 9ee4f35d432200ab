// SPDX-License-Identifier: Apache-2.0
#include "base/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *mem_checked(void *at)
{
    if (!at) {
        fputs("sluice: out of memory\n", stderr);
        abort();
    }
    return at;
}

void *mem_alloc(size_t size)
{
    return mem_checked(calloc(1, size ? size : 1));
}

void *mem_grow(void *at, size_t size)
{
    return mem_checked(realloc(at, size ? size : 1));
}

void *mem_copy(const void *at, size_t size)
{
    void *copy = mem_alloc(size);
    if (size)
        memcpy(copy, at, size);
    return copy;
}

char *str_copy(const char *text)
{
    return text ? mem_copy(text, strlen(text) + 1) : NULL;
}

char *str_copy_n(const char *text, size_t length)
{
    char *copy = mem_alloc(length + 1);
    memcpy(copy, text, length);
    return copy;
}

char *str_format_v(const char *format, va_list args)
{
    char *text = NULL;
    if (vasprintf(&text, format, args) < 0)
        text = NULL;
    return mem_checked(text);
}

char *str_format(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = str_format_v(format, args);
    va_end(args);
    return text;
}

void str_replace(char **place, const char *text)
{
    char *copy = str_copy(text);
    free(*place);
    *place = copy;
}

_Bool str_equal(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

void auto_free(void *place)
{
    free(*(void **)place);
}
