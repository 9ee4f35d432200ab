// SPDX-License-Identifier: Apache-2.0
/*
 * The kinds that are served: the built-in ones, of which builtin/kinds.json tells all, and one for
 * each version of each CustomResourceDefinition. Both are described by schemas, so that one code
 * prunes, checks, completes and merges them.
 */
#ifndef SANDBOX_KINDS_H
#define SANDBOX_KINDS_H

#include "schema.h"
#include "store.h"

#include <jansson.h>
#include <stdbool.h>

struct registry;

struct kind {
    char *group, *version;
    char *api_version; /* "apps/v1", "v1" */
    char *name;        /* "Deployment" */
    char *list_name;   /* "DeploymentList" */
    char *plural;      /* "deployments" */
    char *resource;    /* "deployments.apps" */
    char *singular;
    char *head;           /* {"kind":"Deployment","apiVersion":"apps/v1", */
    json_t *described;    /* as discovery tells it: shortNames, categories, verbs, … */
    json_t *subresources; /* array of {"name", "verbs", …} */
    json_t *columns;      /* of a custom kind: additionalPrinterColumns */
    json_t *scale;        /* of a custom kind: its scale subresource; or NULL */
    json_t *rules;        /* what `schema` is made of */
    struct schema schema;
    struct collection *collection;
    bool namespaced;
    bool custom;
    bool counts;     /* has a generation */
    bool has_status; /* as a subresource */
};

/* Knows the built-in kinds. The caller frees it before the store. */
struct registry *registry_new(struct store *store);
void registry_free(struct registry *kinds);

/* Borrowed until the kinds change; NULL: not served. */
const struct kind *registry_find(const struct registry *kinds, const char *group,
                                 const char *version, const char *plural);
/* By what an object says of itself. */
const struct kind *registry_of(const struct registry *kinds, const char *api_version,
                               const char *name);

size_t registry_count(const struct registry *kinds);
const struct kind *registry_at(const struct registry *kinds, size_t place);

/* Serves what a CustomResourceDefinition says from now on, or no longer. */
void registry_define(struct registry *kinds, const json_t *definition);
void registry_forget(struct registry *kinds, const json_t *definition);

/* All schemas that are referred to by name. Borrowed. */
json_t *registry_schemas(const struct registry *kinds);

/* The kind of what is behind the subresource scale. Borrowed. */
const struct kind *registry_scale(const struct registry *kinds);

/* A kind whose objects a collection holds. Borrowed; NULL: none is served any more. */
const struct kind *registry_in(const struct registry *kinds, const struct collection *collection);

bool kind_has(const struct kind *kind, const char *subresource);

/* Whether a subresource knows a verb, such as "update". */
bool kind_allows(const struct kind *kind, const char *subresource, const char *verb);

#endif
