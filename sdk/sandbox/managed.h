// SPDX-License-Identifier: Apache-2.0
/* Who wrote which field: metadata.managedFields, and server-side apply, which goes by it. */
#ifndef SANDBOX_MANAGED_H
#define SANDBOX_MANAGED_H

#include "failure.h"
#include "kinds.h"

struct manager {
    const char *name;
    const char *subresource; /* NULL: the object itself */
};

/* Notes what an update changes. `old`: NULL for a new object. */
void managed_update(const struct kind *kind, struct manager manager, const json_t *old,
                    json_t *object);

/* What the live object (NULL: none) becomes when the manager applies `wanted`. -1: others own
 * something of it, and it isn't to be taken by force. The caller owns *ret_object. */
int managed_apply(const struct kind *kind, struct manager manager, const json_t *live,
                  const json_t *wanted, bool force, json_t **ret_object, struct failure *failure);

#endif
