// SPDX-License-Identifier: Apache-2.0
#include "failure.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"
#include "kinds.h"

#include <stdlib.h>
#include <string.h>

static int fail_v(struct failure *failure, unsigned code, const char *reason, const char *format,
                  va_list args) __attribute__((format(printf, 4, 0)));

static int fail_v(struct failure *failure, unsigned code, const char *reason, const char *format,
                  va_list args)
{
    if (failure->code)
        return -1;
    failure->code = code;
    failure->reason = reason;
    failure->message = str_format_v(format, args);
    return -1;
}

int fail(struct failure *failure, unsigned code, const char *reason, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fail_v(failure, code, reason, format, args);
    va_end(args);
    return -1;
}

/* {"name", "group", "kind"}, where "kind" is the resource in most answers. */
static json_t *details_of(const struct kind *kind, const char *name, const char *word)
{
    json_t *details = json_object();
    if (name && *name)
        json_object_set_new(details, "name", json_string(name));
    if (*kind->group)
        json_object_set_new(details, "group", json_string(kind->group));
    json_object_set_new(details, "kind", json_string(word));
    return details;
}

int fail_about(struct failure *failure, unsigned code, const char *reason, const struct kind *kind,
               const char *name, const char *format, ...)
{
    va_list args;
    if (failure->code)
        return -1;
    va_start(args, format);
    fail_v(failure, code, reason, format, args);
    va_end(args);
    failure->details = details_of(kind, name, kind->plural);
    return -1;
}

int fail_not_found(struct failure *failure, const struct kind *kind, const char *name)
{
    return fail_about(failure, 404, "NotFound", kind, name, "%s \"%s\" not found", kind->resource,
                      name);
}

int fail_exists(struct failure *failure, const struct kind *kind, const char *name)
{
    return fail_about(failure, 409, "AlreadyExists", kind, name, "%s \"%s\" already exists",
                      kind->resource, name);
}

int fail_conflict(struct failure *failure, const struct kind *kind, const char *name,
                  const char *why)
{
    return fail_about(failure, 409, "Conflict", kind, name,
                      "Operation cannot be fulfilled on %s \"%s\": %s", kind->resource, name, why);
}

int fail_method(struct failure *failure)
{
    fail(failure, 405, "MethodNotAllowed",
         "the server does not allow this method on the requested resource");
    failure->details = json_object();
    return -1;
}

int fail_invalid_take(struct failure *failure, const struct kind *kind, const char *name,
                      json_t *causes)
{
    struct text words AUTO(text_done) = {0};
    size_t count = json_array_size(causes), i;
    json_t *cause;
    json_array_foreach (causes, i, cause)
        text_addf(&words, "%s%s: %s", i ? ", " : "", json_string_at(cause, "/field"),
                  json_string_at(cause, "/message"));
    const char *open = count > 1 ? "[" : "", *close = count > 1 ? "]" : "";
    char *dotted AUTO_FREE = str_format("%s%s%s", kind->name, *kind->group ? "." : "", kind->group);
    fail(failure, 422, "Invalid", "%s \"%s\" is invalid: %s%s%s", dotted, name ? name : "", open,
         words.at, close);
    failure->details = details_of(kind, name, kind->name);
    json_object_set_new(failure->details, "causes", causes);
    return -1;
}

void cause_add(json_t *causes, const char *reason, const char *field, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *message AUTO_FREE = str_format_v(format, args);
    va_end(args);
    text_mend(message);
    json_array_append_new(
        causes, json_pack("{ss ss ss}", "reason", reason, "message", message, "field", field));
}

json_t *failure_status(const struct failure *failure)
{
    json_t *status = json_pack("{ss ss s{} ss ss*}", "kind", "Status", "apiVersion", "v1",
                               "metadata", "status", "Failure", "message", failure->message);
    if (*failure->reason)
        json_object_set_new(status, "reason", json_string(failure->reason));
    if (failure->details)
        json_object_set(status, "details", failure->details);
    json_object_set_new(status, "code", json_integer(failure->code));
    return status;
}

void failure_done(struct failure *failure)
{
    free(failure->message);
    json_decref(failure->details);
    *failure = (struct failure){0};
}
