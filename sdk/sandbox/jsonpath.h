// SPDX-License-Identifier: Apache-2.0
/* The JSONPath that printer columns and scale subresources use: members, indices, and one equality
 * as a filter, such as .status.conditions[?(@.type=="Ready")].status. */
#ifndef SANDBOX_JSONPATH_H
#define SANDBOX_JSONPATH_H

#include <jansson.h>

/* The first value there; NULL: none, or a path that isn't understood. The caller owns it. */
json_t *jsonpath_first(const json_t *root, const char *path);

#endif
