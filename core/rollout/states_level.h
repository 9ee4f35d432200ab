// SPDX-License-Identifier: Apache-2.0
/* states.def as tables to walk, for those who show it: the rollout's and the batch's have one form.
 */
#ifndef ROLLOUT_STATES_LEVEL_H
#define ROLLOUT_STATES_LEVEL_H

#include "rollout/machine.h"

#include <stdbool.h>

struct state_item {
    const char *name;
    enum condition_type condition;
    const char *text;
};

struct event_item {
    const char *name, *text;
};

/* What an event does in a state. */
struct cell {
    int next;                  /* the state itself: stay */
    enum rolling_event raises; /* at the rollout; ON_WAITING: nothing */
    enum reason_code reason;
};

/* One of the two tables; both have the same form. */
struct level {
    const struct state_item *states;
    int state_count;
    const struct event_item *events;
    int event_count;
    struct cell (*cell)(int state, int event);
};

extern const struct level rolling_level, batch_level;

/* Does the event lead to one and the same state from everywhere? */
bool event_common(const struct level *level, int event);

/* The events that lead from one state to another and aren't common, with what they raise:
 * "closed, closedLast / batchesDone". The caller frees it; "" when there are none. */
char *events_between(const struct level *level, int from, int to);

#endif
