// SPDX-License-Identifier: Apache-2.0
/* `sluice explain` and `sluice history`: one rollout, told as a page or for programs. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/find.h"
#include "cli/output.h"
#include "cli/rollout_view.h"

#include <stdio.h>
#include <string.h>

/* What is told, to `format` NULL, wide, json or yaml. */
typedef void tell_fn(const struct rollout_view *view, const char *format);

static void tell_view(const struct found *found, const char *format, tell_fn *tell)
{
    struct rollout_view view;
    rollout_view_open(found->kind, found->object, clock_wall_ms(), &view);
    tell(&view, format);
    rollout_view_done(&view);
}

static int tell_one(const struct arguments *arguments, const char *format, tell_fn *tell)
{
    struct session session;
    struct found found;
    struct error err = {0};
    if (session_open(arguments, &session, &err) < 0)
        return verb_refused(arguments->verb, &err);
    int code = rollout_find(&session, arguments->operands[0], &found, &err);
    if (code == OK) {
        tell_view(&found, format, tell);
        json_decref(found.object);
    }
    session_close(&session);
    return code < 0 ? verb_refused(arguments->verb, &err) : STATUS_DONE;
}

static void print_json(const struct rollout_view *view, part_json_fn *part_json, const char *format)
{
    json_t *json AUTO_JSON = rollout_json(view, part_json);
    output_json(json, format);
}

/* ---- explain ---- */

static const char *const explain_formats[] = {"json", "yaml", NULL};
static const struct flag explain_output = {
    .name = "output",
    .letter = 'o',
    .value = "FORMAT",
    .text = "json or yaml",
    .choices = explain_formats,
};

static void tell_reason(const struct rollout_view *view, const char *format)
{
    struct text page AUTO(text_done) = {0};
    if (format) {
        print_json(view, explain_json, format);
        return;
    }
    explain_page(view, output_width(), &page);
    fputs(page.at, stdout);
}

static int run_explain(const struct arguments *arguments)
{
    return tell_one(arguments, flag_value(arguments, &explain_output), tell_reason);
}

const struct verb verb_explain = {
    .name = "explain",
    .summary = "tell why a rollout is where it is, and what would let it go on",
    .operands = "NAME",
    .least = 1,
    .most = 1,
    .flags = (const struct flag *const[]){&explain_output, SESSION_FLAGS, NULL},
    .text = "What isn't met, in which object and field, since when, what can be done about it, and "
            "where it goes from there.",
    .run = run_explain,
};

/* ---- history ---- */

static const char *const history_formats[] = {"json", "yaml", "wide", NULL};
static const struct flag history_output = {
    .name = "output",
    .letter = 'o',
    .value = "FORMAT",
    .text = "json, yaml or wide",
    .choices = history_formats,
};

static void tell_history(const struct rollout_view *view, const char *format)
{
    bool wide = format && strcmp(format, "wide") == 0;
    struct text page AUTO(text_done) = {0};
    if (format && !wide) {
        print_json(view, history_json, format);
        return;
    }
    history_page(view, output_width(), wide, &page);
    fputs(page.at, stdout);
}

static int run_history(const struct arguments *arguments)
{
    return tell_one(arguments, flag_value(arguments, &history_output), tell_history);
}

const struct verb verb_history = {
    .name = "history",
    .summary = "list the last rolls of a rollout: how long, how they ended, who asked",
    .operands = "NAME",
    .least = 1,
    .most = 1,
    .flags = (const struct flag *const[]){&history_output, SESSION_FLAGS, NULL},
    .text = "The last ten rolls of each component, the oldest first, as status.history has them. "
            "With -o wide also where each came from, the times, how long each batch took without "
            "the wait at its gate, and who has asked for what.\n"
            "\n"
            "  Succeeded   it has come to its target\n"
            "  Failed      a hook has said no\n"
            "  Aborted     somebody has stopped it (sluice abort)\n"
            "  Abandoned   it was turned to another target on the way\n"
            "  Refused     it couldn't be carried out as it was written\n"
            "  under way   it hasn't ended yet",
    .run = run_history,
};
