// SPDX-License-Identifier: Apache-2.0
/* The machine as pictures, in two languages of pictures. Pure. */
#ifndef ROLLOUT_STATES_DRAW_H
#define ROLLOUT_STATES_DRAW_H

#include "base/text.h"
#include "rollout/states_level.h"

/* Adds the level as a Mermaid state diagram, or as a graph for Graphviz. `frame` is the name of
 * what stands around it. */
void draw_mermaid(struct text *page, const struct level *level, const char *frame);
void draw_dot(struct text *page, const struct level *level, const char *frame);

#endif
