// SPDX-License-Identifier: Apache-2.0
#include "adapter/line.h"

#include "adapter/figures.h"
#include "adapter/internal.h"
#include "adapter/isolated.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "loop/loop.h"

#include <stdlib.h>
#include <string.h>

struct line {
    struct adapter *adapter; /* whoever has a call under way holds it, and so the line */
    struct isolated *isolated;
    struct loop *loop;
    struct list waiting;
    bool busy;                      /* a call is under way, */
    struct adapter_asking *current; /* for this one; NULL: for nobody any more */
    int64_t asked_us;
    struct fd_watch *watch; /* of the process that there is; NULL: none */
    struct timer deadline;
};

static void on_ready(void *data, short revents);

static void on_closing(void *data)
{
    struct line *line = data;
    fd_unwatch(line->watch);
    line->watch = NULL;
}

static void rewatch(struct line *line)
{
    short events;
    int fd = isolated_fd(line->isolated, &events);
    if (line->watch)
        fd_watch_change(line->watch, events);
    else if (fd >= 0)
        line->watch = fd_watch(line->loop, fd, events, on_ready, line);
}

static void tell_error(struct adapter_asking *asking, const struct error *err)
{
    struct call_outcome outcome = {.err = *err};
    asking_end(asking, &outcome);
}

static struct adapter_asking *line_first(struct line *line)
{
    struct adapter_asking *asking = list_entry(line->waiting.next, struct adapter_asking, link);
    list_remove(&asking->link);
    return asking;
}

static void on_deadline(void *data);

static void line_wait(struct line *line)
{
    rewatch(line);
    timer_start_outside(line->loop, &line->deadline, isolated_left_ms(line->isolated), on_deadline,
                        line);
}

/* Asks for the first in line; one that can't be asked is told, and makes room for the next. */
static void line_next(struct line *line)
{
    while (!line->busy && !list_empty(&line->waiting)) {
        struct adapter_asking *asking = line_first(line);
        struct error err = {0};
        const struct question question = {
            .kind = asking->kind, .text = asking->text, .length = strlen(asking->text)};
        line->asked_us = clock_monotonic_us();
        if (isolated_send(line->isolated, &question, &err) < 0) {
            tell_error(asking, &err);
            continue;
        }
        line->busy = true;
        line->current = asking;
        line_wait(line);
    }
}

static void line_over(struct line *line, struct call_outcome *outcome)
{
    struct adapter *held = adapter_hold(line->adapter);
    struct adapter_asking *asking = line->current;
    line->busy = false;
    line->current = NULL;
    timer_stop(line->loop, &line->deadline);
    if (asking)
        figures_call(asking->adapter->figures, clock_monotonic_us() - line->asked_us);
    if (asking)
        asking_end(asking, outcome);
    else
        answer_done(&outcome->answer);
    line_next(line);
    adapter_release(held);
}

static void on_deadline(void *data)
{
    struct line *line = data;
    struct call_outcome outcome = {0};
    if (isolated_left_ms(line->isolated)) { /* it was still loading when the call was asked */
        line_wait(line);
        return;
    }
    isolated_expire(line->isolated, &outcome);
    line_over(line, &outcome);
}

static void on_ready(void *data, short revents)
{
    struct line *line = data;
    struct call_outcome outcome = {0};
    if (!line->busy)
        isolated_unasked(line->isolated);
    else if (isolated_turn(line->isolated, &outcome))
        line_over(line, &outcome);
    else
        rewatch(line);
}

struct line *line_new(struct adapter *adapter, struct loop *loop)
{
    struct line *line = mem_alloc(sizeof *line);
    line->adapter = adapter;
    line->isolated = adapter->isolated;
    line->loop = loop;
    list_init(&line->waiting);
    isolated_on_close(line->isolated, on_closing, line);
    rewatch(line);
    return line;
}

void line_free(struct line *line)
{
    if (!line)
        return;
    on_closing(line);
    isolated_on_close(line->isolated, NULL, NULL);
    timer_stop(line->loop, &line->deadline);
    free(line);
}

void line_add(struct line *line, struct adapter_asking *asking)
{
    struct error err = {0};
    const char *trouble = isolated_trouble(line->isolated);
    if (line->busy && *trouble && !isolated_proven(line->isolated)) {
        error_set(&err, ERR_BUG, "%s", trouble);
        tell_error(asking, &err);
        return;
    }
    struct adapter *held = adapter_hold(line->adapter);
    list_append(&line->waiting, &asking->link);
    line_next(line);
    adapter_release(held);
}

void line_remove(struct line *line, struct adapter_asking *asking)
{
    if (line->current == asking)
        line->current = NULL;
    else
        list_remove(&asking->link);
}
