// SPDX-License-Identifier: Apache-2.0
/*
 * Native functions as the config declares them for an adapter: functions of shared libraries that
 * were not written for Sluice, each with its signature and with where its arguments stand in the
 * workload. Here they are checked and the libraries are opened; they are loaded and called in the
 * adapter's own process only (foreign.h), which gets the descriptors and the declaration. For this
 * folder only.
 */
#ifndef ADAPTER_NATIVE_H
#define ADAPTER_NATIVE_H

#include "base/error.h"
#include "base/hash.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { NATIVE_LIBRARIES = 5 };

/* What a function takes and returns. */
enum native_type {
    NATIVE_BOOL,
    NATIVE_INT32,
    NATIVE_INT64,
    NATIVE_DOUBLE,
    NATIVE_STRING,
    NATIVE_JSON, /* as text */
    NATIVE_TYPES
};
const char *native_type_name(enum native_type type); /* as the config says it */
enum native_type native_type_of(const char *name);   /* NATIVE_TYPES: there is none of that name */
bool native_type_fits(enum native_type type, const json_t *value);

struct native_library {
    char *file;
    char digest[HASH_HEX_SIZE]; /* of what was opened */
};

struct natives {
    json_t *config; /* the list as the config has it; NULL: there is none */
    /* For the process: an array of {name, symbol, returns, arguments, library}, of which the last
     * counts among `fds`, and an argument is {type, from} or {type, value}. */
    char *declaration;
    struct native_library libraries[NATIVE_LIBRARIES];
    int fds[NATIVE_LIBRARIES]; /* open on copies that can't change */
    size_t count;              /* of libraries */
};

/* Checks the config's list, and every library as the file of an adapter is checked; `adapter` names
 * the copies that are kept of them. NULL is an empty list. The caller releases *ret_natives, also
 * when it is refused. The words begin with the place, as in native[0].returns. */
int natives_open(const json_t *config, const char *adapter, struct natives *ret_natives,
                 struct error *err);
void natives_done(struct natives *natives);

/* Is this what was opened? */
bool natives_fit(const struct natives *natives, const json_t *config);

/* Are the files still what was opened? */
bool natives_fresh(const struct natives *natives);

/* What describe() is told: an object of {returns, reads} by name; `reads` are the pointers into the
 * workload that its arguments come from. NULL: there are none. The caller owns it. */
json_t *natives_told(const struct natives *natives);

/* For people: an array of {name, file, sha256, symbol}. The caller owns it. */
json_t *natives_about(const struct natives *natives);

#endif
