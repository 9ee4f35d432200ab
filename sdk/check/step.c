// SPDX-License-Identifier: Apache-2.0
#include "step.h"

#include "adapter/case.h"
#include "adapter/emissions.h"
#include "base/alloc.h"
#include "base/json.h"
#include "carry.h"
#include "leaves.h"

#include <stdio.h>
#include <stdlib.h>

int step_take(const struct subject *subject, enum call_kind call, json_t *request,
              struct outcome *ret_outcome, struct error *err)
{
    struct answer answer;
    int result = carry_ask(subject, &manner_normal, call, request, &answer);
    if (result < 0)
        return result;
    *ret_outcome = (struct outcome){.result = answer.result, .emitted = answer.emission_count};
    const char *what = answer.result != SLUICE_OK ? answer.fail_text
                       : answer.emission_count    ? answer.emissions[0].text
                                                  : NULL;
    snprintf(ret_outcome->what, sizeof ret_outcome->what, "%s", what ? what : "");
    if (answer.result == SLUICE_OK)
        result = carry_out(subject, &answer, request, err);
    answer_done(&answer);
    return result;
}

int step_look(const struct subject *subject, const json_t *request,
              struct workload_status *ret_status)
{
    struct answer answer;
    const struct reading reading = {.newer = subject->newer};
    int result = carry_ask(subject, &manner_normal, CALL_OBSERVE, request, &answer);
    if (result < 0)
        return result;
    if (answer.result != SLUICE_OK || emissions_status(&answer, &reading, ret_status, NULL) < 0)
        result = ERR_MISSING;
    answer_done(&answer);
    return result;
}

json_t *step_advance(const struct subject *subject, const json_t *request, int goal,
                     struct outcome *ret_outcome)
{
    json_t *copy = json_deep_copy(request);
    json_object_set_new(copy, "goal", json_integer(goal));
    if (step_take(subject, CALL_ADVANCE, copy, ret_outcome, NULL) == OK &&
        ret_outcome->result == SLUICE_OK)
        return copy;
    json_decref(copy);
    return NULL;
}

json_t *step_request(const struct specimen *specimen, enum call_kind call)
{
    struct case_plan plan;
    if (case_read(specimen->json, &plan, NULL) < 0 || plan.call != call ||
        !json_is_object(json_object_get(plan.request, "workload")))
        return NULL;
    return json_deep_copy(plan.request);
}

bool step_says(const json_t *request, const char *flag)
{
    return json_is_true(json_object_get(request, flag));
}

bool step_tells(const json_t *request)
{
    return !json_object_get(request, "owned") && !json_object_get(request, "pods") &&
           !step_says(request, "scale") && !step_says(request, "hold") &&
           !step_says(request, "templateChanged");
}

/* Metadata has marks, versions and notes, none of which moves a pod. */
static json_t *without_metadata(const json_t *request)
{
    json_t *copy = json_copy(json_object_get(request, "workload"));
    json_object_del(copy, "metadata");
    return copy;
}

bool step_same_workload(const json_t *a, const json_t *b)
{
    json_t *one AUTO_JSON = without_metadata(a);
    json_t *other AUTO_JSON = without_metadata(b);
    return json_equal(one, other);
}

char *step_size_pointer(const struct subject *subject, const json_t *request)
{
    struct workload_status before, after;
    struct names leaves = {0};
    char *found = NULL;
    if (step_look(subject, request, &before) < 0)
        return NULL;
    leaves_find(request, "/workload/spec", &leaves);
    for (size_t i = 0; i < leaves.count && !found; i++) {
        if (!json_is_integer(json_at(request, leaves.at[i])))
            continue;
        json_t *changed AUTO_JSON =
            leaves_with(request, leaves.at[i], json_integer(before.size + 3));
        if (step_look(subject, changed, &after) == OK && after.size == before.size + 3)
            found = str_copy(leaves.at[i]);
    }
    names_done(&leaves);
    return found;
}

bool step_set_updated(const struct subject *subject, json_t *request, int count)
{
    struct workload_status status;
    struct names leaves = {0};
    bool done = false;
    leaves_find(request, "/workload/status", &leaves);
    for (size_t i = 0; i < leaves.count && !done; i++) {
        if (!json_is_integer(json_at(request, leaves.at[i])))
            continue;
        json_t *changed AUTO_JSON = leaves_with(request, leaves.at[i], json_integer(count));
        done = step_look(subject, changed, &status) == OK && status.updated == count;
        if (done)
            json_object_update(request, changed);
    }
    names_done(&leaves);
    return done;
}
