// SPDX-License-Identifier: Apache-2.0
#include "carry.h"

#include "adapter/emissions.h"
#include "base/alloc.h"
#include "base/json.h"
#include "patch.h"

#include <string.h>

int carry_ask(const struct subject *subject, const struct manner *manner, enum call_kind call,
              const json_t *request, struct answer *ret_answer)
{
    char *text AUTO_FREE = json_text(request);
    const struct question question = {.kind = call, .text = text, .length = strlen(text)};
    return subject_ask(subject, manner, &question, ret_answer, NULL);
}

static json_t *pod_named(json_t *pods, const char *name, size_t *ret_index)
{
    json_t *pod;
    for (size_t i = 0; (pod = json_array_get(pods, i)); i++)
        if (str_equal(json_string_at(pod, "/metadata/name"), name)) {
            *ret_index = i;
            return pod;
        }
    return NULL;
}

/* Pods come named by the plan or as what the workload owns. */
static void delete_pod(json_t *request, const char *name)
{
    static const char *const lists[] = {"pods", "owned"};
    for (size_t i = 0; i < 2; i++) {
        size_t index;
        json_t *list = json_object_get(request, lists[i]);
        if (pod_named(list, name, &index))
            json_array_remove(list, index);
    }
}

/* Does to the request's objects what the host would do to those in the cluster. */
static int carry_one(json_t *request, const struct action *action, struct error *err)
{
    static const char *const types[] = {"apply", "merge", "json"};
    size_t index = 0;
    json_t *pods = json_object_get(request, "pods");
    json_t *pod = action->pod ? pod_named(pods, action->pod, &index) : NULL;
    if (action->kind == ACTION_EVENT)
        return OK;
    if (action->kind == ACTION_DELETE_POD) {
        delete_pod(request, action->pod);
        return OK;
    }
    json_t *object = action->pod ? pod : json_object_get(request, "workload");
    object = json_is_object(object) ? json_incref(object) : NULL;
    json_t *patch AUTO_JSON =
        json_pack("{s:s, s:O}", "type", types[action->patch], "body", action->body);
    int result = patch_apply(&object, patch, err);
    if (object && action->pod)
        json_array_set_new(pods, index, object);
    else if (object)
        json_object_set_new(request, "workload", object);
    return result;
}

int carry_out(const struct subject *subject, const struct answer *answer, json_t *request,
              struct error *err)
{
    struct actions actions;
    const json_t *workload = json_object_get(request, "workload");
    const struct reading reading = {
        .object = json_is_object(workload) ? workload : json_object_get(request, "target"),
        .owned = json_object_get(request, "owned"),
        .pods = json_object_get(request, "pods"),
        .newer = subject->newer};
    int result = emissions_actions(answer, &reading, &actions, err);
    if (result < 0)
        return result;
    for (size_t i = 0; result == OK && i < actions.count; i++)
        result = carry_one(request, &actions.items[i], err);
    actions_done(&actions);
    return result;
}
