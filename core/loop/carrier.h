// SPDX-License-Identifier: Apache-2.0
/*
 * HTTP without a network: requests to a server that is in this process. What curl does for servers
 * elsewhere (loop.h), a carrier does here, in turns of the loop.
 */
#ifndef LOOP_CARRIER_H
#define LOOP_CARRIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed until the request has been started. */
struct carried_request {
    const char *method;
    const char *path; /* escaped, query included */
    const char *body; /* NULL: none */
    const char *content_type, *accept, *user_agent;
};

/* How an answer ended. */
struct carried_end {
    int status;            /* 0: none came */
    bool cut;              /* in the middle */
    int64_t retry_after_s; /* what the server asks for; 0: nothing */
};

/* Both are called from a turn of the loop, never while a request is being started. */
struct carried_events {
    /* Some of the answer's body; none of it, once, when that is only going to begin. */
    void (*on_some)(void *data, int status, const char *bytes, size_t count);
    /* Once; the request is gone then. */
    void (*on_end)(void *data, const struct carried_end *end);
};

struct carried; /* a request under way */

struct carrier {
    void *server;
    struct carried *(*start)(void *server, const struct carried_request *request,
                             const struct carried_events *events, void *data);
    void (*stop)(struct carried *carried); /* its events aren't called any more */
};

#endif
