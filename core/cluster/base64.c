// SPDX-License-Identifier: Apache-2.0
#include "cluster/base64.h"

#include "base/alloc.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int base64_decode(const char *text, char **ret_bytes, size_t *ret_count)
{
    char *bytes AUTO_FREE = mem_alloc(strlen(text) / 4 * 3 + 4);
    size_t count = 0, seen = 0, padding = 0;
    unsigned bits = 0;
    for (; *text; text++) {
        if (isspace((unsigned char)*text))
            continue;
        const char *digit = strchr(digits, *text);
        if (*text == '=')
            padding++;
        else if (!digit || padding)
            return ERR_INVALID;
        bits = bits << 6 | (digit ? (unsigned)(digit - digits) : 0);
        if (++seen % 4)
            continue;
        bytes[count++] = (char)(bits >> 16);
        bytes[count++] = (char)(bits >> 8);
        bytes[count++] = (char)bits;
    }
    if (seen % 4 || padding > 2 || padding > count)
        return ERR_INVALID;
    count -= padding;
    bytes[count] = '\0';
    *ret_bytes = bytes;
    *ret_count = count;
    bytes = NULL;
    return OK;
}

char *base64_encode(const char *bytes, size_t count)
{
    char *text = mem_alloc((count + 2) / 3 * 4 + 1);
    char *at = text;
    for (size_t i = 0; i < count; i += 3) {
        unsigned bits = 0;
        for (size_t j = 0; j < 3; j++)
            bits = bits << 8 | (i + j < count ? (unsigned char)bytes[i + j] : 0);
        for (size_t j = 0; j < 4; j++)
            *at++ = i + j > count ? '=' : digits[bits >> (18 - 6 * j) & 63];
    }
    return text;
}
