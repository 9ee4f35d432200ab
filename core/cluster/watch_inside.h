// SPDX-License-Identifier: Apache-2.0
/* The inside of a watch, shared by its files: watch.c (its life and what it does about trouble),
 * watch_list.c and watch_stream.c (the two phases), watch_objects.c (what it knows). Private to
 * these.
 */
#ifndef CLUSTER_WATCH_INSIDE_H
#define CLUSTER_WATCH_INSIDE_H

#include "base/map.h"
#include "cluster/backoff.h"
#include "cluster/cluster_private.h"
#include "cluster/exchange.h"
#include "cluster/list_decode.h"
#include "cluster/watch_private.h"

enum { WATCH_PAGE = 500 };

enum phase { LISTING, WATCHING };

struct watch {
    struct cluster *cluster;
    char *path, *query; /* the query's first part: selectors */
    bool metadata_only;
    char **keep, **digest;
    size_t keep_count, digest_count;
    char *digest_if;
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
    int state;     /* the last code told; 1: none yet */
    char *failure; /* the words that went with it; NULL for OK */

    unsigned busy; /* inside callbacks */
    bool closed;
};

/* watch.c. Callbacks may close the watch, so whoever has called one looks at `closed`. */

/* Goes on, by watching where there is a version and by listing otherwise. */
void watch_begin_after(struct watch *watch, int64_t wait_ms);
/* Forgets where it was, so that it lists from the beginning. */
void watch_start_over(struct watch *watch);
/* Sends a request for the collection. `query` is added to the selectors. */
void watch_send(struct watch *watch, const char *accept, const char *query, int64_t timeout_ms);
/* True when the answer was a good one; otherwise that has been dealt with. */
bool watch_answer(struct watch *watch, const struct exchange_end *end);
/* Something went wrong: tells it if that is new, and tries again after a while. */
void watch_trouble(struct watch *watch, const struct error *err, int64_t retry_after_ms);
void watch_tell_state(struct watch *watch, const struct error *err);

/* watch_objects.c */
void watch_put(struct watch *watch, json_t *object);
void watch_delete(struct watch *watch, json_t *object);
/* Tells the deletion of everything that the present round of listing hasn't found. */
void watch_forget_old(struct watch *watch);

/* watch_list.c */
void list_begin(struct watch *watch);
/* Gives what has arrived to the decoder. False when that failed and has been dealt with. */
bool list_take(struct watch *watch);
void list_ended(struct watch *watch, const struct exchange_end *end);

/* watch_stream.c */
void stream_begin(struct watch *watch);
/* Handles the whole lines that have arrived. False when the stream is over with one of them. */
bool stream_take(struct watch *watch);
void stream_ended(struct watch *watch, const struct exchange_end *end);

#endif
