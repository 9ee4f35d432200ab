// SPDX-License-Identifier: Apache-2.0
/* The page about a step: a row for all that happens to a component at one moment in one batch. */
#include "base/alloc.h"
#include "base/json.h"
#include "cli/bar.h"
#include "cli/layout.h"
#include "cli/table.h"
#include "cli/timeline.h"

#include <string.h>

enum { INDENT = 2 };

/* A row while it is put together. */
struct row {
    const json_t *first, *last; /* events; NULL: there is no row yet */
    const json_t *target;       /* NULL: none was set */
    struct text states;
};

static bool agree(const json_t *a, const json_t *b, const char *member)
{
    const json_t *left = json_object_get(a, member), *right = json_object_get(b, member);
    return left == right || (left && right && json_equal(left, right));
}

/* A component that isn't known yet is the same as the one that it turns out to be. */
static bool is_same_row(const json_t *a, const json_t *b)
{
    if (json_object_get(a, "hook") || json_object_get(b, "hook"))
        return false;
    return agree(a, b, "at") && agree(a, b, "rollout") && agree(a, b, "batch") &&
           (agree(a, b, "component") || !json_object_get(a, "component"));
}

static void whose_cell(const struct row *row, struct table *table)
{
    const char *rollout = json_string_at(row->last, "/rollout");
    const char *component = json_string_at(row->last, "/component");
    const char *name = strrchr(rollout, '/');
    table_cell(table, "%s%s%s", name ? name + 1 : rollout, component ? " " : "",
               component ? component : "");
}

static void batch_cell(const struct row *row, struct table *table)
{
    int64_t batch = json_int_at(row->last, "/batch", 0);
    if (batch)
        table_cell(table, "%lld/%lld", (long long)batch,
                   (long long)json_int_at(row->last, "/batches", batch));
    else
        table_cell(table, "%s", "");
}

static void pods_cell(const struct row *row, struct table *table)
{
    struct text bar AUTO(text_done) = {0};
    bar_add(&bar, (struct pods){(int)json_int_at(row->last, "/ready", 0),
                                (int)json_int_at(row->last, "/upgraded", 0),
                                (int)json_int_at(row->last, "/size", -1)});
    table_cell(table, "%s", bar.at ? bar.at : "");
}

static void row_end(struct row *row, bool several, struct table *table)
{
    if (!row->first)
        return;
    table_cell(table, "%.1f s", json_real_value(json_object_get(row->first, "at")));
    if (several)
        whose_cell(row, table);
    batch_cell(row, table);
    if (row->target)
        table_cell(table, "%lld", (long long)json_integer_value(row->target));
    else
        table_cell(table, "%s", "");
    pods_cell(row, table);
    table_cell(table, "%s", row->states.at ? row->states.at : "");
    text_done(&row->states);
    *row = (struct row){0};
}

static void row_add_words(struct row *row, const json_t *event)
{
    const char *state = json_string_at(event, "/state"), *hook = json_string_at(event, "/hook");
    if (hook)
        text_addf(&row->states, "hook %s %s (not called: %s %s)", hook,
                  json_bool_at(event, "/passes", false) ? "passes" : "says no",
                  json_string_at(event, "/method"), json_string_at(event, "/url"));
    else if (state)
        text_addf(&row->states, "%s%s", row->states.len ? " › " : "", state);
}

/* The batches' own states say more. */
static bool is_silent(const json_t *event)
{
    return str_equal(json_string_at(event, "/state"), rolling_state_name(ROLLING_IN_BATCHES));
}

static void row_add(struct row *row, const json_t *event)
{
    if (!row->first)
        row->first = event;
    row->last = event;
    if (json_object_get(event, "target"))
        row->target = json_object_get(event, "target");
    row_add_words(row, event);
}

static bool concerns_several(const json_t *events)
{
    size_t i;
    json_t *event;
    const json_t *first = json_array_get(events, 0), *component = NULL;
    json_array_foreach (events, i, event) {
        const json_t *own = json_object_get(event, "component");
        if (!agree(first, event, "rollout") || (component && own && !json_equal(component, own)))
            return true;
        component = component ? component : own;
    }
    return false;
}

static void events_add(const json_t *events, int width, struct text *to)
{
    static const char *const heads[] = {"TIME", "BATCH", "TARGET", "PODS", "STATES"};
    static const char *const more[] = {"TIME", "OF", "BATCH", "TARGET", "PODS", "STATES"};
    bool several = concerns_several(events);
    struct table table AUTO(table_done) = {.columns = several ? 6 : 5,
                                           .heads = several ? more : heads,
                                           .indent = INDENT,
                                           .wrap = true};
    struct row row = {0};
    size_t i;
    json_t *event;
    if (!json_array_size(events))
        return;
    json_array_foreach (events, i, event) {
        if (is_silent(event))
            continue;
        if (row.first && !is_same_row(row.first, event))
            row_end(&row, several, &table);
        row_add(&row, event);
    }
    row_end(&row, several, &table);
    table_write(&table, width, to);
}

static void stand_add(const json_t *step, const json_t *stand, int width, struct text *to)
{
    struct text words AUTO(text_done) = {0};
    const char *component = json_string_at(stand, "/component");
    const char *advice = json_string_at(stand, "/advice");
    text_addf(&words, "%s%s%s: %s after %.1f s, with %lld writes: %s",
              json_string_at(stand, "/rollout"), component ? " " : "", component ? component : "",
              json_string_at(stand, "/state"), json_real_value(json_object_get(step, "seconds")),
              (long long)json_int_at(step, "/writes", 0), json_string_at(stand, "/reason/message"));
    text_puts(to, "  ");
    layout_wrap(to, words.at, INDENT, 2 * INDENT, width);
    if (!advice)
        return;
    text_puts(to, "    to go on: ");
    layout_wrap(to, advice, 14, 14, width);
}

/* Not a part of the rule, but of what came of it. */
static bool is_count(const char *name)
{
    return str_equal(name, "id") || str_equal(name, "seen") || str_equal(name, "done");
}

/* The rule in words: "fault answer (code 409, verb patch)". */
static void rule_add(const json_t *rule, struct text *words)
{
    const char *name, *between = " (";
    json_t *value;
    text_addf(words, "fault %s", json_string_at(rule, "/fault"));
    json_object_foreach ((json_t *)(uintptr_t)rule, name, value) {
        char *text AUTO_FREE = json_text(value);
        if (str_equal(name, "fault") || is_count(name))
            continue;
        text_addf(words, "%s%s %s", between, name, text);
        between = ", ";
    }
    text_puts(words, *between == ' ' ? "" : ")");
}

static void fault_add(const json_t *rule, int width, struct text *to)
{
    struct text words AUTO(text_done) = {0};
    int64_t done = json_int_at(rule, "/done", 0);
    rule_add(rule, &words);
    text_addf(&words, ": struck %lld of %lld that it fits", (long long)done,
              (long long)json_int_at(rule, "/seen", 0));
    text_puts(to, "  ");
    layout_wrap(to, words.at, INDENT, 2 * INDENT, width);
}

void timeline_page(const json_t *step, int width, struct text *to)
{
    const char *words = json_string_at(step, "/words");
    struct text heading AUTO(text_done) = {0};
    size_t i;
    json_t *stand, *rule;
    text_addf(&heading, "%s %s%s%s", json_string_at(step, "/object"), json_string_at(step, "/did"),
              words ? ": " : "", words ? words : "");
    layout_wrap(to, heading.at, 0, INDENT, width ? width : INT32_MAX);
    events_add(json_object_get(step, "events"), width, to);
    json_array_foreach (json_object_get(step, "stands"), i, stand)
        stand_add(step, stand, width ? width : INT32_MAX, to);
    json_array_foreach (json_object_get(step, "faults"), i, rule)
        fault_add(rule, width ? width : INT32_MAX, to);
}
