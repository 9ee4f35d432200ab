// SPDX-License-Identifier: Apache-2.0
/*
 * One call: it waits in line, is sent, perhaps waits and is sent again, and is answered. Its time
 * begins when it is first sent, so that a long line doesn't turn into time-outs. A write may find
 * the fence closed whenever it is to be sent; then it leaves the line until the fence is moved.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "cluster/backoff.h"
#include "cluster/call_private.h"
#include "cluster/cluster_private.h"
#include "cluster/exchange.h"
#include "cluster/object_text.h"

#include <stdlib.h>
#include <string.h>

struct call {
    struct list link;
    struct cluster *cluster;
    char *method, *path, *content_type, *accept, *body;
    reply_fn *on_reply;
    void *data;
    struct exchange exchange;
    struct backoff backoff;
    char *trouble;      /* why an earlier try got no answer */
    struct timer timer; /* waits for the next try */
    int64_t timeout_ms;
    int64_t deadline_ms; /* monotonic; 0: never sent yet */
    bool whole;          /* managedFields are wanted */
    bool fenced;         /* a write that the fence may hold back … */
    int shard;           /* … and this one, where writes are spread; -1: none */
    bool running, answered;
};

static void call_free(struct call *call)
{
    free(call->method);
    free(call->path);
    free(call->content_type);
    free(call->accept);
    free(call->body);
    free(call->trouble);
    free(call);
}

static bool is_read(const struct call *call)
{
    return str_equal(call->method, "GET") || str_equal(call->method, "HEAD");
}

/* It leaves the line for its place among those that run, or the other way round. */
static void call_set_running(struct call *call, bool running)
{
    struct cluster *cluster = call->cluster;
    if (running == call->running)
        return;
    call->running = running;
    cluster->running_count += running ? 1 : -1;
    if (!is_read(call))
        cluster->writing += running ? 1 : -1;
    cluster_shard_count(cluster, call->shard, running);
    cluster->settled = cluster->writing == 0;
}

static void call_hold_back(struct call *call)
{
    list_remove(&call->link);
    list_append(&call->cluster->held, &call->link);
    call_set_running(call, false);
    call->deadline_ms = 0;
}

/* A write must have ended before somebody else may take over. */
static int64_t call_time_left(const struct call *call)
{
    const struct fence *fence = &call->cluster->fence;
    int64_t left = call->deadline_ms - clock_monotonic_ms();
    int64_t most = call->fenced && fence->there ? fence->end_by_ms - clock_boot_ms() : left;
    left = left < most ? left : most;
    return left > 1 ? left : 1;
}

static bool call_may_leave(const struct call *call)
{
    return !call->fenced || cluster_may_write_shard(call->cluster, call->shard);
}

static void on_exchange_end(void *data, const struct exchange_end *end);

static void call_send(void *data)
{
    struct call *call = data;
    struct cluster *cluster = call->cluster;
    if (!call_may_leave(call)) {
        call_hold_back(call);
        return;
    }
    if (!call->deadline_ms)
        call->deadline_ms = clock_monotonic_ms() + call->timeout_ms;
    if (is_read(call))
        cluster->counts.reads++;
    else
        cluster->counts.writes++;
    call->exchange.cluster = cluster;
    call->exchange.on_end = on_exchange_end;
    call->exchange.data = call;
    call->exchange.spec = (struct exchange_spec){
        .method = call->method,
        .path = call->path,
        .accept = call->accept,
        .content_type = call->content_type,
        .body = call->body,
        .timeout_ms = call_time_left(call),
        .body_limit = cluster->body_limit,
        .lane = LANE_REQUESTS,
        .fenced = call->fenced,
    };
    exchange_start(&call->exchange);
}

static void call_start(struct call *call)
{
    list_remove(&call->link);
    list_append(&call->cluster->running, &call->link);
    call_set_running(call, true);
    call_send(call);
}

/* Sends those for which there is room now. */
static void calls_pump(struct cluster *cluster)
{
    while (!list_empty(&cluster->waiting) && cluster->running_count < cluster->calls_at_once)
        call_start(list_entry(cluster->waiting.next, struct call, link));
}

void calls_let_go(struct cluster *cluster)
{
    while (!list_empty(&cluster->held)) {
        struct call *call = list_entry(cluster->held.next, struct call, link);
        list_remove(&call->link);
        list_append(&cluster->waiting, &call->link);
    }
    calls_pump(cluster);
}

/* After this nothing is under way, and the cluster doesn't know the call any more. */
static void call_withdraw(struct call *call)
{
    list_remove(&call->link);
    timer_stop(call->cluster->loop, &call->timer);
    exchange_stop(&call->exchange);
    call_set_running(call, false);
}

/* The last try often gets only what is left of the time. That it ran out says less than why the
 * tries before it failed. */
static void call_explain(const struct call *call, const struct exchange_end *end, struct error *err)
{
    char *name AUTO_FREE = request_name(call->method, call->path);
    bool earlier = end->timed_out && call->trouble;
    error_set(err, end->error.code, "%s: %s", name, earlier ? call->trouble : end->error.text);
}

/* How long to wait before another try; -1: no more tries. */
static int64_t call_patience(struct call *call, const struct exchange_end *end)
{
    bool told = end->retry_after_ms > 0;
    bool again;
    if (end->status == 0)
        again = end->error.code == ERR_RETRY && !end->untrusted && (end->unsent || is_read(call));
    else if (end->status == 429)
        again = true;
    else if (end->status == 503)
        again = told || is_read(call);
    else
        again = end->status >= 500 && is_read(call);
    if (!again)
        return -1;
    int64_t wait = backoff_next(&call->backoff);
    if (wait < end->retry_after_ms)
        wait = end->retry_after_ms + random_below(200);
    return clock_monotonic_ms() + wait < call->deadline_ms ? wait : -1;
}

/* The answer as JSON; one that isn't JSON as a string, cut to what fits into a sentence. */
static json_t *call_body(const struct call *call)
{
    const struct text *body = &call->exchange.body;
    if (!body->len)
        return NULL;
    json_t *json =
        call->whole ? object_parse_whole(body->at, body->len) : object_parse(body->at, body->len);
    if (json)
        return json;
    size_t length = strcspn(body->at, "\r\n");
    return json_stringn(body->at, length < 200 ? length : 200);
}

static void call_answer(struct call *call, const struct exchange_end *end)
{
    struct cluster *cluster = call->cluster;
    struct reply reply = {.status = end->status};
    if (end->status) {
        reply.body = call_body(call);
        reply_error(end->status, reply.body, call->method, call->path, &reply.error);
    } else {
        call_explain(call, end, &reply.error);
    }
    call_withdraw(call);
    calls_pump(cluster);
    /* The cluster may be gone when this returns. */
    call->answered = true;
    call->on_reply(call->data, &reply);
    json_decref(reply.body);
    call_free(call);
}

static void on_exchange_end(void *data, const struct exchange_end *end)
{
    struct call *call = data;
    if (end->fenced) {
        call_hold_back(call);
        calls_pump(call->cluster);
        return;
    }
    count_request(call->cluster, call->method, end->status);
    int64_t wait = call_patience(call, end);
    if (wait < 0) {
        call_answer(call, end);
        return;
    }
    if (end->status == 0 && !end->timed_out)
        str_replace(&call->trouble, end->error.text);
    call->cluster->counts.retries++;
    timer_start(call->cluster->loop, &call->timer, wait, call_send, call);
}

/* By the namespace in the path, unless another one is given. */
static int shard_for(const struct cluster *cluster, const struct call_spec *spec)
{
    static const char before[] = "/namespaces/";
    const char *at = strstr(spec->path, before);
    if (spec->ns || !at)
        return cluster_shard_of(cluster, spec->ns);
    at += strlen(before);
    char *ns AUTO_FREE = str_copy_n(at, strcspn(at, "/?"));
    return cluster_shard_of(cluster, ns);
}

struct call *cluster_call(struct cluster *cluster, const struct call_spec *spec, reply_fn *on_reply,
                          void *data)
{
    struct call *call = mem_alloc(sizeof *call);
    call->cluster = cluster;
    call->method = str_copy(spec->method);
    call->path = str_copy(spec->path);
    call->content_type = str_copy(spec->content_type);
    call->accept = str_copy(spec->accept);
    call->body = str_copy(spec->body);
    call->whole = spec->whole;
    call->fenced = !spec->unfenced && !is_read(call);
    call->shard = call->fenced ? shard_for(cluster, spec) : -1;
    call->timeout_ms = spec->timeout_ms ? spec->timeout_ms : cluster->timeout_ms;
    call->on_reply = on_reply;
    call->data = data;
    list_append(&cluster->waiting, &call->link);
    if (spec->unfenced)
        call_start(call);
    else
        calls_pump(cluster);
    return call;
}

void call_cancel(struct call *call)
{
    if (!call || call->answered)
        return;
    struct cluster *cluster = call->cluster;
    call_withdraw(call);
    call_free(call);
    calls_pump(cluster);
}

void calls_cancel_all(struct cluster *cluster)
{
    struct list *const lists[] = {&cluster->waiting, &cluster->running, &cluster->held};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        while (!list_empty(lists[i])) {
            struct call *call = list_entry(lists[i]->next, struct call, link);
            call_withdraw(call);
            call_free(call);
        }
    }
}
