// SPDX-License-Identifier: Apache-2.0
/*
 * The work queue: keys ("namespace/name") that want a pass. A key that is added while its pass is
 * under way gets one more pass afterwards; adding it twice before is adding it once. Trouble is
 * repeated with back-off, each key by itself. A bounded number of passes run at once, a few are
 * started a turn, so that no crowd of keys holds up the loop.
 */
#ifndef RECONCILE_QUEUE_H
#define RECONCILE_QUEUE_H

#include "loop/loop.h"

#include <stdint.h>

struct queue;

/* Starts a pass; it ends with queue_done() or queue_retry(), at once or later. */
typedef void queue_fn(void *data, const char *key);

struct queue *queue_new(struct loop *loop, unsigned running_max, queue_fn *run, void *data);
void queue_free(struct queue *queue);

/* Starts no pass until it is released. */
void queue_hold(struct queue *queue);
void queue_release(struct queue *queue);

/* Now, or after a delay; of several times for one key the earliest counts. */
void queue_add(struct queue *queue, const char *key);
void queue_add_after(struct queue *queue, const char *key, int64_t delay_ms);

/* The pass of this key has ended: well, which forgets its back-off, or in trouble, which adds it
 * again with back-off. `key` may be the one that the pass was started with. */
void queue_done(struct queue *queue, const char *key);
void queue_retry(struct queue *queue, const char *key);

/* How passes have ended, and how long they took: each is counted in the first class whose bound it
 * stays within. The last class has none. */
enum { QUEUE_CLASSES = 9 };
extern const int queue_bounds_ms[QUEUE_CLASSES]; /* 0: no bound */
struct queue_figures {
    uint64_t done, troubles;
    uint64_t lasted[QUEUE_CLASSES];
    int64_t lasted_us; /* all together */
};
const struct queue_figures *queue_figures(const struct queue *queue);

/* Keys that wait or run. */
size_t queue_length(const struct queue *queue);

#endif
