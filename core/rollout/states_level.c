// SPDX-License-Identifier: Apache-2.0
#include "rollout/states_level.h"

#include "base/text.h"

static const struct state_item rolling_states[] = {
#define ROLLING_STATE(id, wire, condition, text) {wire, CONDITION_##condition, text},
#include "rollout/states.def"
};
static const struct state_item batch_states[] = {
#define BATCH_STATE(id, wire, condition, text) {wire, CONDITION_##condition, text},
#include "rollout/states.def"
};
static const struct event_item rolling_events[] = {
#define ROLLING_EVENT(id, name, text) {name, text},
#include "rollout/states.def"
};
static const struct event_item batch_events[] = {
#define BATCH_EVENT(id, name, text) {name, text},
#include "rollout/states.def"
};

static struct cell rolling_cell(int state, int event)
{
    struct rolling_row row =
        rolling_transition((enum rolling_state)state, (enum rolling_event)event);
    return (struct cell){(int)row.next, ON_WAITING, row.reason};
}

static struct cell batch_cell(int state, int event)
{
    struct batch_row row = batch_transition((enum batch_state)state, (enum batch_event)event);
    return (struct cell){(int)row.next, row.raises, row.reason};
}

const struct level rolling_level = {rolling_states, ROLLING_STATES, rolling_events, ROLLING_EVENTS,
                                    rolling_cell};
const struct level batch_level = {batch_states, BATCH_STATES, batch_events, BATCH_EVENTS,
                                  batch_cell};

bool event_common(const struct level *level, int event)
{
    for (int state = 1; state < level->state_count; state++)
        if (level->cell(state, event).next != level->cell(0, event).next)
            return false;
    return true;
}

static void event_add(struct text *label, const struct level *level, int from, int event)
{
    struct cell cell = level->cell(from, event);
    text_addf(label, "%s%s", label->len ? ", " : "", level->events[event].name);
    if (cell.raises != ON_WAITING)
        text_addf(label, " / %s", rolling_event_name(cell.raises));
}

char *events_between(const struct level *level, int from, int to)
{
    struct text label = {0};
    for (int event = 0; from != to && event < level->event_count; event++)
        if (level->cell(from, event).next == to && !event_common(level, event))
            event_add(&label, level, from, event);
    return text_steal(&label);
}
