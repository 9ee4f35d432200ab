// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include "base/alloc.h"
#include "base/clock.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static enum log_level threshold = LOG_INFO;

void log_set_level(enum log_level level)
{
    threshold = level;
}

static void log_put(json_t *line, const char *key, const char *value)
{
    if (value && *value)
        json_object_set_new(line, key, json_string(value));
}

/* One write() a line, so that lines of several processes on one stream don't mix. */
static void log_emit(const json_t *line)
{
    char *text AUTO_FREE = json_dumps(line, JSON_COMPACT);
    if (!text)
        return;
    char *out AUTO_FREE = str_format("%s\n", text);
    for (const char *at = out; *at;) {
        ssize_t written = write(STDERR_FILENO, at, __builtin_strlen(at));
        if (written <= 0)
            return;
        at += written;
    }
}

void log_write(enum log_level level, struct log_about about, const char *format, ...)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    if (level < threshold)
        return;
    va_list args;
    va_start(args, format);
    char *message AUTO_FREE = str_format_v(format, args);
    va_end(args);
    char now[CLOCK_TEXT_SIZE];
    clock_format_micro(clock_wall_ms(), now);

    json_t *line = json_object();
    log_put(line, "time", now);
    log_put(line, "level", names[level]);
    log_put(line, "topic", about.topic);
    log_put(line, "object", about.object);
    if (about.batch > 0)
        json_object_set_new(line, "batch", json_integer(about.batch));
    log_put(line, "message", message);
    log_emit(line);
    json_decref(line);
}
