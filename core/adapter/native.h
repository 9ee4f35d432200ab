// SPDX-License-Identifier: Apache-2.0
/*
 * Native functions as the config declares them for an adapter: functions of shared libraries that
 * were not written for Sluice, each with its signature. Here they are checked and the libraries are
 * opened; they are loaded and called in the adapter's own process only (foreign.h), which gets the
 * descriptors and the declaration. For this folder only.
 */
#ifndef ADAPTER_NATIVE_H
#define ADAPTER_NATIVE_H

#include "base/error.h"

#include <jansson.h>
#include <stddef.h>

enum { NATIVE_LIBRARIES = 8 };

struct natives {
    char *declaration; /* JSON for the process: name, symbol, returns, arguments, and the number of
                          the library among `fds`; NULL: there are none */
    int fds[NATIVE_LIBRARIES];
    size_t fd_count;
};

/* Checks the config's list, and every library as the file of an adapter is checked; `adapter` names
 * the copies that are kept of them. NULL is an empty list. The caller releases *ret_natives. The
 * words of a refusal begin with the place, as in native[0].returns. */
int natives_open(const json_t *config, const char *adapter, struct natives *ret_natives,
                 struct error *err);
void natives_done(struct natives *natives);

#endif
