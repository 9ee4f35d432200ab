// SPDX-License-Identifier: Apache-2.0
#include "cli/number.h"

#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_MAX = 1000000 };

bool number_read(const char *text, int least, int *ret_number)
{
    if (!text)
        return true;
    char *end = NULL;
    long value = isdigit((unsigned char)*text) ? strtol(text, &end, 10) : -1;
    if (value < least || value > NUMBER_MAX || *end)
        return false;
    *ret_number = (int)value;
    return true;
}

bool duration_read(const char *text, int64_t *ret_ms)
{
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {{"s", 1000}, {"m", 60 * 1000}, {"h", 3600 * 1000}};
    if (!text)
        return true;
    char *end = NULL;
    long value = isdigit((unsigned char)*text) ? strtol(text, &end, 10) : -1;
    if (value < 0 || value > NUMBER_MAX)
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(end, units[i].name) == 0) {
            *ret_ms = value * units[i].ms;
            return true;
        }
    return false;
}
