// SPDX-License-Identifier: Apache-2.0
#include "rollout/states_doc.h"

#include "base/alloc.h"
#include "base/text.h"
#include "rollout/states_draw.h"

/* ---- tables ---- */

static void list_states(struct text *page, const struct level *level)
{
    text_puts(page, "| state | condition | what it does |\n| --- | --- | --- |\n");
    for (int i = 0; i < level->state_count; i++)
        text_addf(page, "| `%s` | %s | %s |\n", level->states[i].name,
                  condition_name(level->states[i].condition), level->states[i].text);
    text_puts(page, "\n");
}

static void list_events(struct text *page, const struct level *level)
{
    text_puts(page, "| event | what has become true |\n| --- | --- |\n");
    for (int i = 0; i < level->event_count; i++)
        text_addf(page, "| %s | %s |\n", level->events[i].name, level->events[i].text);
    text_puts(page, "\n");
}

static void list_moves(struct text *page, const struct level *level, int state)
{
    for (int event = 0; event < level->event_count; event++) {
        struct cell cell = level->cell(state, event);
        if (cell.next == state)
            continue;
        text_addf(page, "| %s | `%s`%s%s | %s: %s |\n", level->events[event].name,
                  level->states[cell.next].name, cell.raises == ON_WAITING ? "" : ", and tells ",
                  cell.raises == ON_WAITING ? "" : rolling_event_name(cell.raises),
                  reason_name(cell.reason), reason_text(cell.reason));
    }
}

/* The events on which it stays for the given reason, in one row. */
static void list_stays(struct text *page, const struct level *level, int state,
                       enum reason_code reason)
{
    struct text events AUTO(text_done) = {0};
    for (int event = 0; event < level->event_count; event++) {
        struct cell cell = level->cell(state, event);
        if (cell.next == state && cell.reason == reason)
            text_addf(&events, "%s%s", events.len ? ", " : "", level->events[event].name);
    }
    if (events.len)
        text_addf(page, "| %s | stays | %s: %s |\n", events.at, reason_name(reason),
                  reason_text(reason));
}

static void list_transitions(struct text *page, const struct level *level)
{
    for (int state = 0; state < level->state_count; state++) {
        text_addf(page, "### %s\n\n| on | to | because |\n| --- | --- | --- |\n",
                  level->states[state].name);
        list_moves(page, level, state);
        for (int reason = 0; reason < REASON_CODES; reason++)
            list_stays(page, level, state, (enum reason_code)reason);
        text_puts(page, "\n");
    }
}

static void list_reasons(struct text *page)
{
    text_puts(page, "| reason | takes a person | in words |\n| --- | --- | --- |\n");
    for (int i = 0; i < REASON_CODES; i++) {
        enum reason_code code = (enum reason_code)i;
        text_addf(page, "| %s | %s | %s |\n", reason_name(code),
                  reason_needs_person(code) ? "yes" : "", reason_text(code));
    }
}

/* ---- the page ---- */

static const char opening[] =
    "# What happened to my rollout?\n"
    "\n"
    "`kubectl describe approllout <name>` has the answer in its status. `rollingState` and, while "
    "batches are rolled, `batchRollingState` and `currentBatch` (counted from 0) say where the "
    "rollout stands: look the state up below. `reason` says why it stands there and not further "
    "on, in a sentence, with the field at fault, what was expected and what was found; when a "
    "reason takes a person, it is also told as an Event. `conditions` say which way it came: "
    "sorted by time, they name every state that was passed, also those that took no time at all.\n"
    "\n"
    "A rollout moves only when something has become true: an event. In every state every event "
    "has one answer, a move or to stay, and this page lists them all. It is made from "
    "`core/rollout/states.def`, the same table that the controller runs on; `meson compile -C "
    "build states-doc` makes it anew.\n"
    "\n";

static const char rollout_intro[] =
    "## The rollout\n"
    "\n"
    "A first deployment, a roll to another revision, a rollback and a scaling all take this way. "
    "Up to `verifyingSpec` nothing has been touched; `rolloutSucceed` and `rolloutFailed` are "
    "ends, which are left only when something else is wanted.\n"
    "\n";

static const char batch_intro[] =
    "## A batch\n"
    "\n"
    "Inside `rollingInBatches` every batch takes this way. `paused` holds it still in any state; "
    "`batchPartition` holds it in `batchReady`. An event after a slash is what the batch tells "
    "the rollout.\n"
    "\n";

static void describe_level(struct text *page, const struct level *level, const char *frame)
{
    text_puts(page, "```mermaid\n");
    draw_mermaid(page, level, frame);
    text_puts(page, "```\n\n");
    list_states(page, level);
    list_events(page, level);
}

char *states_doc(void)
{
    struct text page = {0};
    text_puts(&page, opening);
    text_puts(&page, rollout_intro);
    describe_level(&page, &rolling_level, "any state");
    text_puts(&page, batch_intro);
    describe_level(&page, &batch_level, "rollingInBatches");
    text_puts(&page, "## Why it waits\n\n"
                     "What `reason.code`, the reasons of conditions and the Events can say.\n\n");
    list_reasons(&page);
    text_puts(&page, "\n## Every answer of the rollout\n\n");
    list_transitions(&page, &rolling_level);
    text_puts(&page, "## Every answer of a batch\n\n");
    list_transitions(&page, &batch_level);
    page.at[--page.len] = '\0'; /* the page ends with one line feed */
    return text_steal(&page);
}
