// SPDX-License-Identifier: Apache-2.0
#include "cli/watch_page.h"

#include "base/alloc.h"
#include "base/json.h"
#include "cli/rollout_view.h"

#include <stdlib.h>

static int line_count(const struct text *text)
{
    int count = 0;
    for (size_t i = 0; i < text->len; i++)
        count += text->at[i] == '\n';
    return count;
}

/* ---- one ---- */

/* The rows of batches for each component that leave the page `over` lines shorter. Where batches
 * are left out, a row before them and one behind says so. */
static int fewer_batches(const struct rollout_view *view, int over)
{
    int parts = (int)view->part_count;
    int batches = view->rollout.plan ? (int)view->rollout.plan->batch_count : 0;
    int fewer = batches - 2 - (over + parts - 1) / parts;
    return fewer > 1 ? fewer : 1;
}

/* Where not even one batch has room: what matters most, first. */
static void page_compact(const struct rollout_view *view, struct text *to)
{
    text_addf(to, "%s  ", view->rollout.name);
    rollout_line(view, to);
    text_puts(to, "\n");
    for (size_t i = 0; i < view->part_count; i++) {
        const char *why = view->parts[i].status.reason.message;
        text_addf(to, "%s%s", why, *why ? "\n" : "");
    }
}

void watch_page_one(const struct found *found, int64_t now_ms, struct watch_room room,
                    struct text *to)
{
    struct rollout_view view;
    struct text page AUTO(text_done) = {0};
    rollout_view_open(found->kind, found->object, now_ms, &view);
    rollout_page(&view, room.columns, &page);
    int over = line_count(&page) - room.rows;
    if (over > 0) {
        text_clear(&page);
        rollout_page_within(&view, room.columns, fewer_batches(&view, over), &page);
    }
    if (line_count(&page) > room.rows) {
        text_clear(&page);
        page_compact(&view, &page);
    }
    text_puts(to, page.at);
    rollout_view_done(&view);
}

/* ---- all ---- */

/* One that has failed isn't at rest: somebody has to see it. */
static bool at_rest(const struct found *found)
{
    const char *state = json_string_at(found->object, "/status/rollingState");
    return state && rolling_state_of(state) == ROLLING_SUCCEEDED;
}

static int row_count(const struct found *found)
{
    int components = (int)json_array_size(json_at(found->object, "/status/components"));
    return components ? components : 1;
}

struct choice {
    bool *shown; /* by the list's items */
    int rested;  /* all that are at rest */
    int left_out, left_out_rested;
};

/* Takes those that are at rest, or the others, for as long as there are rows. */
static void choose(const struct found_list *list, bool rested, int *rows, struct choice *choice)
{
    for (size_t i = 0; i < list->count; i++) {
        int wanted = row_count(&list->items[i]);
        if (at_rest(&list->items[i]) != rested)
            continue;
        choice->shown[i] = wanted <= *rows;
        *rows = choice->shown[i] ? *rows - wanted : 0;
        choice->left_out += !choice->shown[i];
        choice->left_out_rested += !choice->shown[i] && rested;
        choice->rested += rested;
    }
}

static int rows_wanted(const struct found_list *list)
{
    int rows = 0;
    for (size_t i = 0; i < list->count; i++)
        rows += row_count(&list->items[i]);
    return rows;
}

static void title_add(const struct found_list *list, const char *ns, const struct choice *choice,
                      struct text *to)
{
    if (list->count)
        text_addf(to, "%zu rollout%s", list->count, list->count == 1 ? "" : "s");
    else
        text_puts(to, "no rollouts");
    text_addf(to, " in %s%s", ns ? "namespace " : "all namespaces", ns ? ns : "");
    if (choice->rested)
        text_addf(to, ", %d at rest", choice->rested);
    text_puts(to, "\n");
}

static void table_add(const struct found_list *list, int with, const struct choice *choice,
                      int64_t now_ms, int columns, struct text *to)
{
    struct table table AUTO(table_done) = {0};
    rows_begin(&table, with);
    for (size_t i = 0; i < list->count; i++) {
        struct rollout_view view;
        if (!choice->shown[i])
            continue;
        rollout_view_open(list->items[i].kind, list->items[i].object, now_ms, &view);
        rows_add(&view, with, &table);
        rollout_view_done(&view);
    }
    text_puts(to, "\n");
    table_write(&table, columns, to);
}

static void left_out_add(const struct choice *choice, struct text *to)
{
    int others = choice->left_out - choice->left_out_rested;
    if (choice->left_out == 0)
        return;
    text_puts(to, "… ");
    if (choice->left_out_rested)
        text_addf(to, "%d at rest%s", choice->left_out_rested, others ? " and " : "");
    if (others)
        text_addf(to, "%d other%s", others, others == 1 ? "" : "s");
    text_puts(to, " left out: there are more than rows\n");
}

void watch_page_all(const struct found_list *list, const char *ns, int64_t now_ms,
                    struct watch_room room, struct text *to)
{
    enum { TITLE = 3 }; /* with the empty line and the table's heads */
    bool *shown AUTO_FREE = mem_alloc((list->count + 1) * sizeof *shown);
    struct choice choice = {.shown = shown};
    int rows = room.rows - TITLE;
    rows -= rows_wanted(list) > rows; /* for the line that says so */
    choose(list, false, &rows, &choice);
    choose(list, true, &rows, &choice);
    title_add(list, ns, &choice, to);
    if (choice.left_out < (int)list->count)
        table_add(list, ns ? 0 : ROW_NAMESPACE, &choice, now_ms, room.columns, to);
    left_out_add(&choice, to);
}
