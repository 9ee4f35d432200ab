// SPDX-License-Identifier: Apache-2.0
/*
 * A small HTTP server on the loop, with TLS if it is given a certificate: a few fixed paths,
 * nothing that anybody sends is kept. An answer is made when it is asked for, at once, by a
 * function of whoever knows it.
 *
 * Strict on purpose: a path takes GET, or POST with a body of a limited size, and another method is
 * 405, another path 404, a body where none belongs 400, one that is too large 413; a request's head
 * may have 16 KiB, 64 connections may be open and others wait, one that says nothing for 10 s is
 * closed. No thread.
 */
#ifndef SERVE_SERVE_H
#define SERVE_SERVE_H

#include "base/text.h"
#include "loop/loop.h"

struct serve;

struct serve_answer {
    const struct text *asked; /* the body of a POST; NULL: of a GET */
    unsigned status;          /* 200 unless changed */
    const char *type;         /* text/plain unless changed */
    struct text body;         /* released by the server */
};

typedef void serve_fn(void *data, struct serve_answer *answer);

struct serve_route {
    const char *path; /* all of it, without a query */
    serve_fn *answer;
    void *data;
    size_t body_max; /* bytes of the body of a POST; 0: it takes GET */
};

struct serve_spec {
    const char *listen;               /* as in base/address.h */
    const struct serve_route *routes; /* ends in one without path; stays the caller's, in place */
    const char *certificate, *key;    /* in PEM, for TLS; NULL: none. They must stay, too */
};

/* The caller owns *ret_serve. ERR_INVALID: no address; ERR_DENIED: it is in use, or not to be had;
 * ERR_RETRY: the certificate is none. */
int serve_new(struct loop *loop, const struct serve_spec *spec, struct serve **ret_serve,
              struct error *err);
void serve_free(struct serve *serve); /* NULL is fine */

int serve_port(const struct serve *serve);

#endif
