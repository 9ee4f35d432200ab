// SPDX-License-Identifier: Apache-2.0
/* The two patches of JSON that have an RFC. */
#ifndef BASE_JSON_PATCH_H
#define BASE_JSON_PATCH_H

#include "base/error.h"

#include <jansson.h>

/* RFC 6902: carries all operations out on *document, which may be replaced, or none.
 * ERR_CONFLICT: a test didn't hold; ERR_INVALID: an operation can't be carried out. The words name
 * the operation and its path. */
int json_patch(json_t **document, const json_t *operations, struct error *err);

/* One operation of such a patch. Owns `value`, which is NULL for "remove". The caller owns it. */
json_t *json_patch_step_take(const char *op, const char *path, json_t *value);

/* RFC 7396, for two objects: null removes, an object is merged, anything else replaces. */
void json_merge(json_t *object, const json_t *patch);

#endif
