// SPDX-License-Identifier: Apache-2.0
/*
 * Calling native functions by their declared signatures, through libffi. Whoever calls a function
 * that was written without a thought of Sluice lends it his own process: this is only for
 * sluice-adapter-host, and the tests of it.
 *
 * A text is handed over as a C string that is valid during the call; what a function returns as one
 * stays its own. Nothing is ever unloaded.
 */
#ifndef ADAPTER_FOREIGN_H
#define ADAPTER_FOREIGN_H

#include "base/error.h"

#include <jansson.h>

struct foreign;

/* `declaration` is that of native.h, `fds` are its libraries, which must stay open until everything
 * is loaded. ERR_INVALID: a library can't be loaded, or has no such function. The caller owns
 * *ret_foreign. */
int foreign_open(const char *declaration, const int *fds, struct foreign **ret_foreign,
                 struct error *err);
void foreign_free(struct foreign *foreign); /* NULL is fine */

/* Calls all of them with what stands in the request's workload, and puts what they return into its
 * member `native`, by name. Without a workload, nothing is called. ERR_INVALID: an argument doesn't
 * fit its type, or what was returned is no value; the words name the function. */
int foreign_answer(const struct foreign *foreign, json_t *request, struct error *err);

#endif
