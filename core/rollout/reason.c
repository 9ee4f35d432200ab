// SPDX-License-Identifier: Apache-2.0
/* The words of reasons. They quote names, hooks and workloads, and end up in JSON: so whatever was
 * quoted, and wherever it was cut, what comes out is UTF-8. */
#include "base/text.h"
#include "rollout/machine_private.h"

#include <stdio.h>

__attribute__((format(printf, 2, 0))) static void say(struct reason *reason, const char *format,
                                                      va_list args)
{
    char message[SENTENCE_SIZE]; /* the new words may quote the old ones */
    vsnprintf(message, sizeof message, format, args);
    text_mend(message);
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
    text_mend(run->why.field);
}

void why_object(struct run *run, const char *field)
{
    snprintf(run->why.object, sizeof run->why.object, "%s", run->in->observation.object);
    text_mend(run->why.object);
    why_field(run, field);
}

void why_found(struct run *run, const char *expected, const char *found)
{
    snprintf(run->why.expected, sizeof run->why.expected, "%s", expected);
    snprintf(run->why.found, sizeof run->why.found, "%s", found);
    text_mend(run->why.expected);
    text_mend(run->why.found);
}

void why_number(struct run *run, const char *field, const char *bound, int expected, int found)
{
    why_field(run, field);
    snprintf(run->why.expected, sizeof run->why.expected, "%s %d", bound, expected);
    snprintf(run->why.found, sizeof run->why.found, "%d", found);
}
