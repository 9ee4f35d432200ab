// SPDX-License-Identifier: Apache-2.0
#include "fake_renderer.h"

#include "base/alloc.h"
#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct fake_render fake_render;

/* One request at a time is enough for one Application at a time. */
struct renderer {
    struct loop *loop;
    struct timer timer;
    render_fn *on_rendered;
    void *data; /* NULL: nobody waits */
};

struct renderer *renderer_new(struct loop *loop, const struct renderer_options *options)
{
    struct renderer *renderer = mem_alloc(sizeof *renderer);
    renderer->loop = loop;
    return renderer;
}

/* By then those who have asked must have been answered, or have said that they don't care. */
void renderer_free(struct renderer *renderer)
{
    assert_null(renderer->data);
    free(renderer);
}

pid_t renderer_pid(const struct renderer *renderer)
{
    return 0;
}

static void on_time(void *data)
{
    struct renderer *renderer = data;
    json_t *outputs AUTO_JSON = json_object();
    const bool good = fake_render.err.code == OK;
    const struct render_result result = {
        .output = good ? fake_render.output : NULL, .outputs = outputs, .err = &fake_render.err};
    void *asker = renderer->data;
    renderer->data = NULL;
    renderer->on_rendered(asker, &result);
}

void fake_render_answer(struct renderer *renderer)
{
    timer_start(renderer->loop, &renderer->timer, 0, on_time, renderer);
}

void renderer_render(struct renderer *renderer, const char *template, const json_t *context,
                     const json_t *parameter, render_fn *on_rendered, void *data)
{
    fake_render.asked++;
    renderer->on_rendered = on_rendered;
    renderer->data = data;
    if (!fake_render.silent)
        fake_render_answer(renderer);
}

void renderer_forget(struct renderer *renderer, void *data)
{
    if (renderer->data != data)
        return;
    timer_stop(renderer->loop, &renderer->timer);
    renderer->data = NULL;
}
