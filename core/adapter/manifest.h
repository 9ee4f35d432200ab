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
    struct adapter_kind *kinds; /* at least one */
    size_t kind_count;
    const json_t *rights;  /* an array, maybe empty */
    const json_t *options; /* a schema; NULL: no options */
    const json_t *smoke;   /* a case; NULL: none */
};

/* `newer`: the adapter was built for a newer minor version, whose members we may not know; they
 * are ignored then, and refused otherwise. The caller releases it with manifest_done().
 * ERR_INVALID. */
int manifest_parse(const char *text, bool newer, struct manifest *ret_manifest, struct error *err);
void manifest_done(struct manifest *manifest);

#endif
