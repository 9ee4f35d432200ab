// SPDX-License-Identifier: Apache-2.0
/*
 * One HTTP request to the API server and its answer: what calls and watches have in common.
 * Credentials are made ready first and once more after a 401; nothing else is tried again here.
 *
 * A struct exchange lives in its owner, zeroed at first, and can be used again after its end.
 * Private to core/cluster.
 */
#ifndef CLUSTER_EXCHANGE_H
#define CLUSTER_EXCHANGE_H

#include "base/error.h"
#include "base/text.h"
#include "cluster/cluster.h"
#include "loop/loop.h"

#include <stdbool.h>

/* What to send. The strings belong to the owner and must stay until the end. */
struct exchange_spec {
    const char *method, *path, *accept;
    const char *content_type, *body; /* body NULL: none */
    int64_t timeout_ms;              /* 0: as long as it takes */
    size_t body_limit;               /* of bytes not taken out of `body` */
    enum lane lane;
    bool fenced; /* not to be sent where the cluster may not write */
};

/* How it ended. */
struct exchange_end {
    int status;             /* HTTP; 0: no answer, or not a whole one */
    int64_t retry_after_ms; /* what the server asks for; 0: nothing */
    bool unsent;            /* the request can't have reached the server */
    bool untrusted;         /* a certificate is no good: trying again at once is no use */
    bool fenced;            /* held back by the fence, and so unsent */
    bool timed_out;         /* spec.timeout_ms was too short for it */
    struct error error;     /* when status is 0: what was tried and why it failed */
};

struct exchange {
    struct cluster *cluster;
    struct exchange_spec spec;
    /* Optional. Called when the head of a good answer (2xx) is there and then when bytes have come
     * into `body`; the owner takes them out. */
    void (*on_some)(void *data);
    /* Called once; `body` holds what was not taken out. The exchange may be started again. */
    void (*on_end)(void *data, const struct exchange_end *end);
    void *data;

    struct text body;

    struct carried *carried; /* by the cluster's carrier, instead of what curl needs: */
    CURL *easy;
    struct curl_slist *headers;
    struct transfer *transfer;
    struct timer some, failed;
    struct error *failure; /* told by `failed` */
    char *trouble;         /* curl's own words */
    int64_t began_ms;      /* monotonic */
    bool renewing, renewed, too_large;
    bool good; /* the head of a good answer has come */
};

/* Sends it. on_some and on_end are called from the loop, never before this returns. */
void exchange_start(struct exchange *exchange);

/* Ends it without on_end and forgets the body. Harmless when nothing is under way. */
void exchange_stop(struct exchange *exchange);

/* Between exchange.c and exchange_carried.c: lets go of all that a request needs; has on_some
 * called soon; the answer is larger than it may be; sends it by the carrier. */
void exchange_release(struct exchange *exchange);
void exchange_tell_some(struct exchange *exchange);
void exchange_too_large(const struct exchange *exchange, struct error *err);
void exchange_carry(struct exchange *exchange);

#endif
