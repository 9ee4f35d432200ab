// SPDX-License-Identifier: Apache-2.0
#include "reconcile/act.h"

#include "base/alloc.h"
#include "base/json_patch.h"
#include "oam/revision.h"
#include "reconcile/owned.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOLDER_POINTER "/metadata/annotations/rollout.sluice.dev~1holder"

struct act {
    struct controller *controller;
    struct workload_kind *kind;
    char *ns, *name, *uid, *version, *holder;
    json_t *auxiliaries;
    size_t next_auxiliary;
    struct actions actions;
    size_t next;
    bool rehearsed; /* the next action */
    struct call *call;
    struct timer later;
    enum acted acted;
    struct error error;
    act_fn *on_done;
    void *data;
};

static void act_step(struct act *act);

static void act_free(struct act *act)
{
    actions_done(&act->actions);
    json_decref(act->auxiliaries);
    free(act->ns);
    free(act->name);
    free(act->uid);
    free(act->version);
    free(act->holder);
    free(act);
}

void act_cancel(struct act *act)
{
    if (!act)
        return;
    if (act->call)
        call_cancel(act->call);
    timer_stop(cluster_loop(act->controller->cluster), &act->later);
    kind_forget(act->controller->kinds, act);
    act_free(act);
}

static void on_finish(void *data)
{
    struct act *act = data;
    struct error error = act->error;
    enum acted acted = act->acted;
    act_fn *on_done = act->on_done;
    void *receiver = act->data;
    act_free(act);
    on_done(receiver, acted, &error);
}

/* The answer always comes from the loop, so that nobody is called back from within act_start(). */
static void act_finish(struct act *act)
{
    timer_start(cluster_loop(act->controller->cluster), &act->later, 0, on_finish, act);
}

static void act_fail(struct act *act, const struct error *err)
{
    act->error = *err;
    act_finish(act);
}

/* A JSON patch whose `test` doesn't hold is answered with 422 and no causes: somebody else has
 * changed what we looked at. A 422 with causes is the server's word on the content. */
static bool test_failed(const struct action *action, const struct reply *reply)
{
    return action->kind == ACTION_PATCH && action->patch == PATCH_KIND_JSON &&
           reply->status == 422 && !json_at(reply->body, "/details/causes");
}

/* A patch that changes nothing leaves the workload the version that it had. */
static enum acted came_of(const struct act *act, const struct action *action,
                          const json_t *answered)
{
    if (action->kind == ACTION_DELETE_POD)
        return ACTED_DELETED;
    bool in_vain = !action->pod &&
                   str_equal(json_string_at(answered, "/metadata/resourceVersion"), act->version);
    return in_vain ? ACTED_IN_VAIN : ACTED_PATCHED;
}

/* The field that a patch was to change and hasn't, for whoever has to find out why. */
static void note_field(struct act *act, const struct action *action)
{
    size_t i;
    json_t *operation;
    if (action->patch != PATCH_KIND_JSON)
        return;
    json_array_foreach (action->body, i, operation)
        if (!str_equal(json_string_at(operation, "/op"), "test"))
            snprintf(act->error.path, sizeof act->error.path, "%s",
                     json_string_at(operation, "/path"));
}

static void note_write(struct act *act, const struct action *action, const json_t *answered)
{
    enum acted acted = came_of(act, action, answered);
    if (acted == ACTED_IN_VAIN)
        note_field(act, action);
    if (acted > act->acted)
        act->acted = acted;
}

static void on_action_reply(void *data, const struct reply *reply)
{
    struct act *act = data;
    const struct action *action = &act->actions.items[act->next];
    act->call = NULL;
    struct error err = reply->error;
    if (err.code != OK && test_failed(action, reply))
        err.code = ERR_CONFLICT;
    if (err.code == ERR_MISSING && action->kind == ACTION_DELETE_POD)
        err.code = OK; /* gone already, which is what was wanted */
    if (err.code != OK) {
        act_fail(act, &err);
        return;
    }
    note_write(act, action, reply->body);
    if (action->kind == ACTION_PATCH && !action->pod && act->kind->store)
        store_put(act->kind->store, reply->body);
    if (action->kind == ACTION_DELETE_POD)
        owned_pod_leaves(act->controller, act->ns, action);
    act->next++;
    act->rehearsed = false;
    act_step(act);
}

static json_t *test_operation(const char *path, const char *value)
{
    return json_patch_step_take("test", path, json_string(value));
}

/* What is changed is the object that was looked at, and it is still ours. */
static void guard_json_patch(const struct act *act, const struct action *action)
{
    const char *uid = action->pod ? action->uid : act->uid;
    size_t at = 0;
    if (uid)
        json_array_insert_new(action->body, at++, test_operation("/metadata/uid", uid));
    if (!action->pod && act->holder)
        json_array_insert_new(
            action->body, at,
            test_operation("/metadata/annotations/rollout.sluice.dev~1holder", act->holder));
}

static void guard_patch(const struct act *act, const struct action *action)
{
    const char *uid = action->pod ? action->uid : act->uid;
    if (action->patch == PATCH_KIND_JSON)
        guard_json_patch(act, action);
    else if (uid)
        json_put_take(action->body, "/metadata/uid", json_string(uid));
}

/* `more` is added to the query. */
static void send_patch(struct act *act, const struct action *action, const char *more,
                       reply_fn *on_reply)
{
    static const char *const types[] = {PATCH_APPLY, PATCH_MERGE, PATCH_JSON};
    static const struct kind_info pods = {"v1", "Pod", "pods", true};
    char *path AUTO_FREE = object_path(action->pod ? &pods : &act->kind->info, act->ns,
                                       action->pod ? action->pod : act->name, NULL);
    char *query AUTO_FREE =
        str_format("%s?fieldManager=" FIELD_MANAGER "%s%s", path,
                   action->patch == PATCH_KIND_APPLY ? "&force=true" : "", more);
    guard_patch(act, action);
    char *body AUTO_FREE = json_text(action->body);
    struct call_spec spec = {
        .method = "PATCH", .path = query, .content_type = types[action->patch], .body = body};
    act->call = cluster_call(act->controller->cluster, &spec, on_reply, act);
}

/* What the server made of the template, with its defaults and its webhooks, goes along with the
 * write itself: so it is known from then on, whoever dies. */
static void on_rehearsed(void *data, const struct reply *reply)
{
    struct act *act = data;
    const struct adapter_kind *kind = act->kind->kind;
    const struct action *action = &act->actions.items[act->next];
    char hash[HASH_HEX_SIZE];
    act->call = NULL;
    act->rehearsed = true;
    if (reply->error.code != OK && reply->error.code != ERR_INVALID) {
        act_fail(act, &reply->error);
        return;
    }
    /* One that isn't accepted is sent nevertheless, for the server's word on it: there are webhooks
     * that only refuse to rehearse. */
    if (reply->error.code == OK &&
        json_hash_at(reply->body, kind->template, kind->template_count, hash))
        json_put_take(action->body, TEMPLATE_POINTER, json_string(hash));
    act_step(act);
}

/* A patch that puts our mark on the workload takes it over. */
static bool wants_rehearsal(const struct act *act, const struct action *action)
{
    return !act->rehearsed && !action->pod && action->patch != PATCH_KIND_JSON &&
           json_at(action->body, HOLDER_POINTER) && act->kind->kind->template_count > 0;
}

static void act_patch(struct act *act, const struct action *action)
{
    if (wants_rehearsal(act, action))
        send_patch(act, action, "&dryRun=All", on_rehearsed);
    else
        send_patch(act, action, "", on_action_reply);
}

static void send_delete(struct act *act, const struct action *action)
{
    static const struct kind_info pods = {"v1", "Pod", "pods", true};
    char *path AUTO_FREE = object_path(&pods, act->ns, action->pod, NULL);
    json_t *options AUTO_JSON = json_pack("{s:s, s:s, s:{s:s}}", "apiVersion", "v1", "kind",
                                          "DeleteOptions", "preconditions", "uid", action->uid);
    char *body AUTO_FREE = json_text(options);
    struct call_spec spec = {.method = "DELETE", .path = path, .body = body};
    act->call = cluster_call(act->controller->cluster, &spec, on_action_reply, act);
}

static void send_event(struct act *act, const struct action *action)
{
    struct event_about about = {.api_version = act->kind->info.api_version,
                                .kind = act->kind->info.kind,
                                .ns = act->ns,
                                .name = act->name,
                                .uid = act->uid};
    struct event event = {
        .warning = str_equal(json_string_at(action->body, "/type"), "Warning"),
        .reason = json_string_at(action->body, "/reason"),
        .message = json_string_at(action->body, "/message"),
    };
    recorder_event(act->controller->recorder, &about, &event);
}

static void on_auxiliary_reply(void *data, const struct reply *reply)
{
    struct act *act = data;
    act->call = NULL;
    if (reply->error.code != OK) {
        act_fail(act, &reply->error);
        return;
    }
    act->next_auxiliary++;
    act_step(act);
}

/* An object of the whole cluster has no namespace, and none that has one may own it. */
static void make_cluster_wide(json_t *object)
{
    json_remove_at(object, "/metadata/namespace");
    json_remove_at(object, "/metadata/ownerReferences");
}

static void on_auxiliary_kind(void *data, const struct kind_info *info, const struct error *err)
{
    struct act *act = data;
    json_t *object = json_array_get(act->auxiliaries, act->next_auxiliary);
    if (err->code != OK) {
        act_fail(act, err);
        return;
    }
    if (!info->namespaced)
        make_cluster_wide(object);
    char *path AUTO_FREE = object_path(info, json_string_at(object, "/metadata/namespace"),
                                       json_string_at(object, "/metadata/name"), NULL);
    char *query AUTO_FREE = str_format("%s?fieldManager=" FIELD_MANAGER "&force=true", path);
    char *body AUTO_FREE = json_text(object);
    struct call_spec spec = {
        .method = "PATCH", .path = query, .content_type = PATCH_APPLY, .body = body, .ns = act->ns};
    act->call = cluster_call(act->controller->cluster, &spec, on_auxiliary_reply, act);
}

/* One thing at a time: what a workload needs beside it, then the workload's own actions. */
static void act_step(struct act *act)
{
    if (act->next_auxiliary < json_array_size(act->auxiliaries)) {
        const json_t *object = json_array_get(act->auxiliaries, act->next_auxiliary);
        kind_find(act->controller->kinds, json_string_at(object, "/apiVersion"),
                  json_string_at(object, "/kind"), on_auxiliary_kind, act);
        return;
    }
    for (; act->next < act->actions.count; act->next++) {
        const struct action *action = &act->actions.items[act->next];
        switch (action->kind) {
        case ACTION_PATCH:
            act_patch(act, action);
            return;
        case ACTION_DELETE_POD:
            send_delete(act, action);
            return;
        case ACTION_EVENT:
            send_event(act, action);
            break;
        }
    }
    act_finish(act);
}

struct act *act_start_take(struct controller *controller, const struct act_spec *spec,
                           struct actions *actions, act_fn *on_done, void *data)
{
    struct act *act = mem_alloc(sizeof *act);
    act->controller = controller;
    act->kind = spec->kind;
    act->ns = str_copy(json_string_at(spec->target, "/metadata/namespace"));
    act->name = str_copy(json_string_at(spec->target, "/metadata/name"));
    act->uid = str_copy(json_string_at(spec->workload, "/metadata/uid"));
    act->version = str_copy(json_string_at(spec->workload, "/metadata/resourceVersion"));
    act->holder = str_copy(spec->holder);
    act->auxiliaries = spec->auxiliaries ? json_deep_copy(spec->auxiliaries) : NULL;
    act->actions = *actions;
    *actions = (struct actions){0};
    act->on_done = on_done;
    act->data = data;
    act_step(act);
    return act;
}
