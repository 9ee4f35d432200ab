// SPDX-License-Identifier: Apache-2.0
#include "world.h"

#include "plans.h"

#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PASSES_MAX = 3000, ROUNDS_MAX = 20, LATE_MS = 5000 };

static const int64_t START_MS = 1700000000000;

/* ---- the workload and its controller ---- */

static int pods_of(const struct workload *w, int revision)
{
    int count = 0;
    for (int i = 0; i < w->pod_count; i++)
        count += w->pods[i].revision == revision;
    return count;
}

static void workload_count(struct workload *w)
{
    w->counts = (struct counts){0};
    for (int i = 0; i < w->pod_count; i++) {
        bool updated = w->pods[i].revision == w->revision;
        w->counts.updated += updated;
        w->counts.ready += w->pods[i].ready;
        w->counts.updated_ready += updated && w->pods[i].ready;
    }
}

static void pod_start(struct world *world, struct pod *pod, int revision)
{
    *pod = (struct pod){.revision = revision, .ready_at = world->now_ms + world->ready_ms};
    if (world->broken[revision])
        pod->ready_at = INT64_MAX;
    pod->ready = pod->ready_at <= world->now_ms;
}

/* Which pod goes first when there are too many: one of the old revision. */
static void pod_remove(struct workload *w)
{
    int victim = w->pod_count - 1;
    for (int i = 0; i < w->pod_count; i++)
        if (w->pods[i].revision != w->revision)
            victim = i;
    w->pods[victim] = w->pods[--w->pod_count];
}

static int old_revision(const struct workload *w)
{
    for (int i = 0; i < w->pod_count; i++)
        if (w->pods[i].revision != w->revision)
            return w->pods[i].revision;
    return w->revision;
}

/* What a workload's controller does, having seen the spec. */
static void workload_sync(struct world *world)
{
    struct workload *w = &world->workload;
    while (w->pod_count > w->size)
        pod_remove(w);
    while (w->pod_count < w->size) {
        bool updated = w->told == ALL_PODS || pods_of(w, w->revision) < w->told;
        pod_start(world, &w->pods[w->pod_count++], updated ? w->revision : old_revision(w));
    }
    for (int i = 0; i < w->pod_count && !w->paused; i++)
        if (w->pods[i].revision != w->revision && pods_of(w, w->revision) < w->told)
            pod_start(world, &w->pods[i], w->revision);
    for (int i = 0; i < w->pod_count; i++)
        w->pods[i].ready = w->pods[i].ready || w->pods[i].ready_at <= world->now_ms;
    workload_count(w);
}

static void workload_tick(struct world *world)
{
    struct workload *w = &world->workload;
    if (!w->exists)
        return;
    if (w->observed != w->generation && w->settles_at <= world->now_ms)
        w->observed = w->generation;
    if (w->observed == w->generation)
        workload_sync(world);
}

static void workload_changed(struct world *world)
{
    struct workload *w = &world->workload;
    w->generation++;
    w->settles_at = world->now_ms + world->lag_ms;
    workload_tick(world);
}

/* ---- people ---- */

void world_init(struct world *world, const char *plan)
{
    *world = (struct world){.target = 2,
                            .source = 1,
                            .now_ms = START_MS,
                            .lag_ms = 100,
                            .ready_ms = 1000,
                            .hook_ms = 200,
                            .rendered_size = 5,
                            .writes_left = -1,
                            .told = -1};
    status_new(&world->recorded);
    world->workload =
        (struct workload){.exists = true, .size = 5, .revision = 1, .applied = 1, .told = ALL_PODS};
    workload_sync(world);
    for (int i = 0; i < 5; i++)
        world->workload.pods[i].ready = true;
    workload_count(&world->workload);
    world_plan(world, plan);
}

void world_follow(struct world *world, const char *plan)
{
    world_init(world, plan);
    world->follows = true;
    world->workload.applied = 0;
}

void world_done(struct world *world)
{
    plan_free(world->plan);
    text_done(&world->journal);
}

void world_plan(struct world *world, const char *plan)
{
    json_t *json AUTO_JSON = quoted_json(plan);
    plan_free(world->plan);
    world->plan = NULL;
    world->plan_error = (struct error){0};
    plan_read(json, "spec.rolloutPlan", &world->plan, &world->plan_error);
    world->generation++;
}

void world_target(struct world *world, int target, int source)
{
    world->target = target;
    world->source = source;
    world->generation++;
}

void world_delete(struct world *world)
{
    world->deleted = true;
    world->generation++;
}

void world_scale(struct world *world, int size)
{
    world->workload.size = size;
    workload_changed(world);
}

void world_template(struct world *world, int revision)
{
    world->workload.revision = revision;
    workload_changed(world);
}

void world_no_workload(struct world *world)
{
    world->workload = (struct workload){0};
}

void world_hold(struct world *world, enum holder holder)
{
    world->workload.holder = holder;
}

void world_heal(struct world *world, int revision)
{
    world->broken[revision] = false;
    for (int i = 0; i < world->workload.pod_count; i++) {
        struct pod *pod = &world->workload.pods[i];
        if (pod->revision == revision && !pod->ready)
            pod->ready_at = world->now_ms + 1;
    }
}

/* ---- time ---- */

void world_wait(struct world *world, int64_t ms)
{
    world->now_ms += ms;
    workload_tick(world);
}

static void sooner(const struct world *world, int64_t at, int64_t *next)
{
    if (at > world->now_ms && at < *next)
        *next = at;
}

bool world_wait_for_next(struct world *world)
{
    const struct workload *w = &world->workload;
    int64_t next = INT64_MAX;
    sooner(world, world->wake_at_ms, &next);
    if (world->call.running)
        sooner(world, world->call.due_ms, &next);
    if (w->exists && w->observed != w->generation)
        sooner(world, w->settles_at, &next);
    for (int i = 0; i < w->pod_count; i++)
        if (!w->pods[i].ready)
            sooner(world, w->pods[i].ready_at, &next);
    if (next == INT64_MAX)
        return false;
    world_wait(world, next - world->now_ms);
    return true;
}

/* ---- writes ---- */

/* Every write may be the one before which the process dies. */
static bool may_write(struct world *world)
{
    if (world->dead || world->writes_left == 0) {
        world->dead = true;
        return false;
    }
    if (world->writes_left > 0)
        world->writes_left--;
    world->writes++;
    return true;
}

static void note(struct world *world, const char *what)
{
    text_addf(&world->journal, "%s\n", what);
}

/* Counters, and what is waited for just now, are written along with the next decision or after a
 * while: they alone aren't worth a write. */
static bool may_be_late(struct world *world, const struct rollout_status *status)
{
    struct rollout_status late = *status;
    late.upgraded = world->recorded.upgraded;
    late.upgraded_ready = world->recorded.upgraded_ready;
    late.reason = world->recorded.reason;
    late.reason_since_ms = world->recorded.reason_since_ms;
    memcpy(late.target_revision, world->recorded.target_revision, sizeof late.target_revision);
    int64_t due = world->written_at_ms + LATE_MS;
    if (!status_equal(&late, &world->recorded) || due <= world->now_ms)
        return false;
    if (!world->wake_at_ms || due < world->wake_at_ms)
        world->wake_at_ms = due;
    return true;
}

/* False when the process has died over it. */
static bool write_status(struct world *world, const struct rollout_status *status)
{
    if (status_equal(status, &world->recorded) || may_be_late(world, status))
        return true;
    if (!may_write(world))
        return false;
    if (world->anew) {
        memset(world->passed, 0, sizeof world->passed);
        world->told = -1;
        world->anew = false;
    }
    world->recorded = *status;
    world->written_at_ms = world->now_ms;
    world->status_writes++;
    return true;
}

/* ---- effects: each returns false when there was nothing to do ---- */

/* What has the workload for its target begins with what is on it. */
static bool do_let_loose(struct world *world, const struct observation *seen)
{
    struct workload *w = &world->workload;
    int target = atoi(seen->target + 1);
    if (target != w->revision || !may_write(world))
        return false;
    note(world, "begin");
    world->workload_writes++;
    w->holder = US;
    w->applied = target;
    w->rests = w->paused = false;
    w->told = pods_of(w, target);
    workload_changed(world);
    return true;
}

/* No pod takes another template from now on. */
static bool do_hold(struct world *world, const struct observation *seen)
{
    struct workload *w = &world->workload;
    int target = atoi(seen->target + 1);
    bool all = seen->settled && seen->updated >= seen->size && target == w->revision;
    bool there = w->holder == US && w->rests && w->told == 0 && !(all && w->all != w->revision);
    if (there || !may_write(world))
        return false;
    note(world, "hold");
    world->workload_writes++;
    if (all)
        w->all = w->rolled = w->revision;
    else if (w->holder != US || !w->rests)
        w->all = 0;
    w->holder = US;
    w->applied = target;
    w->rests = true;
    w->paused = false;
    w->told = 0;
    workload_changed(world);
    return true;
}

static bool do_begin(struct world *world, const struct effect *effect)
{
    struct workload *w = &world->workload;
    if (w->exists && w->holder == US && w->applied == world->target)
        return false;
    if (!may_write(world))
        return false;
    note(world, "begin");
    world->workload_writes++;
    bool made = !w->exists;
    if (made)
        *w = (struct workload){
            .exists = true, .size = world->fixed_size, .revision = world->target, .told = ALL_PODS};
    w->holder = US;
    w->applied = world->target;
    if (!effect->scale) {
        w->revision = world->target;
        w->told = made ? ALL_PODS : pods_of(w, w->revision);
        w->paused = false;
    }
    w->put = w->revision;
    workload_changed(world);
    return true;
}

static bool do_advance(struct world *world, const struct effect *effect)
{
    struct workload *w = &world->workload;
    struct workload before = *w;
    int goal = effect->goal > w->counts.updated ? effect->goal : w->counts.updated;
    if (effect->scale && !effect->paused)
        w->size = effect->goal;
    if (!effect->scale)
        w->paused = effect->paused;
    if (!effect->scale && !effect->paused)
        w->told = goal;
    bool same = w->size == before.size && w->told == before.told && w->paused == before.paused;
    if (!same && !may_write(world)) {
        *w = before;
        return false;
    }
    world->told = effect->goal;
    world->told_size = w->size;
    if (same)
        return false;
    if (w->paused != before.paused)
        note(world, w->paused ? "hold still" : "go on");
    if (w->size != before.size || w->told != before.told)
        text_addf(&world->journal, "told %d\n", effect->goal);
    world->workload_writes++;
    workload_changed(world);
    return true;
}

/* Gives it back. While its controller is behind, what it was told is left as it is. */
static bool do_finish(struct world *world, const struct effect *effect)
{
    struct workload *w = &world->workload;
    bool settled = w->observed == w->generation;
    if (!w->exists || w->holder != US || !may_write(world))
        return false;
    text_addf(&world->journal, "finish %s\n", effect->outcome);
    world->workload_writes++;
    w->holder = NOBODY;
    w->paused = w->rests = false;
    if (world->follows && strcmp(effect->outcome, "rolledBack") == 0) {
        w->revision = w->rolled ? w->rolled : w->revision;
        w->told = w->rolled ? ALL_PODS : w->counts.updated;
    } else if (strcmp(effect->outcome, "rolledBack") == 0) {
        w->revision = w->applied = world->source;
        w->told = ALL_PODS;
    } else if (!effect->scale && strcmp(effect->outcome, "succeeded") == 0) {
        w->told = ALL_PODS;
    } else if (!effect->scale && settled) {
        w->told = w->counts.updated;
    }
    workload_changed(world);
    return true;
}

static bool called_already(const struct world *world, const struct effect *effect)
{
    return world->call.running && effect_equal(&world->call.effect, effect);
}

static void do_call(struct world *world, const struct effect *effect)
{
    const struct hook *hook = plan_hook(world->plan, effect->gate, effect->batch, effect->index);
    if (!may_write(world))
        return;
    text_addf(&world->journal, "call %s %s %d\n", hook_type_name(effect->gate), hook->name,
              effect->batch);
    world->call.running = true;
    world->call.effect = *effect;
    world->call.due_ms = world->now_ms + world->hook_ms;
}

static void answer(struct world *world)
{
    const struct effect *asked = &world->call.effect;
    const struct hook *hook =
        world->plan ? plan_hook(world->plan, asked->gate, asked->batch, asked->index) : NULL;
    const char *name = hook ? hook->name : "yes";
    struct hook_outcome *outcome = &world->outcome;
    if (!world->call.running || world->call.due_ms > world->now_ms)
        return;
    world->call.running = false;
    *outcome = (struct hook_outcome){.result = HOOK_PASSED,
                                     .gate = asked->gate,
                                     .batch = asked->batch,
                                     .index = asked->index,
                                     .attempt = asked->attempt};
    if (strncmp(name, "no", 2) == 0)
        outcome->result = HOOK_REJECTED;
    if (strncmp(name, "never", 5) == 0 || (strncmp(name, "later", 5) == 0 && asked->attempt < 3))
        outcome->result = HOOK_TROUBLE;
    snprintf(outcome->message, sizeof outcome->message, "%s said so", name);
    if (outcome->result == HOOK_PASSED)
        world->passed[asked->gate][asked->batch] |= 1u << asked->index;
}

/* ---- the shell ---- */

static void revision_name(int revision, char *name, size_t size)
{
    name[0] = '\0';
    if (revision)
        snprintf(name, size, "v%d", revision);
}

static void locate_fail(struct observation *seen, int code, enum reason_code why, const char *text)
{
    error_at(&seen->located, code, "spec.targetAppRevisionName", "%s", text);
    seen->located_why = why;
}

/* Where a rollout that follows wants to go is what is on the workload. */
static int wanted_target(const struct world *world)
{
    const struct workload *w = &world->workload;
    if (!world->follows)
        return world->target;
    return w->exists ? w->revision : 0;
}

static int wanted_source(const struct world *world)
{
    const struct workload *w = &world->workload;
    if (!world->follows)
        return world->source;
    if (w->rolled && w->rolled != w->revision)
        return w->rolled;
    return w->applied != w->revision ? w->applied : 0;
}

void world_wish(struct world *world, enum wish_verb verb)
{
    const struct rollout_status *s = &world->recorded;
    struct wish *wish = &world->wish;
    *wish = (struct wish){.verb = verb, .by = "jo"};
    snprintf(wish->id, sizeof wish->id, "%d", ++world->wishes);
    if (s->target[0])
        snprintf(wish->target, sizeof wish->target, "%s", s->target);
    else
        revision_name(wanted_target(world), wish->target, sizeof wish->target);
}

/* What is being rolled is what is looked up, until it has been given back. */
static int looked_up(const struct world *world, const struct rollout_status *status)
{
    return status->engaged && status->target[0] ? atoi(status->target + 1) : wanted_target(world);
}

static void observe(const struct world *world, const struct rollout_status *status,
                    struct observation *seen)
{
    const struct workload *w = &world->workload;
    int target = looked_up(world, status);
    *seen = (struct observation){.object = "CloneSet default/web"};
    revision_name(target, seen->target, sizeof seen->target);
    if (world->trouble)
        locate_fail(seen, ERR_RETRY, REASON_CLUSTER_TROUBLE, "the cluster doesn't answer");
    else if (world->missing[target])
        locate_fail(seen, ERR_MISSING, REASON_REVISION_MISSING, "the revision isn't there");
    else if (world->unusable[target])
        locate_fail(seen, ERR_INVALID, REASON_REVISION_UNUSABLE, "the revision doesn't render");
    else if (world->follows && !w->exists)
        locate_fail(seen, ERR_MISSING, REASON_WORKLOAD_MISSING, "the workload isn't there");
    if (seen->located.code != OK) {
        seen->exists = status->engaged && w->exists && w->holder == US; /* our mark finds it */
        seen->held = seen->exists;
        return;
    }
    if (world->refuses)
        error_at(&seen->refused, ERR_INVALID, "spec.rolloutPlan.rolloutStrategy", "not with this");
    seen->rendered_size = world->rendered_size;
    seen->fixed_size = world->fixed_size > 0;
    seen->settled = true;
    if (!w->exists)
        return;
    seen->exists = true;
    seen->held = w->holder == US;
    if (w->holder == SOMEBODY)
        snprintf(seen->held_by, sizeof seen->held_by, "AppRollout default/other");
    seen->applied = w->applied == target;
    seen->rests = seen->held && w->rests;
    seen->rolled = seen->rests && w->all == w->revision;
    seen->template_changed =
        !world->follows && seen->held && seen->applied && w->revision != w->put;
    if (seen->template_changed)
        seen->template_write =
            world->template_write
                ? *world->template_write
                : (struct other_write){.who = "kubectl", .field = "spec.template"};
    seen->settled = w->observed == w->generation;
    seen->size = w->size;
    seen->updated = w->counts.updated;
    seen->updated_ready = w->counts.updated_ready;
    seen->ready = w->counts.ready;
    revision_name(w->revision, seen->update_revision, sizeof seen->update_revision);
}

static void note_moves(struct world *world, const struct decision *decision)
{
    for (int i = 0; i < decision->move_count; i++) {
        const struct move *move = &decision->moves[i];
        if (move->to != move->from)
            note(world, rolling_state_name(move->to));
        else
            text_addf(&world->journal, "%s %d\n", batch_state_name(move->batch_to),
                      move->batch_from == BATCH_READY ? move->batch + 1 : move->batch);
        world->events += move->tell;
        world->warnings += move->warning;
        world->anew = world->anew || (move->to == ROLLING_LOCATING && move->from != move->to);
    }
    world->events += decision->tell_reason;
}

/* True when the effect has changed something that is worth another look. */
static bool act(struct world *world, const struct decision *decision, const struct effect *effect,
                const struct observation *seen)
{
    switch (effect->kind) {
    case EFFECT_BEGIN:
        if (!write_status(world, &decision->status))
            return false;
        return world->follows ? do_let_loose(world, seen) : do_begin(world, effect);
    case EFFECT_HOLD:
        return write_status(world, &decision->status) && do_hold(world, seen);
    case EFFECT_ADVANCE:
        return do_advance(world, effect);
    case EFFECT_FINISH:
        return write_status(world, &decision->status) && do_finish(world, effect);
    case EFFECT_HOOK:
        if (!called_already(world, effect) && write_status(world, &decision->status))
            do_call(world, effect);
        return false;
    case EFFECT_FORGET:
        break;
    }
    return false;
}

static bool asks_for_call(const struct decision *decision)
{
    for (int i = 0; i < decision->effect_count; i++)
        if (decision->effects[i].kind == EFFECT_HOOK)
            return true;
    return false;
}

static bool asks_to_forget(const struct decision *decision)
{
    for (int i = 0; i < decision->effect_count; i++)
        if (decision->effects[i].kind == EFFECT_FORGET)
            return true;
    return false;
}

/* Looks, decides, acts. True when there is more to do in this pass. */
static bool round_of(struct world *world, struct rollout_status *status, struct decision *decision)
{
    char target[16], source[16];
    struct machine_input input = {
        .plan = world->plan,
        .plan_error = &world->plan_error,
        .intent = {.generation = world->generation,
                   .deleted = world->deleted,
                   .revert_on_delete = world->revert,
                   .wish = world->wish,
                   .keeps_hold = world->follows},
        .status = *status,
        .leave = world->leave,
        .hook = world->outcome,
        .now_ms = world->now_ms,
    };
    revision_name(wanted_target(world), target, sizeof target);
    revision_name(wanted_source(world), source, sizeof source);
    input.intent.target = target;
    input.intent.source = source;
    observe(world, status, &input.observation);
    decide_checked(world, &input, decision);
    world->outcome = (struct hook_outcome){0};
    world->wake_at_ms = decision->wake_at_ms;
    note_moves(world, decision);
    if (!asks_for_call(decision))
        world->call.running = false;
    bool changed = decision->move_count > 0;
    for (int i = 0; i < decision->effect_count && !world->dead; i++)
        changed |= act(world, decision, &decision->effects[i], &input.observation);
    *status = decision->status;
    return changed;
}

bool world_pass(struct world *world)
{
    struct decision *decision = malloc(sizeof *decision);
    struct rollout_status status = world->recorded;
    int before = world->writes, rounds = 0;
    answer(world);
    while (!world->dead && round_of(world, &status, decision) && ++rounds < ROUNDS_MAX)
        ;
    if (!world->dead && asks_to_forget(decision) && may_write(world)) {
        note(world, "gone");
        world->gone = true;
    } else if (!world->dead) {
        write_status(world, &status);
    }
    free(decision);
    return world->writes != before;
}

void world_crash(struct world *world)
{
    world->call.running = false;
    world->outcome = (struct hook_outcome){0};
    world->wake_at_ms = 0;
    world->dead = world->anew = false;
    world->writes_left = -1;
    if (!world->strict) /* what was told since the last record is forgotten, and told again */
        world->told = -1;
}

/* ---- running ---- */

void world_run(struct world *world)
{
    for (int i = 0; i < PASSES_MAX && !world->gone && !world->dead; i++)
        if (!world_pass(world) && !world->dead && !world_wait_for_next(world))
            return;
    if (!world->gone && !world->dead)
        fail_msg("comes to no rest; the last things that happened:\n%s", world->journal.at);
}

void world_run_to(struct world *world, enum rolling_state state)
{
    for (int i = 0; i < PASSES_MAX; i++) {
        if (world->recorded.rolling == state)
            return;
        if (!world_pass(world) && !world_wait_for_next(world))
            break;
    }
    if (world->recorded.rolling != state)
        fail_msg("doesn't reach %s:\n%s", rolling_state_name(state), world->journal.at);
}

void world_run_to_batch(struct world *world, enum batch_state state, int batch)
{
    const struct rollout_status *s = &world->recorded;
    for (int i = 0; i < PASSES_MAX; i++) {
        if (s->rolling == ROLLING_IN_BATCHES && s->batch_state == state && s->batch == batch)
            return;
        if (!world_pass(world) && !world_wait_for_next(world))
            break;
    }
    fail_msg("doesn't reach %s %d:\n%s", batch_state_name(state), batch, world->journal.at);
}
