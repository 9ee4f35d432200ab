// SPDX-License-Identifier: Apache-2.0
#include "cli/plan_view.h"

#include "base/alloc.h"
#include "cli/bar.h"
#include "cli/table.h"

static void replicas_cell(struct table *table, const struct plan *plan, size_t batch)
{
    struct amount amount = plan->batches[batch].replicas;
    if (amount.unit == AMOUNT_PODS)
        table_cell(table, "%d", amount.value);
    else if (amount.unit == AMOUNT_PERCENT)
        table_cell(table, "%d%%", amount.value);
    else
        table_cell(table, plan->even ? "1/%zu" : "the rest", plan->batch_count);
}

/* "1 → 4" and "●●●●·". */
static void target_cells(struct table *table, const struct plan_view *view, int batch)
{
    struct text bar AUTO(text_done) = {0};
    if (view->span.to < 0) {
        table_cell(table, "?");
        table_cell(table, "%s", "");
        return;
    }
    int before = plan_target(view->plan, view->span, batch - 1);
    int after = plan_target(view->plan, view->span, batch);
    int larger = view->span.from > view->span.to ? view->span.from : view->span.to;
    bar_add(&bar, (struct pods){.ready = after, .updated = after, .size = larger});
    table_cell(table, "%d → %d", before, after);
    table_cell(table, "%s", bar.at ? bar.at : "");
}

static void note(struct text *notes, const char *text)
{
    text_addf(notes, "%s%s", notes->len ? "; " : "", text);
}

static void note_tolerance(struct text *notes, const struct plan_view *view, int batch)
{
    struct amount missing = view->plan->batches[batch].max_unavailable;
    char *text AUTO_FREE = NULL;
    if (missing.value > 0 && view->span.to >= 0)
        text = str_format("%d may be missing", plan_tolerance(view->plan, batch, view->span.to));
    else if (missing.value > 0)
        text = str_format("%d%s may be missing", missing.value,
                          missing.unit == AMOUNT_PERCENT ? "%" : "");
    if (text)
        note(notes, text);
}

static void note_pods(struct text *notes, const struct batch *batch)
{
    struct text names AUTO(text_done) = {0};
    size_t index;
    json_t *name;
    json_array_foreach (batch->pods, index, name) {
        text_addf(&names, "%s%s", index ? ", " : "", json_string_value(name));
    }
    if (names.len)
        note(notes, names.at);
}

static void note_deadline(struct text *notes, const struct plan *plan, int index)
{
    static const char *const consequences[] = {[ON_FAILURE_PAUSE] = "it stands still",
                                               [ON_FAILURE_ABANDON] = "it is abandoned",
                                               [ON_FAILURE_ROLLBACK] = "it is rolled back"};
    struct deadline deadline = plan_deadline(plan, index);
    if (!deadline.seconds)
        return;
    char *text AUTO_FREE =
        str_format("without progress for %d s %s", deadline.seconds, consequences[deadline.then]);
    note(notes, text);
}

static void batch_notes(struct text *notes, const struct plan_view *view, int index)
{
    const struct plan *plan = view->plan;
    const struct batch *batch = &plan->batches[index];
    note_pods(notes, batch);
    note_tolerance(notes, view, index);
    if (batch->instance_interval_s > 0) {
        char *text AUTO_FREE = str_format("%d s between two pods", batch->instance_interval_s);
        note(notes, text);
    }
    note_deadline(notes, plan, index);
    if (plan->partition == index && (size_t)index + 1 < plan->batch_count) {
        char *text AUTO_FREE =
            str_format("then it waits, for batchPartition is %d", plan->partition);
        note(notes, text);
    }
}

static void batches_add(const struct plan_view *view, int width, struct text *to)
{
    struct table table AUTO(table_done) = {
        .columns = 5,
        .heads = (const char *const[]){"BATCH", "REPLICAS", view->scale ? "PODS" : "PODS AT TARGET",
                                       "", ""},
        .wrap = true};
    for (size_t i = 0; i < view->plan->batch_count; i++) {
        struct text notes AUTO(text_done) = {0};
        batch_notes(&notes, view, (int)i);
        table_cell(&table, "%zu", i + 1);
        replicas_cell(&table, view->plan, i);
        target_cells(&table, view, (int)i);
        table_cell(&table, "%s", notes.at ? notes.at : "");
    }
    table_write(&table, width, to);
}

/* ---- hooks ---- */

static const char *hook_moment(enum hook_type type)
{
    static const char *const moments[] = {"before the first batch", "before every batch",
                                          "after every batch", "at the end"};
    return moments[type];
}

static void hook_add(struct table *table, const struct hook *hook, int batch)
{
    if (batch < 0)
        table_cell(table, "%s", hook_moment(hook->type));
    else
        table_cell(table, "%s batch %d", hook->type == HOOK_PRE_BATCH ? "before" : "after",
                   batch + 1);
    table_cell(table, "%s", hook->name);
    table_cell(table, "%s %s", hook->method, hook->url);
}

/* In the order in which they come. */
static void hooks_add(const struct plan *plan, struct text *to)
{
    struct table table AUTO(table_done) = {.columns = 3,
                                           .heads = (const char *const[]){"HOOK", "NAME", "CALLS"}};
    for (int type = HOOK_INITIALIZE; type <= HOOK_FINALIZE; type++) {
        for (size_t i = 0; i < plan->hook_count; i++)
            if (plan->hooks[i].type == (enum hook_type)type)
                hook_add(&table, &plan->hooks[i], -1);
        for (size_t b = 0; b < plan->batch_count; b++)
            for (size_t i = 0; i < plan->batches[b].hook_count; i++)
                if (plan->batches[b].hooks[i].type == (enum hook_type)type)
                    hook_add(&table, &plan->batches[b].hooks[i], (int)b);
    }
    if (!table.cell_count)
        return;
    text_puts(to, "\n");
    table_write(&table, 0, to); /* an address that is cut is of no use */
}

void plan_view_add(const struct plan_view *view, int width, struct text *to)
{
    batches_add(view, width, to);
    hooks_add(view->plan, to);
}
