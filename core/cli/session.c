// SPDX-License-Identifier: Apache-2.0
#include "cli/session.h"

#include "base/alloc.h"

enum { PATIENCE_MS = 5000 }; /* a person waits */

const struct flag flag_namespace = {
    .name = "namespace",
    .letter = 'n',
    .value = "NAME",
    .text = "which namespace (default: the context's)",
};
const struct flag flag_all_namespaces = {
    .name = "all-namespaces",
    .letter = 'A',
    .text = "all namespaces",
};

static int cluster_connect(struct session *session, struct access *access, struct error *err)
{
    const struct cluster_options options = {.user_agent = "sluice/" SLUICE_VERSION,
                                            .timeout_ms = PATIENCE_MS};
    return cluster_new_take(session->loop, access, &options, &session->cluster, err);
}

int session_open(const struct arguments *arguments, struct session *ret_session, struct error *err)
{
    const struct access_options where = {.kubeconfig = flag_value(arguments, &flag_kubeconfig),
                                         .context = flag_value(arguments, &flag_context)};
    struct session session = {.ns = flag_value(arguments, &flag_namespace)};
    struct access *access;
    int code = access_open(&where, &access, err);
    if (code == OK && (code = loop_new(&session.loop, err)) < 0)
        access_free(access);
    else if (code == OK)
        code = cluster_connect(&session, access, err);
    if (code < 0) {
        session_close(&session);
        return code;
    }
    if (!session.ns)
        session.ns = access_namespace(access);
    if (flag_value(arguments, &flag_all_namespaces))
        session.ns = NULL;
    *ret_session = session;
    return OK;
}

void session_close(struct session *session)
{
    cluster_free(session->cluster);
    loop_free(session->loop);
    *session = (struct session){0};
}

struct answer {
    bool there;
    int status; /* HTTP; 0: none came */
    json_t *body;
    struct error error;
};

static void on_reply(void *data, const struct reply *reply)
{
    struct answer *answer = data;
    answer->there = true;
    answer->status = reply->status;
    answer->body = json_incref(reply->body);
    answer->error = reply->error;
}

/* Nobody is there, or doesn't know us: it may be the wrong door. */
static void add_source(const struct session *session, struct error *err)
{
    char *said AUTO_FREE = str_copy(err->text);
    error_set(err, err->code, "%s (%s)", said, access_source(cluster_access(session->cluster)));
}

int session_call(struct session *session, const struct call_spec *spec, json_t **ret_body,
                 struct error *err)
{
    struct answer answer = {0};
    struct call *call = cluster_call(session->cluster, spec, on_reply, &answer);
    int code = loop_run_until(session->loop, &answer.there, 2 * PATIENCE_MS, err);
    if (code < 0) {
        call_cancel(call);
        add_source(session, err);
        return code;
    }
    if (answer.error.code == OK) {
        *ret_body = answer.body;
        return OK;
    }
    json_decref(answer.body);
    *err = answer.error;
    if (answer.status == 0 || answer.status == 401)
        add_source(session, err);
    return err->code;
}
