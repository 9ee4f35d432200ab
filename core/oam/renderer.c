// SPDX-License-Identifier: Apache-2.0
#include "oam/renderer.h"

#include "base/alloc.h"
#include "base/list.h"
#include "oam/helper.h"
#include "oam/render_message.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { TRIES_MAX = 2, BACKOFF_FIRST_MS = 100, BACKOFF_MAX_MS = 30 * 1000 };

/* One template to render, from renderer_render() until on_rendered was called. */
struct request {
    struct list link; /* in the line */
    int64_t id;
    char *text;
    int tries;              /* helpers that it was given to */
    struct error refused;   /* it can't be asked at all */
    render_fn *on_rendered; /* NULL: forgotten */
    void *data;
};

struct renderer {
    struct loop *loop;
    struct renderer_options options;
    char *program;
    struct helper *helper;
    bool ending;   /* its input is closed, its end is near */
    bool answered; /* it has answered something */
    bool late;     /* it was killed because it took too long */
    int failures;  /* helpers in a row that ended without an answer */
    int64_t last_id;
    struct list line;        /* requests that wait */
    struct request *current; /* the one that is with the helper */
    struct timer turn, deadline, idle, backoff;
};

static void request_free(struct request *request)
{
    list_remove(&request->link);
    free(request->text);
    free(request);
}

/* The request is over and belongs to nobody when its callback runs, which may ask for more. */
static void request_end(struct request *request, const struct render_answer *answer)
{
    struct render_result result = {answer->output, answer->outputs, &answer->err};
    render_fn *on_rendered = request->on_rendered;
    void *data = request->data;
    request_free(request);
    if (on_rendered)
        on_rendered(data, &result);
}

static void request_fail(struct request *request, const struct error *err)
{
    struct render_answer answer = {.err = *err};
    request_end(request, &answer);
}

static struct request *request_first(const struct renderer *renderer)
{
    return list_entry(renderer->line.next, struct request, link);
}

static void line_fail(struct renderer *renderer, const struct error *err)
{
    struct list failed;
    list_init(&failed);
    while (!list_empty(&renderer->line)) {
        struct list *first = renderer->line.next;
        list_remove(first);
        list_append(&failed, first);
    }
    while (!list_empty(&failed))
        request_fail(list_entry(failed.next, struct request, link), err);
}

static void on_turn(void *data);

static void turn_soon(struct renderer *renderer)
{
    timer_start(renderer->loop, &renderer->turn, 0, on_turn, renderer);
}

static void on_deadline(void *data)
{
    struct renderer *renderer = data;
    renderer->late = true;
    helper_kill(renderer->helper, "it took too long");
}

static void on_idle(void *data)
{
    struct renderer *renderer = data;
    renderer->ending = true;
    helper_finish(renderer->helper);
}

static void on_backoff_over(void *data)
{
    turn_soon(data);
}

static void on_frame(void *data, const char *bytes, size_t length)
{
    struct renderer *renderer = data;
    struct request *request = renderer->current;
    struct render_answer answer;
    struct error err = {0};
    if (!request) {
        helper_kill(renderer->helper, "it spoke without being asked");
        return;
    }
    if (render_answer_read(bytes, length, request->id, &answer, &err) < 0) {
        helper_kill(renderer->helper, err.text);
        return;
    }
    timer_stop(renderer->loop, &renderer->deadline);
    renderer->current = NULL;
    renderer->answered = true;
    renderer->failures = 0;
    turn_soon(renderer);
    request_end(request, &answer);
    render_answer_done(&answer);
}

static bool out_of_memory(const struct helper_end *end)
{
    bool fatal =
        strncmp(end->words, "fatal error:", 12) == 0 || strncmp(end->words, "runtime:", 8) == 0;
    return fatal && strstr(end->words, "memory");
}

static bool out_of_stack(const struct helper_end *end)
{
    return strncmp(end->words, "runtime: goroutine stack exceeds", 32) == 0;
}

/* Says how the helper ended while it had a request. True when the request is to blame, so that
 * nothing would be gained by another try. */
static bool explain_end(const struct renderer *renderer, const struct helper_end *end,
                        struct error *err)
{
    const struct renderer_options *options = &renderer->options;
    if (renderer->late)
        error_set(err, ERR_INVALID,
                  "rendering took longer than %g s; is there no end to what the "
                  "template does?",
                  (double)options->timeout_ms / 1000);
    else if (out_of_memory(end))
        error_set(err, ERR_INVALID, "rendering took more memory than the %llu MiB it may (%s)",
                  (unsigned long long)(options->memory_limit >> 20), end->words);
    else if (out_of_stack(end))
        error_set(err, ERR_INVALID, "the template is nested too deeply (%s)", end->words);
    else if (end->fault)
        error_set(err, ERR_RETRY, "the renderer %s was ended: %s", renderer->program, end->fault);
    else if (end->signal)
        error_set(err, ERR_RETRY, "the renderer %s was ended by signal %d (%s)%s%s",
                  renderer->program, end->signal, strsignal(end->signal), *end->words ? ": " : "",
                  end->words);
    else
        error_set(err, ERR_RETRY, "the renderer %s ended with exit status %d%s%s",
                  renderer->program, end->status, *end->words ? ": " : "", end->words);
    return err->code == ERR_INVALID;
}

/* Helpers that end without having answered anything are not started at once again and again. */
static void note_failure(struct renderer *renderer)
{
    int64_t delay = BACKOFF_MAX_MS;
    renderer->failures++;
    if (renderer->failures < TRIES_MAX)
        return;
    if (renderer->failures - TRIES_MAX < 9)
        delay = (int64_t)BACKOFF_FIRST_MS << (renderer->failures - TRIES_MAX);
    timer_start(renderer->loop, &renderer->backoff, delay < BACKOFF_MAX_MS ? delay : BACKOFF_MAX_MS,
                on_backoff_over, renderer);
}

static void on_end(void *data, const struct helper_end *end)
{
    struct renderer *renderer = data;
    struct request *request = renderer->current;
    struct error err = {0};
    bool to_blame = request && explain_end(renderer, end, &err);
    if (request && !to_blame && !renderer->answered)
        note_failure(renderer);
    helper_free(renderer->helper);
    renderer->helper = NULL;
    renderer->current = NULL;
    timer_stop(renderer->loop, &renderer->deadline);
    timer_stop(renderer->loop, &renderer->idle);
    turn_soon(renderer);
    if (!request)
        return;
    if (!to_blame && request->tries < TRIES_MAX)
        list_append(renderer->line.next, &request->link);
    else
        request_fail(request, &err);
}

static const struct helper_events helper_events = {on_frame, on_end};

static int renderer_start(struct renderer *renderer, struct error *err)
{
    int code = helper_start(renderer->loop, renderer->program, renderer->options.memory_limit,
                            &renderer->helper, err);
    if (code < 0)
        return code;
    renderer->ending = renderer->answered = renderer->late = false;
    helper_listen(renderer->helper, &helper_events, renderer);
    return OK;
}

static void request_send(struct renderer *renderer, struct request *request)
{
    list_remove(&request->link);
    renderer->current = request;
    request->tries++;
    timer_stop(renderer->loop, &renderer->idle);
    timer_start_outside(renderer->loop, &renderer->deadline, renderer->options.timeout_ms,
                        on_deadline, renderer);
    helper_send(renderer->helper, request->text, strlen(request->text));
}

/* Gives the first in line to the helper, once there is one that is free. */
static void on_turn(void *data)
{
    struct renderer *renderer = data;
    struct error err = {0};
    while (!renderer->current && !list_empty(&renderer->line)) {
        struct request *request = request_first(renderer);
        if (request->refused.code) {
            err = request->refused;
            request_fail(request, &err);
            continue;
        }
        if (renderer->ending && renderer->helper)
            return;
        if (!renderer->helper && timer_running(&renderer->backoff))
            return;
        if (!renderer->helper && renderer_start(renderer, &err) < 0) {
            line_fail(renderer, &err);
            return;
        }
        request_send(renderer, request);
    }
    if (renderer->helper && !renderer->current && !renderer->ending)
        timer_start(renderer->loop, &renderer->idle, renderer->options.idle_ms, on_idle, renderer);
}

struct renderer *renderer_new(struct loop *loop, const struct renderer_options *options)
{
    struct renderer *renderer = mem_alloc(sizeof *renderer);
    renderer->loop = loop;
    renderer->options = *options;
    renderer->program = str_copy(options->program);
    list_init(&renderer->line);
    return renderer;
}

void renderer_free(struct renderer *renderer)
{
    if (!renderer)
        return;
    helper_free(renderer->helper);
    timer_stop(renderer->loop, &renderer->turn);
    timer_stop(renderer->loop, &renderer->deadline);
    timer_stop(renderer->loop, &renderer->idle);
    timer_stop(renderer->loop, &renderer->backoff);
    if (renderer->current)
        request_free(renderer->current);
    while (!list_empty(&renderer->line))
        request_free(request_first(renderer));
    free(renderer->program);
    free(renderer);
}

pid_t renderer_pid(const struct renderer *renderer)
{
    return renderer->helper ? helper_pid(renderer->helper) : 0;
}

void renderer_render(struct renderer *renderer, const char *template, const json_t *context,
                     const json_t *parameter, render_fn *on_rendered, void *data)
{
    struct request *request = mem_alloc(sizeof *request);
    request->id = ++renderer->last_id;
    request->text = render_request(request->id, template, context, parameter);
    request->on_rendered = on_rendered;
    request->data = data;
    if (strlen(request->text) > FRAME_MAX)
        error_set(&request->refused, ERR_INVALID,
                  "template and parameters take %zu bytes, at most %d can be rendered",
                  strlen(request->text), (int)FRAME_MAX);
    list_init(&request->link);
    list_append(&renderer->line, &request->link);
    turn_soon(renderer);
}

/* The one that is with the helper stays there: its answer is read and dropped. */
void renderer_forget(struct renderer *renderer, void *data)
{
    struct list *next = renderer->line.next;
    if (renderer->current && renderer->current->data == data)
        renderer->current->on_rendered = NULL;
    while (next != &renderer->line) {
        struct request *request = list_entry(next, struct request, link);
        next = next->next;
        if (request->data == data)
            request_free(request);
    }
}
