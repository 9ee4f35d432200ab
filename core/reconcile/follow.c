// SPDX-License-Identifier: Apache-2.0
#include "reconcile/follow.h"

#include "base/alloc.h"
#include "follow/ledger.h"
#include "oam/revision.h"
#include "reconcile/task.h"
#include "reconcile/workload_kinds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COPY(to, from) snprintf(to, sizeof to, "%s", (from) ? (from) : "")

/* ── What is followed ─────────────────────────────────────────────────────────────────────── */

static const char *ref_kind(const struct task *task)
{
    return json_string_at(task->object, "/spec/workloadRef/kind");
}

static const char *ref_name(const struct task *task)
{
    return json_string_at(task->object, "/spec/workloadRef/name");
}

/* Only the object is new: what it was like before tells whether it has to be read. */
static void follow_fail(struct task *task, enum reason_code why, const struct error *err)
{
    struct followed *followed = &task->followed;
    followed->error = *err;
    followed->why = why;
    followed->uid[0] = followed->template[0] = followed->applied[0] = '\0';
    follow_forget_object(task);
}

static void workload_missing(struct task *task)
{
    struct error err = {0};
    error_at(&err, ERR_MISSING, "spec.workloadRef",
             "there is no %s %s in namespace %s; it is waited for", ref_kind(task), ref_name(task),
             task->rollout.ns);
    follow_fail(task, REASON_WORKLOAD_MISSING, &err);
}

/* The kind with its store; false: the error says what it waits for. */
static bool find_kind(struct task *task)
{
    struct followed *followed = &task->followed;
    struct error err = {0};
    enum reason_code why = REASON_KIND_UNKNOWN;
    const char *api_version = json_string_at(task->object, "/spec/workloadRef/apiVersion");
    followed->kind = NULL;
    const struct adapter *adapter;
    bool known = adapters_find(task->controller->adapters, api_version, ref_kind(task), &adapter,
                               &err) == OK;
    if (known)
        followed->kind = workload_kind_find(task->controller, api_version, ref_kind(task));
    else
        waiters_add(&task->kind->waiters, WAITS_FOR_ADAPTER, task->key);
    if (!known || !workload_kind_ready(followed->kind, task, &why, &err)) {
        COPY(err.path, "spec.workloadRef");
        follow_fail(task, why, &err);
        return false;
    }
    return true;
}

/* Whatever happens to the workload wakes us, with our mark on it or without. */
static void watch_workload(struct task *task)
{
    char *topic AUTO_FREE =
        str_format("workload %s %s/%s", ref_kind(task), task->rollout.ns, ref_name(task));
    waiters_add(&task->kind->waiters, topic, task->key);
}

static json_t *workload_seen(const struct task *task)
{
    const struct followed *followed = &task->followed;
    return followed->kind ? store_get(followed->kind->store, task->rollout.ns, ref_name(task))
                          : NULL;
}

/* Is this the object whose template is known? */
static bool is_known(const struct followed *followed, const json_t *seen)
{
    return followed->error.code == OK && followed->template[0] &&
           str_equal(json_string_at(seen, "/metadata/uid"), followed->uid) &&
           json_int_at(seen, "/metadata/generation", 0) == followed->generation;
}

static void take_object(struct task *task, json_t *whole)
{
    struct followed *followed = &task->followed;
    struct error err = {0};
    char template[TEMPLATE_HASH_SIZE];
    if (template_hash(whole, template, &err) < 0) {
        follow_fail(task, REASON_KIND_UNKNOWN, &err);
        return;
    }
    follow_forget_object(task);
    followed->whole = json_incref(whole);
    followed->error = (struct error){0};
    followed->generation = json_int_at(whole, "/metadata/generation", 0);
    COPY(followed->uid, json_string_at(whole, "/metadata/uid"));
    memcpy(followed->template, template, sizeof template);
    COPY(followed->applied, object_mark(whole, MARK_APPLIED));
    store_put(followed->kind->store, whole);
}

/* Objects of a list don't say of which kind they are. */
static void take_listed(struct task *task, const json_t *list)
{
    json_t *whole = json_array_get(json_object_get(list, "items"), 0);
    if (!whole) {
        workload_missing(task);
        return;
    }
    json_object_set_new(whole, "apiVersion", json_string(task->followed.kind->info.api_version));
    json_object_set_new(whole, "kind", json_string(task->followed.kind->info.kind));
    take_object(task, whole);
}

static void on_object(void *data, const struct reply *reply)
{
    struct task *task = data;
    task->call = NULL;
    if (reply->error.code == ERR_MISSING) {
        workload_missing(task);
    } else if (reply->error.code != OK) {
        pass_fail(task, &reply->error);
        return;
    } else {
        take_listed(task, reply->body);
    }
    task->follow_then(task);
}

static void read_object(struct task *task, follow_fn *then)
{
    char *listed AUTO_FREE = object_path(&task->followed.kind->info, task->rollout.ns, NULL, NULL);
    /* As a list of one: whoever watches a kind may list it, but needn't be allowed to get. */
    char *path AUTO_FREE =
        str_format("%s?fieldSelector=metadata.name%%3D%s", listed, ref_name(task));
    struct call_spec spec = {.method = "GET", .path = path};
    task->follow_then = then;
    task->call = cluster_call(task->controller->cluster, &spec, on_object, task);
}

void follow_aim(struct task *task, follow_fn *then)
{
    watch_workload(task);
    json_t *seen AUTO_JSON = find_kind(task) ? workload_seen(task) : NULL;
    if (task->followed.kind && task->followed.kind->store && !seen &&
        store_synced(task->followed.kind->store))
        workload_missing(task);
    if (!seen || is_known(&task->followed, seen))
        then(task);
    else
        read_object(task, then);
}

void follow_intend(struct task *task)
{
    const struct followed *followed = &task->followed;
    task->rollout.intent.target = followed->template;
    task->rollout.intent.source =
        str_equal(followed->applied, followed->template) ? "" : followed->applied;
}

bool follow_rests(const struct task *task)
{
    json_t *seen AUTO_JSON = workload_seen(task);
    return seen && is_known(&task->followed, seen) && object_mark(seen, MARK_REST) &&
           str_equal(object_mark(seen, MARK_HOLDER), task->holder);
}

/* ── Locating ─────────────────────────────────────────────────────────────────────────────── */

/* The object as its owner has it, with the marks of the roll. */
static json_t *target_object(const struct task *task, const char *target)
{
    json_t *object = ledger_owners_view(task->followed.whole);
    if (!json_at(object, "/metadata/annotations"))
        json_put_take(object, "/metadata/annotations", json_object());
    json_t *annotations = json_at(object, "/metadata/annotations");
    json_object_set_new(annotations, MARK_HOLDER, json_string(task->holder));
    json_object_set_new(annotations, MARK_APPLIED, json_string(target));
    return object;
}

/* Pods that the plan names are read once a roll. */
static void pods_forget(struct task *task)
{
    json_decref(task->pods);
    task->pods = NULL;
}

static void set_location(struct task *task)
{
    const struct followed *followed = &task->followed;
    struct location *location = mem_alloc(sizeof *location);
    follow_intend(task);
    location->target = str_copy(pass_target(task));
    location->source = str_copy(pass_source(task));
    location->error = followed->error;
    location->why = followed->why;
    if (followed->error.code == OK) {
        location->count = 1;
        location->components = mem_alloc(sizeof *location->components);
        location->components[0].workload = target_object(task, location->target);
        location->components[0].kind = followed->kind;
    }
    if (task->location && !str_equal(task->location->target, location->target))
        pods_forget(task);
    location_free(task->location);
    task->location = location;
}

static void on_object_read(struct task *task)
{
    set_location(task);
    task->follow_located(task);
}

void follow_locate(struct task *task, follow_fn *then)
{
    json_t *seen AUTO_JSON = task->followed.error.code == OK ? workload_seen(task) : NULL;
    task->follow_located = then;
    if (task->followed.error.code == OK && !seen)
        workload_missing(task);
    if (seen && (!task->followed.whole || !is_known(&task->followed, seen)))
        read_object(task, on_object_read);
    else
        on_object_read(task);
}

void follow_forget_object(struct task *task)
{
    json_decref(task->followed.whole);
    task->followed.whole = NULL;
    free(task->followed.packed);
    task->followed.packed = NULL;
}

/* While pods are being rolled, nobody else's business with the object is ours, and its generation
 * tells whether it has changed. Otherwise it is read anew in every pass that needs it. */
void follow_pack(struct task *task, bool rolling)
{
    char *packed = rolling && task->followed.whole ? json_text(task->followed.whole) : NULL;
    follow_forget_object(task);
    task->followed.packed = packed;
    if (!task->kind->follows)
        return;
    location_free(task->location);
    task->location = NULL;
    if (!rolling)
        pods_forget(task);
}

void follow_unpack(struct task *task)
{
    const char *packed = task->followed.packed;
    json_t *whole = NULL;
    if (packed && json_parse(packed, strlen(packed), &whole, NULL) == OK)
        follow_forget_object(task);
    task->followed.whole = whole;
}

/* ── Acting ───────────────────────────────────────────────────────────────────────────────── */

/* Asked for a workload that nobody holds, an adapter says all that belongs to a hold; how much of
 * it is there already, the ledger finds out. */
static json_t *unmarked(const json_t *workload)
{
    json_t *copy = json_deep_copy(workload);
    json_object_del(json_at(copy, "/metadata/annotations"), MARK_HOLDER);
    return copy;
}

static int ask_adapter(struct component *component, const struct effect *effect,
                       struct actions *ret_actions, struct error *err)
{
    struct adapter_request request = component_request(component);
    bool takes = effect->kind == EFFECT_BEGIN || effect->kind == EFFECT_HOLD;
    json_t *workload AUTO_JSON = takes ? unmarked(component->workload) : NULL;
    if (takes)
        request.workload = workload;
    if (effect->kind != EFFECT_HOLD)
        return effect_actions(component, effect, &request, ret_actions, err);
    request.hold = true;
    request.scale = false;
    return adapter_begin(component->adapter, &request, ret_actions, err);
}

static void action_drop(struct actions *actions, size_t index)
{
    struct actions dropped = {.items = mem_alloc(sizeof *dropped.items), .count = 1};
    dropped.items[0] = actions->items[index];
    actions->count--;
    memmove(&actions->items[index], &actions->items[index + 1],
            (actions->count - index) * sizeof *actions->items);
    actions_done(&dropped);
}

/* Every patch of the workload goes through the ledger; one that changes nothing is left out. */
static int turn_actions(const struct ledger *ledger, struct actions *actions, struct error *err)
{
    for (size_t i = 0; i < actions->count;) {
        struct action *action = &actions->items[i];
        bool turned = action->kind == ACTION_PATCH && !action->pod;
        int code = turned ? ledger_turn(ledger, action, err) : OK;
        if (code < 0)
            return code;
        if (turned && json_array_size(action->body) == 0)
            action_drop(actions, i);
        else
            i++;
    }
    return OK;
}

static struct actions one_patch_take(json_t *patch)
{
    struct actions actions = {.items = mem_alloc(sizeof *actions.items), .count = 1};
    actions.items[0] =
        (struct action){.kind = ACTION_PATCH, .patch = PATCH_KIND_JSON, .body = patch};
    return actions;
}

int follow_actions(struct component *component, const struct effect *effect,
                   struct actions *ret_actions, struct error *err)
{
    const json_t *whole = component->task->followed.whole;
    struct actions actions = {0};
    if (!whole && (effect->kind == EFFECT_BEGIN || effect->kind == EFFECT_HOLD))
        return error_set(err, ERR_RETRY, "%s has to be read again", component->observation.object);
    if (whole && effect->kind == EFFECT_FINISH && str_equal(effect->outcome, "succeeded")) {
        *ret_actions = one_patch_take(ledger_give_back(whole));
        return OK;
    }
    int code = ask_adapter(component, effect, &actions, err);
    if (code == OK && whole) {
        json_t *view AUTO_JSON = ledger_owners_view(whole);
        struct ledger ledger = {.live = whole,
                                .view = view,
                                .rest = effect->kind == EFFECT_HOLD,
                                .give_back = effect->kind == EFFECT_FINISH};
        code = turn_actions(&ledger, &actions, err);
    }
    if (code < 0) {
        actions_done(&actions);
        return code;
    }
    *ret_actions = actions;
    return OK;
}
