// SPDX-License-Identifier: Apache-2.0
/* Recording: the status of all components in one write, before an effect that must be remembered
 * and at the end of the pass; and letting the rollout go. */
#include "base/alloc.h"
#include "base/clock.h"
#include "reconcile/task.h"

/* How often a status is written that differs only in its counters: where few roll, where many do
 * together four times a second, but no rollout less often than that. */
enum {
    COUNTERS_EVERY_MS = 5000,
    COUNTERS_SHARE_MS = 250, /* times the rolls that are under way */
    COUNTERS_LEAST_MS = 120 * 1000,
};

/* From the word on the plan until the workload is at rest again. */
static bool task_rolls(const struct task *task)
{
    enum rolling_state state =
        task->component_count ? task->components[0].status.rolling : ROLLING_LOCATING;
    return state == ROLLING_VERIFYING || state == ROLLING_INITIALIZING ||
           state == ROLLING_IN_BATCHES || state == ROLLING_FINALISING;
}

static void pass_end(struct task *task)
{
    struct controller *controller = task->controller;
    char *key AUTO_FREE = str_copy(task->key); /* the task may be dropped */
    struct turns_of turn = task_turn(task);
    turn.key = key;
    bool trouble = task->pass->trouble.code != OK;
    bool keep = task_unfinished(task) || trouble || task->kind->follows;
    if (trouble)
        follow_doubt(task);
    follow_pack(task, task_rolls(task));
    task_pass_done(task);
    location_pack(task->location);
    location_pack(task->revert);
    if (!keep || task->dead)
        task_drop(task);
    controller_tidy_later(controller);
    turns_pass_ended(&controller->turns, &turn);
    if (trouble)
        queue_retry(turn.queue, key);
    else
        queue_done(turn.queue, key);
}

/* Somebody was faster: look again soon. Anything else that failed is told and tried again. */
void pass_fail(struct task *task, const struct error *err)
{
    struct log_about about = {.topic = "rollout", .object = task->key};
    task->pass->trouble = *err;
    if (err->code != ERR_CONFLICT)
        log_write(LOG_WARN, about, "%s", err->text);
    pass_end(task);
}

static json_t *status_json(struct task *task, const struct component *deciding)
{
    size_t count = task->component_count;
    struct component_status *parts AUTO_FREE = mem_alloc(count * sizeof *parts);
    for (size_t i = 0; i < count; i++) {
        const struct component *component = &task->components[i];
        parts[i].name = component->name;
        parts[i].status = component == deciding ? &component->decision->status : &component->status;
        parts[i].rolls = component == deciding ? component->decided_rolls : component->rolls;
    }
    return approllout_status_write(parts, count);
}

static void write_status(struct task *task, json_t *status_take, reply_fn *on_written)
{
    json_t *object AUTO_JSON = json_pack(
        "{s:s, s:s, s:{s:s, s:s, s:s, s:s}, s:O, s:o}", "apiVersion", task->kind->info.api_version,
        "kind", task->kind->info.kind, "metadata", "name", task->pass->rollout.name, "namespace",
        task->pass->rollout.ns, "uid", task->pass->rollout.uid, "resourceVersion",
        json_string_at(task->pass->object, "/metadata/resourceVersion"), "spec",
        json_object_get(task->pass->object, "spec"), "status", status_take);
    char *body AUTO_FREE = json_text(object);
    char *path AUTO_FREE = task_path(task, "status");
    struct call_spec spec = {.method = "PUT", .path = path, .body = body};
    task->pass->call = cluster_call(task->controller->cluster, &spec, on_written, task);
    task->written_at_ms = clock_monotonic_ms();
}

/* What must be remembered before it is done has been written: now it may be done. */
static void on_remembered(void *data, const struct reply *reply)
{
    struct task *task = data;
    task->pass->call = NULL;
    if (reply->error.code != OK) {
        pass_fail(task, &reply->error);
        return;
    }
    struct component *component = &task->components[task->pass->at];
    task_object_replace(task, reply->body);
    /* It is recorded, so it counts and may be told, whatever becomes of the effect. */
    task_note_moves(task, component);
    task_tell(task);
    component_adopt(component);
    component->decision->move_count = 0;
    component->remembered = true;
    component_next_effect(component);
}

/* True when the status had to be written first; the effect comes up again after that. */
bool component_remember(struct component *component)
{
    struct task *task = component->task;
    if (component->remembered)
        return false;
    json_t *status = status_json(task, component);
    json_t *recorded = json_object_get(task->pass->object, "status");
    if (approllout_status_compare(recorded, status) != STATUS_DIFFERENT) {
        json_decref(status);
        return false;
    }
    write_status(task, status, on_remembered);
    return true;
}

static void on_forgotten(void *data, const struct reply *reply)
{
    struct task *task = data;
    task->pass->call = NULL;
    if (reply->error.code != OK && reply->error.code != ERR_MISSING) {
        pass_fail(task, &reply->error);
        return;
    }
    task_tell(task);
    task->dead = true;
    pass_end(task);
}

/* All components have been given back: the rollout may go. */
static void forget_rollout(struct task *task)
{
    json_t *kept = json_array();
    size_t i;
    json_t *finalizer;
    json_array_foreach (json_at(task->pass->object, "/metadata/finalizers"), i, finalizer) {
        if (!str_equal(json_string_value(finalizer), task->kind->finalizer))
            json_array_append(kept, finalizer);
    }
    json_t *patch AUTO_JSON = json_pack(
        "{s:{s:s, s:o}}", "metadata", "resourceVersion",
        json_string_at(task->pass->object, "/metadata/resourceVersion"), "finalizers", kept);
    char *body AUTO_FREE = json_text(patch);
    char *path AUTO_FREE = task_path(task, NULL);
    struct call_spec spec = {
        .method = "PATCH", .path = path, .content_type = PATCH_MERGE, .body = body};
    task->pass->call = cluster_call(task->controller->cluster, &spec, on_forgotten, task);
}

static void on_recorded(void *data, const struct reply *reply)
{
    struct task *task = data;
    task->pass->call = NULL;
    if (reply->error.code != OK) {
        pass_fail(task, &reply->error);
        return;
    }
    task_object_put(task, reply->body);
    task_tell(task);
    pass_end(task);
}

static bool all_forgotten(const struct task *task)
{
    bool all = task->pass->rollout.has_finalizer && task->component_count > 0;
    for (size_t i = 0; i < task->component_count; i++)
        all = all && task->components[i].forget;
    return all;
}

/* Times at which the machine wants to be asked again, and workloads that aren't ours yet. */
static void wait_for_more(struct task *task)
{
    struct rollout_kind *kind = task->kind;
    for (size_t i = 0; i < task->component_count; i++) {
        const struct component *component = &task->components[i];
        int64_t wake_at = component->decision ? component->decision->wake_at_ms : 0;
        if (wake_at)
            queue_add_after(kind->queue, task->key, wake_at - clock_wall_ms());
        if (component->status.reason.code == REASON_WINDOW_CLOSED)
            waiters_add(&kind->waiters, TOPIC_WINDOWS, task->key);
        if (component->kind && !component->observation.held &&
            !rolling_state_terminal(component->status.rolling)) {
            char *topic AUTO_FREE = waiters_object_topic(component->observation.object);
            waiters_add(&kind->waiters, topic, task->key);
        }
        if (component->observation.located.code == ERR_RETRY && !component->forget &&
            !rolling_state_terminal(component->status.rolling) && !task->pass->trouble.code)
            task->pass->trouble = component->observation.located;
    }
}

/* By what is recorded it is measured whether it gets on. */
static bool has_deadline(const struct task *task)
{
    for (size_t i = 0; i < task->component_count; i++)
        if (task->components[i].status.standing.since_ms)
            return true;
    return false;
}

static int64_t counters_every_ms(const struct task *task)
{
    int64_t share = (int64_t)task->controller->turns.taken * COUNTERS_SHARE_MS;
    if (share < COUNTERS_EVERY_MS || has_deadline(task))
        return COUNTERS_EVERY_MS;
    return share < COUNTERS_LEAST_MS ? share : COUNTERS_LEAST_MS;
}

/* Counters that only count may wait, so that a batch of many pods doesn't cost a write a pod, nor
 * many rolls the API server what it needs to get on with them. */
static bool counters_due(struct task *task)
{
    int64_t due = task->written_at_ms + counters_every_ms(task) - clock_monotonic_ms();
    if (due > 0)
        queue_add_after(task->kind->queue, task->key, due);
    return due <= 0;
}

/* The last step of a pass: one write with the status of all components, if it says anything new. */
void pass_record(struct task *task)
{
    wait_for_more(task);
    if (all_forgotten(task)) {
        forget_rollout(task);
        return;
    }
    json_t *status = status_json(task, NULL);
    enum status_change change =
        approllout_status_compare(json_object_get(task->pass->object, "status"), status);
    if (change == STATUS_COUNTERS && task->pass->told)
        change = STATUS_DIFFERENT; /* or the next pass would tell it again */
    if (change == STATUS_DIFFERENT || (change == STATUS_COUNTERS && counters_due(task))) {
        write_status(task, status, on_recorded);
        return;
    }
    json_decref(status);
    task_tell(task);
    pass_end(task);
}
