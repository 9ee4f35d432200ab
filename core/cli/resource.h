// SPDX-License-Identifier: Apache-2.0
/* Objects of any kind, by what they say of themselves. */
#ifndef CLI_RESOURCE_H
#define CLI_RESOURCE_H

#include "cli/session.h"
#include "cluster/kinds.h"

struct resource {
    const char *api_version, *kind, *name; /* NULL: the object doesn't say it */
    const char *ns;                        /* left out for kinds that have none */
};

/* How the cluster serves the kind. *ret_info borrows from the resource and from *ret_plural, which
 * the caller frees. ERR_MISSING: it doesn't. */
int resource_kind(struct session *session, const struct resource *resource,
                  struct kind_info *ret_info, char **ret_plural, struct error *err);

/* "/apis/apps/v1/namespaces/default/deployments/web". The caller frees it. ERR_MISSING as
 * above. */
int resource_path(struct session *session, const struct resource *resource, char **ret_path,
                  struct error *err);

#endif
