// SPDX-License-Identifier: Apache-2.0
/*
 * Calling native functions from their declared signatures, through libffi. Whoever calls a function
 * that was written without a thought of Sluice lends it his own process: this is only for
 * sluice-adapter-host, and the test of it.
 *
 * A text is handed over as a C string that is valid during the call; what a function returns as one
 * stays its own. Nothing is ever unloaded.
 */
#ifndef ADAPTER_FOREIGN_H
#define ADAPTER_FOREIGN_H

#include "base/error.h"

#include <jansson.h>

struct foreign;

/* `declaration` is that of native.h, `fds` are its libraries; they may be closed afterwards.
 * ERR_INVALID: a library can't be loaded, or has no such function. NULL is an empty one. */
int foreign_open(const char *declaration, const int *fds, struct foreign **ret_foreign,
                 struct error *err);
void foreign_free(struct foreign *foreign);

/* Calls it with an array of arguments, of which null stands for 0, "" or null by its type. The
 * caller owns *ret_result. ERR_MISSING: no such function is declared; ERR_INVALID: the arguments
 * don't fit the signature, or what was returned is no value. */
int foreign_call(const struct foreign *foreign, const char *name, const json_t *arguments,
                 json_t **ret_result, struct error *err);

#endif
