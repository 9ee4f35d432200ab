// SPDX-License-Identifier: Apache-2.0
/*
 * HTTP transfers on one curl multi handle.
 *
 * One handle for both lanes, because then watches and short requests to the API server are streams
 * of one HTTP/2 connection: one handshake, one set of TLS buffers, and a lost connection is noticed
 * by whoever speaks first, for all. There is no limit on connections for a watch to queue behind;
 * what is limited is how many requests run at once, and that is done here, before curl: time spent
 * in curl's own queue would count against a request's timeout.
 */
#include "base/alloc.h"
#include "loop/loop_private.h"

#include <stdlib.h>

enum {
    REQUESTS_AT_ONCE = 256, /* a lid on descriptors, not a policy: callers stay far below */
    STREAMS_AT_ONCE = 250,  /* what Go's HTTP/2 server, thus the API server, allows a connection */
    IDLE_CONNECTIONS_KEPT = 8 /* to the API server and to those whom hooks call */
};

struct transfer {
    struct loop *loop;
    struct list link; /* in the line, while it waits */
    enum lane lane;
    bool started, ended;
    CURL *easy;
    transfer_fn *on_done;
    void *data;
    struct timer refused; /* curl wouldn't take it: told in the next turn */
};

int transfers_init(struct loop *loop, struct error *err)
{
    list_init(&loop->transfers.waiting);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return error_set(err, ERR_RETRY, "curl could not be initialised");
    CURLM *multi = curl_multi_init();
    if (!multi) {
        curl_global_cleanup();
        return error_set(err, ERR_RETRY, "curl_multi_init failed");
    }
    curl_multi_setopt(multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
    curl_multi_setopt(multi, CURLMOPT_MAX_CONCURRENT_STREAMS, (long)STREAMS_AT_ONCE);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)IDLE_CONNECTIONS_KEPT);
    loop->transfers.multi = multi;
    sockets_init(loop);
    return OK;
}

void transfers_done(struct loop *loop)
{
    if (!loop->transfers.multi)
        return;
    curl_multi_cleanup(loop->transfers.multi); /* lets go of its sockets */
    timer_stop(loop, &loop->transfers.timer);
    curl_global_cleanup();
}

/* Calls on_done once and forgets the transfer. */
static void transfer_end(struct transfer *transfer, CURLcode result)
{
    transfer->ended = true;
    transfer->on_done(transfer->data, result);
    free(transfer);
}

static void on_refused(void *data)
{
    transfer_end(data, CURLE_FAILED_INIT);
}

static void transfer_begin(struct transfer *transfer)
{
    struct transfers *all = &transfer->loop->transfers;
    if (curl_multi_add_handle(all->multi, transfer->easy) != CURLM_OK) {
        timer_start(transfer->loop, &transfer->refused, 0, on_refused, transfer);
        return;
    }
    curl_easy_setopt(transfer->easy, CURLOPT_PRIVATE, transfer);
    transfer->started = true;
    if (transfer->lane == LANE_REQUESTS)
        all->requests++;
}

/* Takes it out of curl, which makes room for one that waits. */
static void transfer_withdraw(struct transfer *transfer)
{
    struct transfers *all = &transfer->loop->transfers;
    if (!transfer->started)
        return;
    transfer->started = false;
    curl_multi_remove_handle(all->multi, transfer->easy);
    if (transfer->lane == LANE_REQUESTS)
        all->requests--;
    while (!list_empty(&all->waiting) && all->requests < REQUESTS_AT_ONCE) {
        struct transfer *next = list_entry(all->waiting.next, struct transfer, link);
        list_remove(&next->link);
        transfer_begin(next);
    }
}

struct transfer *transfer_start(struct loop *loop, enum lane lane, CURL *easy, transfer_fn *on_done,
                                void *data)
{
    struct transfer *transfer = mem_alloc(sizeof *transfer);
    transfer->loop = loop;
    transfer->lane = lane;
    transfer->easy = easy;
    transfer->on_done = on_done;
    transfer->data = data;
    list_init(&transfer->link);
    if (lane == LANE_REQUESTS && loop->transfers.requests >= REQUESTS_AT_ONCE)
        list_append(&loop->transfers.waiting, &transfer->link);
    else
        transfer_begin(transfer);
    return transfer;
}

void transfer_stop(struct transfer *transfer)
{
    if (!transfer || transfer->ended)
        return;
    list_remove(&transfer->link);
    timer_stop(transfer->loop, &transfer->refused);
    transfer_withdraw(transfer);
    free(transfer);
}

int transfers_finish(struct loop *loop, struct error *err)
{
    CURLMsg *message;
    int left;
    while (!loop->stopping && (message = curl_multi_info_read(loop->transfers.multi, &left))) {
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode result = message->data.result; /* gone with the handle's removal */
        struct transfer *transfer = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
        transfer_withdraw(transfer);
        transfer_end(transfer, result);
    }
    CURLMcode trouble = loop->transfers.trouble;
    return trouble == CURLM_OK ? OK
                               : error_set(err, ERR_BUG, "curl_multi_socket_action: %s",
                                           curl_multi_strerror(trouble));
}
