// SPDX-License-Identifier: Apache-2.0
#include "cli/rollout_view.h"

#include "base/alloc.h"
#include "base/json.h"
#include "cli/bar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *component_name(const struct rollout_kind *kind, const json_t *object,
                                  size_t index)
{
    if (kind->follows)
        return json_string_at(object, "/spec/workloadRef/name");
    const json_t *entry = json_array_get(json_at(object, "/status/components"), index);
    return entry ? json_string_at(entry, "/name") : json_string_at(object, "/status/component");
}

void rollout_view_open(const struct rollout_kind *kind, const json_t *object, int64_t now_ms,
                       struct rollout_view *ret_view)
{
    size_t count = json_array_size(json_at(object, "/status/components"));
    struct rollout_view view = {.kind = kind, .object = object, .now_ms = now_ms};
    view.part_count = count ? count : 1;
    view.parts = mem_alloc(view.part_count * sizeof *view.parts);
    kind->read(object, &view.rollout);
    for (size_t i = 0; i < view.part_count; i++) {
        view.parts[i].component = component_name(kind, object, i);
        view.parts[i].recorded = json_at(object, "/status/rollingState") != NULL;
        const char *name = count ? view.parts[i].component : NULL;
        approllout_status_read(object, name, &view.parts[i].status);
        view.parts[i].rolls = approllout_rolls(object, name);
        if (!view.parts[i].recorded)
            snprintf(view.parts[i].status.reason.message, SENTENCE_SIZE,
                     "no controller has looked at it yet; is one running?");
    }
    *ret_view = view;
}

void rollout_view_done(struct rollout_view *view)
{
    approllout_done(&view->rollout);
    free(view->parts);
}

const char *part_state(const struct part *part)
{
    if (!part->recorded)
        return "not seen yet";
    if (part->status.rolling == ROLLING_IN_BATCHES)
        return batch_state_name(part->status.batch_state);
    return rolling_state_name(part->status.rolling);
}

const struct level *part_level(const struct part *part, int *ret_state)
{
    bool in_batch = part->status.rolling == ROLLING_IN_BATCHES;
    *ret_state = in_batch ? (int)part->status.batch_state : (int)part->status.rolling;
    return in_batch ? &batch_level : &rolling_level;
}

int64_t part_since(const struct part *part)
{
    int state;
    const struct level *level = part_level(part, &state);
    const struct condition *condition = &part->status.conditions[level->states[state].condition];
    return condition->status == CONDITION_ABSENT ? 0 : condition->since_ms;
}

json_t *rollout_json(const struct rollout_view *view, part_json_fn *tell)
{
    json_t *parts = json_array();
    for (size_t i = 0; i < view->part_count; i++) {
        const char *component = view->parts[i].component;
        json_t *part = json_object();
        json_t *told AUTO_JSON = tell(view, &view->parts[i]);
        if (component)
            json_object_set_new(part, "component", json_string(component));
        json_object_update(part, told);
        json_array_append_new(parts, part);
    }
    return json_pack("{s:s, s:s, s:s, s:o}", "kind", view->kind->info.kind, "namespace",
                     view->rollout.ns, "name", view->rollout.name, "components", parts);
}

/* ---- a line ---- */

static void line_part_add(const struct rollout_view *view, const struct part *part, struct text *to)
{
    text_puts(to, part_state(part));
    if (part->status.rolling != ROLLING_IN_BATCHES || !view->rollout.plan)
        return;
    text_addf(to, ", batch %d of %zu  ", part->status.batch + 1, view->rollout.plan->batch_count);
    bar_add(to, (struct pods){part->status.upgraded_ready, part->status.upgraded,
                              part->status.target_size});
}

void rollout_line(const struct rollout_view *view, struct text *to)
{
    for (size_t i = 0; i < view->part_count; i++) {
        const struct part *part = &view->parts[i];
        text_puts(to, i ? "; " : "");
        if (view->part_count > 1)
            text_addf(to, "%s: ", part->component ? part->component : "");
        line_part_add(view, part, to);
    }
}

/* ---- a list ---- */

void rows_begin(struct table *table, int with)
{
    static const char *const heads[] = {"NAMESPACE", "NAME", "COMPONENT", "TARGET", "STATE",
                                        "BATCH",     "PODS", "READY",     "FOR",    "WHY"};
    static const char *const wide[] = {"NAME", "COMPONENT", "TARGET", "STATE", "BATCH",
                                       "PODS", "READY",     "FOR",    "WHY"};
    static const char *const spaced[] = {"NAMESPACE", "NAME",  "STATE", "BATCH",
                                         "PODS",      "READY", "FOR",   "WHY"};
    static const char *const *const all[] = {spaced + 1, spaced, wide, heads};
    static const size_t columns[] = {7, 8, 9, 10};
    table->heads = all[with];
    table->columns = columns[with];
}

static int part_size(const struct part *part)
{
    int size = part->status.target_size;
    return size >= 0 ? size : part->status.original_size;
}

static void pods_cells(const struct part *part, struct table *table)
{
    struct text bar AUTO(text_done) = {0};
    int size = part_size(part);
    bar_add(&bar, (struct pods){part->status.upgraded_ready, part->status.upgraded, size});
    table_cell(table, "%s", bar.at ? bar.at : "");
    if (size < 0)
        table_cell(table, "%s", "");
    else
        table_cell(table, "%d/%d", part->status.upgraded_ready, size);
}

static void batch_cell(const struct rollout_view *view, const struct part *part,
                       struct table *table)
{
    if (part->status.rolling == ROLLING_IN_BATCHES && view->rollout.plan)
        table_cell(table, "%d/%zu", part->status.batch + 1, view->rollout.plan->batch_count);
    else
        table_cell(table, "%s", "");
}

static void age_cell(const struct rollout_view *view, int64_t since_ms, struct table *table)
{
    struct text age AUTO(text_done) = {0};
    if (since_ms)
        age_add(&age, view->now_ms - since_ms);
    table_cell(table, "%s", age.at ? age.at : "");
}

/* Why it stands there, without the name of its workload in front: that is the row's. */
static const char *why_in_row(const struct rollout_view *view, const struct part *part)
{
    const char *why = part->status.reason.message;
    const char *kind = json_string_at(view->object, "/spec/workloadRef/kind");
    if (!view->kind->follows || !kind || !part->component)
        return why;
    char *name AUTO_FREE = str_format("%s %s/%s: ", kind, view->rollout.ns, part->component);
    size_t length = strlen(name);
    return strncmp(why, name, length) == 0 ? why + length : why;
}

static void row_add(const struct rollout_view *view, const struct part *part, int with,
                    struct table *table)
{
    if (with & ROW_NAMESPACE)
        table_cell(table, "%s", view->rollout.ns);
    table_cell(table, "%s", view->rollout.name);
    if (with & ROW_WIDE) {
        table_cell(table, "%s", part->component ? part->component : "");
        table_cell(table, "%s", view->rollout.intent.target);
    }
    table_cell(table, "%s", part_state(part));
    batch_cell(view, part, table);
    pods_cells(part, table);
    age_cell(view, part_since(part), table);
    table_cell(table, "%s", why_in_row(view, part));
}

void rows_add(const struct rollout_view *view, int with, struct table *table)
{
    for (size_t i = 0; i < view->part_count; i++)
        row_add(view, &view->parts[i], with, table);
}
