// SPDX-License-Identifier: Apache-2.0
/*
 * Each key that is anything but idle has an item:
 *
 *     waiting (its timer runs) ──► ready (in line) ──► running ──► gone
 *            ▲                       ▲                  │
 *            └───── back-off ────────┴── added again ───┘
 *
 * An item's timer may also run while its pass does: it was added for later.
 */
#include "reconcile/queue.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/map.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum {
    STARTS_A_TURN = 16,
    BACKOFF_FIRST_MS = 200,
    BACKOFF_MOST_MS = 60 * 1000,
};

struct queue {
    struct loop *loop;
    struct map items; /* key -> struct item */
    struct list ready;
    struct timer turn;
    unsigned running, running_max;
    bool held;
    struct queue_figures figures;
    queue_fn *run;
    void *data;
};

struct item {
    struct queue *queue;
    struct list link; /* in queue->ready */
    struct timer timer;
    unsigned troubles; /* in a row */
    bool ready, running;
    bool again;       /* added while it was running */
    int64_t began_us; /* the pass that is running */
    char key[];
};

struct queue *queue_new(struct loop *loop, unsigned running_max, queue_fn *run, void *data)
{
    struct queue *queue = mem_alloc(sizeof *queue);
    queue->loop = loop;
    list_init(&queue->ready);
    queue->running_max = running_max;
    queue->run = run;
    queue->data = data;
    return queue;
}

static void item_free(void *value)
{
    struct item *item = value;
    timer_stop(item->queue->loop, &item->timer);
    free(item);
}

void queue_free(struct queue *queue)
{
    if (!queue)
        return;
    timer_stop(queue->loop, &queue->turn);
    map_done(&queue->items, item_free);
    free(queue);
}

static void on_turn(void *data);

static void queue_turn_later(struct queue *queue)
{
    bool can_start =
        !queue->held && !list_empty(&queue->ready) && queue->running < queue->running_max;
    if (can_start && !timer_running(&queue->turn))
        timer_start(queue->loop, &queue->turn, 0, on_turn, queue);
}

/* The pass may end at once, so the item may be gone afterwards. */
static void item_start(struct item *item)
{
    struct queue *queue = item->queue;
    list_remove(&item->link);
    item->ready = false;
    item->running = true;
    item->began_us = clock_monotonic_us();
    queue->running++;
    queue->run(queue->data, item->key);
}

static void on_turn(void *data)
{
    struct queue *queue = data;
    for (int i = 0; i < STARTS_A_TURN; i++) {
        if (list_empty(&queue->ready) || queue->running >= queue->running_max)
            break;
        item_start(list_entry(queue->ready.next, struct item, link));
    }
    queue_turn_later(queue);
}

static struct item *item_of(struct queue *queue, const char *key)
{
    struct item *item = map_get(&queue->items, key);
    if (item)
        return item;
    size_t length = strlen(key);
    item = mem_alloc(sizeof *item + length + 1);
    item->queue = queue;
    list_init(&item->link);
    memcpy(item->key, key, length + 1);
    map_put(&queue->items, key, item);
    return item;
}

static void item_ready(struct item *item)
{
    timer_stop(item->queue->loop, &item->timer);
    if (item->running) {
        item->again = true;
    } else if (!item->ready) {
        item->ready = true;
        list_append(&item->queue->ready, &item->link);
        queue_turn_later(item->queue);
    }
}

static void on_item_time(void *data)
{
    item_ready(data);
}

static void item_ready_after(struct item *item, int64_t delay_ms)
{
    struct timer *timer = &item->timer;
    if (item->ready || item->again)
        return;
    if (timer_running(timer) && timer->at_ms <= clock_monotonic_ms() + delay_ms)
        return;
    timer_start(item->queue->loop, timer, delay_ms, on_item_time, item);
}

void queue_hold(struct queue *queue)
{
    queue->held = true;
    timer_stop(queue->loop, &queue->turn);
}

void queue_release(struct queue *queue)
{
    queue->held = false;
    queue_turn_later(queue);
}

void queue_add(struct queue *queue, const char *key)
{
    item_ready(item_of(queue, key));
}

void queue_add_after(struct queue *queue, const char *key, int64_t delay_ms)
{
    if (delay_ms > 0)
        item_ready_after(item_of(queue, key), delay_ms);
    else
        queue_add(queue, key);
}

/* Within a fifth more or less, so that those who failed together don't come back together. */
static int64_t backoff_ms(unsigned troubles)
{
    int64_t wait = BACKOFF_FIRST_MS;
    for (unsigned i = 1; i < troubles && wait < BACKOFF_MOST_MS; i++)
        wait *= 2;
    if (wait > BACKOFF_MOST_MS)
        wait = BACKOFF_MOST_MS;
    uint32_t random = 0;
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) != (ssize_t)sizeof random)
        return wait;
    return wait - wait / 5 + random % (2 * wait / 5 + 1);
}

const int queue_bounds_ms[QUEUE_CLASSES] = {1, 5, 10, 50, 100, 500, 1000, 5000, 0};

static void count_pass(struct queue_figures *figures, int64_t lasted_us)
{
    int at = 0;
    while (queue_bounds_ms[at] && lasted_us > (int64_t)queue_bounds_ms[at] * 1000)
        at++;
    figures->lasted[at]++;
    figures->lasted_us += lasted_us;
}

/* The pass has ended; is there another one to come? */
static void item_rest(struct item *item)
{
    struct queue *queue = item->queue;
    count_pass(&queue->figures, clock_monotonic_us() - item->began_us);
    item->running = false;
    queue->running--;
    if (item->again) {
        item->again = false;
        item_ready(item);
    } else if (!timer_running(&item->timer)) {
        map_remove(&queue->items, item->key);
        item_free(item);
    }
    queue_turn_later(queue);
}

void queue_done(struct queue *queue, const char *key)
{
    struct item *item = map_get(&queue->items, key);
    if (!item || !item->running)
        return;
    item->troubles = 0;
    queue->figures.done++;
    item_rest(item);
}

void queue_retry(struct queue *queue, const char *key)
{
    struct item *item = map_get(&queue->items, key);
    if (!item || !item->running)
        return;
    item->troubles++;
    queue->figures.troubles++;
    item_ready_after(item, backoff_ms(item->troubles));
    item_rest(item);
}

size_t queue_length(const struct queue *queue)
{
    return queue->items.count;
}

const struct queue_figures *queue_figures(const struct queue *queue)
{
    return &queue->figures;
}
