// SPDX-License-Identifier: Apache-2.0
#include "cli/timeline.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"

#include <stdlib.h>

/* What was told of a component last. */
struct seen {
    bool begun;
    int target;
};

void timeline_init(struct timeline *timeline)
{
    *timeline = (struct timeline){.steps = json_array()};
}

void timeline_done(struct timeline *timeline)
{
    json_decref(timeline->steps);
    map_done(&timeline->seen, free);
}

void timeline_step(struct timeline *timeline, const char *did, const char *object,
                   const char *words)
{
    timeline->step = json_pack("{s:s, s:s, s:s*, s:[], s:[]}", "did", did, "object", object,
                               "words", words, "events", "stands");
    timeline->began_ms = clock_monotonic_ms();
    json_array_append_new(timeline->steps, timeline->step);
}

void timeline_undo(struct timeline *timeline)
{
    timeline->step = NULL;
    json_array_remove(timeline->steps, json_array_size(timeline->steps) - 1);
}

/* ---- events ---- */

static double seconds_now(const struct timeline *timeline)
{
    return (double)(clock_monotonic_ms() - timeline->began_ms) / 1000;
}

static void event_add(struct timeline *timeline, json_t *event_take)
{
    json_array_append_new(json_object_get(timeline->step, "events"), event_take);
}

/* The caller owns it. */
static json_t *event_new(const struct timeline *timeline, const char *kind, const char *ns,
                         const char *name)
{
    return json_pack("{s:f, s:o}", "at", seconds_now(timeline), "rollout",
                     json_sprintf("%s %s/%s", kind, ns, name));
}

static json_t *decision_event(const struct timeline *timeline, const struct witnessed *what)
{
    const struct rollout_status *status = &what->decision->status;
    json_t *event = event_new(timeline, what->kind, what->ns, what->name);
    if (what->component)
        json_object_set_new(event, "component", json_string(what->component));
    json_object_set_new(event, "upgraded", json_integer(status->upgraded));
    json_object_set_new(event, "ready", json_integer(status->upgraded_ready));
    json_object_set_new(event, "size", json_integer(status->target_size));
    return event;
}

static void put_batch(json_t *event, const struct witnessed *what, int batch)
{
    json_object_set_new(event, "batch", json_integer(batch + 1));
    if (what->plan)
        json_object_set_new(event, "batches", json_integer((json_int_t)what->plan->batch_count));
}

static void add_state(struct timeline *timeline, const struct witnessed *what, const char *state)
{
    json_t *event = decision_event(timeline, what);
    json_object_set_new(event, "state", json_string(state));
    event_add(timeline, event);
}

static void add_batch_state(struct timeline *timeline, const struct witnessed *what,
                            enum batch_state state, int batch)
{
    json_t *event = decision_event(timeline, what);
    json_object_set_new(event, "state", json_string(batch_state_name(state)));
    put_batch(event, what, batch);
    event_add(timeline, event);
}

static void add_move(struct timeline *timeline, const struct witnessed *what,
                     const struct move *move)
{
    bool begins = move->to == ROLLING_IN_BATCHES && move->from != move->to;
    bool next = move->batch_from == BATCH_READY && move->batch_to == BATCH_INITIALIZING;
    if (move->to != move->from)
        add_state(timeline, what, rolling_state_name(move->to));
    if (begins)
        add_batch_state(timeline, what, BATCH_INITIALIZING, 0);
    else if (move->to == move->from)
        add_batch_state(timeline, what, move->batch_to, move->batch + next);
}

/* If it is another than before. */
static void add_target(struct timeline *timeline, const struct witnessed *what, struct seen *seen)
{
    int before = seen->target;
    seen->target = what->decision->status.step_target;
    if (seen->target < 0 || seen->target == before)
        return;
    json_t *event = decision_event(timeline, what);
    json_object_set_new(event, "target", json_integer(what->decision->status.step_target));
    put_batch(event, what, what->decision->status.batch);
    event_add(timeline, event);
}

static struct seen *seen_of(struct timeline *timeline, const struct witnessed *what)
{
    char *key AUTO_FREE = str_format("%s %s/%s %s", what->kind, what->ns, what->name,
                                     what->component ? what->component : "");
    struct seen *seen = map_get(&timeline->seen, key);
    if (seen)
        return seen;
    seen = mem_alloc(sizeof *seen);
    seen->target = -1;
    map_put(&timeline->seen, key, seen);
    return seen;
}

/* The move that is made once the batch's target has been set. */
static bool follows_target(const struct move *move, const struct rollout_status *after)
{
    return move->to == move->from && move->batch_from == BATCH_IN_ROLLING &&
           move->batch == after->batch;
}

void timeline_decision(struct timeline *timeline, const struct witnessed *what)
{
    const struct decision *decision = what->decision;
    struct seen *seen = seen_of(timeline, what);
    if (!seen->begun && decision->move_count)
        add_state(timeline, what, rolling_state_name(decision->moves[0].from));
    seen->begun = seen->begun || decision->move_count;
    for (int i = 0; i < decision->move_count; i++) {
        if (follows_target(&decision->moves[i], &decision->status))
            add_target(timeline, what, seen);
        add_move(timeline, what, &decision->moves[i]);
    }
    add_target(timeline, what, seen);
}

void timeline_hook(struct timeline *timeline, const char *kind, const struct hook_spec *spec,
                   bool passes)
{
    json_t *event = event_new(timeline, kind, spec->ns, spec->name);
    const struct hook *hook = spec->hook;
    json_t *about AUTO_JSON = json_pack("{s:s, s:s, s:s, s:s, s:b}", "hook", hook->name, "type",
                                        hook_type_name(hook->type), "method", hook->method, "url",
                                        hook->url, "passes", passes);
    json_object_update(event, about);
    event_add(timeline, event);
}

/* ---- where it stands ---- */

static bool has_part(const json_t *step, const char *rollout)
{
    return json_find(json_object_get(step, "events"), "/rollout", rollout) ||
           str_equal(json_string_at(step, "/object"), rollout);
}

static json_t *stand_of(const struct rollout_view *view, const struct part *part,
                        const char *rollout)
{
    const struct reason *reason = &part->status.reason;
    char *advice AUTO_FREE = reason_advice(reason->code, view->rollout.name);
    json_t *stand = json_pack("{s:s, s:s, s:{s:s, s:s}, s:s*}", "rollout", rollout, "state",
                              part_state(part), "reason", "code", reason_name(reason->code),
                              "message", reason->message, "advice", advice);
    if (view->part_count > 1 && part->component)
        json_object_set_new(stand, "component", json_string(part->component));
    return stand;
}

void timeline_stand(struct timeline *timeline, const struct rollout_view *view)
{
    char *rollout AUTO_FREE =
        str_format("%s %s/%s", view->kind->info.kind, view->rollout.ns, view->rollout.name);
    if (!has_part(timeline->step, rollout))
        return;
    for (size_t i = 0; i < view->part_count; i++)
        json_array_append_new(json_object_get(timeline->step, "stands"),
                              stand_of(view, &view->parts[i], rollout));
}

void timeline_end(struct timeline *timeline, uint64_t writes)
{
    const json_t *events = json_object_get(timeline->step, "events");
    const json_t *last = json_array_get(events, json_array_size(events) - 1);
    json_t *seconds = json_object_get(last, "at");
    json_object_set_new(timeline->step, "seconds", seconds ? json_incref(seconds) : json_real(0));
    json_object_set_new(timeline->step, "writes", json_integer((json_int_t)writes));
}

void timeline_faults_take(struct timeline *timeline, json_t *faults)
{
    json_object_update(timeline->step, faults);
    json_decref(faults);
}

bool timeline_has_rolled(const struct timeline *timeline, const char *rollout)
{
    size_t i, j;
    json_t *step, *event;
    json_array_foreach (timeline->steps, i, step)
        json_array_foreach (json_object_get(step, "events"), j, event)
            if (str_equal(json_string_at(event, "/rollout"), rollout) &&
                json_object_get(event, "batch"))
                return true;
    return false;
}
