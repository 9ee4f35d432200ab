// SPDX-License-Identifier: Apache-2.0
/* Strategic merge patches: lists are merged item by item, as the schema says. */
#ifndef SANDBOX_STRATEGIC_H
#define SANDBOX_STRATEGIC_H

#include "failure.h"
#include "schema.h"

/* Changes `object`, also when it fails. */
int strategic_merge(struct schema schema, json_t *object, const json_t *patch,
                    struct failure *failure);

#endif
