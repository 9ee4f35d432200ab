// SPDX-License-Identifier: Apache-2.0
/* The adapter under examination in a process of its own, as the controller runs one that was not
 * installed with it. */
#ifndef CHECK_APART_H
#define CHECK_APART_H

#include "adapter/call.h"
#include "base/error.h"

struct apart_spec {
    const char *file;
    const char *name; /* what the adapter calls itself */
    const char *host; /* sluice-adapter-host; NULL: as installed */
};

/* Is there a program to become that process? */
bool apart_possible(const struct apart_spec *spec);

/* The caller owns it: transport->free(). Errors are isolated.h's. */
int apart_open(const struct apart_spec *spec, struct transport **ret_transport, struct error *err);

#endif
