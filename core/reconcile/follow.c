// SPDX-License-Identifier: Apache-2.0
#include "reconcile/follow.h"

#include "base/alloc.h"
#include "cluster/watch.h"
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
    return json_string_at(task->pass->object, "/spec/workloadRef/kind");
}

static const char *ref_name(const struct task *task)
{
    return json_string_at(task->pass->object, "/spec/workloadRef/name");
}

/* Only the object is new: what it was like before tells whether it has to be read. */
static void follow_fail(struct task *task, enum reason_code why, const struct error *err)
{
    struct followed *followed = &task->followed;
    task->pass->unfollowed = *err;
    task->pass->unfollowed_why = why;
    followed->uid[0] = followed->template[0] = followed->applied[0] = '\0';
    follow_forget_object(task);
}

static void workload_missing(struct task *task)
{
    struct error err = {0};
    error_at(&err, ERR_MISSING, "spec.workloadRef",
             "there is no %s %s in namespace %s; it is waited for", ref_kind(task), ref_name(task),
             task->pass->rollout.ns);
    follow_fail(task, REASON_WORKLOAD_MISSING, &err);
}

/* The kind's objects, or what they wait for. */
static int find_objects(struct task *task, enum reason_code *ret_why, struct error *err)
{
    struct followed *followed = &task->followed;
    const struct workload_kind *kind = followed->kind;
    struct unlisted unlisted = {ref_kind(task), kind->store ? store_failure(kind->store) : NULL};
    if (kind->store && store_synced(kind->store))
        return OK;
    char *topic AUTO_FREE = waiters_kind_topic(ref_kind(task));
    char *words AUTO_FREE = unlisted_words(&unlisted);
    waiters_add(&task->kind->waiters, topic, task->key);
    if (!kind->store) {
        *ret_why = REASON_KIND_UNKNOWN;
        return error_set(err, ERR_MISSING,
                         "the cluster doesn't serve %s (%s); it is picked up when it appears",
                         ref_kind(task), kind->api_version);
    }
    error_set(err, ERR_RETRY, "%s", words);
    *ret_why = trouble_reason(err);
    return err->code;
}

/* The kind, or what is waited for until it is known. */
static int find_kind(struct task *task, enum reason_code *ret_why, struct error *err)
{
    struct followed *followed = &task->followed;
    const char *api_version = json_string_at(task->pass->object, "/spec/workloadRef/apiVersion");
    const struct adapter *adapter;
    followed->kind = NULL;
    *ret_why = REASON_KIND_UNKNOWN;
    if (adapters_find(task->controller->adapters, api_version, ref_kind(task), &adapter, err) < 0) {
        waiters_add(&task->kind->waiters, WAITS_FOR_ADAPTER, task->key);
        return err->code;
    }
    followed->kind = workload_kind_find(task->controller, api_version, ref_kind(task));
    return find_objects(task, ret_why, err);
}

/* Whatever happens to the workload wakes us, with our mark on it or without. */
static void watch_workload(struct task *task)
{
    char *topic AUTO_FREE =
        waiters_workload_topic(ref_kind(task), task->pass->rollout.ns, ref_name(task));
    waiters_add(&task->kind->waiters, topic, task->key);
}

json_t *follow_seen(const struct task *task)
{
    const struct workload_kind *kind = task->followed.kind;
    const char *ns = task->pass->rollout.ns, *name = ref_name(task);
    struct pass *pass = task->pass;
    uint64_t version = kind && kind->store ? store_version_of(kind->store, ns, name) : 0;
    if (version == pass->seen_version)
        return pass->seen;
    json_decref(pass->seen);
    pass->seen = version ? store_get(kind->store, ns, name) : NULL;
    pass->seen_version = version;
    json_object_del(pass->seen, WATCH_DIGEST); /* its template is known, and not only a hash */
    return pass->seen;
}

static bool same_version(const json_t *a, const json_t *b)
{
    return str_equal(json_string_at(a, "/metadata/resourceVersion"),
                     json_string_at(b, "/metadata/resourceVersion"));
}

/* Is this the object whose template is known? */
static bool is_known(const struct followed *followed, const json_t *seen)
{
    return followed->template[0] &&
           str_equal(json_string_at(seen, "/metadata/uid"), followed->uid) &&
           json_int_at(seen, "/metadata/generation", 0) == followed->generation;
}

static struct template_place place_of(const struct followed *followed)
{
    const struct adapter_kind *kind = followed->kind->kind;
    return (struct template_place){kind->template, kind->template_count};
}

/* Where all have come from, of those that aren't the present one. */
static void learn_source(struct followed *followed, const struct task *task)
{
    bool ours = str_equal(object_mark(followed->whole, MARK_HOLDER), task->pass->holder);
    json_t *rolled AUTO_JSON = ours ? history_rolled(followed->whole) : NULL;
    followed->rolled[0] = '\0';
    if (rolled)
        template_name(rolled, followed->rolled);
    COPY(followed->applied, ours ? object_mark(followed->whole, MARK_APPLIED) : NULL);
}

static void template_missing(struct task *task, const json_t *whole)
{
    struct error err = {0};
    error_at(&err, ERR_INVALID, "spec.workloadRef",
             "expected a workload with a template, which is what is rolled when it changes; %s %s "
             "has none",
             json_string_at(whole, "/kind"), json_string_at(whole, "/metadata/name"));
    follow_fail(task, REASON_KIND_UNKNOWN, &err);
}

static void take_object(struct task *task, json_t *whole)
{
    struct followed *followed = &task->followed;
    struct template_place place = place_of(followed);
    json_t *template AUTO_JSON = template_pick(&place, whole);
    if (!template) {
        template_missing(task, whole);
        return;
    }
    follow_forget_object(task);
    followed->whole = json_incref(whole);
    followed->generation = json_int_at(whole, "/metadata/generation", 0);
    COPY(followed->uid, json_string_at(whole, "/metadata/uid"));
    template_name(template, followed->template);
    learn_source(followed, task);
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
    task->pass->call = NULL;
    if (reply->error.code == ERR_MISSING) {
        workload_missing(task);
    } else if (reply->error.code != OK) {
        pass_fail(task, &reply->error);
        return;
    } else {
        take_listed(task, reply->body);
    }
    task->pass->follow_then(task);
}

static void read_object(struct task *task, follow_fn *then)
{
    char *path AUTO_FREE =
        object_list_path(&task->followed.kind->info, task->pass->rollout.ns, ref_name(task));
    struct call_spec spec = {.method = "GET", .path = path};
    task->pass->follow_then = then;
    task->pass->call = cluster_call(task->controller->cluster, &spec, on_object, task);
}

void follow_aim(struct task *task, follow_fn *then)
{
    struct error err = {0};
    enum reason_code why;
    watch_workload(task);
    if (find_kind(task, &why, &err) < 0) {
        COPY(err.path, "spec.workloadRef");
        follow_fail(task, why, &err);
        then(task);
        return;
    }
    const json_t *seen = follow_seen(task);
    if (!seen)
        workload_missing(task);
    if (!seen || is_known(&task->followed, seen))
        then(task);
    else
        read_object(task, then);
}

void follow_intend(struct task *task)
{
    const struct followed *followed = &task->followed;
    const char *applied = str_equal(followed->applied, followed->template) ? "" : followed->applied;
    bool rolled = followed->rolled[0] && !str_equal(followed->rolled, followed->template);
    task->pass->rollout.intent.target = followed->template;
    task->pass->rollout.intent.source = rolled ? followed->rolled : applied;
}

/* What was read in this pass has changed, or was never looked at. */
bool follow_rests(const struct task *task)
{
    const json_t *seen = follow_seen(task);
    return seen && is_known(&task->followed, seen) && !task->followed.whole &&
           object_mark(seen, MARK_REST) &&
           str_equal(object_mark(seen, MARK_HOLDER), task->pass->holder);
}

/* ── Locating ─────────────────────────────────────────────────────────────────────────────── */

/* The object as its owner has it, with the marks of the roll. */
static json_t *target_object(const struct task *task, const char *target)
{
    json_t *object = ledger_owners_view(task->followed.whole);
    object_put_mark(object, MARK_HOLDER, task->pass->holder);
    object_put_mark(object, MARK_APPLIED, target);
    return object;
}

/* Pods that the plan names are read once a roll. */
static void pods_forget(struct task *task)
{
    json_decref(task->pods);
    task->pods = NULL;
}

static void location_one_take(struct location *location, const struct task *task, json_t *workload)
{
    location->count = 1;
    location->components = mem_alloc(sizeof *location->components);
    location->components[0].workload = workload;
    location->components[0].kind = task->followed.kind;
}

static void set_location(struct task *task)
{
    struct location *location = mem_alloc(sizeof *location);
    follow_intend(task);
    location->target = str_copy(pass_target(task));
    location->source = str_copy(pass_source(task));
    location->error = task->pass->unfollowed;
    location->why = task->pass->unfollowed_why;
    if (location->error.code == OK)
        location_one_take(location, task, target_object(task, location->target));
    if (task->location && !str_equal(task->location->target, location->target))
        pods_forget(task);
    location_free(task->location);
    task->location = location;
}

struct location *follow_revert(const struct task *task)
{
    const struct followed *followed = &task->followed;
    struct location *location = mem_alloc(sizeof *location);
    json_t *rolled AUTO_JSON = followed->whole ? history_rolled(followed->whole) : NULL;
    location->target = str_copy(followed->rolled);
    location->source = str_copy("");
    location->why = REASON_REVISION_MISSING;
    if (!rolled) {
        error_set(&location->error, ERR_MISSING, "it isn't known which template all pods had last");
        return location;
    }
    json_t *workload = target_object(task, followed->rolled);
    template_put(workload, rolled);
    location_one_take(location, task, workload);
    return location;
}

static void on_object_read(struct task *task)
{
    set_location(task);
    task->pass->follow_after(task);
}

void follow_locate(struct task *task, follow_fn *then)
{
    const json_t *seen = task->pass->unfollowed.code == OK ? follow_seen(task) : NULL;
    task->pass->follow_after = then;
    if (task->pass->unfollowed.code == OK && !seen)
        workload_missing(task);
    if (seen && (!task->followed.whole || !is_known(&task->followed, seen)))
        read_object(task, on_object_read);
    else
        on_object_read(task);
}

/* Another generation may have another template, and what is about to be written has the one that
 * was known before. */
static void on_refreshed(struct task *task)
{
    json_t *before AUTO_JSON = task->pass->refreshed;
    struct error err = {0};
    task->pass->refreshed = NULL;
    if (is_known(&task->followed, before)) {
        task->pass->follow_after(task);
        return;
    }
    error_set(&err, ERR_CONFLICT, "%s %s has just changed", ref_kind(task), ref_name(task));
    pass_fail(task, &err);
}

void follow_refresh(struct task *task, follow_fn *then)
{
    json_t *whole = task->followed.whole, *seen = follow_seen(task);
    task->pass->follow_after = then;
    if (!whole || !seen || same_version(whole, seen)) {
        then(task);
        return;
    }
    task->pass->refreshed = json_incref(whole);
    read_object(task, on_refreshed);
}

/* No generation is that. */
void follow_doubt(struct task *task)
{
    task->followed.generation = -1;
}

void follow_forget_object(struct task *task)
{
    json_decref(task->followed.whole);
    task->followed.whole = NULL;
    packed_free(task->followed.packed);
    task->followed.packed = NULL;
}

/* During a roll nobody else's business with the object is ours, and its generation tells whether it
 * has changed: waiting for its pods takes no reading, however often they tell. Otherwise it is read
 * anew in every pass that needs it. */
void follow_pack(struct task *task, bool rolling)
{
    struct followed *followed = &task->followed;
    if (!rolling)
        follow_forget_object(task);
    else if (followed->whole && !followed->packed)
        followed->packed = json_packed(&task->kind->pack, followed->whole);
    json_decref(followed->whole);
    followed->whole = NULL;
    if (!task->kind->follows)
        return;
    location_free(task->location);
    location_free(task->revert);
    task->location = task->revert = NULL;
    if (!rolling)
        pods_forget(task);
}

void follow_unpack(struct task *task)
{
    task->followed.whole = json_unpacked(task->followed.packed);
}

/* ── Acting ───────────────────────────────────────────────────────────────────────────────── */

json_t *follow_untaken(const struct component *component)
{
    json_t *copy = json_deep_copy(component->workload);
    object_put_mark(copy, MARK_HOLDER, NULL);
    return copy;
}

static bool reverts(const struct task *task, const struct effect *effect)
{
    return effect->kind == EFFECT_FINISH && str_equal(effect->outcome, "rolledBack") &&
           task->revert && task->revert->error.code == OK;
}

/* Has it what it is to be given back with? */
static bool given_back_whole(const struct task *task, const struct effect *effect)
{
    const char *applied = object_mark(task->followed.whole, MARK_APPLIED);
    if (reverts(task, effect))
        return str_equal(applied, task->revert->target);
    return effect->kind == EFFECT_FINISH && str_equal(effect->outcome, "succeeded");
}

static struct actions one_patch_take(json_t *patch)
{
    struct actions actions = {.items = mem_alloc(sizeof *actions.items), .count = 1};
    actions.items[0] =
        (struct action){.kind = ACTION_PATCH, .patch = PATCH_KIND_JSON, .body = patch};
    return actions;
}

bool follow_answers(const struct component *component, const struct effect *effect,
                    struct adapter_reply *ret_reply)
{
    const struct task *task = component->task;
    const json_t *whole = task->followed.whole;
    if (!whole && task->pass->unfollowed.code == OK) {
        error_set(&ret_reply->err, ERR_RETRY, "%s has to be read again",
                  component->observation.object);
        return true;
    }
    if (!whole || !given_back_whole(task, effect))
        return false;
    ret_reply->actions = one_patch_take(ledger_give_back(whole));
    return true;
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
            actions_remove(actions, i);
        else
            i++;
    }
    return OK;
}

/* Have all pods the template that is on the workload now? */
static bool all_rolled(const struct component *component)
{
    const struct observation *seen = &component->observation;
    return seen->settled && all_at_target(seen) &&
           str_equal(seen->target, component->task->followed.template);
}

void follow_turn(const struct component *component, const struct effect *effect,
                 struct adapter_reply *reply)
{
    const struct task *task = component->task;
    const json_t *whole = task->followed.whole;
    json_t *view AUTO_JSON = whole ? ledger_owners_view(whole) : NULL;
    if (!whole) /* nothing is known but that it is ours: the adapter gives it back alone */
        return;
    struct ledger ledger = {
        .live = whole,
        .view = view,
        .place = place_of(&task->followed),
        .rests = effect->kind == EFFECT_HOLD,
        .rolled = effect->kind == EFFECT_HOLD && all_rolled(component),
        .scales = effect->scale,
        .gives_back = effect->kind == EFFECT_FINISH && !reverts(task, effect),
    };
    if (turn_actions(&ledger, &reply->actions, &reply->err) < 0)
        actions_done(&reply->actions);
}
