// SPDX-License-Identifier: Apache-2.0
/*
 * What an adapter declares about itself, read from the JSON text in its table and checked. What is
 * in it is described for authors in sdk/include/sluice/adapter.h. Immutable once parsed.
 */
#ifndef ADAPTER_MANIFEST_H
#define ADAPTER_MANIFEST_H

#include "adapter/adapter.h"
#include "base/error.h"

#include <jansson.h>

struct manifest {
    json_t *json;               /* owns all that the others point into */
    struct adapter_kind *kinds; /* at least one, once it is complete */
    size_t kind_count;
    const json_t *rights;  /* an array, maybe empty */
    const json_t *options; /* a schema; NULL: no options */
    const json_t *smoke;   /* a case; NULL: none */
};

/* Where a manifest comes from. */
struct manifest_source {
    const char *text; /* of the table */
    bool newer;       /* built for a newer minor version: members that we don't know are ignored */
    bool describes;   /* kinds and rights may be missing, because describe() tells them */
};

/* The caller releases it with manifest_done(). ERR_INVALID. */
int manifest_parse(const struct manifest_source *source, struct manifest *ret_manifest,
                   struct error *err);

/* Puts what describe() emitted in the place of what is there; then it must be complete.
 * ERR_INVALID: the manifest stays as it was. */
int manifest_describe(struct manifest *manifest, const json_t *described, bool newer,
                      struct error *err);
void manifest_done(struct manifest *manifest);

#endif
