// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 4, 0))) static void
error_fill(struct error *err, int code, const char *path, const char *format, va_list args)
{
    if (!err)
        return;
    /* The new words may quote the old ones, so they are made before anything is overwritten. */
    char text[sizeof err->text];
    vsnprintf(text, sizeof text, format, args);
    text_mend(text);
    err->code = code;
    snprintf(err->path, sizeof err->path, "%s", path);
    text_mend(err->path);
    memcpy(err->text, text, sizeof text);
}

int error_set(struct error *err, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    error_fill(err, code, "", format, args);
    va_end(args);
    return code;
}

int error_at(struct error *err, int code, const char *path, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    error_fill(err, code, path, format, args);
    va_end(args);
    return code;
}

void error_prefix(struct error *err, const char *format, ...)
{
    if (!err)
        return;
    char prefix[256], old[sizeof err->text];
    va_list args;
    va_start(args, format);
    vsnprintf(prefix, sizeof prefix, format, args);
    va_end(args);
    memcpy(old, err->text, sizeof old);
    int written = snprintf(err->text, sizeof err->text, "%s: ", prefix);
    snprintf(err->text + written, sizeof err->text - (size_t)written, "%s", old);
    text_mend(err->text);
}

const char *err_name(int code)
{
    switch (code) {
    case OK:
        return "ok";
    case ERR_RETRY:
        return "retry";
    case ERR_CONFLICT:
        return "conflict";
    case ERR_GONE:
        return "gone";
    case ERR_MISSING:
        return "missing";
    case ERR_DENIED:
        return "denied";
    case ERR_INVALID:
        return "invalid";
    case ERR_LIMIT:
        return "limit";
    default:
        return "bug";
    }
}
