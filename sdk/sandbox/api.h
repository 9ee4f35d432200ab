// SPDX-License-Identifier: Apache-2.0
/* Requests, and who answers them. */
#ifndef SANDBOX_API_H
#define SANDBOX_API_H

#include "sandbox_private.h"

/* The request_fn of a sandbox. */
void api_answer(void *sandbox, const struct request *request, struct answer *answer);

#endif
