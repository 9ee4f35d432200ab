// SPDX-License-Identifier: Apache-2.0
/*
 * Patches carried out on an object in memory, as an API server would: what an adapter's emissions
 * do can be tried without a cluster. Not a server: apply is a deep merge that owns nothing.
 */
#ifndef CHECK_PATCH_H
#define CHECK_PATCH_H

#include "base/error.h"

#include <jansson.h>

/* Carries out one PATCH as emitted ({"type", "body"}) on *object, which may be replaced, and be
 * NULL for an object that an apply patch creates. ERR_CONFLICT: a test of a JSON patch or the
 * resource version didn't hold; ERR_INVALID: the patch can't be carried out. */
int patch_apply(json_t **object, const json_t *patch, struct error *err);

#endif
