// SPDX-License-Identifier: Apache-2.0
/*
 * Maintenance windows: the hours of a week, in UTC, in which rolls and batches may begin. A window
 * whose end isn't after its beginning ends on the next day.
 */
#ifndef CONFIG_WINDOWS_H
#define CONFIG_WINDOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DAYS = 7, EVERY_DAY = 0x7f };

extern const char *const window_days[DAYS]; /* "Sun", … */

struct window {
    unsigned days; /* on which it begins: bit 0 is Sunday */
    int from, to;  /* minutes of the day; `from` is in the window, `to` isn't any more */
};

struct windows {
    size_t count; /* at least one */
    struct window items[];
};

/* A day's three letters, such as "Mon", as the number of its bit; -1: it is none. */
int windows_day(const char *text);

/* "22:00" as minutes of the day, up to "24:00"; -1: it is no time of a day. */
int windows_minute(const char *text);

/* Is none of them open? Then also when the next one opens. NULL are no windows: nothing is closed.
 */
bool windows_closed(const struct windows *windows, int64_t wall_ms, int64_t *ret_opens_ms);

bool windows_equal(const struct windows *a, const struct windows *b);

#endif
