// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static struct {
    bool on;
    int64_t wall_ms, monotonic_ms;
} virtual;

static int64_t clock_read_us(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_wall_ms(void)
{
    return virtual.on ? virtual.wall_ms : clock_read_us(CLOCK_REALTIME) / 1000;
}

int64_t clock_monotonic_ms(void)
{
    return virtual.on ? virtual.monotonic_ms : clock_outside_ms();
}

int64_t clock_boot_ms(void)
{
    return virtual.on ? virtual.monotonic_ms : clock_read_us(CLOCK_BOOTTIME) / 1000;
}

int64_t clock_outside_ms(void)
{
    return clock_monotonic_us() / 1000;
}

int64_t clock_monotonic_us(void)
{
    return clock_read_us(CLOCK_MONOTONIC);
}

void clock_make_virtual(int64_t wall_ms)
{
    virtual.wall_ms = wall_ms;
    virtual.monotonic_ms = clock_outside_ms();
    virtual.on = true;
}

bool clock_is_virtual(void)
{
    return virtual.on;
}

void clock_move_by(int64_t ms)
{
    virtual.wall_ms += ms;
    virtual.monotonic_ms += ms;
}

void clock_format(int64_t wall_ms, char ret_text[CLOCK_TEXT_SIZE])
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    strftime(ret_text, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

void clock_format_micro(int64_t wall_ms, char ret_text[CLOCK_TEXT_SIZE])
{
    clock_format(wall_ms, ret_text);
    size_t end = strlen(ret_text) - 1;
    snprintf(ret_text + end, CLOCK_TEXT_SIZE - end, ".%03d000Z", (int)(wall_ms % 1000));
}

/* Of ".123456Z": 123. */
static int64_t thousandths(const char *text)
{
    int64_t ms = 0;
    for (int place = 100; place > 0 && isdigit((unsigned char)*++text); place /= 10)
        ms += (*text - '0') * place;
    return ms;
}

int64_t clock_parse(const char *text)
{
    struct tm parts = {0};
    const char *rest = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &parts) : NULL;
    if (!rest)
        return 0;
    int64_t ms = (int64_t)timegm(&parts) * 1000;
    if (*rest == '.')
        ms += thousandths(rest);
    return ms > 0 ? ms : 0;
}
