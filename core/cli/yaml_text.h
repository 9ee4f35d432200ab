// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_YAML_TEXT_H
#define CLI_YAML_TEXT_H

#include "base/text.h"

#include <jansson.h>

/* Adds the value as a YAML document in block style. What a reader of YAML, of version 1.1 too,
 * would take for something else than text is quoted. */
void yaml_text(const json_t *json, struct text *to);

#endif
