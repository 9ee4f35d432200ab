// SPDX-License-Identifier: Apache-2.0
/* A rollout of a file beside the one of the same name in the cluster. Pure. */
#ifndef CLI_AGAINST_H
#define CLI_AGAINST_H

#include "base/text.h"
#include "cli/rollout_kinds.h"

#include <jansson.h>

/* How many pods the live one's workload has, as far as it was recorded; -1: not known. */
int against_size(const json_t *live);

/* Adds a sentence: what would become of the live one when the file's were applied. `live` NULL:
 * there is none. */
void against_add(const struct rollout_kind *kind, const struct approllout *file,
                 const json_t *file_object, const json_t *live, struct text *to);

#endif
