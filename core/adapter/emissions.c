// SPDX-License-Identifier: Apache-2.0
#include "adapter/emissions.h"

#include "adapter/members.h"
#include "adapter/schema.h"
#include "base/alloc.h"
#include "base/json.h"

#include <sluice/abi.h>

#include <stdlib.h>
#include <string.h>

static const char *kind_name(uint32_t kind)
{
    switch (kind) {
    case SLUICE_STATUS:
        return "STATUS";
    case SLUICE_PATCH:
        return "PATCH";
    case SLUICE_DELETE_POD:
        return "DELETE_POD";
    case SLUICE_EVENT:
        return "EVENT";
    case SLUICE_MANIFEST:
        return "MANIFEST";
    default:
        return "an unknown kind";
    }
}

static int kind_refuse(uint32_t found, const char *expected, struct error *err)
{
    return error_set(err, ERR_BUG, "expected %s, found %s (%u)", expected, kind_name(found), found);
}

/* Parses one emission, which must be an object. The caller owns *ret_json. */
static int emission_parse(const struct emission *emission, json_t **ret_json, struct error *err)
{
    json_t *json;
    int result = json_parse(emission->text, emission->length, &json, err);
    if (result == OK && !json_is_object(json)) {
        result = error_set(err, ERR_BUG, "expected an object, found %s", json_type_name(json));
        json_decref(json);
    }
    if (result < 0) {
        error_prefix(err, "%s", kind_name(emission->kind));
        return ERR_BUG;
    }
    *ret_json = json;
    return OK;
}

static int status_relations(const struct workload_status *status, struct error *err)
{
    if (status->updated_ready > status->updated)
        return error_at(err, ERR_BUG, "updatedReady",
                        "STATUS.updatedReady: expected at most updated, which is %d, found %d",
                        status->updated, status->updated_ready);
    if (status->updated_ready > status->ready)
        return error_at(err, ERR_BUG, "ready",
                        "STATUS.ready: expected at least updatedReady, which is %d, found %d",
                        status->updated_ready, status->ready);
    return OK;
}

static int status_read(const struct members *members, bool newer,
                       struct workload_status *ret_status)
{
    static const char *const known[] = {"size",    "updated",        "updatedReady",    "ready",
                                        "settled", "updateRevision", "currentRevision", "reason",
                                        NULL};
    struct workload_status status = {0};
    int result = newer ? OK : members_known(members, known);
    if (result < 0 || (result = member_count(members, "size", &status.size)) < 0 ||
        (result = member_count(members, "updated", &status.updated)) < 0 ||
        (result = member_count(members, "updatedReady", &status.updated_ready)) < 0 ||
        (result = member_count(members, "ready", &status.ready)) < 0 ||
        (result = member_flag(members, "settled", &status.settled)) < 0 ||
        (result = member_text(members, "updateRevision", status.update_revision,
                              sizeof status.update_revision)) < 0 ||
        (result = member_text(members, "currentRevision", status.current_revision,
                              sizeof status.current_revision)) < 0 ||
        (result = member_text(members, "reason", status.reason, sizeof status.reason)) < 0 ||
        (result = status_relations(&status, members->err)) < 0)
        return result;
    *ret_status = status;
    return OK;
}

/* The one emission that there may be, of this kind. The caller owns *ret_json. */
static int single_parse(const struct answer *answer, uint32_t kind, json_t **ret_json,
                        struct error *err)
{
    char *expected AUTO_FREE = str_format("exactly one %s", kind_name(kind));
    if (answer->emission_count != 1)
        return error_set(err, ERR_BUG, "expected %s, found %zu emissions", expected,
                         answer->emission_count);
    if (answer->emissions[0].kind != kind)
        return kind_refuse(answer->emissions[0].kind, expected, err);
    return emission_parse(&answer->emissions[0], ret_json, err);
}

int emissions_manifest(const struct answer *answer, json_t **ret_json, struct error *err)
{
    return single_parse(answer, SLUICE_MANIFEST, ret_json, err);
}

int emissions_status(const struct answer *answer, const struct reading *reading,
                     struct workload_status *ret_status, struct error *err)
{
    json_t *json AUTO_JSON = NULL;
    int result = single_parse(answer, SLUICE_STATUS, &json, err);
    if (result < 0)
        return result;
    const struct members members = {.object = json, .what = "STATUS", .err = err};
    return status_read(&members, reading->newer, ret_status);
}

/* An apply patch must be of the object that the request is about, and of no other. */
static int apply_check(const json_t *body, const json_t *object, struct error *err)
{
    static const char *const same[] = {"/apiVersion", "/kind", "/metadata/name",
                                       "/metadata/namespace"};
    if (!json_is_object(body))
        return error_at(err, ERR_BUG, "body", "PATCH.body: expected an object, found %s",
                        json_type_name(body));
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        const char *expected = json_string_at(object, same[i]);
        const char *found = json_string_at(body, same[i]);
        if (!str_equal(expected, found))
            return error_at(err, ERR_BUG, "body", "PATCH.body%s: expected %s, found %s", same[i],
                            expected ? expected : "nothing", found ? found : "nothing");
    }
    return OK;
}

static int operation_check(const json_t *operation, size_t index, struct error *err)
{
    static const char *const ops[] = {"add", "replace", "test", "remove", "move", "copy", NULL};
    char *what AUTO_FREE = str_format("PATCH.body[%zu]", index);
    const struct members members = {.object = operation, .what = what, .err = err};
    int op = 0;
    int result = member_word(&members, "op", ops, &op);
    if (result < 0)
        return result;
    const char *path = json_string_value(json_object_get(operation, "path"));
    if (!path || path[0] != '/')
        return error_at(err, ERR_BUG, "path", "%s.path: expected a JSON pointer, found %s", what,
                        path ? path : "nothing");
    bool has_value = json_object_get(operation, "value") != NULL;
    if (op <= 2 && !has_value)
        return error_at(err, ERR_BUG, "value", "%s.value: expected a value, found nothing", what);
    const char *from = NULL;
    return op >= 4 ? member_string(&members, "from", &from) : OK;
}

static int operations_check(const json_t *body, struct error *err)
{
    size_t i;
    const json_t *operation;
    if (!json_array_size(body))
        return error_at(err, ERR_BUG, "body",
                        "PATCH.body: expected an array of operations, found %s",
                        json_is_array(body) ? "an empty one" : json_type_name(body));
    json_array_foreach (body, i, operation) {
        int result = operation_check(operation, i, err);
        if (result < 0)
            return result;
    }
    return OK;
}

static int body_check(enum patch_kind patch, const json_t *body, const json_t *object,
                      struct error *err)
{
    if (patch == PATCH_KIND_APPLY)
        return apply_check(body, object, err);
    if (patch == PATCH_KIND_JSON)
        return operations_check(body, err);
    if (!json_object_size(body))
        return error_at(err, ERR_BUG, "body",
                        "PATCH.body: expected an object that isn't empty, found %s",
                        json_is_object(body) ? "an empty one" : json_type_name(body));
    return OK;
}

static bool shows(const json_t *objects, const char *pod, const char *uid)
{
    size_t i;
    const json_t *object;
    json_array_foreach (objects, i, object)
        if (str_equal(json_string_at(object, "/metadata/uid"), uid) &&
            str_equal(json_string_at(object, "/metadata/name"), pod))
            return true;
    return false;
}

/* A pod is always named with its uid, so that never its successor is hit; and it is one that the
 * adapter was shown as the workload's, or as named in the plan. */
static int pod_read(const struct members *members, const struct reading *reading,
                    struct action *action)
{
    const char *pod = NULL, *uid = NULL;
    int result = member_string(members, "pod", &pod);
    if (result == OK)
        result = member_string(members, "uid", &uid);
    if (result == OK && !shows(reading->owned, pod, uid) && !shows(reading->pods, pod, uid))
        result = error_at(members->err, ERR_BUG, "pod",
                          "%s.pod: expected a pod that the request shows, found %s with the uid %s",
                          members->what, pod, uid);
    if (result == OK) {
        action->pod = str_copy(pod);
        action->uid = str_copy(uid);
    }
    return result;
}

static int patch_read(const struct members *members, const struct reading *reading,
                      struct action *action)
{
    static const char *const types[] = {[PATCH_KIND_APPLY] = "apply",
                                        [PATCH_KIND_MERGE] = "merge",
                                        [PATCH_KIND_JSON] = "json",
                                        NULL};
    json_t *body = json_object_get(members->object, "body");
    bool of_pod =
        json_object_get(members->object, "pod") || json_object_get(members->object, "uid");
    int type = 0;
    int result = member_word(members, "type", types, &type);
    if (result == OK && of_pod && type == PATCH_KIND_APPLY)
        result = error_at(members->err, ERR_BUG, "type",
                          "PATCH.type: expected merge or json for a pod, found apply");
    if (result == OK)
        result = body_check((enum patch_kind)type, body, reading->object, members->err);
    if (result == OK && of_pod)
        result = pod_read(members, reading, action);
    if (result < 0)
        return result;
    action->kind = ACTION_PATCH;
    action->patch = (enum patch_kind)type;
    action->body = json_incref(body);
    return OK;
}

enum { EVENT_REASON_SIZE = 129, EVENT_MESSAGE_SIZE = 1025 }; /* what Kubernetes allows */

static int event_read(const struct members *members, struct action *action)
{
    static const char *const types[] = {"Normal", "Warning", NULL};
    char reason[EVENT_REASON_SIZE], message[EVENT_MESSAGE_SIZE];
    const char *present;
    int type;
    int result = member_word(members, "type", types, &type);
    if (result < 0 || (result = member_string(members, "reason", &present)) < 0 ||
        (result = member_string(members, "message", &present)) < 0 ||
        (result = member_text(members, "reason", reason, sizeof reason)) < 0 ||
        (result = member_text(members, "message", message, sizeof message)) < 0)
        return result;
    action->kind = ACTION_EVENT;
    action->body = json_deep_copy(members->object);
    return OK;
}

static int action_members(const struct members *members, uint32_t kind)
{
    static const char *const patch[] = {"type", "body", "pod", "uid", NULL};
    static const char *const delete_pod[] = {"pod", "uid", NULL};
    static const char *const event[] = {"type", "reason", "message", NULL};
    return members_known(members, kind == SLUICE_PATCH        ? patch
                                  : kind == SLUICE_DELETE_POD ? delete_pod
                                                              : event);
}

/* Fills an action that was zeroed; what was filled before a failure is released by the caller. */
static int action_read(const struct emission *emission, const struct reading *reading,
                       struct action *action, struct error *err)
{
    json_t *json AUTO_JSON = NULL;
    if (emission->kind != SLUICE_PATCH && emission->kind != SLUICE_DELETE_POD &&
        emission->kind != SLUICE_EVENT)
        return kind_refuse(emission->kind, "PATCH, DELETE_POD or EVENT", err);
    int result = emission_parse(emission, &json, err);
    if (result < 0)
        return result;
    const struct members members = {.object = json, .what = kind_name(emission->kind), .err = err};
    if (!reading->newer && (result = action_members(&members, emission->kind)) < 0)
        return result;
    if (emission->kind == SLUICE_PATCH)
        return patch_read(&members, reading, action);
    if (emission->kind == SLUICE_EVENT)
        return event_read(&members, action);
    action->kind = ACTION_DELETE_POD;
    return pod_read(&members, reading, action);
}

int emissions_actions(const struct answer *answer, const struct reading *reading,
                      struct actions *ret_actions, struct error *err)
{
    struct actions actions = {0};
    if (answer->emission_count)
        actions.items = mem_alloc(answer->emission_count * sizeof *actions.items);
    for (size_t i = 0; i < answer->emission_count; i++) {
        actions.count = i + 1;
        int result = action_read(&answer->emissions[i], reading, &actions.items[i], err);
        if (result < 0) {
            actions_done(&actions);
            error_prefix(err, "emission %zu", i + 1);
            return result;
        }
    }
    *ret_actions = actions;
    return OK;
}

int emissions_none(const struct answer *answer, struct error *err)
{
    if (answer->emission_count)
        return kind_refuse(answer->emissions[0].kind, "nothing to be emitted", err);
    return OK;
}

static void action_done(struct action *action)
{
    json_decref(action->body);
    free(action->pod);
    free(action->uid);
}

void actions_remove(struct actions *actions, size_t index)
{
    action_done(&actions->items[index]);
    actions->count--;
    memmove(&actions->items[index], &actions->items[index + 1],
            (actions->count - index) * sizeof *actions->items);
}

void actions_done(struct actions *actions)
{
    for (size_t i = 0; i < actions->count; i++)
        action_done(&actions->items[i]);
    free(actions->items);
    *actions = (struct actions){0};
}
