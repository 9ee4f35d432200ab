// SPDX-License-Identifier: Apache-2.0
/* Watching: a stream of events, one a line. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "cluster/object_text.h"
#include "cluster/watch_inside.h"

#include <string.h>

enum {
    STREAM_LEAST_S = 300, /* a stream is asked to last this long, … */
    STREAM_MORE_S = 300,  /* … and at random up to this much longer */
    STEADY_MS = 5 * 1000, /* a stream that lasted this long was a success */
};

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

void stream_begin(struct watch *watch)
{
    watch->phase = WATCHING;
    watch->cluster->counts.watch_restarts += watch->began_ms != 0;
    watch->began_ms = watch->heard_ms = clock_monotonic_ms();
    silence_await(watch);
    char *query AUTO_FREE =
        str_format("watch=1&allowWatchBookmarks=true&resourceVersion=%s&timeoutSeconds=%d",
                   watch->version, STREAM_LEAST_S + (int)random_below(STREAM_MORE_S));
    watch_send(watch,
               watch->metadata_only ? "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
                                    : NULL,
               query, 0);
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
    json_t *event AUTO_JSON = event_parse(line, count);
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
    else if (str_equal(type, "BOOKMARK"))
        watch->cluster->counts.bookmarks++;
    else
        watch_put(watch, object);
    return !watch->closed;
}

bool stream_take(struct watch *watch)
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
void stream_ended(struct watch *watch, const struct exchange_end *end)
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
