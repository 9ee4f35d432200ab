// SPDX-License-Identifier: Apache-2.0
#include "reconcile/key.h"

#include "base/alloc.h"
#include "base/text.h"

#include <string.h>

char *key_join(const char *ns, const char *name)
{
    return str_format("%s/%s", ns, name);
}

char *key_namespace(const char *key)
{
    return str_copy_n(key, strcspn(key, "/"));
}

void key_split(const char *key, char **ret_ns, char **ret_name)
{
    *ret_ns = key_namespace(key);
    *ret_name = str_copy(key + strlen(*ret_ns) + 1);
}
