// SPDX-License-Identifier: Apache-2.0
#include "conduct.h"

#include "adapter/case.h"
#include "adapter/emissions.h"
#include "base/alloc.h"
#include "base/json.h"
#include "carry.h"

#include <stdio.h>

#define HOLDER  "/metadata/annotations/rollout.sluice.dev~1holder"
#define APPLIED "/metadata/annotations/rollout.sluice.dev~1applied"

/* What a call came to. */
struct outcome {
    int32_t result;
    size_t emitted;
    char what[400]; /* the first emission, or why it failed */
};

/* Asks, and does to the request's objects what came of it. */
static int act(const struct subject *subject, enum call_kind call, json_t *request,
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

/* What the adapter sees of the request's workload. ERR_MISSING: it can't tell. */
static int look(const struct subject *subject, const json_t *request,
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

/* A request that asks such a call about an object that is there, or NULL. The caller owns it. */
static json_t *request_of(const struct specimen *specimen, enum call_kind call)
{
    struct case_plan plan;
    if (case_read(specimen->json, &plan, NULL) < 0 || plan.call != call ||
        !json_is_object(json_object_get(plan.request, "workload")))
        return NULL;
    return json_deep_copy(plan.request);
}

static bool says(const json_t *request, const char *flag)
{
    return json_is_true(json_object_get(request, flag));
}

static int expect_mark(const json_t *before, const json_t *after, const char *mark,
                       const char *call, struct error *err)
{
    const char *expected = json_string_at(before, mark), *found = json_string_at(after, mark);
    if (str_equal(expected, found))
        return OK;
    return error_set(err, ERR_BUG, "%s: the workload's %s: expected %s, found %s", call, mark,
                     expected ? expected : "nothing", found ? found : "nothing");
}

static int expect_size(const struct subject *subject, const json_t *before, const json_t *after,
                       struct error *err)
{
    struct workload_status old, new;
    if (look(subject, before, &old) < 0 || look(subject, after, &new) < 0 || old.size == new.size)
        return OK;
    return error_set(err, ERR_BUG,
                     "begin: the workload's size: expected %d, as it was before, found %d; the "
                     "live number of replicas belongs into the patch, not the target's",
                     old.size, new.size);
}

int conduct_begin(const struct subject *subject, const struct specimen *specimen, struct error *err)
{
    json_t *request AUTO_JSON = request_of(specimen, CALL_BEGIN);
    const json_t *target = json_object_get(request, "target");
    struct outcome begun;
    if (!json_at(target, HOLDER))
        return OK;
    json_t *before AUTO_JSON = json_deep_copy(request);
    int result = act(subject, CALL_BEGIN, request, &begun, err);
    if (result < 0 || begun.result != SLUICE_OK)
        return result;
    const json_t *live = json_object_get(request, "workload");
    if ((result = expect_mark(target, live, HOLDER, "begin", err)) < 0 ||
        (result = expect_mark(target, live, APPLIED, "begin", err)) < 0)
        return result;
    return says(request, "scale") ? OK : expect_size(subject, before, request, err);
}

/* Can be told what moves: by fields of the workload alone, and while none has moved yet? */
static bool untouched(const struct subject *subject, const json_t *request,
                      struct workload_status *ret_status)
{
    return !json_object_get(request, "owned") && !json_object_get(request, "pods") &&
           !says(request, "scale") && !says(request, "hold") && !says(request, "templateChanged") &&
           look(subject, request, ret_status) == OK && ret_status->settled &&
           ret_status->updated == 0 && ret_status->size > 0;
}

/* advance to `goal`, of a copy of the request, which the caller owns. NULL: it can't tell. */
static json_t *advanced(const struct subject *subject, const json_t *request, int goal,
                        struct outcome *ret_outcome)
{
    json_t *copy = json_deep_copy(request);
    json_object_set_new(copy, "goal", json_integer(goal));
    if (act(subject, CALL_ADVANCE, copy, ret_outcome, NULL) == OK &&
        ret_outcome->result == SLUICE_OK)
        return copy;
    json_decref(copy);
    return NULL;
}

int conduct_hold(const struct subject *subject, const struct specimen *specimen, struct error *err)
{
    json_t *request AUTO_JSON = request_of(specimen, CALL_BEGIN);
    struct outcome begun, none, all;
    struct workload_status status;
    if (!json_at(request, "/target" HOLDER) ||
        act(subject, CALL_BEGIN, request, &begun, NULL) < 0 || begun.result != SLUICE_OK ||
        !untouched(subject, request, &status))
        return OK;
    json_t *still AUTO_JSON = advanced(subject, request, 0, &none);
    if (still && none.emitted)
        return error_set(err, ERR_BUG,
                         "begin doesn't hold every pod: advance to goal 0 right after it, expected "
                         "to have nothing to do, emitted %s",
                         none.what);
    json_t *gone AUTO_JSON = advanced(subject, request, status.size, &all);
    if (gone && !all.emitted)
        return error_set(err, ERR_BUG,
                         "begin holds no pod, or advance ignores the goal: advance to goal %d "
                         "right after begin, expected to let pods go, emitted nothing",
                         status.size);
    return OK;
}

/* A plan in steps may be refused: a kind with a switch only has but one goal. */
static bool takes_steps(const struct subject *subject, const json_t *request)
{
    struct answer answer;
    json_t *steps AUTO_JSON = json_deep_copy(request);
    json_object_set_new(steps, "inSteps", json_true());
    if (carry_ask(subject, &manner_normal, CALL_VALIDATE, steps, &answer) < 0)
        return true;
    bool takes = answer.result == SLUICE_OK;
    answer_done(&answer);
    return takes;
}

int conduct_goal(const struct subject *subject, const struct specimen *specimen, struct error *err)
{
    json_t *request AUTO_JSON = request_of(specimen, CALL_ADVANCE);
    struct outcome first, last;
    struct workload_status status;
    if (!request || says(request, "paused") || !untouched(subject, request, &status) ||
        status.size < 2 || !takes_steps(subject, request))
        return OK;
    json_t *one AUTO_JSON = advanced(subject, request, 1, &first);
    json_t *all AUTO_JSON = advanced(subject, request, status.size, &last);
    if (!one || !all ||
        !json_equal(json_object_get(one, "workload"), json_object_get(all, "workload")))
        return OK;
    return error_set(err, ERR_BUG,
                     "advance ignores the goal: goal 1 and goal %d, expected to differ, both leave "
                     "the workload the same, by %s",
                     status.size, last.emitted ? last.what : "emitting nothing");
}

int conduct_pause(const struct subject *subject, const struct specimen *specimen, struct error *err)
{
    json_t *request AUTO_JSON = request_of(specimen, CALL_ADVANCE);
    struct outcome moved, stood;
    struct workload_status status;
    if (!request || says(request, "paused") || !untouched(subject, request, &status))
        return OK;
    json_t *going AUTO_JSON = advanced(subject, request, status.size, &moved);
    json_object_set_new(request, "paused", json_true());
    json_t *standing AUTO_JSON = advanced(subject, request, status.size, &stood);
    if (!going || !standing || !moved.emitted ||
        !json_equal(json_object_get(going, "workload"), json_object_get(standing, "workload")))
        return OK;
    return error_set(err, ERR_BUG,
                     "advance ignores \"paused\": expected to start nothing new, emitted %s as "
                     "without it",
                     stood.what);
}

/* finish with one member of the request missing, which it must take. */
static int finish_without(const struct subject *subject, const json_t *request, const char *member,
                          struct outcome *ret_outcome, struct error *err)
{
    json_t *copy AUTO_JSON = json_deep_copy(request);
    json_object_set_new(copy, member, json_null());
    int result = act(subject, CALL_FINISH, copy, ret_outcome, err);
    if (result == OK && ret_outcome->result != SLUICE_OK)
        result =
            error_set(err, ERR_BUG, "finish without a %s: expected ok, found %s%s%s", member,
                      result_name(ret_outcome->result) ? result_name(ret_outcome->result) : "?",
                      *ret_outcome->what ? ": " : "", ret_outcome->what);
    return result;
}

/* Is the workload the rollout's to give back, and at once? What owns other objects may wait for
 * them. */
static bool held(const json_t *request)
{
    const json_t *live = json_object_get(request, "workload");
    const json_t *target = json_object_get(request, "target");
    return json_at(live, HOLDER) && !json_object_get(request, "owned") &&
           !json_at(live, "/metadata/deletionTimestamp") &&
           (!json_is_object(target) ||
            str_equal(json_string_at(live, HOLDER), json_string_at(target, HOLDER)));
}

static int expect_given_back(const struct subject *subject, json_t *request, struct error *err)
{
    struct outcome finished;
    json_t *before AUTO_JSON = json_deep_copy(json_object_get(request, "workload"));
    int result = act(subject, CALL_FINISH, request, &finished, err);
    if (result < 0 || finished.result != SLUICE_OK)
        return result;
    const json_t *after = json_object_get(request, "workload");
    if ((result = expect_mark(NULL, after, HOLDER, "finish", err)) < 0)
        return result;
    return expect_mark(before, after, APPLIED, "finish", err);
}

int conduct_finish(const struct subject *subject, const struct specimen *specimen,
                   struct error *err)
{
    json_t *request AUTO_JSON = request_of(specimen, CALL_FINISH);
    struct outcome outcome;
    if (!request)
        return OK;
    int result = finish_without(subject, request, "target", &outcome, err);
    if (result == OK)
        result = finish_without(subject, request, "workload", &outcome, err);
    if (result == OK && outcome.emitted)
        result = error_set(err, ERR_BUG,
                           "finish without a workload: expected nothing to be emitted, found %s",
                           outcome.what);
    return result == OK && held(request) ? expect_given_back(subject, request, err) : result;
}
