// SPDX-License-Identifier: Apache-2.0
/* OpenAPI v3, as far as kubectl reads it: the kinds' schemas, and which patches they take. */
#ifndef SANDBOX_OPENAPI_H
#define SANDBOX_OPENAPI_H

#include "kinds.h"
#include "request.h"

/* False: the path is about something else. */
bool openapi_answer(const struct registry *kinds, const struct request *request,
                    struct answer *answer);

#endif
