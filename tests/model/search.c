// SPDX-License-Identifier: Apache-2.0
#include "search.h"

#include "base/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATES_FIRST = 1 << 12 };
static const uint32_t NONE = UINT32_MAX;

/* A state that was found, and how. */
struct node {
    struct state state;
    uint32_t from, next; /* next: where it goes when everything goes well; NONE: it rests */
    uint16_t way;        /* steps that have led here */
    int16_t rest;        /* steps to where it rests; 0: not known, or it does */
    uint8_t event;       /* the last of those */
};

struct search {
    const struct stage *stage;
    enum plant plant;
    struct coverage *coverage;
    struct node *nodes;
    uint32_t count, room;
    uint32_t *table, mask; /* of nodes by state; NONE: free */
    struct search_result result;
};

/* ---- the set of states ---- */

static uint32_t hash(const struct state *state)
{
    const unsigned char *at = (const unsigned char *)state;
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < sizeof *state; i++)
        h = (h ^ at[i]) * 1099511628211u;
    return (uint32_t)(h ^ h >> 32);
}

static uint32_t *slot_of(const struct search *search, const struct state *state)
{
    uint32_t at = hash(state) & search->mask;
    while (search->table[at] != NONE &&
           memcmp(&search->nodes[search->table[at]].state, state, sizeof *state) != 0)
        at = (at + 1) & search->mask;
    return &search->table[at];
}

static void set_grow(struct search *search)
{
    search->room = search->room ? 2 * search->room : STATES_FIRST;
    search->mask = 2 * search->room - 1;
    search->nodes = mem_grow(search->nodes, search->room * sizeof *search->nodes);
    search->table = mem_grow(search->table, (search->mask + 1) * sizeof *search->table);
    memset(search->table, 0xff, (search->mask + 1) * sizeof *search->table);
    for (uint32_t i = 0; i < search->count; i++)
        *slot_of(search, &search->nodes[i].state) = i;
}

static uint32_t add(struct search *search, const struct state *state, uint32_t from, int event)
{
    if (search->count == search->room)
        set_grow(search);
    uint32_t *slot = slot_of(search, state);
    if (*slot != NONE)
        return *slot;
    int way = from == NONE ? 0 : search->nodes[from].way + 1;
    search->nodes[search->count] = (struct node){
        .state = *state, .from = from, .next = NONE, .way = (uint16_t)way, .event = (uint8_t)event};
    if (way > search->result.longest_way)
        search->result.longest_way = way;
    return *slot = search->count++;
}

/* ---- telling ---- */

static void print_state(const struct state *state, const char *what)
{
    char text[400];
    state_describe(state, text, sizeof text);
    printf("    %-42s %s\n", what, text);
}

static void print_way(const struct search *search, uint32_t to)
{
    const struct node *node = &search->nodes[to];
    if (node->from != NONE)
        print_way(search, node->from);
    print_state(&node->state, node->from == NONE ? "(the beginning)" : events[node->event].what);
}

static void report(struct search *search, uint32_t at, const char *what)
{
    snprintf(search->result.violation, sizeof search->result.violation, "%s", what);
    printf("%s: %s\n", search->stage->name, what);
    print_way(search, at);
}

/* ---- steps ---- */

/* From a copy: what happens there is tried. False: it can't happen. */
static bool step(struct search *search, uint32_t from, int event, struct trial *trial)
{
    trial->stage = search->stage;
    trial->plant = search->plant;
    trial->coverage = search->coverage;
    trial->state = search->nodes[from].state;
    trial->violation[0] = '\0';
    trial->cut = false;
    if (trial->state.gone || !events[event].happens(trial, events[event].with))
        return false;
    judge_state(trial);
    search->result.steps++;
    return true;
}

/* Does somebody who wishes it well do this now, when nothing goes by itself? */
static bool is_next(const struct node *node, const struct event *event)
{
    return node->next == NONE &&
           (event->kind == GOES || event->kind == COMES_LAST ||
            (event->kind == HELPS && event->cures == (enum reason_code)node->state.record.reason));
}

/* All that can happen, with or without trouble. False: that has led to a violation. */
static bool expand(struct search *search, uint32_t from, bool trouble)
{
    struct trial trial;
    for (int i = 0; i < event_count; i++) {
        if ((events[i].kind == TROUBLE) != trouble || !step(search, from, i, &trial))
            continue;
        uint32_t to = add(search, &trial.state, from, i);
        struct node *node = &search->nodes[from];
        if (to != from && is_next(node, &events[i]))
            node->next = to;
        if (!trial.violation[0])
            continue;
        report(search, from, trial.violation);
        print_state(&trial.state, events[i].what);
        return false;
    }
    return true;
}

/* As many troubles as allowed, one after the other. */
static bool explore(struct search *search, int troubles)
{
    uint32_t begin = 0, at = 0;
    for (int layer = 0; layer <= troubles; layer++) {
        for (; at < search->count; at++)
            if (!expand(search, at, false))
                return false;
        uint32_t end = search->count;
        for (uint32_t i = begin; i < end && layer < troubles; i++)
            if (!expand(search, i, true))
                return false;
        begin = end;
    }
    return true;
}

/* ---- where it comes to rest ---- */

enum { UNKNOWN = 0, ON_THE_WAY = -1 };

static void report_livelock(struct search *search, uint32_t at)
{
    report(search, at, "goes round in circles for ever, though everything goes well");
    puts("    … and from there:");
    uint32_t i = at;
    do {
        uint32_t next = search->nodes[i].next;
        print_state(&search->nodes[next].state, "");
        i = next;
    } while (i != at);
}

static bool judge_resting(struct search *search, uint32_t at)
{
    struct trial trial = {.stage = search->stage, .state = search->nodes[at].state};
    judge_rest(&trial);
    if (trial.violation[0])
        report(search, at, trial.violation);
    return !trial.violation[0];
}

/* Where everything goes well, each state has one way from it. It must come to an end. */
static bool settle(struct search *search, uint32_t from)
{
    struct node *nodes = search->nodes;
    uint32_t at = from;
    while (nodes[at].next != NONE && nodes[at].rest == UNKNOWN) {
        nodes[at].rest = ON_THE_WAY;
        at = nodes[at].next;
    }
    if (nodes[at].rest == ON_THE_WAY) {
        report_livelock(search, at);
        return false;
    }
    if (nodes[at].next == NONE && !judge_resting(search, at))
        return false;
    int steps = nodes[at].rest, length = 0;
    for (uint32_t i = from; i != at; i = nodes[i].next)
        length++;
    for (uint32_t i = from; i != at; i = nodes[i].next)
        nodes[i].rest = (int16_t)(steps + length--);
    if (nodes[from].rest > search->result.longest_rest)
        search->result.longest_rest = nodes[from].rest;
    return true;
}

static bool settle_all(struct search *search)
{
    for (uint32_t i = 0; i < search->count; i++)
        if (!settle(search, i))
            return false;
    return true;
}

/* ---- from the beginning ---- */

static struct workload workload_at_first(const struct stage *stage)
{
    struct workload w = {.exists = true,
                         .size = (int8_t)stage->size,
                         .revision = 1,
                         .applied = !stage->follows,
                         .told = ALL_PODS,
                         .counted = 1};
    w.pods[0][POD_READY] = (int8_t)stage->size;
    if (stage->rests) {
        w.holder = US;
        w.rests = w.behind = true;
        w.applied = w.all = w.rolled = 1;
        w.told = 0;
        w.revision = 2;
    }
    return w;
}

static struct state beginning(const struct stage *stage)
{
    const struct plan *plan = stage->plans[PLAN_FIRST];
    struct rollout_status status;
    struct state state;
    memset(&state, 0, sizeof state);
    status_new(&status);
    record_pack(&status, &state.record);
    state.wants = (struct wants){.target = stage->scales ? 1 : 2,
                                 .source = !stage->scales,
                                 .partition = (int8_t)plan->partition,
                                 .target_size = (int8_t)plan->target_size};
    state.memory.told = -1;
    state.dirty = true;
    if (stage->size)
        state.workload = workload_at_first(stage);
    if (stage->rests) {
        state.record.rolling = ROLLING_SUCCEEDED;
        state.record.engaged = true;
        state.record.target = 1;
        state.record.original_size = state.record.target_size = (int8_t)stage->size;
    }
    return state;
}

struct search_result search(const struct stage *stage, enum plant plant, int troubles,
                            struct coverage *coverage)
{
    struct search search = {.stage = stage, .plant = plant, .coverage = coverage};
    struct state first = beginning(stage);
    add(&search, &first, NONE, 0);
    if (explore(&search, troubles))
        settle_all(&search);
    search.result.states = search.count;
    free(search.nodes);
    free(search.table);
    return search.result;
}
