// SPDX-License-Identifier: Apache-2.0
/*
 * Errors. Every function that can fail returns 0 or one of the negative codes below. A code names
 * the one reaction that is right for it; what happened is told in words in a struct error that the
 * caller owns, normally on its stack. A function that fails leaves its outputs untouched.
 *
 * Thread-safe: there is no global state.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdarg.h>

enum err {
    OK = 0,
    ERR_RETRY = -1,    /* passing trouble: try again later, with back-off */
    ERR_CONFLICT = -2, /* somebody else wrote first: read again now */
    ERR_GONE = -3,     /* the resource version is too old: list again */
    ERR_MISSING = -4,  /* the object, file or kind isn't there: wait until it appears */
    ERR_DENIED = -5,   /* a right is missing: an operator's to fix */
    ERR_INVALID = -6,  /* the input is wrong: the user's to fix, useless to repeat */
    ERR_LIMIT = -7,    /* larger than a configured limit */
    ERR_BUG = -8,      /* cannot happen in a correct program */
};

struct error {
    int code;       /* enum err, 0 when nothing failed */
    char path[160]; /* the field at fault, e.g. spec.rolloutPlan.targetSize; may be empty */
    char text[800]; /* a sentence without a full stop */
};

/* Records a failure and returns `code`, so that it can be written `return error_set(...)`.
 * `err` may be NULL when the caller doesn't want the words. Text that is too long is cut. */
int error_set(struct error *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same, with the path of the field at fault. */
int error_at(struct error *err, int code, const char *path, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Puts "<prefix>: " in front of the words, for the caller that knows what was being attempted. */
void error_prefix(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The code in a word: "retry", "conflict", … Never NULL. */
const char *err_name(int code);

#endif
