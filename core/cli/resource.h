// SPDX-License-Identifier: Apache-2.0
/* Objects of any kind, by what they say of themselves. */
#ifndef CLI_RESOURCE_H
#define CLI_RESOURCE_H

#include "cli/session.h"

struct resource {
    const char *api_version, *kind, *name; /* NULL: the object doesn't say it */
    const char *ns;                        /* left out for kinds that have none */
};

/* "/apis/apps/v1/namespaces/default/deployments/web". The caller frees it. ERR_MISSING: the cluster
 * doesn't serve the kind. */
int resource_path(struct session *session, const struct resource *resource, char **ret_path,
                  struct error *err);

#endif
