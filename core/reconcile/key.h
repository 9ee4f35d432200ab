// SPDX-License-Identifier: Apache-2.0
/* What objects are kept and queued by: "namespace/name". Private to reconcile/; the caller frees
 * whatever is made here. */
#ifndef RECONCILE_KEY_H
#define RECONCILE_KEY_H

char *key_join(const char *ns, const char *name);
char *key_namespace(const char *key);
void key_split(const char *key, char **ret_ns, char **ret_name);

#endif
