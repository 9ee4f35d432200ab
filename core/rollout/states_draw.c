// SPDX-License-Identifier: Apache-2.0
#include "rollout/states_draw.h"

#include "base/alloc.h"

/* ---- Mermaid ---- */

/* All events that lead from one state to another share an arrow. */
static void draw_arrow(struct text *page, const struct level *level, int from, int to)
{
    char *label AUTO_FREE = events_between(level, from, to);
    if (*label)
        text_addf(page, "        %s --> %s : %s\n", level->states[from].name,
                  level->states[to].name, label);
}

/* What leads from everywhere to the same state is drawn once, from the frame. */
static void draw_common(struct text *page, const struct level *level)
{
    for (int event = 0; event < level->event_count; event++)
        if (event_common(level, event))
            text_addf(page, "    any --> %s : %s\n", level->states[level->cell(0, event).next].name,
                      level->events[event].name);
}

static void draw_gone(struct text *page, const struct level *level)
{
    for (int state = 0; state < level->state_count; state++)
        for (int event = 0; event < level->event_count; event++)
            if (level->cell(state, event).reason == REASON_GONE)
                text_addf(page, "    %s --> [*] : %s\n", level->states[state].name,
                          level->events[event].name);
}

void draw_mermaid(struct text *page, const struct level *level, const char *frame)
{
    text_puts(page, "stateDiagram-v2\n");
    text_addf(page, "    state \"%s\" as any {\n", frame);
    text_addf(page, "        [*] --> %s\n", level->states[0].name);
    for (int from = 0; from < level->state_count; from++)
        for (int to = 0; to < level->state_count; to++)
            draw_arrow(page, level, from, to);
    text_puts(page, "    }\n");
    draw_common(page, level);
    draw_gone(page, level);
}

/* ---- Graphviz ---- */

static void dot_arrow(struct text *page, const struct level *level, int from, int to)
{
    char *label AUTO_FREE = events_between(level, from, to);
    if (*label)
        text_addf(page, "    %s -> %s [label=\"%s\"];\n", level->states[from].name,
                  level->states[to].name, label);
}

/* What leads from everywhere would be an arrow from each: one from the name of the frame says it.
 */
static void dot_common(struct text *page, const struct level *level, const char *frame)
{
    for (int event = 0; event < level->event_count; event++)
        if (event_common(level, event))
            text_addf(page, "    \"%s\" -> %s [label=\"%s\"];\n", frame,
                      level->states[level->cell(0, event).next].name, level->events[event].name);
}

void draw_dot(struct text *page, const struct level *level, const char *frame)
{
    text_addf(page, "digraph \"%s\" {\n    node [shape=box, style=rounded];\n", frame);
    text_addf(page, "    start [shape=point];\n    start -> %s;\n", level->states[0].name);
    for (int from = 0; from < level->state_count; from++)
        for (int to = 0; to < level->state_count; to++)
            dot_arrow(page, level, from, to);
    dot_common(page, level, frame);
    text_puts(page, "}\n");
}
