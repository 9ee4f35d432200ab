// SPDX-License-Identifier: Apache-2.0
/* `sluice states`: the machine that decides, as it is in states.def. */
#include "base/alloc.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "cli/table.h"
#include "rollout/states_draw.h"

#include <stdio.h>
#include <string.h>

static const char *const formats[] = {"text", "mermaid", "dot", NULL};
static const struct flag flag_picture = {
    .name = "output",
    .letter = 'o',
    .value = "FORMAT",
    .text = "text, mermaid or dot",
    .choices = formats,
};

static const struct {
    const char *name, *title, *frame;
    const struct level *level;
} levels[] = {
    {"rollout", "The rollout", "any state", &rolling_level},
    {"batch", "A batch, inside rollingInBatches", "rollingInBatches", &batch_level},
};
enum { LEVELS = sizeof levels / sizeof *levels };

static void move_add(struct table *table, const struct level *level, int state, int event)
{
    struct cell cell = level->cell(state, event);
    if (cell.next == state)
        return;
    table_cell(table, "  %s", level->events[event].name);
    table_cell(table, "%s", level->states[cell.next].name);
    table_cell(table, "%s", level->events[event].text);
}

static void state_add(struct table *table, const struct level *level, int state)
{
    table_cell(table, "%s", level->states[state].name);
    table_cell(table, "%s", "");
    table_cell(table, "%s", level->states[state].text);
    for (int event = 0; event < level->event_count; event++)
        move_add(table, level, state, event);
}

static void level_text(struct text *page, int index)
{
    struct table table AUTO(table_done) = {
        .columns = 3,
        .heads = (const char *const[]){"STATE, ON", "TO", "WHAT IT DOES, WHEN"},
        .wrap = true};
    for (int state = 0; state < levels[index].level->state_count; state++)
        state_add(&table, levels[index].level, state);
    text_addf(page, "%s%s\n\n", page->len ? "\n" : "", levels[index].title);
    table_write(&table, output_width(), page);
}

/* LEVELS: all of them. */
static int level_chosen(const struct arguments *arguments)
{
    int i = 0;
    while (i < LEVELS &&
           (!arguments->operand_count || strcmp(levels[i].name, arguments->operands[0]) != 0))
        i++;
    return i;
}

static int run_states(const struct arguments *arguments)
{
    const char *format = flag_value(arguments, &flag_picture);
    int chosen = level_chosen(arguments);
    struct text page AUTO(text_done) = {0};
    int first = chosen == LEVELS ? 0 : chosen;
    if (format && strcmp(format, "mermaid") == 0)
        draw_mermaid(&page, levels[first].level, levels[first].frame);
    else if (format && strcmp(format, "dot") == 0)
        draw_dot(&page, levels[first].level, levels[first].frame);
    else
        for (int i = first; i < LEVELS && (chosen == LEVELS || i == chosen); i++)
            level_text(&page, i);
    fputs(page.at, stdout);
    return STATUS_DONE;
}

static const char *const level_names[] = {"rollout", "batch", NULL};

const struct verb verb_states = {
    .name = "states",
    .summary = "tell the states of a rollout and of a batch, and what leads from one to another",
    .operands = "[rollout|batch]",
    .operand_choices = level_names,
    .most = 1,
    .flags = (const struct flag *const[]){&flag_picture, NULL},
    .text = "A picture shows one of the two, the rollout unless it is said otherwise.\n"
            "\n"
            "  sluice states batch -o dot | dot -Tsvg >batch.svg",
    .run = run_states,
};
