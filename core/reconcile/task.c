// SPDX-License-Identifier: Apache-2.0
/* The task: what is remembered of one rollout between its passes, and its components. */
#include "reconcile/task.h"
#include "base/alloc.h"

#include <stdint.h>
#include <stdlib.h>

struct task *task_get(struct rollout_kind *kind, const char *key)
{
    struct task *task = map_get(&kind->tasks, key);
    if (task)
        return task;
    task = mem_alloc(sizeof *task);
    task->controller = kind->controller;
    task->kind = kind;
    task->key = str_copy(key);
    map_put(&kind->tasks, key, task);
    return task;
}

void component_forget(struct component *component)
{
    json_decref(component->workload);
    json_decref(component->owned);
    json_decref(component->live);
    component->workload = component->owned = component->live = NULL;
    adapter_release(component->adapter);
    component->adapter = NULL;
}

void component_read(struct component *component, const char *name)
{
    const json_t *object = component->task->pass->object;
    approllout_status_read(object, name, &component->status);
    json_decref(component->rolls);
    component->rolls = json_incref((json_t *)(uintptr_t)approllout_rolls(object, name));
}

void component_adopt(struct component *component)
{
    component->status = component->decision->status;
    json_decref(component->rolls);
    component->rolls = json_incref(component->decided_rolls);
}

/* What only the pass needs. */
static void component_pass_clear(struct component *component)
{
    component_forget(component);
    free(component->decision);
    json_decref(component->rolls);
    json_decref(component->decided_rolls);
    component->decision = NULL;
    component->rolls = component->decided_rolls = NULL;
}

static void component_done(struct component *component)
{
    hook_cancel(component->hook.call);
    component_pass_clear(component);
    free(component->name);
}

static void components_drop(struct task *task)
{
    for (size_t i = 0; i < task->component_count; i++)
        component_done(&task->components[i]);
    free(task->components);
    task->components = NULL;
    task->component_count = 0;
}

static bool hook_pending(const struct hook_run *run)
{
    return run->call || run->outcome.result != HOOK_NONE;
}

/* A component is large, and its status says it all, but for a hook that is being called. */
static bool components_needed(const struct task *task)
{
    bool needed = false;
    for (size_t i = 0; i < task->component_count; i++)
        needed = needed || hook_pending(&task->components[i].hook);
    return needed;
}

void task_read(struct task *task)
{
    task->kind->read(task->pass->object, &task->pass->rollout);
    if (task->kind->follows)
        follow_intend(task);
}

static void pass_free(struct pass *pass)
{
    locate_cancel(pass->locate);
    act_cancel(pass->act);
    adapter_ask_cancel(&pass->asking);
    pods_fetch_cancel(pass->fetch);
    if (pass->call)
        call_cancel(pass->call);
    approllout_done(&pass->rollout);
    json_decref(pass->object);
    json_decref(pass->seen);
    json_decref(pass->refreshed);
    free(pass->holder);
    free(pass);
}

void task_pass_done(struct task *task)
{
    if (!task->pass)
        return;
    task_forget_moves(task);
    pass_free(task->pass);
    task->pass = NULL;
    if (!components_needed(task))
        components_drop(task);
    for (size_t i = 0; i < task->component_count; i++)
        component_pass_clear(&task->components[i]);
}

static void task_free(void *data)
{
    struct task *task = data;
    task_pass_done(task);
    components_drop(task);
    contest_done(&task->contest);
    brake_done(&task->brake);
    location_free(task->location);
    location_free(task->revert);
    json_decref(task->pods);
    follow_forget_object(task);
    free(task->key);
    free(task);
}

void task_drop(struct task *task)
{
    map_remove(&task->kind->tasks, task->key);
    task_free(task);
}

void rollout_tasks_drop(struct rollout_kind *kind)
{
    map_done(&kind->tasks, task_free);
    pack_done(&kind->pack);
}

void rollout_task_drop(struct rollout_kind *kind, const char *key)
{
    struct task *task = map_get(&kind->tasks, key);
    if (task)
        task_drop(task);
    waiters_forget(&kind->waiters, key);
    queue_done(kind->queue, key);
}

bool task_unfinished(const struct task *task)
{
    for (size_t i = 0; i < task->component_count; i++)
        if (!rolling_state_terminal(task->components[i].status.rolling))
            return true;
    return task->component_count == 0;
}

bool task_uses(const struct task *task, const struct workload_kind *kind)
{
    for (size_t i = 0; task->location && i < task->location->count; i++)
        if (task->location->components[i].kind == kind)
            return true;
    return false;
}

static struct component *component_find(struct task *task, const char *name)
{
    for (size_t i = 0; i < task->component_count; i++)
        if (str_equal(task->components[i].name, name) || !task->components[i].name)
            return &task->components[i];
    return NULL;
}

/* Lays the components out anew; what is known of hooks under way goes along. */
static void components_set(struct task *task, char **names, size_t count)
{
    struct component *components = mem_alloc(count * sizeof *components);
    for (size_t i = 0; i < count; i++) {
        struct component *old = component_find(task, names[i]);
        components[i].task = task;
        components[i].name = str_copy(names[i]);
        if (old && !old->hook.call)
            components[i].hook = old->hook;
        component_read(&components[i], count > 1 ? names[i] : NULL);
    }
    components_drop(task);
    task->components = components;
    task->component_count = count;
}

/* Before anything was located, the components are those that the status speaks of. */
void components_from_status(struct task *task)
{
    const json_t *listed = json_at(task->pass->object, "/status/components");
    size_t count = json_array_size(listed) > 1 ? json_array_size(listed) : 1;
    char **names AUTO_FREE = mem_alloc(count * sizeof *names);
    for (size_t i = 0; i < count; i++)
        names[i] =
            (char *)(uintptr_t)(count > 1
                                    ? json_string_at(json_array_get(listed, i), "/name")
                                    : json_string_at(task->pass->object, "/status/component"));
    components_set(task, names, count);
}

static bool components_match(const struct task *task, const struct location *location)
{
    bool match = task->component_count == location->count;
    for (size_t i = 0; match && i < location->count; i++)
        match = str_equal(task->components[i].name, location->components[i].name);
    return match;
}

void components_from_location(struct task *task)
{
    const struct location *location = task->location;
    if (location->error.code != OK || components_match(task, location))
        return;
    char **names AUTO_FREE = mem_alloc(location->count * sizeof *names);
    for (size_t i = 0; i < location->count; i++)
        names[i] = location->components[i].name;
    components_set(task, names, location->count);
}

struct turns_of task_turn(const struct task *task)
{
    return (struct turns_of){task->kind->info.kind, task->key, task->kind->queue};
}

char *task_path(const struct task *task, const char *subresource)
{
    return object_path(&task->kind->info, task->pass->rollout.ns, task->pass->rollout.name,
                       subresource);
}

void task_object_put(struct task *task, const json_t *object)
{
    store_put(task->kind->store, object);
    rollout_see(task->kind, task->key, object);
}

void task_object_replace(struct task *task, json_t *object)
{
    task_object_put(task, object);
    approllout_done(&task->pass->rollout);
    json_decref(task->pass->object);
    task->pass->object = json_incref(object);
    task_read(task);
}
