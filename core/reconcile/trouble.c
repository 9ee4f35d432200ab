// SPDX-License-Identifier: Apache-2.0
#include "reconcile/reconcile.h"

#include <stdio.h>
#include <string.h>

/* Admission webhooks answer 403 as well; only what RBAC refuses reads like this. */
static bool right_is_missing(const char *words)
{
    const char *cannot = strstr(words, " cannot ");
    return cannot && strstr(cannot, " resource \"");
}

enum reason_code trouble_reason(struct error *err)
{
    static const char help[] = "; \"sluice role\" prints all that is needed";
    size_t length = strlen(err->text);
    if (!right_is_missing(err->text))
        return REASON_CLUSTER_TROUBLE;
    if (!strstr(err->text, help))
        snprintf(err->text + length, sizeof err->text - length, "%s", help);
    return REASON_RIGHT_MISSING;
}
