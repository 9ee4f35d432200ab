// SPDX-License-Identifier: Apache-2.0
/* What a path such as /apis/apps/v1/namespaces/a/deployments/b/status means. */
#ifndef SANDBOX_TARGET_H
#define SANDBOX_TARGET_H

#include "kinds.h"

struct target {
    const struct kind *kind;
    char *ns;          /* NULL: none, or all */
    char *name;        /* NULL: all objects */
    char *subresource; /* NULL: the object itself */
    char *key;         /* of the object in its collection; NULL without a name */
};

/* False when nothing is served there. The caller releases the target, also then. */
bool target_read(const struct registry *kinds, const char *path, struct target *ret_target);
void target_done(struct target *target);

/* "namespace/name", or "name". The caller frees it. */
char *object_key(const char *ns, const char *name);

#endif
