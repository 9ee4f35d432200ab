// SPDX-License-Identifier: Apache-2.0
/*
 * The part of JSON schema that an adapter's options may be described with: type, properties,
 * required, additionalProperties (true or false), items, enum, minimum, maximum; title,
 * description and default are for people. A schema with any other keyword is refused, so that
 * nothing is promised that isn't checked.
 */
#ifndef ADAPTER_SCHEMA_H
#define ADAPTER_SCHEMA_H

#include "base/error.h"

#include <jansson.h>

/* Is this a schema as described above? `path` is where it stands, for the words. ERR_INVALID. */
int schema_check(const json_t *schema, const char *path, struct error *err);

/* Does the value fit? `path` names the value; err->path names what doesn't fit. ERR_INVALID. */
int schema_validate(const json_t *schema, const json_t *value, const char *path, struct error *err);

/* What JSON calls the value: "string", "integer", … */
const char *json_type_name(const json_t *value);

#endif
