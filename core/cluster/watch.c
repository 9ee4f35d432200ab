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
#include "base/clock.h"
#include "base/json.h"
#include "base/map.h"
#include "cluster/backoff.h"
#include "cluster/cluster_private.h"
#include "cluster/exchange.h"
#include "cluster/list_decode.h"
#include "cluster/watch_private.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

enum {
    PAGE = 500,
    STREAM_LEAST_S = 300,  /* a stream is asked to last this long, … */
    STREAM_MORE_S = 300,   /* … and at random up to this much longer */
    STEADY_MS = 5 * 1000,  /* a stream that lasted this long was a success */
    UNREACHABLE_TRIES = 8, /* which makes five seconds, see backoff.h */
    MISSING_MS = 60 * 1000 /* how often to ask for a kind that isn't there, unless kicked */
};

enum phase { LISTING, WATCHING };

struct watch {
    struct cluster *cluster;
    char *path, *query; /* the query's first part: selectors */
    bool metadata_only;
    char **keep;
    size_t keep_count;
    bool keep_all;
    struct watch_events events;
    void *data;

    enum phase phase;
    struct exchange exchange;
    char *url; /* path and query of the exchange */
    struct timer timer;
    struct backoff backoff;
    struct timer silence;
    int64_t began_ms;   /* the stream, monotonic */
    int64_t heard_ms;   /* the last time it brought something */
    bool kicked;        /* while something was under way: if it fails, try again soon */
    unsigned not_found; /* how many times in a row */

    struct list_decode *decode; /* while listing */
    char *next_page;            /* NULL: the first */
    uintptr_t round;            /* of listing, from 1 */
    struct map known;           /* "namespace/name" → the round that found it */

    char *version; /* watch from here; NULL: list first */
    bool synced;
    int state; /* the last code told; 1: none yet */

    unsigned busy; /* inside callbacks */
    bool closed;
};

/* Callbacks may close the watch: between enter and leave it stays in memory. */
static void watch_enter(struct watch *watch)
{
    watch->busy++;
}

static void watch_free(struct watch *watch)
{
    for (size_t i = 0; i < watch->keep_count; i++)
        free(watch->keep[i]);
    free(watch->keep);
    free(watch->path);
    free(watch->query);
    free(watch->url);
    free(watch->next_page);
    free(watch->version);
    map_done(&watch->known, NULL);
    list_decode_free(watch->decode);
    free(watch);
}

static void watch_leave(struct watch *watch)
{
    if (--watch->busy == 0 && watch->closed)
        watch_free(watch);
}

void watch_close(struct watch *watch)
{
    if (!watch || watch->closed)
        return;
    watch->closed = true;
    exchange_stop(&watch->exchange);
    timer_stop(watch->cluster->loop, &watch->timer);
    timer_stop(watch->cluster->loop, &watch->silence);
    if (!watch->busy)
        watch_free(watch);
}

bool watch_synced(const struct watch *watch)
{
    return watch->synced;
}

uint64_t version_number(const char *version)
{
    return version ? strtoull(version, NULL, 10) : 0;
}

uint64_t watch_seen(const struct watch *watch)
{
    return version_number(watch->version);
}

static void watch_tell_state(struct watch *watch, const struct error *err)
{
    if (watch->state == err->code)
        return;
    watch->state = err->code;
    if (watch->events.on_state && !watch->closed)
        watch->events.on_state(watch->data, err);
}

/* Objects */

static char *object_key(const json_t *object)
{
    const char *ns = json_string_at(object, "/metadata/namespace");
    const char *name = json_string_at(object, "/metadata/name");
    return name ? str_format("%s/%s", ns ? ns : "", name) : NULL;
}

static json_t *key_object(const char *key)
{
    const char *slash = strchr(key, '/');
    if (slash == key)
        return json_pack("{s:{s:s}}", "metadata", "name", slash + 1);
    return json_pack("{s:{s:s%, s:s}}", "metadata", "namespace", key, (size_t)(slash - key), "name",
                     slash + 1);
}

json_t *watch_prune(const struct watch *watch, json_t *object)
{
    if (!watch->keep_all)
        return json_pick(object, (const char *const *)watch->keep, watch->keep_count);
    json_t *metadata = json_object_get(object, "metadata");
    if (!json_object_get(metadata, "managedFields"))
        return json_incref(object);
    json_t *pruned = json_copy(object);
    json_object_set_new(pruned, "metadata", json_copy(metadata));
    json_remove_at(pruned, "/metadata/managedFields");
    return pruned;
}

static void watch_put(struct watch *watch, json_t *object)
{
    char *key AUTO_FREE = object_key(object);
    if (!key)
        return;
    map_put(&watch->known, key, (void *)watch->round);
    json_t *pruned AUTO_JSON = watch_prune(watch, object);
    if (watch->events.on_put)
        watch->events.on_put(watch->data, pruned);
}

static void watch_delete(struct watch *watch, json_t *object)
{
    char *key AUTO_FREE = object_key(object);
    if (!key || !map_remove(&watch->known, key))
        return;
    json_t *pruned AUTO_JSON = watch_prune(watch, object);
    if (watch->events.on_delete)
        watch->events.on_delete(watch->data, pruned);
}

/* Tells the deletion of everything that the present round hasn't found. */
static void watch_forget_old(struct watch *watch)
{
    size_t cursor = 0, count = 0;
    const struct map_entry *entry;
    char **gone = mem_alloc(watch->known.count * sizeof(char *));
    while ((entry = map_next(&watch->known, &cursor)))
        if ((uintptr_t)entry->value != watch->round)
            gone[count++] = str_copy(entry->key);
    for (size_t i = 0; i < count; i++) {
        json_t *object AUTO_JSON = key_object(gone[i]);
        if (!watch->closed)
            watch_delete(watch, object);
        free(gone[i]);
    }
    free(gone);
}

/* Going on */

static void watch_begin(void *data);

static void watch_begin_after(struct watch *watch, int64_t wait_ms)
{
    if (!watch->closed)
        timer_start(watch->cluster->loop, &watch->timer, wait_ms, watch_begin, watch);
}

static void watch_start_over(struct watch *watch)
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
    watch_start_over(watch);
    watch->synced = false;
    watch_forget_old(watch);
    watch_tell_state(watch, err);
    int64_t wait = backoff_next(&watch->backoff);
    bool patient = watch->backoff.tries > 10; /* after kicks it may take seconds to appear */
    watch_begin_after(watch, patient ? MISSING_MS + random_below(MISSING_MS / 4) : wait);
}

static void watch_trouble(struct watch *watch, const struct error *err, int64_t retry_after_ms)
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

/* What an answer other than 2xx, or none, says. True when it was a good one. */
static bool watch_answer(struct watch *watch, const struct exchange_end *end)
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

/* Listing */

/* Items of built-in kinds don't say what they are: the list does. */
static void item_complete(const struct watch *watch, json_t *item)
{
    const char *kind = list_decode_kind(watch->decode);
    const char *version = list_decode_api_version(watch->decode);
    size_t length = strlen(kind);
    if (length > 4 && str_equal(kind + length - 4, "List") && !json_object_get(item, "kind"))
        json_object_set_new(item, "kind", json_stringn(kind, length - 4));
    if (*version && !json_object_get(item, "apiVersion"))
        json_object_set_new(item, "apiVersion", json_string(version));
}

static int on_item(void *data, const char *bytes, size_t count)
{
    struct watch *watch = data;
    json_t *item AUTO_JSON = object_parse(bytes, count);
    if (!item) {
        watch->cluster->counts.undecodable++;
        return OK;
    }
    item_complete(watch, item);
    watch_put(watch, item);
    return watch->closed ? ERR_GONE : OK;
}

/* Gives what has arrived to the decoder. False when that failed and has been dealt with. */
static bool list_take(struct watch *watch)
{
    struct error err = {0};
    struct text arrived AUTO(text_done) = watch->exchange.body;
    watch->exchange.body = (struct text){0};
    int code = list_decode_feed(watch->decode, arrived.at, arrived.len, &err);
    if (code == OK || watch->closed)
        return !watch->closed;
    exchange_stop(&watch->exchange);
    error_prefix(&err, "GET %s", watch->path);
    watch_trouble(watch, &err, 0);
    return false;
}

static void list_complete(struct watch *watch)
{
    str_replace(&watch->version, list_decode_version(watch->decode));
    str_replace(&watch->next_page, NULL);
    list_decode_free(watch->decode);
    watch->decode = NULL;
    watch->not_found = 0;
    watch_forget_old(watch);
    watch->synced = true;
    if (watch->known.count > PAGE)
        malloc_trim(0); /* what the pages took */
    if (watch->events.on_synced && !watch->closed)
        watch->events.on_synced(watch->data);
    struct error fine = {0};
    watch_tell_state(watch, &fine);
    watch_begin_after(watch, 0);
}

static void list_ended(struct watch *watch, const struct exchange_end *end)
{
    struct error err = {0};
    if (!watch_answer(watch, end) || !list_take(watch))
        return;
    if (list_decode_end(watch->decode, &err) < 0) {
        error_prefix(&err, "GET %s", watch->path);
        watch_trouble(watch, &err, 0);
        return;
    }
    if (!*list_decode_continue(watch->decode)) {
        list_complete(watch);
        return;
    }
    str_replace(&watch->next_page, list_decode_continue(watch->decode));
    watch_begin_after(watch, 0);
}

/* Hands the exchange a new address: the collection with selectors and `more`. */
static void watch_address(struct watch *watch, char *more)
{
    free(watch->url);
    watch->url = str_format("%s%c%s%s", watch->path, strchr(watch->path, '?') ? '&' : '?',
                            watch->query, more);
    free(more);
}

static void watch_send(struct watch *watch, const char *accept, int64_t timeout_ms)
{
    watch->exchange.spec = (struct exchange_spec){
        .method = "GET",
        .path = watch->url,
        .accept = accept,
        .timeout_ms = timeout_ms,
        .body_limit = watch->cluster->body_limit,
        .lane = LANE_WATCHES,
    };
    watch->cluster->counts.reads++;
    exchange_start(&watch->exchange);
}

static void list_begin(struct watch *watch)
{
    watch->phase = LISTING;
    list_decode_free(watch->decode);
    watch->decode = list_decode_new(watch->cluster->body_limit, on_item, watch);
    char *page = watch->next_page ? curl_easy_escape(NULL, watch->next_page, 0) : NULL;
    watch_address(watch, str_format("limit=%d%s%s", PAGE, page ? "&continue=" : "",
                                    page ? page : ""));
    curl_free(page);
    watch_send(watch,
               watch->metadata_only
                   ? "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
                   : NULL,
               watch->cluster->timeout_ms);
}

/* Watching */

static void silence_await(struct watch *watch);

/* Looks when the limit may have been reached, not at every event. */
static void on_silence(void *data)
{
    struct watch *watch = data;
    struct cluster *cluster = watch->cluster;
    if (clock_monotonic_ms() - watch->heard_ms >= cluster->silence_ms) {
        watch->heard_ms = clock_monotonic_ms();
        sockets_drop_silent(&cluster->sockets, cluster->silence_ms);
    }
    silence_await(watch);
}

static void silence_await(struct watch *watch)
{
    int64_t due = watch->heard_ms + watch->cluster->silence_ms;
    timer_start(watch->cluster->loop, &watch->silence, due - clock_monotonic_ms(), on_silence,
                watch);
}

static void stream_begin(struct watch *watch)
{
    watch->phase = WATCHING;
    watch->began_ms = watch->heard_ms = clock_monotonic_ms();
    silence_await(watch);
    watch_address(watch, str_format("watch=1&allowWatchBookmarks=true&resourceVersion=%s"
                                    "&timeoutSeconds=%d",
                                    watch->version,
                                    STREAM_LEAST_S + (int)random_below(STREAM_MORE_S)));
    watch_send(watch,
               watch->metadata_only
                   ? "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
                   : NULL,
               0);
}

static void stream_error(struct watch *watch, const json_t *status)
{
    struct error err = {0};
    reply_error((int)json_int_at(status, "/code", 500), status, "WATCH", watch->path, &err);
    if (err.code == OK)
        error_set(&err, ERR_RETRY, "WATCH %s: an error without a code", watch->path);
    exchange_stop(&watch->exchange);
    timer_stop(watch->cluster->loop, &watch->silence);
    watch_start_over(watch);
    watch_trouble(watch, &err, json_int_at(status, "/details/retryAfterSeconds", 0) * 1000);
}

/* One line of the stream. False when the stream is over with it. */
static bool stream_event(struct watch *watch, const char *line, size_t count)
{
    json_t *event AUTO_JSON = object_parse(line, count);
    const char *type = json_string_value(json_object_get(event, "type"));
    json_t *object = json_object_get(event, "object");
    if (!type || !json_is_object(object)) {
        watch->cluster->counts.undecodable++;
        return true;
    }
    if (str_equal(type, "ERROR")) {
        stream_error(watch, object);
        return false;
    }
    watch->cluster->counts.watch_events++;
    backoff_reset(&watch->backoff);
    const char *version = json_string_at(object, "/metadata/resourceVersion");
    if (version)
        str_replace(&watch->version, version);
    if (str_equal(type, "DELETED"))
        watch_delete(watch, object);
    else if (!str_equal(type, "BOOKMARK"))
        watch_put(watch, object);
    return !watch->closed;
}

/* Handles the whole lines that have arrived. False when the stream is over with one of them. */
static bool stream_take(struct watch *watch)
{
    watch->heard_ms = clock_monotonic_ms();
    struct text arrived AUTO(text_done) = watch->exchange.body;
    watch->exchange.body = (struct text){0};
    size_t at = 0;
    char *newline;
    while (at < arrived.len && (newline = memchr(arrived.at + at, '\n', arrived.len - at))) {
        size_t length = (size_t)(newline - arrived.at) - at;
        if (length && !stream_event(watch, arrived.at + at, length))
            return false;
        at += length + 1;
    }
    if (at < arrived.len)
        text_add(&watch->exchange.body, arrived.at + at, arrived.len - at);
    return true;
}

/* The server lets a stream end when its time is up, and any connection may be lost: neither is
 * worth telling as long as the next stream can be opened. */
static void stream_ended(struct watch *watch, const struct exchange_end *end)
{
    timer_stop(watch->cluster->loop, &watch->silence);
    if (watch->exchange.good && !stream_take(watch))
        return;
    bool lost = watch->exchange.good && end->error.code != ERR_LIMIT;
    if (!lost && !watch_answer(watch, end))
        return;
    text_done(&watch->exchange.body);
    bool lasted = clock_monotonic_ms() - watch->began_ms >= STEADY_MS;
    if (lasted)
        backoff_reset(&watch->backoff);
    watch_begin_after(watch, lasted ? random_below(100) : backoff_next(&watch->backoff));
}

/* Both phases */

static void on_some(void *data)
{
    struct watch *watch = data;
    struct error fine = {0};
    watch_enter(watch);
    if (watch->phase == LISTING) {
        list_take(watch);
    } else {
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
    if (watch->phase == LISTING)
        list_ended(watch, end);
    else
        stream_ended(watch, end);
    watch_leave(watch);
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
    watch->keep = mem_alloc(watch->keep_count * sizeof(char *));
    for (size_t i = 0; i < watch->keep_count; i++)
        watch->keep[i] = str_copy(spec->keep[i]);
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
