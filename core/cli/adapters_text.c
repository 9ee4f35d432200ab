// SPDX-License-Identifier: Apache-2.0
#include "cli/adapters_text.h"

#include "base/alloc.h"
#include "base/json.h"
#include "cli/table.h"

#include <string.h>

/* ── Members in words ─────────────────────────────────────────────────────────────────────── */

static const char *text_at(const json_t *adapter, const char *pointer)
{
    const char *text = json_string_at(adapter, pointer);
    return text ? text : "";
}

/* Three digits at most: "640µs", "2.5ms", "31ms", "1.2s". */
static char *duration(int64_t us)
{
    if (us < 1000)
        return str_format("%lldµs", (long long)us);
    if (us < 10 * 1000)
        return str_format("%.1fms", (double)us / 1e3);
    if (us < 1000 * 1000)
        return str_format("%lldms", (long long)us / 1000);
    return str_format("%.1fs", (double)us / 1e6);
}

static char *list_join(const json_t *list, const char *separator)
{
    struct text joined = {0};
    for (size_t i = 0; i < json_array_size(list); i++)
        text_addf(&joined, "%s%s", i ? separator : "", json_string_value(json_array_get(list, i)));
    return text_steal(&joined);
}

/* "apps/v1 Deployment, …" */
static char *kinds_of(const json_t *adapter)
{
    const json_t *kinds = json_object_get(adapter, "kinds");
    struct text joined = {0};
    for (size_t i = 0; i < json_array_size(kinds); i++) {
        const json_t *kind = json_array_get(kinds, i);
        text_addf(&joined, "%s%s %s", i ? ", " : "", text_at(kind, "/apiVersion"),
                  text_at(kind, "/kind"));
    }
    return text_steal(&joined);
}

static const char *state_of(const json_t *adapter)
{
    if (str_equal(json_string_at(adapter, "/state"), "refused"))
        return "Refused";
    if (json_string_at(adapter, "/next/refusal"))
        return "NextRefused";
    if (json_string_at(adapter, "/next/file") || json_string_at(adapter, "/waitsFor"))
        return "NextWaits";
    return "InUse";
}

/* ── A table ──────────────────────────────────────────────────────────────────────────────── */

static char *cell_text(const json_t *adapter, const char *pointer)
{
    return str_copy(text_at(adapter, pointer));
}

static char *cell_state(const json_t *adapter, const char *pointer)
{
    (void)pointer;
    return str_copy(state_of(adapter));
}

static char *cell_count(const json_t *adapter, const char *pointer)
{
    int64_t count = json_int_at(adapter, pointer, -1);
    return count < 0 ? str_copy("") : str_format("%lld", (long long)count);
}

static char *cell_duration(const json_t *adapter, const char *pointer)
{
    bool called = json_int_at(adapter, "/calls/count", 0) > 0;
    return called ? duration(json_int_at(adapter, pointer, 0)) : str_copy("");
}

static char *cell_digest(const json_t *adapter, const char *pointer)
{
    return str_format("%.12s", text_at(adapter, pointer));
}

static char *cell_kinds(const json_t *adapter, const char *pointer)
{
    (void)pointer;
    return kinds_of(adapter);
}

static const struct column {
    const char *head;
    char *(*cell)(const json_t *adapter, const char *pointer);
    const char *pointer;
    unsigned views;
} columns[] = {
    {"NAME", cell_text, "/name", ADAPTERS_RUNNING | ADAPTERS_LOADED | ADAPTERS_WIDE},
    {"VERSION", cell_text, "/version", ADAPTERS_RUNNING | ADAPTERS_LOADED | ADAPTERS_WIDE},
    {"STATE", cell_state, NULL, ADAPTERS_RUNNING | ADAPTERS_LOADED | ADAPTERS_WIDE},
    {"ISOLATION", cell_text, "/isolation", ADAPTERS_RUNNING | ADAPTERS_WIDE},
    {"ROLLOUTS", cell_count, "/rollouts", ADAPTERS_RUNNING | ADAPTERS_WIDE},
    {"CALLS", cell_count, "/calls/count", ADAPTERS_RUNNING | ADAPTERS_WIDE},
    {"P50", cell_duration, "/calls/p50Microseconds", ADAPTERS_WIDE},
    {"P99", cell_duration, "/calls/p99Microseconds", ADAPTERS_RUNNING | ADAPTERS_WIDE},
    {"RESTARTS", cell_count, "/restarts", ADAPTERS_WIDE},
    {"SHA256", cell_digest, "/sha256", ADAPTERS_WIDE},
    {"FILE", cell_text, "/file", ADAPTERS_WIDE},
    {"KINDS", cell_kinds, NULL, ADAPTERS_LOADED | ADAPTERS_WIDE},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

static void put_row(struct table *table, enum adapters_view view, const json_t *adapter)
{
    for (const struct column *column = columns; column < columns + COLUMNS; column++) {
        if (!(column->views & view))
            continue;
        char *cell AUTO_FREE = column->cell(adapter, column->pointer);
        table_cell(table, "%s", *cell ? cell : "-");
    }
}

void adapters_table(const json_t *adapters, enum adapters_view view, int width, struct text *out)
{
    const char *heads[COLUMNS];
    struct table table AUTO(table_done) = {.heads = heads};
    for (const struct column *column = columns; column < columns + COLUMNS; column++)
        if (column->views & view)
            heads[table.columns++] = column->head;
    for (size_t i = 0; i < json_array_size(adapters); i++)
        put_row(&table, view, json_array_get(adapters, i));
    table_write(&table, width, out);
}

/* ── What has to be known beside it ───────────────────────────────────────────────────────── */

/* "version 2.0.0 from /opt/widget.so, sha256 9f86d081884c" */
static char *version_words(const json_t *version)
{
    const char *number = json_string_at(version, "/version");
    const char *digest = json_string_at(version, "/sha256");
    struct text words = {0};
    if (number)
        text_addf(&words, "version %s from ", number);
    text_puts(&words, text_at(version, "/file"));
    if (digest)
        text_addf(&words, ", sha256 %.12s", digest);
    return text_steal(&words);
}

static void note_next(const json_t *adapter, const json_t *next, struct text *out)
{
    const char *refusal = json_string_at(next, "/refusal");
    const char *waits = json_string_at(next, "/waitsFor");
    char *which AUTO_FREE = version_words(next);
    text_addf(out, "%s: version %s goes on; ", text_at(adapter, "/name"),
              text_at(adapter, "/version"));
    if (refusal)
        text_addf(out, "%s is refused: %s\n", which, refusal);
    else
        text_addf(out, "%s waits: %s\n", which, waits ? waits : "it is about to take over");
}

static void note_one(const json_t *adapter, struct text *out)
{
    const char *refusal = json_string_at(adapter, "/refusal");
    const char *waits = json_string_at(adapter, "/waitsFor");
    const json_t *next = json_object_get(adapter, "next");
    if (refusal)
        text_addf(out, "%s is refused: %s\n", text_at(adapter, "/name"), refusal);
    if (waits)
        text_addf(out, "%s waits: %s\n", text_at(adapter, "/name"), waits);
    if (next)
        note_next(adapter, next, out);
}

void adapters_notes(const json_t *adapters, struct text *out)
{
    for (size_t i = 0; i < json_array_size(adapters); i++)
        note_one(json_array_get(adapters, i), out);
}

/* ── One alone ────────────────────────────────────────────────────────────────────────────── */

static void line(struct text *out, const char *label, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void line(struct text *out, const char *label, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text AUTO_FREE = str_format_v(format, args);
    va_end(args);
    text_addf(out, "%-15s%s\n", label, text);
}

static void detail_rights(const json_t *adapter, struct text *out)
{
    const json_t *rights = json_object_get(adapter, "rights");
    for (size_t i = 0; i < json_array_size(rights); i++) {
        const json_t *rule = json_array_get(rights, i);
        char *verbs AUTO_FREE = list_join(json_object_get(rule, "verbs"), ", ");
        char *resources AUTO_FREE = list_join(json_object_get(rule, "resources"), ", ");
        char *groups AUTO_FREE = list_join(json_object_get(rule, "apiGroups"), ", ");
        line(out, i ? "" : "Rights:", "%s %s%s%s%s", verbs, resources, *groups ? " (" : "", groups,
             *groups ? ")" : "");
    }
}

static void detail_native(const json_t *adapter, struct text *out)
{
    const json_t *native = json_object_get(adapter, "native");
    for (size_t i = 0; i < json_array_size(native); i++) {
        const json_t *function = json_array_get(native, i);
        line(out, i ? "" : "Native:", "%s: %s of %s, sha256 %.12s", text_at(function, "/name"),
             text_at(function, "/symbol"), text_at(function, "/file"),
             text_at(function, "/sha256"));
    }
}

static void detail_calls(const json_t *adapter, struct text *out)
{
    const json_t *calls = json_object_get(adapter, "calls");
    long long count = json_int_at(calls, "/count", 0), slow = json_int_at(calls, "/slow", 0);
    char *half AUTO_FREE = duration(json_int_at(calls, "/p50Microseconds", 0));
    char *most AUTO_FREE = duration(json_int_at(calls, "/p99Microseconds", 0));
    if (!calls)
        return;
    if (count)
        line(out, "Calls:", "%lld, p50 %s, p99 %s, %lld beyond the deadline", count, half, most,
             slow);
    else
        line(out, "Calls:", "none so far");
    line(out, "Restarts:", "%lld", (long long)json_int_at(adapter, "/restarts", 0));
}

static void detail_next(const json_t *next, struct text *out)
{
    const char *waits = json_string_at(next, "/waitsFor");
    const char *refusal = json_string_at(next, "/refusal");
    char *which AUTO_FREE = version_words(next);
    if (!next)
        return;
    line(out, "Next:", "%s", which);
    if (waits)
        line(out, "", "waits: %s", waits);
    if (refusal)
        line(out, "", "refused: %s", refusal);
}

static void detail_event(const json_t *adapter, const char *label, const char *pointer,
                         struct text *out)
{
    const json_t *event = json_at(adapter, pointer);
    if (event)
        line(out, label, "%s  %s", text_at(event, "/at"), text_at(event, "/message"));
}

void adapter_details(const json_t *adapter, struct text *out)
{
    char *kinds AUTO_FREE = kinds_of(adapter);
    const char *refusal = json_string_at(adapter, "/refusal");
    line(out, "Name:", "%s", text_at(adapter, "/name"));
    line(out, "State:", "%s%s%s", state_of(adapter), refusal ? ": " : "", refusal ? refusal : "");
    line(out, "Version:", "%s", text_at(adapter, "/version"));
    line(out, "File:", "%s", text_at(adapter, "/file"));
    line(out, "SHA-256:", "%s%s", text_at(adapter, "/sha256"),
         json_bool_at(adapter, "/pinned", false) ? " (pinned)" : "");
    line(out, "Isolation:", "%s", text_at(adapter, "/isolation"));
    line(out, "Kinds:", "%s", kinds);
    detail_rights(adapter, out);
    detail_native(adapter, out);
    if (json_object_get(adapter, "rollouts"))
        line(out, "Rollouts:", "%lld", (long long)json_int_at(adapter, "/rollouts", 0));
    detail_calls(adapter, out);
    if (json_string_at(adapter, "/waitsFor"))
        line(out, "Waits for:", "%s", text_at(adapter, "/waitsFor"));
    detail_next(json_object_get(adapter, "next"), out);
    detail_event(adapter, "Last refusal:", "/lastRefusal", out);
    detail_event(adapter, "Last failure:", "/calls/lastFailure", out);
}
