// SPDX-License-Identifier: Apache-2.0
/* Why the API says no, as a Status tells it. */
#ifndef SANDBOX_FAILURE_H
#define SANDBOX_FAILURE_H

#include <jansson.h>

struct kind;

/* `struct failure failure = {0};` is none; failure_done() releases one. */
struct failure {
    unsigned code;      /* HTTP's */
    const char *reason; /* static; "" leaves it out */
    char *message;
    json_t *details;
};

/* Each returns -1, so that it can be written `return fail(...)`. The first failure stays. */
int fail(struct failure *failure, unsigned code, const char *reason, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* With details that name the object. */
int fail_about(struct failure *failure, unsigned code, const char *reason, const struct kind *kind,
               const char *name, const char *format, ...) __attribute__((format(printf, 6, 7)));

int fail_not_found(struct failure *failure, const struct kind *kind, const char *name);
int fail_exists(struct failure *failure, const struct kind *kind, const char *name);
int fail_conflict(struct failure *failure, const struct kind *kind, const char *name,
                  const char *why);
int fail_method(struct failure *failure);

/* 422, with one cause for each thing that is wrong: {"reason", "message", "field"}. Owns `causes`,
 * which must not be empty. */
int fail_invalid_take(struct failure *failure, const struct kind *kind, const char *name,
                      json_t *causes);

/* Adds such a cause. */
void cause_add(json_t *causes, const char *reason, const char *field, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The Status object. The caller owns it. */
json_t *failure_status(const struct failure *failure);

void failure_done(struct failure *failure);

#endif
