// SPDX-License-Identifier: Apache-2.0
/* The page that says why a rollout is where it is. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "cli/bar.h"
#include "cli/rollout_view.h"

#include <string.h>

/* What a person can do, where the reason's own sentence doesn't say it; %s is the rollout. */
static const char *const advices[REASON_CODES] = {
    [REASON_PARTITION_REACHED] = "sluice approve %s",
    [REASON_PAUSED] = "sluice resume %s",
    [REASON_REVISION_MISSING] = "apply the Application that makes the revision; it is waited for",
    [REASON_REVISION_UNUSABLE] = "mend what is said above, record a new revision and name that",
    [REASON_KIND_UNKNOWN] = "enable an adapter for the kind; `sluice adapters` lists them",
    [REASON_PLAN_INVALID] = "correct the plan; `sluice lint` checks it",
    [REASON_REFUSED] = "correct the rollout; `sluice lint` checks it",
    [REASON_WORKLOAD_HELD] = "it goes on when the other rollout has ended or is deleted",
    [REASON_HOOK_REJECTED] = "sluice retry %s, sluice rollback %s, or another target",
    [REASON_HOOK_TROUBLE] = "see that the hook answers; it is called again without being asked",
    [REASON_FAILED] = "sluice retry %s, sluice rollback %s, or another target",
    [REASON_HELD] = "change the workload's template, and the plan begins",
    [REASON_DEADLINE_EXCEEDED] = "mend the pods, sluice rollback %s, or another target",
    [REASON_PODS_NOT_READY] = "it goes on by itself when they are; `kubectl get pods` shows them",
};

char *reason_advice(enum reason_code code, const char *name)
{
    const char *advice = advices[code], *place;
    struct text words = {0};
    if (!advice)
        return NULL;
    for (; (place = strstr(advice, "%s")); advice = place + 2)
        text_addf(&words, "%.*s%s", (int)(place - advice), advice, name);
    text_puts(&words, advice);
    return text_steal(&words);
}

static void fact(struct table *table, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    table_cell(table, "%s", name);
    table_cell(table, "%s", value);
}

static void fact_since(struct table *table, const char *name, int64_t since_ms, int64_t now_ms)
{
    char time[CLOCK_TEXT_SIZE];
    struct text value AUTO(text_done) = {0};
    if (!since_ms)
        return;
    clock_format(since_ms, time);
    text_addf(&value, "%s, for ", time);
    age_add(&value, now_ms - since_ms);
    fact(table, name, value.at);
}

static void facts_add(const struct rollout_view *view, const struct part *part, int width,
                      struct text *to)
{
    const struct rollout_status *status = &part->status;
    const struct reason *reason = &status->reason;
    int state;
    const struct level *level = part_level(part, &state);
    char *advice AUTO_FREE = reason_advice(reason->code, view->rollout.name);
    struct table table AUTO(table_done) = {.columns = 2, .indent = 2, .wrap = true};
    fact(&table, "state", part_state(part));
    fact(&table, "which", part->recorded ? level->states[state].text : NULL);
    fact_since(&table, "since", part_since(part), view->now_ms);
    if (*reason->message) {
        fact(&table, "why", reason->message);
        fact(&table, "reason", part->recorded ? reason_name(reason->code) : NULL);
    }
    fact(&table, "object", reason->object);
    fact(&table, "field", reason->field);
    fact(&table, "expected", reason->expected);
    fact(&table, "found", reason->found);
    fact_since(&table, "waits since", status->reason_since_ms, view->now_ms);
    fact(&table, "what to do", advice);
    table_write(&table, width, to);
}

/* What would lead on, and where to. */
static void moves_add(const struct part *part, int width, struct text *to)
{
    if (!part->recorded)
        return;
    int state;
    const struct level *level = part_level(part, &state);
    struct table table AUTO(table_done) = {.columns = 2, .indent = 2, .wrap = true};
    for (int event = 0; event < level->event_count; event++) {
        int next = level->cell(state, event).next;
        if (next == state)
            continue;
        table_cell(&table, "to %s", level->states[next].name);
        table_cell(&table, "when %s", level->events[event].text);
    }
    if (!table.cell_count)
        return;
    text_puts(to, "\nFrom there it goes\n\n");
    table_write(&table, width, to);
}

void explain_page(const struct rollout_view *view, int width, struct text *to)
{
    for (size_t i = 0; i < view->part_count; i++) {
        const struct part *part = &view->parts[i];
        text_addf(to, "%s%s %s/%s", i ? "\n" : "", view->kind->info.kind, view->rollout.ns,
                  view->rollout.name);
        if (part->component)
            text_addf(to, ", %s %s",
                      view->kind->follows ? json_string_at(view->object, "/spec/workloadRef/kind")
                                          : "component",
                      part->component);
        text_puts(to, "\n\n");
        facts_add(view, part, width, to);
        moves_add(part, width, to);
    }
}

/* ---- for programs ---- */

static void put_text(json_t *json, const char *name, const char *text)
{
    if (text && *text)
        json_object_set_new(json, name, json_string(text));
}

static void put_time(json_t *json, const char *name, int64_t wall_ms)
{
    char time[CLOCK_TEXT_SIZE];
    if (!wall_ms)
        return;
    clock_format(wall_ms, time);
    put_text(json, name, time);
}

static json_t *reason_json(const struct rollout_status *status)
{
    const struct reason *reason = &status->reason;
    json_t *json = json_object();
    put_text(json, "code", reason_name(reason->code));
    put_text(json, "message", reason->message);
    put_text(json, "object", reason->object);
    put_text(json, "field", reason->field);
    put_text(json, "expected", reason->expected);
    put_text(json, "found", reason->found);
    put_time(json, "since", status->reason_since_ms);
    return json;
}

static json_t *moves_json(const struct part *part)
{
    int state;
    const struct level *level = part_level(part, &state);
    json_t *moves = json_array();
    for (int event = 0; event < level->event_count; event++) {
        int next = level->cell(state, event).next;
        if (next != state)
            json_array_append_new(
                moves, json_pack("{s:s, s:s, s:s}", "to", level->states[next].name, "event",
                                 level->events[event].name, "when", level->events[event].text));
    }
    return moves;
}

json_t *explain_json(const struct rollout_view *view, const struct part *part)
{
    const struct rollout_status *status = &part->status;
    json_t *json = json_object();
    if (!part->recorded) {
        put_text(json, "message", status->reason.message);
        return json;
    }
    char *advice AUTO_FREE = reason_advice(status->reason.code, view->rollout.name);
    put_text(json, "state", part_state(part));
    put_time(json, "since", part_since(part));
    json_object_set_new(json, "reason", reason_json(status));
    put_text(json, "advice", advice);
    json_object_set_new(json, "moves", moves_json(part));
    return json;
}
