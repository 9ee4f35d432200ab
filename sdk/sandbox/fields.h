// SPDX-License-Identifier: Apache-2.0
/*
 * Sets of fields, and what server-side apply does with them. A set is a tree as fieldsV1 writes it
 * ("f:name", "k:{…}", "v:…"), except that each node that is in the set says so with ".", leaves
 * too.
 */
#ifndef SANDBOX_FIELDS_H
#define SANDBOX_FIELDS_H

#include "schema.h"

/* From fieldsV1 and back. The caller owns the result. */
json_t *fields_read(const json_t *written);
json_t *fields_write(const json_t *set);

/* What an applied configuration owns. The caller owns it. */
json_t *fields_of(struct schema schema, const json_t *value);

/* Adds what is new or another in `after` to *changed, and what is no more there to *removed. */
void fields_compare(struct schema schema, const json_t *before, const json_t *after,
                    json_t *changed, json_t *removed);

void fields_add(json_t *set, const json_t *others);
void fields_subtract(json_t *set, const json_t *others);
/* The caller owns it. */
json_t *fields_common(const json_t *set, const json_t *others);

/* Takes one field out, with all below it or alone; `path` is "metadata/name". */
void fields_drop(json_t *set, const char *path);
void fields_drop_one(json_t *set, const char *path);

/* The paths as people read them (".spec.containers[name=\"a\"].image"). The caller owns the array.
 */
json_t *fields_paths(const json_t *set);

/* `live` with all that `wanted` says. The caller owns it. */
json_t *fields_merge(struct schema schema, const json_t *live, const json_t *wanted);

/* Removes what is in `dropped` and has nothing of `owned` in it. */
void fields_remove(struct schema schema, json_t *value, const json_t *dropped, const json_t *owned);

#endif
