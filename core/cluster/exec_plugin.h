// SPDX-License-Identifier: Apache-2.0
/*
 * Exec credential plugins (client.authentication.k8s.io): a program that prints a token or a client
 * certificate. It runs beside the loop, with a time limit, and its answer is kept until it expires.
 * Private to core/cluster.
 */
#ifndef CLUSTER_EXEC_PLUGIN_H
#define CLUSTER_EXEC_PLUGIN_H

#include "base/error.h"
#include "cluster/kubeconfig.h"
#include "loop/loop.h"

#include <stdbool.h>

struct exec_plugin;

/* What the plugin said; members that it left out are NULL. Borrowed until it is run again. */
struct exec_credential {
    char *token, *certificate, *key;
    int64_t expires_ms; /* wall clock; 0: never */
};

/* Reads users[].user.exec of the configuration; the caller owns *ret_plugin. ERR_INVALID names the
 * field. Nothing is run yet. */
int exec_plugin_new(const struct kubeconfig *config, struct exec_plugin **ret_plugin,
                    struct error *err);
/* Kills a run that is under way. */
void exec_plugin_free(struct exec_plugin *plugin);

/* NULL until the first successful run. */
const struct exec_credential *exec_plugin_credential(const struct exec_plugin *plugin);

/* Whether it must be run before the next request; `rejected`: the server said 401 to what we have.
 */
bool exec_plugin_due(const struct exec_plugin *plugin, bool rejected);

/* Runs it, unless it is running, and calls on_end in the end (for all that asked: once; the one
 * given first). Never calls it before it returns. */
typedef void exec_fn(void *data, const struct error *err);
void exec_plugin_run(struct exec_plugin *plugin, struct loop *loop, exec_fn *on_end, void *data);

#endif
