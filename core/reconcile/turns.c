// SPDX-License-Identifier: Apache-2.0
#include "reconcile/turns.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/list.h"
#include "base/text.h"
#include "oam/approllout.h"
#include "reconcile/key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Its pass may have been under way already when a rollout was called: the next one counts too. */
enum { PASSES_TO_COME = 2 };

struct turns_namespace {
    char *name;
    size_t taken;
    struct list line; /* of struct turn, who has waited longest first */
    size_t members;   /* struct turn that point here */
};

/* A place is taken by who is recorded as rolling, who was called, and who is about to begin. */
struct turn {
    struct turns_namespace *ns;
    struct turns_of of; /* owns the texts */
    char *name;         /* in the map */
    bool under_way;     /* recorded */
    int offered;        /* to so many passes; 0: to none */
    struct list in_line;
    int64_t since_ms;
};

static bool turn_takes(const struct turn *turn)
{
    return turn->under_way || turn->offered > 0;
}

/* ── Who there is ─────────────────────────────────────────────────────────────────────────── */

static char *turn_name(const struct turns_of *of)
{
    return str_format("%s %s", of->kind, of->key);
}

static struct turns_namespace *namespace_get(struct turns *turns, const char *key)
{
    char *name AUTO_FREE = key_namespace(key);
    struct turns_namespace *ns = map_get(&turns->namespaces, name);
    if (ns)
        return ns;
    ns = mem_alloc(sizeof *ns);
    ns->name = str_copy(name);
    list_init(&ns->line);
    map_put(&turns->namespaces, name, ns);
    return ns;
}

static struct turn *turn_find(const struct turns *turns, const struct turns_of *of)
{
    char *name AUTO_FREE = turn_name(of);
    return map_get(&turns->known, name);
}

static struct turn *turn_get(struct turns *turns, const struct turns_of *of)
{
    struct turn *turn = turn_find(turns, of);
    if (turn)
        return turn;
    turn = mem_alloc(sizeof *turn);
    turn->name = turn_name(of);
    turn->of = (struct turns_of){str_copy(of->kind), str_copy(of->key), of->queue};
    turn->ns = namespace_get(turns, of->key);
    turn->ns->members++;
    list_init(&turn->in_line);
    map_put(&turns->known, turn->name, turn);
    return turn;
}

static void turn_free(void *value)
{
    struct turn *turn = value;
    list_remove(&turn->in_line);
    free((void *)(uintptr_t)turn->of.kind);
    free((void *)(uintptr_t)turn->of.key);
    free(turn->name);
    free(turn);
}

static void namespace_free(void *value)
{
    struct turns_namespace *ns = value;
    free(ns->name);
    free(ns);
}

/* Who neither rolls nor waits needn't be known. */
static void turn_tidy(struct turns *turns, struct turn *turn)
{
    struct turns_namespace *ns = turn->ns;
    if (turn_takes(turn) || !list_empty(&turn->in_line))
        return;
    map_remove(&turns->known, turn->name);
    turn_free(turn);
    if (--ns->members == 0) {
        map_remove(&turns->namespaces, ns->name);
        namespace_free(ns);
    }
}

void turns_done(struct turns *turns)
{
    map_done(&turns->known, turn_free);
    map_done(&turns->namespaces, namespace_free);
}

/* ── Places ───────────────────────────────────────────────────────────────────────────────── */

static void turn_set(struct turns *turns, struct turn *turn, bool under_way, int offered)
{
    bool took = turn_takes(turn);
    turn->under_way = under_way;
    turn->offered = offered;
    bool takes = turn_takes(turn);
    turns->taken += (size_t)takes - (size_t)took;
    turn->ns->taken += (size_t)takes - (size_t)took;
    if (takes)
        list_remove(&turn->in_line);
}

static bool below(size_t taken, int64_t limit)
{
    return limit == 0 || (int64_t)taken < limit;
}

static bool room_in(const struct turns *turns, const struct turns_namespace *ns)
{
    return below(turns->taken, turns->limits.all) && below(ns->taken, turns->limits.in_namespace);
}

/* Behind those who have waited longer: mostly at the end. */
static void line_up(struct turn *turn, int64_t since_ms)
{
    struct list *line = &turn->ns->line;
    list_remove(&turn->in_line);
    turn->since_ms = since_ms;
    struct list *before = line->prev;
    while (before != line && list_entry(before, struct turn, in_line)->since_ms > since_ms)
        before = before->prev;
    list_append(before->next, &turn->in_line);
}

static struct turn *first_of(const struct turns_namespace *ns)
{
    return list_empty(&ns->line) ? NULL : list_entry(ns->line.next, struct turn, in_line);
}

static bool goes_before(const struct turn *a, const struct turn *b)
{
    if (a->ns->taken != b->ns->taken)
        return a->ns->taken < b->ns->taken;
    return a->since_ms < b->since_ms;
}

/* Whose turn it is; NULL: nobody's. */
static struct turn *next_turn(const struct turns *turns)
{
    struct turn *next = NULL;
    const struct map_entry *entry;
    size_t cursor = 0;
    while ((entry = map_next(&turns->namespaces, &cursor))) {
        struct turn *first = first_of(entry->value);
        if (first && room_in(turns, first->ns) && (!next || goes_before(first, next)))
            next = first;
    }
    return next;
}

static void call_next(struct turns *turns)
{
    struct turn *turn;
    while (!turns->held && (turn = next_turn(turns))) {
        turn_set(turns, turn, false, PASSES_TO_COME);
        queue_add(turn->of.queue, turn->of.key);
    }
}

/* Since when it is recorded as waiting for its turn; 0: it isn't. */
static int64_t queued_since(const json_t *object)
{
    enum rolling_state state;
    enum reason_code reason;
    approllout_states_read(object, &state, &reason);
    int64_t since_ms = clock_parse(json_string_at(object, "/status/reason/since"));
    if (reason != REASON_QUEUED)
        return 0;
    return since_ms > 0 ? since_ms : 1;
}

void turns_see(struct turns *turns, const struct turns_of *of, const json_t *object)
{
    bool under_way = object && approllout_under_way(object);
    int64_t since_ms = object && of->queue && !under_way ? queued_since(object) : 0;
    struct turn *turn = under_way || since_ms ? turn_get(turns, of) : turn_find(turns, of);
    if (!turn)
        return;
    turn->of.queue = of->queue;
    turn_set(turns, turn, under_way, object && of->queue ? turn->offered : 0);
    if (!since_ms)
        list_remove(&turn->in_line);
    else if (!turn_takes(turn))
        line_up(turn, since_ms);
    turn_tidy(turns, turn);
    call_next(turns);
}

/* Names the limit that is reached, and not how many are under way: that would be other words with
 * each that comes and goes. */
static void say_why(const struct turns *turns, const struct turns_namespace *ns, char *ret_why,
                    size_t why_size)
{
    bool here = !below(ns->taken, turns->limits.in_namespace);
    int64_t limit = here ? turns->limits.in_namespace : turns->limits.all;
    snprintf(ret_why, why_size, "waits for its turn: %lld roll%s may be under way %s%.63s (%s)",
             (long long)limit, limit == 1 ? "" : "s", here ? "in namespace " : "at the same time",
             here ? ns->name : "", here ? "rolls.atOncePerNamespace" : "rolls.atOnce");
}

bool turns_take(struct turns *turns, const struct turns_of *of, const struct turns_wish *wish,
                char *ret_why, size_t why_size)
{
    struct turn *turn = turn_get(turns, of);
    if (turn_takes(turn) || wish->must || room_in(turns, turn->ns)) {
        turn_set(turns, turn, turn->under_way, 1);
        return true;
    }
    line_up(turn, wish->since_ms);
    say_why(turns, turn->ns, ret_why, why_size);
    return false;
}

void turns_pass_ended(struct turns *turns, const struct turns_of *of)
{
    struct turn *turn = turn_find(turns, of);
    if (!turn || !turn->offered)
        return;
    turn_set(turns, turn, turn->under_way, turn->offered - 1);
    if (turn->offered)
        queue_add(of->queue, of->key); /* or what it makes no use of would be lost to the others */
    turn_tidy(turns, turn);
    call_next(turns);
}

void turns_limit(struct turns *turns, struct turns_limits limits)
{
    turns->limits = limits;
    call_next(turns);
}

void turns_hold(struct turns *turns, bool hold)
{
    turns->held = hold;
    call_next(turns);
}
