// SPDX-License-Identifier: Apache-2.0
/* Telling people: one log line for every move, an Event for those that matter. */
#include "base/alloc.h"
#include "reconcile/task.h"

#include <stdlib.h>

char *task_label(const struct task *task, const char *component)
{
    if (component && task->component_count > 1)
        return str_format("%s %s %s", task->kind->info.kind, task->key, component);
    return str_format("%s %s", task->kind->info.kind, task->key);
}

static void tell_witness(const struct task *task, const struct component *component)
{
    const struct witness *witness = &task->controller->witness;
    const struct witnessed what = {
        .kind = task->kind->info.kind,
        .ns = task->pass->rollout.ns,
        .name = task->pass->rollout.name,
        .component = component->name,
        .plan = task->pass->rollout.plan,
        .decision = component->decision,
    };
    if (witness->on_decision)
        witness->on_decision(witness->data, &what);
}

void task_note_moves(struct task *task, const struct component *component)
{
    const struct decision *decision = component->decision;
    size_t count = (size_t)decision->move_count;
    task->pass->moves =
        mem_grow(task->pass->moves, (task->pass->move_count + count) * sizeof *task->pass->moves);
    for (size_t i = 0; i < count; i++)
        task->pass->moves[task->pass->move_count++] =
            (struct told_move){.move = decision->moves[i], .component = str_copy(component->name)};
    tell_witness(task, component);
}

void task_forget_moves(struct task *task)
{
    for (size_t i = 0; i < task->pass->move_count; i++)
        free(task->pass->moves[i].component);
    free(task->pass->moves);
    task->pass->moves = NULL;
    task->pass->move_count = 0;
}

static void task_event(struct task *task, bool warning, const char *reason, const char *message)
{
    const struct event_about about = {
        .api_version = task->kind->info.api_version,
        .kind = task->kind->info.kind,
        .ns = task->pass->rollout.ns,
        .name = task->pass->rollout.name,
        .uid = task->pass->rollout.uid,
        .resource_version = json_string_at(task->pass->object, "/metadata/resourceVersion"),
    };
    const struct event event = {.warning = warning, .reason = reason, .message = message};
    recorder_event(task->controller->recorder, &about, &event);
}

/* The reason of an Event: a CamelCase word for machines. */
static const char *move_reason(const struct move *move)
{
    static const char *const reasons[ROLLING_STATES] = {
        [ROLLING_IN_BATCHES] = "RolloutStarted",    [ROLLING_SUCCEEDED] = "RolloutSucceeded",
        [ROLLING_ABANDONING] = "RolloutAbandoned",  [ROLLING_FAILING] = "RolloutFailing",
        [ROLLING_FAILED] = "RolloutFailed",         [ROLLING_DELETING] = "RolloutDeleting",
        [ROLLING_LOCATING] = "RolloutRestarted",    [ROLLING_VERIFYING] = "RolloutLocated",
        [ROLLING_INITIALIZING] = "RolloutVerified", [ROLLING_FINALISING] = "RolloutFinalizing",
        [ROLLING_HOLDING] = "RolloutHolding",
    };
    return move->to == move->from ? "BatchReady" : reasons[move->to];
}

static void log_move(const struct task *task, const struct told_move *told)
{
    const struct move *move = &told->move;
    char *label AUTO_FREE = task_label(task, told->component);
    bool in_batch = move->to == move->from;
    struct log_about about = {
        .topic = "rollout", .object = label, .batch = in_batch ? move->batch + 1 : 0};
    log_write(move->warning ? LOG_WARN : LOG_INFO, about, "%s -> %s: %s",
              in_batch ? batch_state_name(move->batch_from) : rolling_state_name(move->from),
              in_batch ? batch_state_name(move->batch_to) : rolling_state_name(move->to),
              move->why.message);
}

void task_tell(struct task *task)
{
    for (size_t i = 0; i < task->pass->move_count; i++) {
        const struct told_move *told = &task->pass->moves[i];
        log_move(task, told);
        if (told->move.tell)
            task_event(task, told->move.warning, move_reason(&told->move), told->move.why.message);
    }
    task_forget_moves(task);
}

void task_tell_waiting(struct task *task, const struct component *component)
{
    const struct reason *reason = &component->status.reason;
    char *label AUTO_FREE = task_label(task, component->name);
    log_write(LOG_WARN, (struct log_about){.topic = "rollout", .object = label}, "waits: %s",
              reason->message);
    task_event(task, true, reason_name(reason->code), reason->message);
}
