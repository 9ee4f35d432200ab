// SPDX-License-Identifier: Apache-2.0
/*
 * Kubeconfig files: found, merged as kubectl merges them, and one context picked out.
 * Private to core/cluster.
 */
#ifndef CLUSTER_KUBECONFIG_H
#define CLUSTER_KUBECONFIG_H

#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>

struct kubeconfig {
    char *context;    /* its name */
    char *ns;         /* NULL when the context has none */
    char *cluster_at; /* "clusters[name].cluster", to name fields in errors */
    char *user_at;
    json_t *cluster; /* as in the file, but paths of files are absolute */
    json_t *user;    /* {} when the context names none */
};

/* Reads `files`, a colon-separated list of which missing ones are skipped (all of them missing:
 * ERR_MISSING); of clusters, users and contexts with the same name the first one counts, and so
 * does the first current-context. `context` NULL means current-context.
 * ERR_INVALID names file and field. The caller owns what is in *ret_config. */
int kubeconfig_load(const char *files, const char *context, struct kubeconfig *ret_config,
                    struct error *err);
void kubeconfig_done(struct kubeconfig *config);

/* The string at `field` of a cluster or user; *ret_text is NULL when there is none or it is empty.
 * Borrowed. ERR_INVALID when something else than a string stands there. */
int config_string(const json_t *object, const char *at, const char *field, const char **ret_text,
                  struct error *err);
int config_bool(const json_t *object, const char *at, const char *field, bool *ret_value,
                struct error *err);

#endif
