// SPDX-License-Identifier: Apache-2.0
/*
 * What an object may look like: OpenAPI schemas as Kubernetes uses them, of built-in kinds and of
 * custom ones. A schema here is a borrowed view.
 */
#ifndef SANDBOX_SCHEMA_H
#define SANDBOX_SCHEMA_H

#include <jansson.h>
#include <stdbool.h>

struct schema {
    const json_t *names; /* schemas that are referred to */
    const json_t *rules; /* NULL: nothing is known */
    bool custom;         /* strict as those of CustomResourceDefinitions are */
};

/* The schema behind references. What has a name is built in. */
struct schema schema_of(struct schema above, const json_t *rules);

/* Of a member; of an array's items. */
struct schema schema_member(struct schema schema, const char *name);
struct schema schema_items(struct schema schema);

/* Whether members that the schema doesn't know are kept. */
bool schema_keeps_unknown(struct schema schema);

/* A string of the schema, such as "x-kubernetes-list-type"; NULL: none. */
const char *schema_word(struct schema schema, const char *name);

/* Removes what the schema doesn't know. `ret_unknown`: array that gets the paths, or NULL. */
void schema_prune(struct schema schema, json_t *value, json_t *ret_unknown);

/* Puts in what the schema says is there unless something else is. */
void schema_complete(struct schema schema, json_t *value);

/* Adds a cause (failure.h) for each thing that is not as the schema says. */
void schema_find_faults(struct schema schema, const json_t *value, json_t *causes);

/* The first value of a wrong type, as Kubernetes' decoder tells it ("cannot unmarshal …"); NULL:
 * none. The caller frees it. `kind` stands in front of the path. */
char *schema_mistyped(struct schema schema, const json_t *value, const char *kind);

#endif
