// SPDX-License-Identifier: Apache-2.0
#include "conduct.h"

#include "adapter/case.h"
#include "adapter/emissions.h"
#include "base/alloc.h"
#include "base/json.h"
#include "carry.h"
#include "step.h"

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
    if (step_look(subject, before, &old) < 0 || step_look(subject, after, &new) < 0 ||
        old.size == new.size)
        return OK;
    return error_set(err, ERR_BUG,
                     "begin: the workload's size: expected %d, as it was before, found %d; the "
                     "live number of replicas belongs into the patch, not the target's",
                     old.size, new.size);
}

int conduct_begin(const struct subject *subject, const struct specimen *specimen, struct error *err)
{
    json_t *request AUTO_JSON = step_request(specimen, CALL_BEGIN);
    const json_t *target = json_object_get(request, "target");
    struct outcome begun;
    if (!json_at(target, MARK_HOLDER))
        return OK;
    json_t *before AUTO_JSON = json_deep_copy(request);
    int result = step_take(subject, CALL_BEGIN, request, &begun, err);
    if (result < 0 || begun.result != SLUICE_OK)
        return result;
    const json_t *live = json_object_get(request, "workload");
    if ((result = expect_mark(target, live, MARK_HOLDER, "begin", err)) < 0 ||
        (result = expect_mark(target, live, MARK_APPLIED, "begin", err)) < 0)
        return result;
    return step_says(request, "scale") ? OK : expect_size(subject, before, request, err);
}

/* Can be told what moves: by fields of the workload alone, and while none has moved yet? */
static bool untouched(const struct subject *subject, const json_t *request,
                      struct workload_status *ret_status)
{
    return step_tells(request) && step_look(subject, request, ret_status) == OK &&
           ret_status->settled && ret_status->updated == 0 && ret_status->size > 0;
}

int conduct_hold(const struct subject *subject, const struct specimen *specimen, struct error *err)
{
    json_t *request AUTO_JSON = step_request(specimen, CALL_BEGIN);
    struct outcome begun, none, all;
    struct workload_status status;
    if (!json_at(request, "/target" MARK_HOLDER) ||
        step_take(subject, CALL_BEGIN, request, &begun, NULL) < 0 || !begun.emitted ||
        begun.result != SLUICE_OK || !untouched(subject, request, &status))
        return OK; /* one that has begun before may have let some go since */
    json_t *still AUTO_JSON = step_advance(subject, request, 0, &none);
    if (still && !step_same_workload(request, still))
        return error_set(err, ERR_BUG,
                         "begin doesn't hold every pod: advance to goal 0 right after it, expected "
                         "to have nothing to do, emitted %s",
                         none.what);
    json_t *gone AUTO_JSON = step_advance(subject, request, status.size, &all);
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
    json_t *request AUTO_JSON = step_request(specimen, CALL_ADVANCE);
    struct outcome first, last;
    struct workload_status status;
    if (!request || step_says(request, "paused") || !untouched(subject, request, &status) ||
        status.size < 2 || !takes_steps(subject, request))
        return OK;
    json_t *one AUTO_JSON = step_advance(subject, request, 1, &first);
    json_t *all AUTO_JSON = step_advance(subject, request, status.size, &last);
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
    json_t *request AUTO_JSON = step_request(specimen, CALL_ADVANCE);
    struct outcome moved, stood;
    struct workload_status status;
    if (!request || step_says(request, "paused") || !untouched(subject, request, &status))
        return OK;
    json_t *going AUTO_JSON = step_advance(subject, request, status.size, &moved);
    json_object_set_new(request, "paused", json_true());
    json_t *standing AUTO_JSON = step_advance(subject, request, status.size, &stood);
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
    int result = step_take(subject, CALL_FINISH, copy, ret_outcome, err);
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
    return json_at(live, MARK_HOLDER) && !json_object_get(request, "owned") &&
           !json_at(live, "/metadata/deletionTimestamp") &&
           (!json_is_object(target) ||
            str_equal(json_string_at(live, MARK_HOLDER), json_string_at(target, MARK_HOLDER)));
}

static int expect_given_back(const struct subject *subject, json_t *request, struct error *err)
{
    struct outcome finished;
    json_t *before AUTO_JSON = json_deep_copy(json_object_get(request, "workload"));
    int result = step_take(subject, CALL_FINISH, request, &finished, err);
    if (result < 0 || finished.result != SLUICE_OK)
        return result;
    const json_t *after = json_object_get(request, "workload");
    if ((result = expect_mark(NULL, after, MARK_HOLDER, "finish", err)) < 0)
        return result;
    return expect_mark(before, after, MARK_APPLIED, "finish", err);
}

int conduct_finish(const struct subject *subject, const struct specimen *specimen,
                   struct error *err)
{
    json_t *request AUTO_JSON = step_request(specimen, CALL_FINISH);
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
