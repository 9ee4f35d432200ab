// SPDX-License-Identifier: Apache-2.0
/*
 * A small HTTP server on the loop: a few fixed paths, GET only, nothing that anybody sends is kept.
 * An answer is made when it is asked for, at once, by a function of whoever knows it.
 *
 * Strict on purpose: another method is 405, another path 404, a body 400; a request's head may have
 * 16 KiB, 64 connections may be open and others wait, one that says nothing for 10 s is closed. No
 * thread.
 */
#ifndef SERVE_SERVE_H
#define SERVE_SERVE_H

#include "base/text.h"
#include "loop/loop.h"

struct serve;

struct serve_answer {
    unsigned status;  /* 200 unless changed */
    const char *type; /* text/plain unless changed */
    struct text body; /* released by the server */
};

typedef void serve_fn(void *data, struct serve_answer *answer);

struct serve_route {
    const char *path; /* all of it, without a query */
    serve_fn *answer;
    void *data;
};

/* `listen` as in base/address.h; `routes` end in one without path, and stay the caller's, in place.
 * The caller owns *ret_serve. ERR_INVALID: no address; ERR_DENIED: it is in use, or not to be had.
 */
int serve_new(struct loop *loop, const char *listen, const struct serve_route *routes,
              struct serve **ret_serve, struct error *err);
void serve_free(struct serve *serve); /* NULL is fine */

int serve_port(const struct serve *serve);

#endif
