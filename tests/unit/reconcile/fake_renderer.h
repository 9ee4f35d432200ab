// SPDX-License-Identifier: Apache-2.0
/* Stands in for the renderer: says at the next turn what the test wants it to say. */
#ifndef TEST_FAKE_RENDERER_H
#define TEST_FAKE_RENDERER_H

#include "oam/renderer.h"

#include <stdbool.h>
#include <stddef.h>

struct fake_render {
    struct error err; /* OK: the output below */
    json_t *output;   /* borrowed */
    bool silent;      /* no answer before fake_render_answer() */
    size_t asked;     /* how often */
};

/* For all renderers of the test program. */
extern struct fake_render fake_render;

void fake_render_answer(struct renderer *renderer);

#endif
