// SPDX-License-Identifier: Apache-2.0
#include "base/alloc.h"
#include "base/clock.h"
#include "loop/loop_private.h"

static bool timer_before(const struct timer *a, const struct timer *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void heap_set(struct timer_heap *heap, size_t place, struct timer *timer)
{
    heap->at[place] = timer;
    timer->place = (int64_t)place;
}

static void heap_up(struct timer_heap *heap, size_t place)
{
    struct timer *timer = heap->at[place];
    for (; place > 1 && timer_before(timer, heap->at[place / 2]); place /= 2)
        heap_set(heap, place, heap->at[place / 2]);
    heap_set(heap, place, timer);
}

static void heap_down(struct timer_heap *heap, size_t place)
{
    struct timer *timer = heap->at[place];
    for (;;) {
        size_t child = place * 2;
        if (child > heap->count)
            break;
        if (child < heap->count && timer_before(heap->at[child + 1], heap->at[child]))
            child++;
        if (!timer_before(heap->at[child], timer))
            break;
        heap_set(heap, place, heap->at[child]);
        place = child;
    }
    heap_set(heap, place, timer);
}

static struct timer_heap *heap_of(struct loop *loop, const struct timer *timer)
{
    return timer->outside ? &loop->outside : &loop->timers;
}

/* The timer has its time and its heap. */
static void heap_add(struct timer_heap *heap, struct timer *timer)
{
    timer->order = heap->orders++;
    if (heap->count + 1 >= heap->size) {
        heap->size = heap->size ? heap->size * 2 : 32;
        heap->at = mem_grow(heap->at, heap->size * sizeof(struct timer *));
    }
    heap_set(heap, ++heap->count, timer);
    heap_up(heap, heap->count);
}

static void start(struct loop *loop, struct timer *timer, int64_t at_ms, timer_fn *on_time,
                  void *data)
{
    timer->at_ms = at_ms;
    timer->on_time = on_time;
    timer->data = data;
    heap_add(heap_of(loop, timer), timer);
}

void timer_start(struct loop *loop, struct timer *timer, int64_t delay_ms, timer_fn *on_time,
                 void *data)
{
    timer_stop(loop, timer);
    timer->outside = false;
    start(loop, timer, clock_monotonic_ms() + (delay_ms > 0 ? delay_ms : 0), on_time, data);
}

void timer_start_outside(struct loop *loop, struct timer *timer, int64_t delay_ms,
                         timer_fn *on_time, void *data)
{
    timer_stop(loop, timer);
    timer->outside = true;
    start(loop, timer, clock_outside_ms() + (delay_ms > 0 ? delay_ms : 0), on_time, data);
}

void timer_stop(struct loop *loop, struct timer *timer)
{
    struct timer_heap *heap = heap_of(loop, timer);
    size_t place = (size_t)timer->place;
    if (!place)
        return;
    timer->place = 0;
    struct timer *last = heap->at[heap->count--];
    if (last == timer)
        return;
    heap_set(heap, place, last);
    heap_up(heap, place);
    heap_down(heap, (size_t)last->place);
}

bool timer_running(const struct timer *timer)
{
    return timer->place != 0;
}

static void heap_run(struct loop *loop, struct timer_heap *heap, int64_t now_ms)
{
    uint64_t limit = heap->orders; /* what these start themselves is for the next turn */
    while (heap->count && !loop->stopping) {
        struct timer *timer = heap->at[1];
        if (timer->at_ms > now_ms || timer->order >= limit)
            return;
        timer_stop(loop, timer);
        timer->on_time(timer->data);
    }
}

void timers_run(struct loop *loop)
{
    heap_run(loop, &loop->outside, clock_outside_ms());
    heap_run(loop, &loop->timers, clock_monotonic_ms());
}

int64_t heap_wait_ms(const struct timer_heap *heap, int64_t now_ms, int64_t most)
{
    if (!heap->count)
        return most;
    int64_t wait = heap->at[1]->at_ms - now_ms;
    if (wait < 0)
        wait = 0;
    return wait < most ? wait : most;
}

int64_t timers_wait_ms(const struct loop *loop, int64_t most)
{
    int64_t now = clock_monotonic_ms();
    return heap_wait_ms(&loop->outside, now, heap_wait_ms(&loop->timers, now, most));
}
