// SPDX-License-Identifier: Apache-2.0
/*
 * A watch goes round between three phases:
 *
 *     LISTING ── last page ──► WATCHING ── stream ended ──► WATCHING
 *        ▲  ▲                     │   │
 *        │  └──────── 410 ────────┘   │ trouble
 *        └─────── the time is up ─── WAITING (goes on where the trouble was)
 *
 * How a dead server is noticed: a lost connection by the kernel (see exchange.c); a server that
 * keeps the connection but says nothing by the bookmarks that don't come, and then by everything
 * else that doesn't (see sockets.h). Apart from that each stream ends after five to ten minutes, at
 * random, as with every Kubernetes client.
 */
#include "base/alloc.h"
#include "base/json.h"
#include "cluster/object_text.h"
#include "cluster/watch_inside.h"

#include <stdlib.h>
#include <string.h>

enum {
    UNREACHABLE_TRIES = 8, /* which makes five seconds, see backoff.h */
    MISSING_MS = 60 * 1000 /* how often to ask for a kind that isn't there, unless kicked */
};

static char **strings_copy(const char *const *strings, size_t count)
{
    char **copies = mem_alloc(count * sizeof *copies);
    for (size_t i = 0; i < count; i++)
        copies[i] = str_copy(strings[i]);
    return copies;
}

static void strings_free(char **strings, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(strings[i]);
    free(strings);
}

/* Callbacks may close the watch: between enter and leave it stays in memory. */
static void watch_enter(struct watch *watch)
{
    watch->busy++;
}

static void watch_free(struct watch *watch)
{
    strings_free(watch->keep, watch->keep_count);
    strings_free(watch->digest, watch->digest_count);
    free(watch->digest_if);
    free(watch->path);
    free(watch->query);
    free(watch->url);
    free(watch->next_page);
    free(watch->version);
    free(watch->failure);
    map_done(&watch->known, NULL);
    list_decode_free(watch->decode);
    free(watch);
}

static void watch_leave(struct watch *watch)
{
    if (--watch->busy == 0 && watch->closed)
        watch_free(watch);
}

bool watch_synced(const struct watch *watch)
{
    return watch->synced;
}

const char *watch_failure(const struct watch *watch)
{
    return watch->failure;
}

bool watch_denied(const struct watch *watch)
{
    return watch->state == ERR_DENIED;
}

/* A kind that isn't there is waited for, and that is no trouble. */
static bool is_trouble(int state)
{
    return state < 0 && state != ERR_MISSING;
}

static void set_state(struct watch *watch, int state)
{
    uint64_t *failing = &watch->cluster->counts.watches_failing;
    *failing -= is_trouble(watch->state);
    watch->state = state;
    *failing += is_trouble(watch->state);
}

void watch_tell_state(struct watch *watch, const struct error *err)
{
    if (watch->state == err->code)
        return;
    set_state(watch, err->code);
    free(watch->failure);
    watch->failure = err->code == OK ? NULL : str_copy(err->text);
    if (watch->events.on_state && !watch->closed)
        watch->events.on_state(watch->data, err);
}

void watch_close(struct watch *watch)
{
    if (!watch || watch->closed)
        return;
    watch->closed = true;
    set_state(watch, OK);
    exchange_stop(&watch->exchange);
    timer_stop(watch->cluster->loop, &watch->timer);
    timer_stop(watch->cluster->loop, &watch->silence);
    if (!watch->busy)
        watch_free(watch);
}

static void watch_begin(void *data)
{
    struct watch *watch = data;
    watch->kicked = false;
    if (watch->version)
        stream_begin(watch);
    else
        list_begin(watch);
}

void watch_begin_after(struct watch *watch, int64_t wait_ms)
{
    if (!watch->closed)
        timer_start(watch->cluster->loop, &watch->timer, wait_ms, watch_begin, watch);
}

void watch_start_over(struct watch *watch)
{
    str_replace(&watch->version, NULL);
    str_replace(&watch->next_page, NULL);
    watch->round++;
}

/* The kind has gone, and all objects with it. One 404 could come from a server that is just
 * starting, so what was there before is only given up after a second one. */
static void watch_missing(struct watch *watch, const struct error *err)
{
    if (watch->known.count && ++watch->not_found < 2) {
        watch_begin_after(watch, 1000 + random_below(1000));
        return;
    }
    int64_t wait = backoff_next(&watch->backoff);
    bool patient = watch->backoff.tries > 10; /* after kicks it may take seconds to appear */
    watch_begin_after(watch, patient ? MISSING_MS + random_below(MISSING_MS / 4) : wait);
    watch_start_over(watch);
    watch->synced = false;
    watch_forget_old(watch);
    watch_tell_state(watch, err);
}

void watch_trouble(struct watch *watch, const struct error *err, int64_t retry_after_ms)
{
    if (watch->kicked)
        backoff_reset(&watch->backoff);
    watch->kicked = false;
    if (watch->next_page && err->code != ERR_RETRY)
        watch_start_over(watch);
    if (err->code == ERR_MISSING) {
        watch_missing(watch, err);
        return;
    }
    if (err->code == ERR_GONE) {
        /* Expected after a pause; only when listing doesn't help is it trouble. */
        watch_start_over(watch);
        bool again = watch->backoff.tries > 0;
        int64_t wait = backoff_next(&watch->backoff);
        watch_begin_after(watch, again ? wait : 0);
        return;
    }
    struct error told = *err;
    if (told.code != ERR_DENIED)
        told.code = ERR_RETRY;
    int64_t wait = backoff_next(&watch->backoff);
    watch_begin_after(watch, wait < retry_after_ms ? retry_after_ms : wait);
    watch_tell_state(watch, &told);
}

void watch_kick(struct watch *watch)
{
    if (!timer_running(&watch->timer)) {
        watch->kicked = true;
        return;
    }
    backoff_reset(&watch->backoff);
    watch_begin_after(watch, 0);
}

bool watch_answer(struct watch *watch, const struct exchange_end *end)
{
    struct error err = end->error;
    if (end->status >= 200 && end->status < 300)
        return true;
    if (end->status) {
        const struct text *body = &watch->exchange.body;
        json_t *status AUTO_JSON = body->len ? object_parse(body->at, body->len) : NULL;
        reply_error(end->status, status, "GET", watch->path, &err);
    } else {
        error_prefix(&err, "GET %s", watch->path);
    }
    /* Knocking at a closed door costs nothing: no pause beyond five seconds. */
    if (end->unsent && watch->backoff.tries > UNREACHABLE_TRIES)
        watch->backoff.tries = UNREACHABLE_TRIES;
    text_done(&watch->exchange.body);
    watch_trouble(watch, &err, end->retry_after_ms);
    return false;
}

void watch_send(struct watch *watch, const char *accept, const char *query, int64_t timeout_ms)
{
    free(watch->url);
    watch->url = str_format("%s%c%s%s", watch->path, strchr(watch->path, '?') ? '&' : '?',
                            watch->query, query);
    watch->exchange.spec = (struct exchange_spec){
        .method = "GET",
        .path = watch->url,
        .accept = accept,
        .timeout_ms = timeout_ms,
        .body_limit = watch->cluster->body_limit,
        .lane = LANE_WATCHES,
    };
    watch->cluster->counts.reads++;
    watch->cluster->counts.watch_reads++;
    exchange_start(&watch->exchange);
}

static void on_some(void *data)
{
    struct watch *watch = data;
    struct error fine = {0};
    watch_enter(watch);
    if (watch->phase == LISTING) {
        list_take(watch);
    } else {
        watch->not_found = 0;
        watch_tell_state(watch, &fine);
        if (!watch->closed)
            stream_take(watch);
    }
    watch_leave(watch);
}

static void on_end(void *data, const struct exchange_end *end)
{
    struct watch *watch = data;
    watch_enter(watch);
    count_request(watch->cluster, watch->phase == LISTING ? "LIST" : "WATCH", end->status);
    if (watch->phase == LISTING)
        list_ended(watch, end);
    else
        stream_ended(watch, end);
    watch_leave(watch);
}

/* "labelSelector=a%3Db&fieldSelector=…&" */
static char *selectors_query(const struct watch_spec *spec)
{
    char *labels = spec->label_selector ? curl_easy_escape(NULL, spec->label_selector, 0) : NULL;
    char *fields = spec->field_selector ? curl_easy_escape(NULL, spec->field_selector, 0) : NULL;
    char *query = str_format("%s%s%s%s%s%s", labels ? "labelSelector=" : "", labels ? labels : "",
                             labels ? "&" : "", fields ? "fieldSelector=" : "",
                             fields ? fields : "", fields ? "&" : "");
    curl_free(labels);
    curl_free(fields);
    return query;
}

struct watch *watch_open(struct cluster *cluster, const struct watch_spec *spec,
                         const struct watch_events *events, void *data)
{
    struct watch *watch = mem_alloc(sizeof *watch);
    watch->cluster = cluster;
    watch->path = str_copy(spec->path);
    watch->query = selectors_query(spec);
    watch->metadata_only = spec->metadata_only;
    watch->keep_all = !spec->keep;
    watch->keep_count = spec->keep ? spec->keep_count : 0;
    watch->keep = strings_copy(spec->keep, watch->keep_count);
    watch->digest_count = spec->digest_count;
    watch->digest = strings_copy(spec->digest, spec->digest_count);
    watch->digest_if = str_copy(spec->digest_if);
    watch->events = *events;
    watch->data = data;
    watch->round = 1;
    watch->state = 1;
    watch->exchange.cluster = cluster;
    watch->exchange.on_some = on_some;
    watch->exchange.on_end = on_end;
    watch->exchange.data = watch;
    watch_begin_after(watch, 0);
    return watch;
}
