// SPDX-License-Identifier: Apache-2.0
/* The way to a cluster for as long as one verb takes: each request is asked and waited for. */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include "cli/cli.h"
#include "cluster/cluster.h"

/* The options that lead to a cluster, for a verb's list of flags; --all-namespaces is its own. */
extern const struct flag flag_namespace, flag_all_namespaces;
#define SESSION_FLAGS &flag_kubeconfig, &flag_context, &flag_namespace

struct session {
    struct loop *loop;
    struct cluster *cluster;
    const char *ns; /* --namespace, or the context's; NULL: all. Borrowed */
};

/* ERR_INVALID or ERR_MISSING: the words say which places were tried. Release with
 * session_close(). */
int session_open(const struct arguments *arguments, struct session *ret_session, struct error *err);
void session_close(struct session *session);

/* The answer of a call; the caller owns *ret_body. Codes as in struct reply. When there is no
 * answer, the words say by which kubeconfig it was looked for. */
int session_call(struct session *session, const struct call_spec *spec, json_t **ret_body,
                 struct error *err);

#endif
