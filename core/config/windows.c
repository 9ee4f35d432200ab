// SPDX-License-Identifier: Apache-2.0
#include "config/windows.h"

#include <ctype.h>
#include <string.h>

enum { MINUTE_MS = 60 * 1000, DAY = 24 * 60, WEEK = DAYS * DAY };

/* The epoch was a Thursday. */
enum { EPOCH_WEEKDAY = 4 };

const char *const window_days[DAYS] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

int windows_day(const char *text)
{
    for (int day = 0; day < DAYS; day++)
        if (strcmp(window_days[day], text) == 0)
            return day;
    return -1;
}

static int two_digits(const char *text)
{
    bool digits = isdigit((unsigned char)text[0]) && isdigit((unsigned char)text[1]);
    return digits ? (text[0] - '0') * 10 + text[1] - '0' : -1;
}

int windows_minute(const char *text)
{
    if (strlen(text) != 5 || text[2] != ':')
        return -1;
    int hours = two_digits(text), minutes = two_digits(text + 3);
    bool within = hours >= 0 && minutes >= 0 && minutes < 60 && hours * 60 + minutes <= DAY;
    return within ? hours * 60 + minutes : -1;
}

static int64_t floor_div(int64_t value, int64_t by)
{
    return value / by - (value % by < 0);
}

/* How long after a minute of the week the window that begins on that day opens next; 0: it is open.
 */
static int until_open(const struct window *window, int day, int minute_of_week)
{
    int length =
        window->to > window->from ? window->to - window->from : window->to + DAY - window->from;
    int since = (minute_of_week - day * DAY - window->from + WEEK) % WEEK;
    return since < length ? 0 : WEEK - since;
}

static int window_until_open(const struct window *window, int minute_of_week)
{
    int least = WEEK;
    for (int day = 0; day < DAYS; day++) {
        int until = until_open(window, day, minute_of_week);
        if (window->days & 1U << day && until < least)
            least = until;
    }
    return least;
}

bool windows_closed(const struct windows *windows, int64_t wall_ms, int64_t *ret_opens_ms)
{
    if (!windows)
        return false;
    int64_t minute = floor_div(wall_ms, MINUTE_MS);
    int64_t weekday = (floor_div(minute, DAY) + EPOCH_WEEKDAY) % DAYS;
    if (weekday < 0)
        weekday += DAYS;
    int of_week = (int)(weekday * DAY + minute - floor_div(minute, DAY) * DAY);
    int least = WEEK;
    for (size_t i = 0; i < windows->count; i++) {
        int until = window_until_open(&windows->items[i], of_week);
        if (until < least)
            least = until;
    }
    *ret_opens_ms = (minute + least) * MINUTE_MS;
    return least > 0;
}

bool windows_equal(const struct windows *a, const struct windows *b)
{
    if (!a || !b)
        return a == b;
    return a->count == b->count && memcmp(a->items, b->items, a->count * sizeof *a->items) == 0;
}
