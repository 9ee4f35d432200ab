// SPDX-License-Identifier: Apache-2.0
/* OpenAPI, as far as kubectl reads it: the kinds' schemas (v3 alone), and which patches they take.
 */
#ifndef SANDBOX_OPENAPI_H
#define SANDBOX_OPENAPI_H

#include "kinds.h"
#include "request.h"

#define KUBERNETES "v1.34.4"

/* False: the path is about something else. */
bool openapi_answer(const struct registry *kinds, const struct request *request,
                    struct answer *answer);
bool openapi_v2_answer(const struct registry *kinds, const struct request *request,
                       struct answer *answer);

/* Of an object of this kind, with {name} and perhaps {namespace}. The caller frees it. */
char *openapi_path(const struct kind *kind);

#endif
