// SPDX-License-Identifier: Apache-2.0
/* The words of reasons. They quote names, hooks and workloads, and end up in JSON: so whatever was
 * quoted, and wherever it was cut, what comes out is UTF-8. */
#include "rollout/machine_private.h"

#include <stdio.h>

/* The length of the character that begins here; 0 when none does. */
static size_t utf8_length(const unsigned char *at)
{
    size_t length = 0;
    if (at[0] < 0x80)
        length = 1;
    else if (at[0] >= 0xC2 && at[0] < 0xF5)
        length = at[0] < 0xE0 ? 2 : at[0] < 0xF0 ? 3 : 4;
    for (size_t i = 1; i < length; i++)
        if ((at[i] & 0xC0) != 0x80)
            return 0;
    bool overlong = (at[0] == 0xE0 && at[1] < 0xA0) || (at[0] == 0xF0 && at[1] < 0x90);
    bool beyond = (at[0] == 0xED && at[1] > 0x9F) || (at[0] == 0xF4 && at[1] > 0x8F);
    return overlong || beyond ? 0 : length;
}

static void utf8_mend(char *text)
{
    while (*text) {
        size_t length = utf8_length((const unsigned char *)text);
        if (!length)
            *text = '?';
        text += length ? length : 1;
    }
}

static void say(struct reason *reason, const char *format, va_list args)
{
    char message[SENTENCE_SIZE]; /* the new words may quote the old ones */
    vsnprintf(message, sizeof message, format, args);
    utf8_mend(message);
    snprintf(reason->message, sizeof reason->message, "%s", message);
}

void reason_say(struct reason *reason, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(reason, format, args);
    va_end(args);
}

void run_why(struct run *run, enum reason_code code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    run->why = (struct reason){.code = code};
    say(&run->why, format, args);
    va_end(args);
}

void why_field(struct run *run, const char *field)
{
    snprintf(run->why.field, sizeof run->why.field, "%s", field);
    utf8_mend(run->why.field);
}

void why_object(struct run *run, const char *field)
{
    snprintf(run->why.object, sizeof run->why.object, "%s", run->in->observation.object);
    utf8_mend(run->why.object);
    why_field(run, field);
}

void why_number(struct run *run, const char *field, const char *bound, int expected, int found)
{
    why_field(run, field);
    snprintf(run->why.expected, sizeof run->why.expected, "%s%s%d", bound, bound[0] ? " " : "",
             expected);
    snprintf(run->why.found, sizeof run->why.found, "%d", found);
}
