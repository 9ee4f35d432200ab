// SPDX-License-Identifier: Apache-2.0
/* The page with the last rolls of a rollout. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "cli/bar.h"
#include "cli/rollout_view.h"

#include <stdint.h>
#include <string.h>

static int64_t time_at(const json_t *roll, const char *pointer)
{
    return clock_parse(json_string_at(roll, pointer));
}

static void text_cell(const struct text *text, struct table *table)
{
    table_cell(table, "%s", text->at ? text->at : "");
}

/* ---- cells ---- */

/* "45s", "3m10s", "1h05m", "2d03h" */
static void took_add(struct text *to, int64_t ms)
{
    long long seconds = ms > 0 ? ms / 1000 : 0;
    if (seconds < 60)
        text_addf(to, "%llds", seconds);
    else if (seconds < 3600)
        text_addf(to, "%lldm%02llds", seconds / 60, seconds % 60);
    else if (seconds < 86400)
        text_addf(to, "%lldh%02lldm", seconds / 3600, seconds / 60 % 60);
    else
        text_addf(to, "%lldd%02lldh", seconds / 86400, seconds / 3600 % 24);
}

static void took_cell(const json_t *roll, int64_t now_ms, struct table *table)
{
    struct text took AUTO(text_done) = {0};
    int64_t began_ms = time_at(roll, "/began"), ended_ms = time_at(roll, "/ended");
    if (began_ms)
        took_add(&took, (ended_ms ? ended_ms : now_ms) - began_ms);
    text_cell(&took, table);
}

/* How long ago it was begun, or refused. */
static void ago_cell(const json_t *roll, int64_t now_ms, struct table *table)
{
    struct text ago AUTO(text_done) = {0};
    int64_t began_ms = time_at(roll, "/began"), ended_ms = time_at(roll, "/ended");
    int64_t then_ms = began_ms ? began_ms : ended_ms;
    if (then_ms)
        age_add(&ago, now_ms - then_ms);
    text_cell(&ago, table);
}

static void time_cell(const json_t *roll, const char *pointer, struct table *table)
{
    char time[CLOCK_TEXT_SIZE] = "";
    if (time_at(roll, pointer))
        clock_format(time_at(roll, pointer), time);
    table_cell(table, "%s", time);
}

static void name_cell(const json_t *roll, const char *pointer, struct table *table)
{
    const char *name = json_string_at(roll, pointer);
    table_cell(table, "%s", name ? name : "");
}

/* "3/5", when the whole is known */
static void share_cell(const json_t *roll, const char *part, const char *whole, struct table *table)
{
    int64_t all = json_int_at(roll, whole, -1);
    if (all < 0)
        table_cell(table, "%s", "");
    else
        table_cell(table, "%lld/%lld", (long long)json_int_at(roll, part, 0), (long long)all);
}

static void times_cell(const json_t *roll, struct table *table)
{
    struct text times AUTO(text_done) = {0};
    size_t i;
    json_t *seconds;
    json_array_foreach (json_object_get(roll, "batchSeconds"), i, seconds) {
        text_puts(&times, i ? " " : "");
        took_add(&times, json_integer_value(seconds) * 1000);
    }
    text_cell(&times, table);
}

static void verdict_cell(const json_t *roll, struct table *table)
{
    const char *verdict = json_string_at(roll, "/verdict");
    table_cell(table, "%s", verdict ? verdict : "under way");
}

/* Of a success there is nothing to say. */
static void why_cell(const json_t *roll, struct table *table)
{
    const char *message = json_string_at(roll, "/message");
    bool well = str_equal(json_string_at(roll, "/verdict"), "Succeeded");
    table_cell(table, "%s", message && !well ? message : "");
}

/* Has an earlier one asked who has asked this? */
static bool named_before(const json_t *asked, size_t at)
{
    const char *by = json_string_at(json_array_get(asked, at), "/by");
    bool named = false;
    for (size_t i = 0; i < at; i++)
        named = named || str_equal(json_string_at(json_array_get(asked, i), "/by"), by);
    return named;
}

/* "jo, ann" */
static void who_cell(const json_t *roll, struct table *table)
{
    struct text who AUTO(text_done) = {0};
    const json_t *asked = json_object_get(roll, "asked");
    for (size_t i = 0; i < json_array_size(asked); i++) {
        const char *by = json_string_at(json_array_get(asked, i), "/by");
        if (by && !named_before(asked, i))
            text_addf(&who, "%s%s", who.len ? ", " : "", by);
    }
    text_cell(&who, table);
}

/* "approve by jo, abort by ann" */
static void asked_cell(const json_t *roll, struct table *table)
{
    struct text words AUTO(text_done) = {0};
    size_t i;
    json_t *asked;
    json_array_foreach (json_object_get(roll, "asked"), i, asked) {
        const char *verb = json_string_at(asked, "/verb"), *by = json_string_at(asked, "/by");
        if (verb && by)
            text_addf(&words, "%s%s by %s", words.len ? ", " : "", verb, by);
    }
    text_cell(&words, table);
}

/* ---- rows ---- */

static void row_add(const json_t *roll, int64_t now_ms, struct table *table)
{
    ago_cell(roll, now_ms, table);
    took_cell(roll, now_ms, table);
    name_cell(roll, "/target", table);
    share_cell(roll, "/batchesDone", "/batches", table);
    share_cell(roll, "/upgraded", "/size", table);
    verdict_cell(roll, table);
    who_cell(roll, table);
    why_cell(roll, table);
}

static void wide_row_add(const json_t *roll, int64_t now_ms, struct table *table)
{
    time_cell(roll, "/began", table);
    time_cell(roll, "/ended", table);
    took_cell(roll, now_ms, table);
    name_cell(roll, "/source", table);
    name_cell(roll, "/target", table);
    share_cell(roll, "/batchesDone", "/batches", table);
    times_cell(roll, table);
    share_cell(roll, "/upgraded", "/size", table);
    verdict_cell(roll, table);
    asked_cell(roll, table);
    why_cell(roll, table);
}

static void rolls_add(const struct rollout_view *view, const struct part *part, int width,
                      bool wide, struct text *to)
{
    static const char *const heads[] = {"AGO",  "TOOK",    "TO", "BATCHES",
                                        "PODS", "VERDICT", "BY", "WHY"};
    static const char *const wide_heads[] = {"BEGAN",   "ENDED",   "TOOK",         "FROM",
                                             "TO",      "BATCHES", "BATCHES TOOK", "PODS",
                                             "VERDICT", "ASKED",   "WHY"};
    struct table table AUTO(table_done) = {.columns = wide ? 11 : 8,
                                           .heads = wide ? wide_heads : heads};
    size_t i;
    json_t *roll;
    json_array_foreach (part->rolls, i, roll) {
        if (wide)
            wide_row_add(roll, view->now_ms, &table);
        else
            row_add(roll, view->now_ms, &table);
    }
    table_write(&table, width, to);
}

void history_page(const struct rollout_view *view, int width, bool wide, struct text *to)
{
    for (size_t i = 0; i < view->part_count; i++) {
        const struct part *part = &view->parts[i];
        text_addf(to, "%s%s %s/%s%s%s\n\n", i ? "\n" : "", view->kind->info.kind, view->rollout.ns,
                  view->rollout.name, part->component ? ", " : "",
                  part->component ? part->component : "");
        if (json_array_size(part->rolls))
            rolls_add(view, part, width, wide, to);
        else
            text_puts(to, "No roll is recorded yet.\n");
    }
}

json_t *history_json(const struct rollout_view *view, const struct part *part)
{
    (void)view;
    json_t *rolls = (json_t *)(uintptr_t)part->rolls;
    return json_pack("{s:o}", "history", rolls ? json_incref(rolls) : json_array());
}
