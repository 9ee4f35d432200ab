// SPDX-License-Identifier: Apache-2.0
#include "base/alloc.h"
#include "base/clock.h"
#include "cluster/call_private.h"
#include "cluster/cluster_private.h"
#include "cluster/shards.h"

#include <stdlib.h>

/* The API server sends a bookmark each minute; two may be lost in the throng. */
enum { SILENCE_MS = 150 * 1000 };

int cluster_new_take(struct loop *loop, struct access *access,
                     const struct cluster_options *options, struct cluster **ret_cluster,
                     struct error *err)
{
    struct cluster *cluster = mem_alloc(sizeof *cluster);
    cluster->loop = loop;
    cluster->access = access;
    cluster->user_agent = str_copy(options->user_agent ? options->user_agent : "sluice");
    cluster->timeout_ms = options->timeout_ms ? options->timeout_ms : 30 * 1000;
    cluster->body_limit = options->body_limit ? options->body_limit : 16u << 20;
    cluster->calls_at_once = options->calls_at_once ? options->calls_at_once : 32;
    cluster->silence_ms = SILENCE_MS;
    cluster->carrier = options->carrier;
    list_init(&cluster->waiting);
    list_init(&cluster->running);
    list_init(&cluster->held);
    cluster->settled = true;
    *ret_cluster = cluster;
    return OK;
}

void cluster_free(struct cluster *cluster)
{
    if (!cluster)
        return;
    calls_cancel_all(cluster);
    timer_stop(cluster->loop, &cluster->quiet);
    free(cluster->shards);
    access_free(cluster->access);
    sockets_done(&cluster->sockets);
    free(cluster->user_agent);
    free(cluster);
}

struct loop *cluster_loop(struct cluster *cluster)
{
    return cluster->loop;
}

const struct access *cluster_access(const struct cluster *cluster)
{
    return cluster->access;
}

void cluster_fence(struct cluster *cluster, int64_t begin_by_ms, int64_t end_by_ms)
{
    cluster->fence = (struct fence){true, begin_by_ms, end_by_ms};
    calls_let_go(cluster);
}

bool cluster_may_write(const struct cluster *cluster)
{
    return !cluster->fence.there || clock_boot_ms() < cluster->fence.begin_by_ms;
}

void cluster_spread(struct cluster *cluster, unsigned shards, quiet_fn *on_quiet, void *data)
{
    cluster->shards = mem_alloc(shards * sizeof *cluster->shards);
    cluster->shard_count = shards;
    cluster->on_quiet = on_quiet;
    cluster->quiet_data = data;
}

int cluster_shard_of(const struct cluster *cluster, const char *ns)
{
    return cluster->shards && ns && *ns ? (int)shard_of(ns, cluster->shard_count) : -1;
}

void cluster_shard_open(struct cluster *cluster, unsigned shard, bool open)
{
    cluster->shards[shard].open = open;
    if (open)
        calls_let_go(cluster);
}

bool cluster_shard_writes(const struct cluster *cluster, unsigned shard)
{
    return cluster->shards[shard].writing > 0;
}

bool cluster_may_write_shard(const struct cluster *cluster, int shard)
{
    return cluster_may_write(cluster) && (shard < 0 || cluster->shards[shard].open);
}

bool cluster_may_write_in(const struct cluster *cluster, const char *ns)
{
    return cluster_may_write_shard(cluster, cluster_shard_of(cluster, ns));
}

static void on_quiet(void *data)
{
    struct cluster *cluster = data;
    cluster->on_quiet(cluster->quiet_data);
}

void cluster_shard_count(struct cluster *cluster, int shard, bool begun)
{
    if (shard < 0)
        return;
    struct spread_shard *place = &cluster->shards[shard];
    place->writing += begun ? 1 : -1;
    if (!place->open && !place->writing && cluster->on_quiet)
        timer_start(cluster->loop, &cluster->quiet, 0, on_quiet, cluster);
}

void cluster_settle(struct cluster *cluster, int64_t timeout_ms)
{
    loop_run_until(cluster->loop, &cluster->settled, timeout_ms, NULL);
}

struct cluster_counts cluster_counts(const struct cluster *cluster)
{
    return cluster->counts;
}
