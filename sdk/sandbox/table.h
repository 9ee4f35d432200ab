// SPDX-License-Identifier: Apache-2.0
/* What `kubectl get` prints of an object. */
#ifndef SANDBOX_TABLE_H
#define SANDBOX_TABLE_H

#include "kinds.h"

/* The column definitions, and one cell for each of them. The caller owns both. */
json_t *table_columns(const struct kind *kind);
json_t *table_cells(const struct kind *kind, const json_t *object);

#endif
