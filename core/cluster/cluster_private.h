// SPDX-License-Identifier: Apache-2.0
/* The inside of struct cluster. Private to core/cluster. */
#ifndef CLUSTER_PRIVATE_H
#define CLUSTER_PRIVATE_H

#include "base/list.h"
#include "cluster/cluster.h"
#include "cluster/sockets.h"
#include "loop/loop.h"

struct cluster {
    struct loop *loop;
    struct access *access;
    char *user_agent;
    int64_t timeout_ms;
    size_t body_limit;
    int64_t silence_ms; /* how long a stream may bring nothing before its connection is doubted */
    struct cluster_counts counts;
    struct carrier carrier; /* zero: HTTP */
    struct sockets sockets;

    struct list waiting, running, held; /* calls */
    unsigned running_count, calls_at_once;
    unsigned writing; /* calls that have been sent, or are to be sent again */
    bool settled;     /* none of these */

    struct fence {
        bool there;
        int64_t begin_by_ms, end_by_ms;
    } fence;

    struct spread_shard {
        bool open;
        unsigned writing;
    } *shards; /* NULL: nothing is spread */
    unsigned shard_count;
    quiet_fn *on_quiet;
    void *quiet_data;
    struct timer quiet;
};

/* The shard of a namespace's writes; -1: it has none. */
int cluster_shard_of(const struct cluster *cluster, const char *ns);

/* As cluster_may_write_in(); -1: of what belongs to none. */
bool cluster_may_write_shard(const struct cluster *cluster, int shard);

/* A write in the shard has begun, or has ended. -1 is none. */
void cluster_shard_count(struct cluster *cluster, int shard, bool begun);

/* What an answer of the server means; `body` is the object or the Status, or NULL. The words are
 * "<method> <path without query>: <the server's message>". */
void reply_error(int status, const json_t *body, const char *method, const char *path,
                 struct error *ret_err);

/* A request has ended. `verb`: the method, or "LIST" or "WATCH". */
void count_request(struct cluster *cluster, const char *verb, int status);

/* "GET /api/v1/pods", without the query. The caller frees it. */
char *request_name(const char *method, const char *path);

#endif
