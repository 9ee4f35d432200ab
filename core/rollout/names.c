// SPDX-License-Identifier: Apache-2.0
/* What states.def says, as names and as tables. */
#include "rollout/machine.h"

#include <string.h>

static const char *const rolling_names[] = {
#define ROLLING_STATE(id, wire, condition, text) wire,
#include "rollout/states.def"
};
static const char *const batch_names[] = {
#define BATCH_STATE(id, wire, condition, text) wire,
#include "rollout/states.def"
};
static const char *const rolling_event_names[] = {
#define ROLLING_EVENT(id, name, text) name,
#include "rollout/states.def"
};
static const char *const batch_event_names[] = {
#define BATCH_EVENT(id, name, text) name,
#include "rollout/states.def"
};
static const char *const condition_names[] = {
#define CONDITION(id, name) name,
#include "rollout/states.def"
};

static const struct {
    const char *name;
    bool person;
    const char *text;
} reasons[] = {
#define REASON(id, name, person, text) {name, person, text},
#include "rollout/states.def"
};

static const struct rolling_row rolling_table[ROLLING_STATES][ROLLING_EVENTS] = {
#define ROLLING_ROW(state, event, next, reason)                                                    \
    [ROLLING_##state][ON_##event] = {ROLLING_##next, REASON_##reason},
#include "rollout/states.def"
};

static const struct batch_row batch_table[BATCH_STATES][BATCH_EVENTS] = {
#define BATCH_ROW(state, event, next, raises, reason)                                              \
    [BATCH_##state][ON_BATCH_##event] = {BATCH_##next, ON_##raises, REASON_##reason},
#include "rollout/states.def"
};

struct rolling_row rolling_transition(enum rolling_state state, enum rolling_event event)
{
    return rolling_table[state][event];
}

struct batch_row batch_transition(enum batch_state state, enum batch_event event)
{
    return batch_table[state][event];
}

const char *rolling_state_name(enum rolling_state state)
{
    return rolling_names[state];
}

const char *batch_state_name(enum batch_state state)
{
    return batch_names[state];
}

const char *rolling_event_name(enum rolling_event event)
{
    return rolling_event_names[event];
}

const char *batch_event_name(enum batch_event event)
{
    return batch_event_names[event];
}

const char *reason_name(enum reason_code code)
{
    return reasons[code].name;
}

const char *reason_text(enum reason_code code)
{
    return reasons[code].text;
}

bool reason_needs_person(enum reason_code code)
{
    return reasons[code].person;
}

const char *condition_name(enum condition_type type)
{
    return condition_names[type];
}

static int name_index(const char *const *names, int count, const char *name)
{
    int i = 0;
    while (i < count && (!name || strcmp(names[i], name) != 0))
        i++;
    return i;
}

enum rolling_state rolling_state_of(const char *name)
{
    return (enum rolling_state)name_index(rolling_names, ROLLING_STATES, name);
}

enum batch_state batch_state_of(const char *name)
{
    return (enum batch_state)name_index(batch_names, BATCH_STATES, name);
}

enum condition_type condition_of(const char *name)
{
    return (enum condition_type)name_index(condition_names, CONDITION_TYPES, name);
}

enum reason_code reason_of(const char *name)
{
    int i = 0;
    while (i < REASON_CODES && (!name || strcmp(reasons[i].name, name) != 0))
        i++;
    return (enum reason_code)i;
}

bool rolling_state_terminal(enum rolling_state state)
{
    return state == ROLLING_SUCCEEDED || state == ROLLING_FAILED;
}

bool rolling_state_under_way(enum rolling_state state)
{
    return state == ROLLING_INITIALIZING || state == ROLLING_IN_BATCHES ||
           state == ROLLING_FINALISING || state == ROLLING_FAILING || state == ROLLING_ABANDONING;
}
