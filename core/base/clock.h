// SPDX-License-Identifier: Apache-2.0
/* Times are int64_t milliseconds: since 1970 for what people see, monotonic for timers. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

enum { CLOCK_TEXT_SIZE = 32 };

int64_t clock_wall_ms(void);
int64_t clock_monotonic_ms(void);
int64_t clock_monotonic_us(void); /* for what is shorter */

/* "2026-01-31T12:00:00Z", as metav1.Time writes it; with "…:00.123456Z" as MicroTime does. */
void clock_format(int64_t wall_ms, char ret_text[CLOCK_TEXT_SIZE]);
void clock_format_micro(int64_t wall_ms, char ret_text[CLOCK_TEXT_SIZE]);

/* Reads either form, 0 for anything else (NULL included). */
int64_t clock_parse(const char *text);

#endif
