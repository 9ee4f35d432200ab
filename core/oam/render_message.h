// SPDX-License-Identifier: Apache-2.0
/*
 * What the renderer and its helper say to each other; plugins/cue/README.md has the protocol.
 * Pure. Private to core/oam.
 */
#ifndef OAM_RENDER_MESSAGE_H
#define OAM_RENDER_MESSAGE_H

#include "base/error.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* A request as text. The caller frees it. */
char *render_request(int64_t id, const char *template, const json_t *context,
                     const json_t *parameter);

struct render_answer {
    json_t *output;   /* owned; NULL when err isn't OK */
    json_t *outputs;  /* owned */
    struct error err; /* what the template or its user has to mend, or what the engine says */
};

/* Reads the answer to request `id`. ERR_BUG: it isn't one, and the helper can't be trusted any
 * more. A template that fails is OK here and stands in ret_answer->err. */
int render_answer_read(const char *bytes, size_t length, int64_t id,
                       struct render_answer *ret_answer, struct error *err);
void render_answer_done(struct render_answer *answer);

#endif
