// SPDX-License-Identifier: Apache-2.0
#include "passes.h"

#include "base/alloc.h"

#include <stdlib.h>

static void on_pass(void *data, const char *key)
{
    struct passes *passes = data;
    assert_true(passes->count < PASSES_MAX);
    passes->keys[passes->count++] = str_copy(key);
    passes->running++;
    if (passes->running > passes->running_most)
        passes->running_most = passes->running;
    passes->arrived = passes->count >= passes->awaited;
    /* With the very key that it was given, which is the queue's own. */
    pass_end(passes, key, passes->ending);
}

void pass_end(struct passes *passes, const char *key, enum ending ending)
{
    if (ending == STAY)
        return;
    passes->running--;
    if (ending == END_WELL)
        queue_done(passes->queue, key);
    else
        queue_retry(passes->queue, key);
}

void passes_init(struct passes *passes, unsigned running_max)
{
    *passes = (struct passes){.awaited = SIZE_MAX};
    assert_int_equal(loop_new(&passes->loop, NULL), OK);
    passes->queue = queue_new(passes->loop, running_max, on_pass, passes);
}

void passes_done(struct passes *passes)
{
    queue_free(passes->queue);
    loop_free(passes->loop);
    for (size_t i = 0; i < passes->count; i++)
        free(passes->keys[i]);
}

void passes_await(struct passes *passes, size_t count)
{
    struct error err = {0};
    passes->awaited = count;
    passes->arrived = passes->count >= count;
    if (loop_run_until(passes->loop, &passes->arrived, 10000, &err) < 0)
        fail_msg("%zu passes of %zu: %s", passes->count, count, err.text);
}

static void on_looked(void *data)
{
    loop_stop(((struct passes *)data)->loop);
}

/* Keys that became due before now are started in the next turn. */
static void on_look(void *data)
{
    struct passes *passes = data;
    timer_start(passes->loop, &passes->look, 0, on_looked, passes);
}

size_t passes_after(struct passes *passes, int64_t ms)
{
    timer_start(passes->loop, &passes->look, ms, on_look, passes);
    assert_int_equal(loop_run(passes->loop, NULL), OK);
    return passes->count;
}

size_t passes_of(const struct passes *passes, const char *key)
{
    size_t count = 0;
    for (size_t i = 0; i < passes->count; i++)
        count += str_equal(passes->keys[i], key);
    return count;
}
