// SPDX-License-Identifier: Apache-2.0
/* Everybody around the machine: the workload's controller, kubelets, hooks, the clock, people, and
 * what goes wrong. */
#include "events.h"

/* ---- what goes by itself ---- */

static bool hooks_are_back(struct trial *trial, int with)
{
    bool were_down = trial->state.weather.hooks_down;
    (void)with;
    trial->state.weather.hooks_down = false;
    return were_down;
}

static bool looks(struct trial *trial, int with)
{
    (void)with;
    if (!trial->state.dirty)
        return false;
    trial->writes_left = -1;
    controller_looks(trial);
    return true;
}

static bool change_is_seen(struct trial *trial, int with)
{
    struct workload *w = &trial->state.workload;
    (void)with;
    if (!w->exists || !w->behind)
        return false;
    w->behind = false;
    w->counted = w->revision;
    trial->state.dirty = true;
    return true;
}

static bool pod_moves(struct trial *trial, int with)
{
    (void)with;
    if (!pods_move(&trial->state.workload, trial->stage->surges))
        return false;
    trial->state.dirty = true;
    return true;
}

static bool pod_becomes(struct trial *trial, int revision, enum pod_kind from, enum pod_kind to)
{
    int8_t *pods = trial->state.workload.pods[revision - 1];
    if (!pods[from])
        return false;
    pods[from]--;
    pods[to]++;
    trial->state.dirty = true;
    return true;
}

static bool pod_is_ready(struct trial *trial, int revision)
{
    return pod_becomes(trial, revision, POD_YOUNG, POD_READY);
}

static bool pod_recovers(struct trial *trial, int revision)
{
    return pod_becomes(trial, revision, POD_SICK, POD_READY);
}

static bool hook_answers(struct trial *trial, int answer)
{
    struct call *call = &trial->state.call;
    bool mute = trial->plant == PLANT_MUTE && answer == HOOK_REJECTED;
    if (!call->running || mute)
        return false;
    call->running = false;
    call->answer = (int8_t)(trial->state.weather.hooks_down ? HOOK_TROUBLE : answer);
    if (call->answer == HOOK_PASSED)
        trial->state.memory.passed[call->gate] |= (uint8_t)(1u << call->batch);
    trial->state.dirty = true;
    return true;
}

/* It is called only when it has asked for that. */
static bool time_comes(struct trial *trial)
{
    trial->state.dirty = trial->state.dirty || trial->state.wakes;
    return true;
}

static bool retry_is_due(struct trial *trial, int with)
{
    struct record *record = &trial->state.record;
    (void)with;
    if (!record->retry_waits)
        return false;
    record->retry_waits = false;
    return time_comes(trial);
}

static bool interval_is_over(struct trial *trial, int with)
{
    struct record *record = &trial->state.record;
    (void)with;
    if (!record->step_waits)
        return false;
    record->step_waits = false;
    return time_comes(trial);
}

static bool deadline_is_over(struct trial *trial, int with)
{
    struct record *record = &trial->state.record;
    (void)with;
    if (record->standing != TIMER_RUNS)
        return false;
    record->standing = TIMER_OVER;
    return time_comes(trial);
}

/* ---- people ---- */

static bool edited(struct trial *trial)
{
    trial->state.record.stale = true;
    trial->state.dirty = true;
    return true;
}

static bool sets_paused(struct trial *trial, int paused)
{
    int8_t *at = &trial->state.wants.paused;
    if (*at == paused)
        return false;
    *at = (int8_t)paused;
    return edited(trial);
}

static bool sets_partition(struct trial *trial, int partition)
{
    int8_t *at = &trial->state.wants.partition;
    if (*at == partition)
        return false;
    *at = (int8_t)partition;
    return edited(trial);
}

static bool writes_plan(struct trial *trial, int plan)
{
    int8_t *at = &trial->state.wants.plan;
    if (*at == plan || (plan == PLAN_EDITED && !trial->stage->edited))
        return false;
    *at = (int8_t)plan;
    trial->state.memory.excused = true;
    return edited(trial);
}

/* From the one that it is rolling, or has rolled. */
static bool turns_to(struct trial *trial, int target)
{
    struct wants *wants = &trial->state.wants;
    if (trial->stage->follows || wants->target == target)
        return false;
    wants->source = wants->target;
    wants->target = (int8_t)target;
    return edited(trial);
}

/* In a rollout whose plan speaks of it. */
static bool asks_for_another_size(struct trial *trial, int with)
{
    int8_t *at = &trial->state.wants.target_size;
    (void)with;
    if (*at < 0)
        return false;
    *at = *at == 2 ? 3 : 2;
    return edited(trial);
}

/* It is left to whoever scales the workload. */
static bool leaves_size_out(struct trial *trial, int with)
{
    int8_t *at = &trial->state.wants.target_size;
    (void)with;
    if (*at < 0)
        return false;
    *at = -1;
    return edited(trial);
}

static bool deletes(struct trial *trial, int with)
{
    (void)with;
    if (trial->state.wants.deleted)
        return false;
    trial->state.wants.deleted = true;
    return edited(trial);
}

static bool wishes(struct trial *trial, int verb)
{
    struct state *state = &trial->state;
    struct wants *wants = &state->wants;
    if (wants->wish == verb && !state->record.answered)
        return false;
    wants->wish = (int8_t)verb;
    wants->wish_target = state->record.target ? state->record.target : wants->target;
    state->record.answered = false;
    state->dirty = true;
    return true;
}

static bool has_ended(const struct state *state)
{
    return rolling_state_terminal((enum rolling_state)state->record.rolling);
}

static void touched_at_the_end(struct state *state)
{
    if (state->record.rolling == ROLLING_FINALISING || has_ended(state))
        state->memory.touched = true;
}

static bool scale_to(struct trial *trial, int size)
{
    struct workload *w = &trial->state.workload;
    if (!w->exists || trial->stage->fixed_size || size < 0 || size > SIZE_MOST || size == w->size)
        return false;
    w->size = (int8_t)size;
    trial->state.memory.excused = true;
    touched_at_the_end(&trial->state);
    workload_changed(&trial->state);
    return true;
}

static bool scales(struct trial *trial, int by)
{
    return scale_to(trial, trial->state.workload.size + by);
}

static bool lets_it_have_its_size(struct trial *trial, int with)
{
    const struct record *record = &trial->state.record;
    (void)with;
    return record->scale && record->step_target >= 0 && scale_to(trial, record->step_target);
}

static bool put_template(struct trial *trial, int revision)
{
    struct workload *w = &trial->state.workload;
    if (!w->exists || w->revision == revision)
        return false;
    w->revision = (int8_t)revision;
    trial->state.memory.excused = true;
    if (has_ended(&trial->state)) /* then it is nobody's business any more */
        trial->state.memory.touched = true;
    workload_changed(&trial->state);
    return true;
}

static bool puts_template_back(struct trial *trial, int with)
{
    (void)with;
    return !trial->stage->follows && trial->state.workload.put &&
           put_template(trial, trial->state.workload.put);
}

static bool puts_target_on(struct trial *trial, int with)
{
    const struct record *record = &trial->state.record;
    struct workload *w = &trial->state.workload;
    (void)with;
    if (!record->scale || !record->target || !w->exists || w->applied == record->target)
        return false;
    w->applied = w->put = w->revision = record->target;
    workload_changed(&trial->state);
    return true;
}

static bool takes_hold(struct trial *trial, int holder)
{
    struct workload *w = &trial->state.workload;
    if (!w->exists || w->holder == holder || (holder == NOBODY && w->holder != US))
        return false;
    w->holder = (int8_t)holder;
    touched_at_the_end(&trial->state);
    w->paused = false; /* what we have left on it is his to put right */
    trial->state.dirty = true;
    return true;
}

static bool lets_go(struct trial *trial, int with)
{
    (void)with;
    if (trial->state.workload.holder != SOMEBODY)
        return false;
    trial->state.workload.holder = NOBODY;
    trial->state.dirty = true;
    return true;
}

static bool takes_away(struct trial *trial, int with)
{
    (void)with;
    if (!trial->state.workload.exists)
        return false;
    trial->state.workload = (struct workload){0};
    trial->state.dirty = true;
    return true;
}

static bool brings_back(struct trial *trial, int with)
{
    struct state *state = &trial->state;
    int8_t size = (int8_t)(trial->stage->size ? trial->stage->size : 2);
    (void)with;
    if (state->workload.exists)
        return false;
    state->workload = (struct workload){.exists = true,
                                        .size = size,
                                        .revision = 1,
                                        .applied = !trial->stage->follows,
                                        .told = ALL_PODS,
                                        .counted = 1};
    state->memory.told = -1;
    state->memory.excused = true;
    touched_at_the_end(state);
    workload_changed(state);
    return true;
}

/* ---- the weather ---- */

static bool turn(struct trial *trial, int8_t *at, int to)
{
    if (*at == to)
        return false;
    *at = (int8_t)to;
    trial->state.dirty = true;
    return true;
}

static bool cluster_fails(struct trial *trial, int fails)
{
    return turn(trial, &trial->state.weather.trouble, fails);
}

static bool adapter_refuses(struct trial *trial, int refuses)
{
    return turn(trial, &trial->state.weather.refuses, refuses);
}

static bool window_closes(struct trial *trial, int closes)
{
    return turn(trial, &trial->state.weather.closed, closes);
}

static bool queue_is_full(struct trial *trial, int full)
{
    return turn(trial, &trial->state.weather.queued, full);
}

/* The revision that everything is about. */
static int revision_in_question(const struct state *state)
{
    return state->record.target ? state->record.target : state->wants.target;
}

static bool revision_is_lost(struct trial *trial, int lost)
{
    int revision = lost ? revision_in_question(&trial->state) : 0;
    return turn(trial, &trial->state.weather.missing, revision);
}

static bool revision_is_spoilt(struct trial *trial, int spoilt)
{
    int revision = spoilt ? revision_in_question(&trial->state) : 0;
    return turn(trial, &trial->state.weather.unusable, revision);
}

/* ---- what goes wrong ---- */

static bool plan_has_hooks(const struct trial *trial)
{
    const struct plan *plan = trial->stage->plans[PLAN_FIRST];
    bool any = plan->hook_count > 0;
    for (size_t i = 0; i < plan->batch_count; i++)
        any = any || plan->batches[i].hook_count > 0;
    return any;
}

static bool hooks_go_down(struct trial *trial, int with)
{
    int8_t *down = &trial->state.weather.hooks_down;
    (void)with;
    if (*down || !plan_has_hooks(trial))
        return false;
    *down = true;
    return true;
}

static bool pod_breaks(struct trial *trial, int revision)
{
    return pod_becomes(trial, revision, POD_READY, POD_SICK);
}

/* The pass succeeds with so many writes, and the next one fails; false when there is none. */
static bool write_fails(struct trial *trial, int writes)
{
    if (!trial->state.dirty)
        return false;
    trial->writes_left = writes;
    controller_looks(trial);
    return trial->cut;
}

/* A dead controller also forgets whom it has called. */
static bool dies_after(struct trial *trial, int writes)
{
    if (writes > 0 && !write_fails(trial, writes))
        return false;
    trial->state.call = (struct call){0};
    trial->state.wakes = false;
    trial->state.dirty = true;
    return true;
}

const struct event events[] = {
    {"the hooks' service is back", GOES, hooks_are_back, 0, 0},
    {"the controller looks", GOES, looks, 0, 0},
    {"the workload's controller sees the change", GOES, change_is_seen, 0, 0},
    {"the workload's controller moves a pod", GOES, pod_moves, 0, 0},
    {"a pod of v1 becomes ready", GOES, pod_is_ready, 1, 0},
    {"a pod of v2 becomes ready", GOES, pod_is_ready, 2, 0},
    {"a pod of v3 becomes ready", GOES, pod_is_ready, 3, 0},
    {"a pod of v1 recovers", GOES, pod_recovers, 1, 0},
    {"a pod of v2 recovers", GOES, pod_recovers, 2, 0},
    {"a pod of v3 recovers", GOES, pod_recovers, 3, 0},
    {"the hook answers", GOES, hook_answers, HOOK_PASSED, 0},
    {"the hook's next call is due", GOES, retry_is_due, 0, 0},
    {"the interval between two pods is over", GOES, interval_is_over, 0, 0},
    {"somebody resumes it", HELPS, sets_paused, false, REASON_PAUSED},
    {"somebody takes the partition away", HELPS, sets_partition, -1, REASON_PARTITION_REACHED},
    {"somebody mends the plan", HELPS, writes_plan, PLAN_FIRST, REASON_PLAN_INVALID},
    {"somebody leaves targetSize out", HELPS, leaves_size_out, 0, REASON_PLAN_INVALID},
    {"the old template is put back", HELPS, puts_template_back, 0, REASON_TEMPLATE_CHANGED},
    {"the other rollout lets go", HELPS, lets_go, 0, REASON_WORKLOAD_HELD},
    {"the workload is made anew", HELPS, brings_back, 0, REASON_WORKLOAD_MISSING},
    {"the target is put on the workload", HELPS, puts_target_on, 0, REASON_WORKLOAD_CHANGED},
    {"the workload gets its size", HELPS, lets_it_have_its_size, 0, REASON_SCALED_BACK},
    {"the revision is back", HELPS, revision_is_lost, false, REASON_REVISION_MISSING},
    {"the revision is mended", HELPS, revision_is_spoilt, false, REASON_REVISION_UNUSABLE},
    {"the cluster answers again", HELPS, cluster_fails, false, REASON_CLUSTER_TROUBLE},
    {"the window opens", HELPS, window_closes, false, REASON_WINDOW_CLOSED},
    {"its turn comes", HELPS, queue_is_full, false, REASON_QUEUED},
    {"the adapter likes the plan", HELPS, adapter_refuses, false, REASON_REFUSED},
    {"the deadline is over", COMES_LAST, deadline_is_over, 0, 0},
    {"somebody pauses it", TROUBLE, sets_paused, true, 0},
    {"somebody sets the partition to 0", TROUBLE, sets_partition, 0, 0},
    {"somebody edits the plan", TROUBLE, writes_plan, PLAN_EDITED, 0},
    {"somebody breaks the plan", TROUBLE, writes_plan, PLAN_BROKEN, 0},
    {"somebody turns it back to v1", TROUBLE, turns_to, 1, 0},
    {"somebody turns it to v2", TROUBLE, turns_to, 2, 0},
    {"somebody turns it to v3", TROUBLE, turns_to, 3, 0},
    {"somebody asks for another targetSize", TROUBLE, asks_for_another_size, 0, 0},
    {"somebody deletes it", TROUBLE, deletes, 0, 0},
    {"somebody aborts it", TROUBLE, wishes, WISH_ABORT, 0},
    {"somebody retries it", TROUBLE, wishes, WISH_RETRY, 0},
    {"somebody scales the workload up", TROUBLE, scales, 1, 0},
    {"somebody scales the workload down", TROUBLE, scales, -1, 0},
    {"somebody puts v1 on the workload", TROUBLE, put_template, 1, 0},
    {"somebody puts v2 on the workload", TROUBLE, put_template, 2, 0},
    {"somebody puts v3 on the workload", TROUBLE, put_template, 3, 0},
    {"somebody takes the hold off", TROUBLE, takes_hold, NOBODY, 0},
    {"another rollout takes the workload", TROUBLE, takes_hold, SOMEBODY, 0},
    {"the workload is deleted", TROUBLE, takes_away, 0, 0},
    {"the cluster doesn't answer", TROUBLE, cluster_fails, true, 0},
    {"the revision is lost", TROUBLE, revision_is_lost, true, 0},
    {"the revision is spoilt", TROUBLE, revision_is_spoilt, true, 0},
    {"the adapter refuses the plan", TROUBLE, adapter_refuses, true, 0},
    {"the window closes", TROUBLE, window_closes, true, 0},
    {"the queue is full", TROUBLE, queue_is_full, true, 0},
    {"a pod of v1 breaks", TROUBLE, pod_breaks, 1, 0},
    {"a pod of v2 breaks", TROUBLE, pod_breaks, 2, 0},
    {"a pod of v3 breaks", TROUBLE, pod_breaks, 3, 0},
    {"the hook says no", TROUBLE, hook_answers, HOOK_REJECTED, 0},
    {"the hook doesn't answer", TROUBLE, hook_answers, HOOK_TROUBLE, 0},
    {"the hooks' service goes down", TROUBLE, hooks_go_down, 0, 0},
    {"the first write is refused", TROUBLE, write_fails, 0, 0},
    {"the second write is refused", TROUBLE, write_fails, 1, 0},
    {"the third write is refused", TROUBLE, write_fails, 2, 0},
    {"the fourth write is refused", TROUBLE, write_fails, 3, 0},
    {"the controller dies", TROUBLE, dies_after, 0, 0},
    {"the controller dies after a write", TROUBLE, dies_after, 1, 0},
    {"the controller dies after two writes", TROUBLE, dies_after, 2, 0},
    {"the controller dies after three writes", TROUBLE, dies_after, 3, 0},
};

const int event_count = sizeof events / sizeof *events;
