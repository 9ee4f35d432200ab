// SPDX-License-Identifier: Apache-2.0
#include "reconcile/other_writer.h"

#include "base/alloc.h"
#include "base/json_patch.h"
#include "cluster/managed_fields.h"
#include "cluster/watch.h"
#include "oam/revision.h"

#include <stdio.h>

bool template_changed(const json_t *workload)
{
    const char *put = object_mark(workload, MARK_TEMPLATE);
    const char *now = json_string_value(json_object_get(workload, WATCH_DIGEST));
    return put && now && !str_equal(put, now);
}

/* As much as fits of a value, for people. */
static void say_value(const json_t *value, char *ret_text, size_t size)
{
    char *text AUTO_FREE = json_is_string(value) ? str_copy(json_string_value(value))
                           : value               ? json_text(value)
                                                 : str_copy("nothing");
    snprintf(ret_text, size, "%s", text);
}

static void fill(struct other_write *seen, const struct foreign_write *write)
{
    snprintf(seen->who, sizeof seen->who, "%s", write->manager);
    snprintf(seen->how, sizeof seen->how, "%s at %s", write->operation, write->time);
    snprintf(seen->field, sizeof seen->field, "%s", write->field);
    if (json_is_object(write->found) || json_is_object(write->wanted))
        return; /* too much for a sentence */
    say_value(write->wanted, seen->expected, sizeof seen->expected);
    say_value(write->found, seen->found, sizeof seen->found);
}

static void look_into(struct component *component)
{
    const struct adapter_kind *kind = component->kind->kind;
    const json_t *target = component_located(component)->workload;
    struct foreign_write write;
    bool found = false;
    for (size_t i = 0; !found && i < kind->template_count; i++)
        found = managed_foreign_write(component->live, target, kind->template[i], FIELD_MANAGER,
                                      &write);
    if (!found)
        return;
    fill(&component->observation.template_write, &write);
    free(write.field);
}

/* ── Is it somebody else's at all? ────────────────────────────────────────────────────────── */

static void send_patch(struct component *component, json_t *patch, const char *more,
                       reply_fn *on_reply)
{
    struct task *task = component->task;
    char *path AUTO_FREE = object_path(&component->kind->info, task->pass->rollout.ns,
                                       json_string_at(component->live, "/metadata/name"), NULL);
    char *query AUTO_FREE = str_format("%s?fieldManager=" FIELD_MANAGER "%s", path, more);
    char *body AUTO_FREE = json_text(patch);
    struct call_spec spec = {
        .method = "PATCH", .path = query, .content_type = PATCH_JSON, .body = body};
    task->pass->call = cluster_call(task->controller->cluster, &spec, on_reply, component);
}

static void on_marked(void *data, const struct reply *reply)
{
    struct component *component = data;
    component->task->pass->call = NULL;
    if (reply->error.code == OK) {
        store_put(component->kind->store, reply->body);
        component->observation.template_changed = false;
    }
    component->then(component, &reply->error);
}

/* From now on it is known by the hash that it has now. Of another version than the one that was
 * looked at, that is a conflict. */
static void mark_again(struct component *component, const char *hash)
{
    json_t *version = json_incref(json_at(component->live, "/metadata/resourceVersion"));
    json_t *patch AUTO_JSON = json_array();
    json_array_append_new(patch,
                          json_patch_step_take("replace", "/metadata/resourceVersion", version));
    json_array_append_new(patch, json_patch_step_take("add", TEMPLATE_POINTER, json_string(hash)));
    send_patch(component, patch, "", on_marked);
}

/* Would the server make the same of our own template? Then nobody else has put one there. */
static bool is_ours(const struct component *component, const json_t *answered,
                    char ret_hash[HASH_HEX_SIZE])
{
    const struct adapter_kind *kind = component->kind->kind;
    char would[HASH_HEX_SIZE];
    return json_hash_at(answered, kind->template, kind->template_count, would) &&
           json_hash_at(component->live, kind->template, kind->template_count, ret_hash) &&
           str_equal(would, ret_hash);
}

/* Also when it can't be found out: then it is better to stop. */
static void then_theirs(struct component *component)
{
    const struct error none = {0};
    if (component->live)
        look_into(component);
    component->then(component, &none);
}

static void on_rehearsed(void *data, const struct reply *reply)
{
    struct component *component = data;
    char hash[HASH_HEX_SIZE];
    component->task->pass->call = NULL;
    if (reply->error.code == ERR_RETRY)
        component->then(component, &reply->error);
    else if (reply->error.code == OK && is_ours(component, reply->body, hash))
        mark_again(component, hash);
    else
        then_theirs(component);
}

/* Puts the target's template in the place of the one that is there: not as an apply would, which
 * keeps what others have added. */
static json_t *template_patch(const struct component *component)
{
    const struct adapter_kind *kind = component->kind->kind;
    const json_t *target = component_located(component)->workload;
    json_t *patch = json_array();
    for (size_t i = 0; i < kind->template_count; i++) {
        json_t *part = json_at(target, kind->template[i]);
        if (part)
            json_array_append_new(
                patch, json_patch_step_take("add", kind->template[i], json_incref(part)));
        else if (json_at(component->live, kind->template[i]))
            json_array_append_new(patch, json_patch_step_take("remove", kind->template[i], NULL));
    }
    return patch;
}

static void rehearse(struct component *component)
{
    json_t *patch AUTO_JSON = template_patch(component);
    send_patch(component, patch, "&dryRun=All", on_rehearsed);
}

static bool still_held(const struct component *component)
{
    return str_equal(json_string_at(component->live, "/metadata/uid"),
                     json_string_at(component->workload, "/metadata/uid")) &&
           str_equal(object_mark(component->live, MARK_HOLDER), component->task->pass->holder);
}

static void on_live(void *data, const struct reply *reply)
{
    struct component *component = data;
    struct error changed = {0};
    component->task->pass->call = NULL;
    component->live = json_incref(json_at(reply->body, "/items/0"));
    if (reply->error.code == ERR_RETRY) {
        component->then(component, &reply->error);
    } else if (reply->error.code != OK) {
        then_theirs(component);
    } else if (!still_held(component)) {
        error_set(&changed, ERR_CONFLICT, "%s has just changed", component->observation.object);
        component->then(component, &changed);
    } else {
        rehearse(component);
    }
}

void workload_ask(struct component *component, reply_fn *on_reply)
{
    struct task *task = component->task;
    char *query AUTO_FREE = object_list_path(&component->kind->info, task->pass->rollout.ns,
                                             json_string_at(component->workload, "/metadata/name"));
    struct call_spec spec = {.method = "GET", .path = query, .whole = true};
    task->pass->call = cluster_call(task->controller->cluster, &spec, on_reply, component);
}

void other_writer_ask(struct component *component, other_writer_fn *then)
{
    component->then = then;
    workload_ask(component, on_live);
}
