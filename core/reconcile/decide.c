// SPDX-License-Identifier: Apache-2.0
/* One decision of a component's machine: what goes into it, an operator's rules among it, and what
 * comes of it for the record. */
#include "base/alloc.h"
#include "base/clock.h"
#include "config/windows.h"
#include "oam/rolls.h"
#include "reconcile/task.h"

#include <stdio.h>
#include <stdlib.h>

/* What the record of the rolls becomes by the decision. */
static void component_note_rolls(struct component *component, int64_t now_ms)
{
    const struct task *task = component->task;
    const struct plan *plan = task->pass->rollout.plan;
    struct asked asked;
    asked_read(task->pass->object, &asked);
    const struct rolls_news news = {.before = &component->status,
                                    .decision = component->decision,
                                    .batches = plan ? (int)plan->batch_count : 0,
                                    .asked = &asked,
                                    .now_ms = now_ms};
    json_decref(component->decided_rolls);
    component->decided_rolls = rolls_note(component->rolls, &news);
}

/* The words are the same until the window opens. */
static void look_at_windows(const struct controller *controller, struct machine_input *input)
{
    struct leave *leave = &input->leave;
    char opens[CLOCK_TEXT_SIZE];
    if (!windows_closed(controller->config->windows, input->now_ms, &leave->opens_at_ms))
        return;
    clock_format(leave->opens_at_ms, opens);
    snprintf(leave->closed, sizeof leave->closed,
             "waits for a maintenance window (rolls.windows); the next one opens at %s", opens);
}

static bool begins_roll(const struct decision *decision)
{
    for (int i = 0; i < decision->move_count; i++)
        if (decision->moves[i].to == ROLLING_INITIALIZING)
            return true;
    return false;
}

/* One that has been told to wait keeps its place in the line. */
static bool may_begin(const struct component *component, struct machine_input *input)
{
    struct task *task = component->task;
    const struct rollout_status *before = &component->status;
    const struct turns_of of = task_turn(task);
    const struct turns_wish wish = {
        .must = component->decision->status.half_way,
        .since_ms = before->reason.code == REASON_QUEUED ? before->reason_since_ms : input->now_ms,
    };
    struct leave *leave = &input->leave;
    return turns_take(&task->controller->turns, &of, &wish, leave->queued, sizeof leave->queued);
}

void component_decide(struct component *component)
{
    struct task *task = component->task;
    if (!component->decision)
        component->decision = mem_alloc(sizeof *component->decision);
    struct machine_input *input = mem_alloc(sizeof *input);
    *input = (struct machine_input){
        .plan = task->pass->rollout.plan,
        .plan_error = &task->pass->rollout.plan_error,
        .intent = task->pass->rollout.intent,
        .status = component->status,
        .observation = component->observation,
        .hook = component->hook.outcome,
        .now_ms = clock_wall_ms(),
    };
    look_at_windows(task->controller, input);
    machine_decide(input, component->decision);
    if (begins_roll(component->decision) && !may_begin(component, input))
        machine_decide(input, component->decision);
    component_note_rolls(component, input->now_ms);
    free(input);
}
