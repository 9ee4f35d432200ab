// SPDX-License-Identifier: Apache-2.0
/* The page about one rollout. */
#include "base/alloc.h"
#include "base/json.h"
#include "cli/bar.h"
#include "cli/layout.h"
#include "cli/rollout_view.h"

#include <limits.h>
#include <stdlib.h>

struct page_room {
    int width, batches;
};

/* What the plan is held against: from where to where the part goes. */
static struct span part_span(const struct part *part)
{
    const struct rollout_status *status = &part->status;
    return (struct span){status->scale ? status->original_size : 0, status->target_size};
}

static int within(int value, int low, int high)
{
    return value < low ? 0 : value > high ? high - low : value - low;
}

static bool batches_over(const struct part *part)
{
    return part->status.rolling == ROLLING_FINALISING || part->status.rolling == ROLLING_SUCCEEDED;
}

static const char *batch_words(const struct part *part, int batch)
{
    const struct rollout_status *status = &part->status;
    bool ended = status->rolling == ROLLING_FAILED || status->rolling == ROLLING_FAILING;
    if (batches_over(part) || batch < status->batch)
        return "done";
    if (batch == status->batch && status->rolling == ROLLING_IN_BATCHES)
        return batch_state_name(status->batch_state);
    return ended ? "left undone" : "to come";
}

static void batch_row(const struct plan *plan, const struct part *part, int batch,
                      struct table *table)
{
    struct span span = part_span(part);
    int before = plan_target(plan, span, batch - 1), after = plan_target(plan, span, batch);
    struct pods pods = {within(part->status.upgraded_ready, before, after),
                        within(part->status.upgraded, before, after), after - before};
    struct text bar AUTO(text_done) = {0};
    bar_add(&bar, pods);
    table_cell(table, "%d", batch + 1);
    table_cell(table, "%s", bar.at ? bar.at : "");
    if (part->status.scale)
        table_cell(table, "%d → %d", before, after);
    else
        table_cell(table, "%d/%d", pods.updated, pods.size);
    table_cell(table, "%s", batch_words(part, batch));
    table_cell(table, "%s", plan->partition == batch ? "batchPartition holds it here" : "");
}

/* The batches that there is room for: from `first` to before `end`. */
struct stretch {
    int first, end;
};

static struct stretch stretch_around(int batch, int count, int most)
{
    most = most < count ? most : count;
    int first = batch - most / 2;
    first = first > count - most ? count - most : first;
    first = first < 0 ? 0 : first;
    return (struct stretch){first, first + most};
}

static void left_out_row(int count, const char *where, struct table *table)
{
    if (count <= 0)
        return;
    table_cell(table, "…");
    table_cell(table, "%s", "");
    table_cell(table, "%s", "");
    table_cell(table, "%d more %s", count, where);
    table_cell(table, "%s", "");
}

static void batches_add(const struct rollout_view *view, const struct part *part,
                        const struct page_room *room, struct text *to)
{
    const struct plan *plan = view->rollout.plan;
    struct table table AUTO(table_done) = {
        .columns = 5,
        .heads = (const char *const[]){"BATCH", "PODS", "", "STATE", ""},
        .indent = 2};
    if (!plan || part->status.target_size < 0)
        return;
    int count = (int)plan->batch_count;
    struct stretch stretch = stretch_around(part->status.batch, count, room->batches);
    left_out_row(stretch.first, "before", &table);
    for (int i = stretch.first; i < stretch.end; i++)
        batch_row(plan, part, i, &table);
    left_out_row(count - stretch.end, "after", &table);
    table_write(&table, room->width, to);
    text_puts(to, "\n");
}

static void state_add(const struct rollout_view *view, const struct part *part, int width,
                      struct text *to)
{
    const struct rollout_status *status = &part->status;
    struct text line AUTO(text_done) = {0};
    int64_t since = part_since(part);
    if (status->rolling == ROLLING_IN_BATCHES)
        text_addf(&line, "%s, ", rolling_state_name(status->rolling));
    text_addf(&line, "%s", part_state(part));
    if (since) {
        text_puts(&line, " for ");
        age_add(&line, view->now_ms - since);
    }
    if (*status->reason.message)
        text_addf(&line, ": %s", status->reason.message);
    text_puts(to, "  ");
    layout_wrap(to, line.at, 2, 2, width ? width : 100000);
}

static void part_add(const struct rollout_view *view, const struct part *part,
                     const struct page_room *room, struct text *to)
{
    const struct intent *intent = &view->rollout.intent;
    char *advice AUTO_FREE = reason_advice(part->status.reason.code, view->rollout.name);
    if (view->kind->follows)
        text_addf(to, "\n%s ", json_string_at(view->object, "/spec/workloadRef/kind"));
    else
        text_puts(to, "\n");
    text_addf(to, "%s: to %s", part->component ? part->component : "component not chosen yet",
              *intent->target ? intent->target : "the template that it has");
    if (*intent->source)
        text_addf(to, " from %s", intent->source);
    if (part->status.target_size >= 0)
        text_addf(to, ", %d pods", part->status.target_size);
    text_puts(to, "\n\n");
    batches_add(view, part, room, to);
    state_add(view, part, room->width, to);
    if (advice)
        text_addf(to, "  next: %s\n", advice);
}

void rollout_page_within(const struct rollout_view *view, int width, int batches, struct text *to)
{
    const struct page_room room = {width, batches};
    text_addf(to, "%s %s/%s\n", view->kind->info.kind, view->rollout.ns, view->rollout.name);
    for (size_t i = 0; i < view->part_count; i++)
        part_add(view, &view->parts[i], &room, to);
}

void rollout_page(const struct rollout_view *view, int width, struct text *to)
{
    rollout_page_within(view, width, INT_MAX, to);
}
