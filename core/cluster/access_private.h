// SPDX-License-Identifier: Apache-2.0
/* The inside of struct access, shared by the files that fill it in (access_open.c) and that use it
 * (access.c). Private to core/cluster. */
#ifndef CLUSTER_ACCESS_PRIVATE_H
#define CLUSTER_ACCESS_PRIVATE_H

#include "base/list.h"
#include "cluster/access.h"
#include "cluster/exec_plugin.h"
#include "cluster/file_text.h"

#include <stdbool.h>

struct access {
    char *server, *ns;
    char *source; /* where they were read */
    char *url;    /* what requests are addressed to: the server, under its TLS name if any */
    struct curl_slist *connect_to; /* where the server is, if the TLS name says otherwise */
    char *host;                    /* then the Host header that names it nevertheless */
    char *proxy;                   /* or NULL */
    char *basic;                   /* "user:password", or NULL */
    bool insecure, loopback;
    struct file_text ca, certificate, key, token;
    struct curl_slist *impersonate; /* headers */
    struct exec_plugin *exec;       /* or NULL */
    struct list waiting, serving;   /* who asked for a renewal; those being answered now */
};

/* Fills in server, url, connect_to, host and loopback. `tls_name` may be NULL. `at` names the field
 * in errors. */
int access_set_server(struct access *access, const char *server, const char *tls_name,
                      const char *at, struct error *err);

/* What to put in front of a path in CURLOPT_URL. Borrowed. */
const char *access_url(const struct access *access);

/* Whether credentials that the server rejects may be replaced by others: a plugin can be run again,
 * a file may hold something newer. */
bool access_renewable(const struct access *access);

#endif
