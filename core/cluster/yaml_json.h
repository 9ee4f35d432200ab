// SPDX-License-Identifier: Apache-2.0
/* YAML as kubeconfig files use it, turned into JSON. Private to core/cluster. */
#ifndef CLUSTER_YAML_JSON_H
#define CLUSTER_YAML_JSON_H

#include "base/error.h"

#include <jansson.h>
#include <stddef.h>

/* Reads the first document; the caller owns *ret_json (JSON null for an empty one). Unquoted true,
 * false, null, ~ and whole numbers are what they look like, everything else is a string.
 * ERR_INVALID: the words begin with "FILE:LINE:COLUMN: " or "FILE: ". */
int yaml_to_json(const char *file, const char *text, size_t length, json_t **ret_json,
                 struct error *err);

#endif
