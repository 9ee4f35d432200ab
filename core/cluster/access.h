// SPDX-License-Identifier: Apache-2.0
/*
 * Access: where the API server is, how to know that it is the right one, and who we are. Read from
 * a kubeconfig, or from the service account inside a Pod. Credentials that change (token files,
 * rotating service-account tokens, exec plugins) are read again when they have to be.
 */
#ifndef CLUSTER_ACCESS_H
#define CLUSTER_ACCESS_H

#include "base/error.h"
#include "loop/loop.h"

#include <curl/curl.h>

struct access;

struct access_options {
    /* --kubeconfig; NULL: $KUBECONFIG, then the Pod's service account, then ~/.kube/config */
    const char *kubeconfig;
    const char *context; /* --context; NULL: current-context */
    /* The folder with the Pod's token, ca.crt and namespace; NULL: where every Pod has it */
    const char *service_account;
};

/* The caller owns *ret_access. ERR_INVALID names the file and the field; ERR_MISSING says which
 * places were tried. */
int access_open(const struct access_options *options, struct access **ret_access,
                struct error *err);

/* To an API server in this process, which a carrier reaches. The caller owns it. */
struct access *access_inside(void);

void access_free(struct access *access);

/* "https://127.0.0.1:6443", without a slash at the end. Borrowed. */
const char *access_server(const struct access *access);

/* Where all this was read: "kubeconfig /home/jo/.kube/config, context prod", or "the service
 * account in …". Borrowed. */
const char *access_source(const struct access *access);

/* The namespace of the context, "default" when it has none. Borrowed. */
const char *access_namespace(const struct access *access);

/* Makes the credentials ready: nothing to do for most; an exec plugin is run (never blocking the
 * loop) when it hasn't been or when its credential is about to expire. on_ready is called exactly
 * once, possibly before access_renew() returns. `rejected` says that the server answered 401 to
 * the present credential. */
typedef void access_fn(void *data, const struct error *err);
void access_renew(struct access *access, struct loop *loop, bool rejected, access_fn *on_ready,
                  void *data);

/* Forgets a renewal that was asked for with this data: its on_ready is not called any more. */
void access_forget(struct access *access, void *data);

/* Puts TLS settings on an easy handle and the Authorization header, if any, into *headers. */
int access_apply(struct access *access, CURL *easy, struct curl_slist **headers, struct error *err);

#endif
