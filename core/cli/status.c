// SPDX-License-Identifier: Apache-2.0
/* `sluice status`: how it stands. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/find.h"
#include "cli/found_output.h"
#include "cli/number.h"
#include "cli/output.h"
#include "cli/rollout_view.h"
#include "cli/wait.h"

#include <stdio.h>
#include <string.h>

static const char *const formats[] = {"json", "yaml", "wide", "name", NULL};
static const struct flag flag_output = {
    .name = "output",
    .letter = 'o',
    .value = "FORMAT",
    .text = "json, yaml, wide or name",
    .choices = formats,
};
static const struct flag flag_wait = {
    .name = "wait",
    .text = "wait until the rollout has ended, and tell by the exit status how",
};
static const struct flag flag_timeout = {
    .name = "timeout",
    .value = "TIME",
    .text = "how long to wait: 90s, 15m, 2h (default: 30m)",
};

enum { WAIT_MS = 30 * 60 * 1000 };

static bool is(const char *format, const char *name)
{
    return format && strcmp(format, name) == 0;
}

/* ---- all ---- */

static void print_table(const struct session *session, const struct found_list *list, bool wide)
{
    int with = (session->ns ? 0 : ROW_NAMESPACE) | (wide ? ROW_WIDE : 0);
    struct table table AUTO(table_done) = {0};
    struct text page AUTO(text_done) = {0};
    rows_begin(&table, with);
    for (size_t i = 0; i < list->count; i++) {
        struct rollout_view view;
        rollout_view_open(list->items[i].kind, list->items[i].object, clock_wall_ms(), &view);
        rows_add(&view, with, &table);
        rollout_view_done(&view);
    }
    table_write(&table, output_width(), &page);
    fputs(page.at, stdout);
}

static void print_objects(const struct found_list *list, const char *format)
{
    json_t *items = json_array();
    for (size_t i = 0; i < list->count; i++)
        json_array_append(items, list->items[i].object);
    json_t *all AUTO_JSON =
        json_pack("{s:s, s:s, s:o}", "apiVersion", "v1", "kind", "List", "items", items);
    output_json(all, format);
}

static int status_all(const struct arguments *arguments, struct session *session)
{
    const char *format = flag_value(arguments, &flag_output);
    struct found_list list;
    struct error err = {0};
    if (rollouts_list(session, &list, &err) < 0)
        return verb_refused(arguments->verb, &err);
    rollouts_say_unread(&list);
    if (is(format, "name"))
        for (size_t i = 0; i < list.count; i++)
            found_output(&list.items[i], format);
    else if (is(format, "json") || is(format, "yaml"))
        print_objects(&list, format);
    else if (list.count)
        print_table(session, &list, is(format, "wide"));
    else
        rollouts_say_none(session);
    found_list_done(&list);
    return STATUS_DONE;
}

/* ---- one ---- */

static void print_page(const struct found *found)
{
    struct rollout_view view;
    struct text page AUTO(text_done) = {0};
    rollout_view_open(found->kind, found->object, clock_wall_ms(), &view);
    rollout_page(&view, output_width(), &page);
    fputs(page.at, stdout);
    rollout_view_done(&view);
}

static int print_one(const struct arguments *arguments, struct session *session,
                     const struct found *found, int64_t timeout_ms)
{
    const char *format = flag_value(arguments, &flag_output);
    if (flag_value(arguments, &flag_wait))
        return rollout_wait(session, found, timeout_ms);
    if (!found_output(found, format))
        print_page(found);
    return STATUS_DONE;
}

static int status_one(const struct arguments *arguments, struct session *session,
                      int64_t timeout_ms)
{
    struct found found;
    struct error err = {0};
    if (rollout_find(session, arguments->operands[0], &found, &err) < 0)
        return verb_refused(arguments->verb, &err);
    int status = print_one(arguments, session, &found, timeout_ms);
    json_decref(found.object);
    return status;
}

static int run_status(const struct arguments *arguments)
{
    struct session session;
    struct error err = {0};
    int64_t timeout_ms = WAIT_MS;
    const char *timeout = flag_value(arguments, &flag_timeout);
    bool one = arguments->operand_count > 0;
    if (!duration_read(timeout, &timeout_ms))
        return usage_error(arguments->verb,
                           "--timeout: expected a time such as 90s or 15m, found "
                           "\"%s\"",
                           timeout);
    if (!one && flag_value(arguments, &flag_wait))
        return usage_error(arguments->verb, "--wait needs the name of a rollout");
    if (one && flag_value(arguments, &flag_all_namespaces))
        return usage_error(arguments->verb, "a name and --all-namespaces exclude each other");
    if (session_open(arguments, &session, &err) < 0)
        return verb_refused(arguments->verb, &err);
    int status =
        one ? status_one(arguments, &session, timeout_ms) : status_all(arguments, &session);
    session_close(&session);
    return status;
}

const struct verb verb_status = {
    .name = "status",
    .summary = "show how rollouts stand: their batches, pods, and what they wait for",
    .operands = "[NAME]",
    .most = 1,
    .flags = (const struct flag *const[]){&flag_output, &flag_wait, &flag_timeout, SESSION_FLAGS,
                                          &flag_all_namespaces, NULL},
    .text = "● is a pod at the target that is ready, ○ one that isn't ready yet, · one that isn't "
            "at the target.\n"
            "\n"
            "With --wait, each state that it comes to is a line, and the exit status tells the "
            "end: 0 it has succeeded, 3 failed, 4 it was turned to another target or deleted, 5 "
            "the time ran out.",
    .run = run_status,
};
