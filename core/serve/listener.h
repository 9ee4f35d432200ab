// SPDX-License-Identifier: Apache-2.0
/*
 * libmicrohttpd on the loop: the socket, and the library's turns. What is answered is the business
 * of the handlers that it is given, which are the library's own.
 */
#ifndef SERVE_LISTENER_H
#define SERVE_LISTENER_H

#include "base/error.h"
#include "loop/loop.h"

#include <microhttpd.h>

struct listener;

struct listener_spec {
    const char *listen;            /* as in base/address.h */
    unsigned connections;          /* open at once; others wait */
    unsigned quiet_s;              /* one that says nothing for so long is closed; 0: never */
    size_t head_bytes;             /* of a request */
    bool suspends;                 /* whether handlers suspend connections */
    const char *certificate, *key; /* in PEM, for TLS; NULL: none. Borrowed while it is there */
    MHD_AccessHandlerCallback on_request;
    MHD_RequestCompletedCallback on_end; /* may be NULL */
    void *data;                          /* of both */
};

/* The caller owns *ret_listener. ERR_INVALID: no address; ERR_DENIED: it is in use, or not to be
 * had.
 */
int listener_new(struct loop *loop, const struct listener_spec *spec,
                 struct listener **ret_listener, struct error *err);

/* Suspended connections must have been resumed before. NULL is fine. */
void listener_free(struct listener *listener);

/* Gives the library a turn soon: for connections that were resumed outside one of its own. */
void listener_wake(struct listener *listener);

int listener_port(const struct listener *listener);

#endif
