// SPDX-License-Identifier: Apache-2.0
#include "later.h"

#include "base/alloc.h"

#include <stdlib.h>

struct task {
    struct list link;
    struct timer timer;
    struct sandbox *sandbox;
    later_fn *function;
    char *key;
};

static void task_free(struct task *task)
{
    timer_stop(task->sandbox->loop, &task->timer);
    list_remove(&task->link);
    free(task->key);
    free(task);
}

/* What the function wants again is another task. */
static void on_time(void *data)
{
    struct task *task = data;
    list_remove(&task->link);
    task->function(task->sandbox, task->key);
    task_free(task);
}

static void add(struct sandbox *sandbox, struct list *tasks, int64_t delay_ms, later_fn *function,
                const char *key)
{
    struct task *task = mem_alloc(sizeof *task);
    task->sandbox = sandbox;
    task->function = function;
    task->key = str_copy(key);
    list_append(tasks, &task->link);
    timer_start(sandbox->loop, &task->timer, delay_ms, on_time, task);
}

void later_soon(struct sandbox *sandbox, later_fn *function, const char *key)
{
    for (struct list *at = sandbox->soon.next; at != &sandbox->soon; at = at->next) {
        const struct task *task = list_entry(at, struct task, link);
        if (task->function == function && str_equal(task->key, key))
            return;
    }
    add(sandbox, &sandbox->soon, 0, function, key);
}

void later_do(struct sandbox *sandbox, int64_t delay_ms, later_fn *function, const char *key)
{
    add(sandbox, &sandbox->later, delay_ms, function, key);
}

static int64_t first_of(const struct list *tasks, int64_t first_ms)
{
    for (struct list *at = tasks->next; at != tasks; at = at->next) {
        const struct task *task = list_entry(at, struct task, link);
        if (task->timer.at_ms < first_ms)
            first_ms = task->timer.at_ms;
    }
    return first_ms;
}

int64_t later_next_ms(const struct sandbox *sandbox)
{
    return first_of(&sandbox->soon, first_of(&sandbox->later, INT64_MAX));
}

static void drop_all(struct list *tasks)
{
    while (!list_empty(tasks))
        task_free(list_entry(tasks->next, struct task, link));
}

void later_done(struct sandbox *sandbox)
{
    drop_all(&sandbox->soon);
    drop_all(&sandbox->later);
}
