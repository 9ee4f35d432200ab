// SPDX-License-Identifier: Apache-2.0
#include "cli/number.h"

#include <ctype.h>
#include <stdlib.h>

enum { NUMBER_MAX = 1000000 };

bool number_read(const char *text, int least, int *ret_number)
{
    if (!text)
        return true;
    char *end;
    long value = isdigit((unsigned char)*text) ? strtol(text, &end, 10) : -1;
    if (value < least || value > NUMBER_MAX || *end)
        return false;
    *ret_number = (int)value;
    return true;
}
