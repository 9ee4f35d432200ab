// SPDX-License-Identifier: Apache-2.0
/*
 * The Kubernetes API, one request at a time. A call is started and answered later on the loop's
 * thread. HTTP/2 over as few connections as there can be. What any client must do about trouble is
 * done here: 429 and 503 with Retry-After, lost connections and 5xx of reads are tried again with
 * back-off and jitter within the call's time; 401 renews the credential once. A write whose fate is
 * unknown is not repeated here: its caller reads and decides. (curl itself sends a request once
 * more when a connection that it has used before turns out to be dead before any answer. So 409 to
 * a POST, 404 to a DELETE may be the echo of one's own first try.) A certificate that is no good is
 * ERR_RETRY at once, since only somebody else can do something about it.
 */
#ifndef CLUSTER_CLUSTER_H
#define CLUSTER_CLUSTER_H

#include "base/error.h"
#include "cluster/access.h"
#include "loop/carrier.h"
#include "loop/loop.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct cluster;

struct cluster_options {
    const char *user_agent; /* "sluice/0.1.0" */
    int64_t timeout_ms;     /* for a call with all its repeats; 0: 30 s */
    size_t body_limit;      /* bytes of one answer; 0: 16 MiB */
    unsigned calls_at_once; /* further calls wait in line; 0: 32 */
    struct carrier carrier; /* of the API server, when that is in this process; zero: HTTP */
};

/* Owns `access`. The caller owns *ret_cluster. */
int cluster_new_take(struct loop *loop, struct access *access,
                     const struct cluster_options *options, struct cluster **ret_cluster,
                     struct error *err);

/* Cancels what is under way. Watches and recorders must have been closed before. */
void cluster_free(struct cluster *cluster);

struct loop *cluster_loop(struct cluster *cluster);
const struct access *cluster_access(const struct cluster *cluster);

/* The fence: when writes may be made, by clock_boot_ms(). Each one begins before the first moment
 * and is given up at the second; 0 and 0 is never. Whoever makes a write needs to know nothing of
 * it: one that is held back waits for the fence to be moved, and isn't answered if it never is. It
 * is looked at once more when the connection is there and the next thing that is done is to send
 * the request. Without a fence, which is how a cluster begins, nothing is held back. */
void cluster_fence(struct cluster *cluster, int64_t begin_by_ms, int64_t end_by_ms);
bool cluster_may_write(const struct cluster *cluster);

/* Beside the fence: from now on what has a namespace is written in those alone whose shard (see
 * shards.h) is open. All are closed; a write that is held back waits as by the fence. on_quiet is
 * told, from the loop, when in a shard that was closed no write is under way any more. */
typedef void quiet_fn(void *data);
void cluster_spread(struct cluster *cluster, unsigned shards, quiet_fn *on_quiet, void *data);
void cluster_shard_open(struct cluster *cluster, unsigned shard, bool open);
bool cluster_shard_writes(const struct cluster *cluster, unsigned shard);
bool cluster_may_write_in(const struct cluster *cluster, const char *ns);

/* Turns the loop until no write is under way, or the time is over. */
void cluster_settle(struct cluster *cluster, int64_t timeout_ms);

/* What was asked, and what came of it; both by number, with names for each. */
enum { REQUEST_VERBS = 7, REQUEST_CODES = 22 };
extern const char *const request_verbs[REQUEST_VERBS]; /* "get", … */
extern const char *const request_codes[REQUEST_CODES]; /* "200", …; "none" without an answer */

/* Counters for metrics and benches. */
struct cluster_counts {
    uint64_t reads, writes, retries, watch_events;
    uint64_t requests[REQUEST_VERBS][REQUEST_CODES]; /* that have ended */
    uint64_t watch_reads, bookmarks; /* of the reads those of watches, of the events bookmarks */
    uint64_t watch_restarts;         /* watches that were begun anew */
    uint64_t watches_failing;        /* at the moment */
    uint64_t undecodable; /* objects that were left out because their JSON can't be read */
};
struct cluster_counts cluster_counts(const struct cluster *cluster);

/* What to ask. Everything is copied. The time begins when the call is first sent, not while it
 * waits in line. */
struct call_spec {
    const char *method;       /* "GET", "POST", "PATCH", "PUT", "DELETE" */
    const char *path;         /* "/apis/apps/v1/namespaces/a/deployments/b", query included */
    const char *content_type; /* of the body; NULL: application/json */
    const char *accept;       /* NULL: application/json */
    const char *body;         /* NULL: none */
    const char *ns;           /* for whose sake it is written; NULL: as the path says */
    bool whole;               /* with managedFields, which are left out of answers otherwise */
    bool unfenced;      /* nothing holds it back: the Lease that the fence goes by, and what is
                           no business of the one that acts alone */
    int64_t timeout_ms; /* 0: the cluster's */
};

/* What came back. Borrowed during the callback.
 * error.code: OK (2xx) · ERR_MISSING 404 · ERR_CONFLICT 409 · ERR_GONE 410 · ERR_DENIED 401, 403 ·
 * ERR_INVALID 400, 405, 415, 422 · ERR_LIMIT answer too large, 413 · ERR_RETRY all the rest.
 * error.text is the server's own message, with method and path in front. */
struct reply {
    int status;   /* HTTP; 0 when no answer came */
    json_t *body; /* the object, or the Status; NULL when there is none */
    struct error error;
};

typedef void reply_fn(void *data, const struct reply *reply);
struct call;

/* on_reply is called exactly once, never before cluster_call() returns, and not at all after
 * call_cancel(). The returned call is borrowed and gone after its on_reply has returned. */
struct call *cluster_call(struct cluster *cluster, const struct call_spec *spec, reply_fn *on_reply,
                          void *data);
void call_cancel(struct call *call);

/* Content types of the three patches. */
#define PATCH_APPLY "application/apply-patch+yaml"
#define PATCH_MERGE "application/merge-patch+json"
#define PATCH_JSON  "application/json-patch+json"

#endif
