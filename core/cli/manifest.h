// SPDX-License-Identifier: Apache-2.0
/*
 * Objects of Kubernetes as people keep them: files of YAML or JSON with any number of documents.
 * Only what is asked for is read as an object; whatever else stands in the file isn't judged.
 */
#ifndef CLI_MANIFEST_H
#define CLI_MANIFEST_H

#include "config/document.h"

#include <stddef.h>

struct manifest {
    struct document document;
    const char *api_version, *kind, *name; /* "" when they aren't there; borrowed */
};

struct manifests {
    struct manifest *items;
    size_t count;
};

/* All documents of the file, "-" being standard input. When it breaks off in the middle, those
 * before are there nevertheless: release with manifests_done() in either case. */
int manifests_read(const char *file, struct manifests *ret_manifests, struct error *err);

/* "FILE: expected a Rollout, found ConfigMap (v1) and 2 more". The caller frees it. */
char *manifests_unfit(const char *file, const struct manifests *manifests, const char *expected);

void manifests_done(struct manifests *manifests);

/* The whole object; the caller owns it. ERR_INVALID, with the place in the words. */
int manifest_object(struct manifest *manifest, json_t **ret_object, struct error *err);

/* "file:12:7", where the field at a path such as "spec.rolloutPlan.rolloutBatches[0].replicas"
 * stands, or as much of the way to it as there is. The caller frees it. */
char *manifest_place(struct manifest *manifest, const char *path);

#endif
