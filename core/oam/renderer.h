// SPDX-License-Identifier: Apache-2.0
/*
 * The renderer: the helper program sluice-cue, started when the first template has to be rendered
 * and ended when it has been idle. One request is with the helper at a time; a request that takes
 * too long, or too much memory, ends the helper and fails with ERR_INVALID; the requests that wait
 * in line are rendered by the next one.
 */
#ifndef OAM_RENDERER_H
#define OAM_RENDERER_H

#include "base/error.h"
#include "loop/loop.h"

#include <jansson.h>
#include <stdint.h>
#include <sys/types.h>

struct renderer;

struct renderer_options {
    const char *program;   /* absolute path */
    int64_t timeout_ms;    /* for one template */
    int64_t idle_ms;       /* after which the helper is ended */
    uint64_t memory_limit; /* bytes of data, RLIMIT_DATA */
};

/* `options` is copied. Nothing is started yet. */
struct renderer *renderer_new(struct loop *loop, const struct renderer_options *options);

/* Kills the helper and drops what is asked for; not from within a render_fn. NULL is fine. */
void renderer_free(struct renderer *renderer);

/* The helper's process, 0 while there is none. */
pid_t renderer_pid(const struct renderer *renderer);

struct render_result {
    const json_t *output;  /* borrowed during the callback; NULL when err isn't OK */
    const json_t *outputs; /* an object, maybe empty */
    /* ERR_INVALID: template or parameter at fault, words and path say how; ERR_RETRY: the helper
     * couldn't be run. */
    const struct error *err;
};

typedef void render_fn(void *data, const struct render_result *result);

/* on_rendered is called once, never before renderer_render() returns. Everything is copied. */
void renderer_render(struct renderer *renderer, const char *template, const json_t *context,
                     const json_t *parameter, render_fn *on_rendered, void *data);

/* Forgets the requests that were made with this data. */
void renderer_forget(struct renderer *renderer, void *data);

#endif
