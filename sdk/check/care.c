// SPDX-License-Identifier: Apache-2.0
#include "care.h"

#include "adapter/case.h"
#include "base/alloc.h"
#include "base/json.h"
#include "carry.h"
#include "leaves.h"
#include "manifest_of.h"
#include "step.h"

#include <stdlib.h>
#include <string.h>

static int tell(const char *call, const char *what, const json_t *expected, const json_t *found,
                struct error *err)
{
    char *was AUTO_FREE = expected ? json_text(expected) : str_copy("nothing");
    char *is AUTO_FREE = found ? json_text(found) : str_copy("nothing");
    return error_set(err, ERR_BUG,
                     "%s: the workload's %s: expected %.200s, as it was before, found %.200s", call,
                     what, was, is);
}

/* Is what stands at these pointers of the workload as it was? */
static int expect_same(const json_t *before, const json_t *after, const char *const *pointers,
                       size_t count, const char *call, struct error *err)
{
    const json_t *old = json_object_get(before, "workload");
    const json_t *new = json_object_get(after, "workload");
    for (size_t i = 0; i < count; i++) {
        const json_t *expected = json_at(old, pointers[i]), *found = json_at(new, pointers[i]);
        if (expected != found && !json_equal(expected, found))
            return tell(call, pointers[i], expected, found, err);
    }
    return OK;
}

static int expect_size(const struct subject *subject, const json_t *before, const json_t *after,
                       const char *call, struct error *err)
{
    struct workload_status old, new;
    if (step_look(subject, before, &old) < 0 || step_look(subject, after, &new) < 0 ||
        old.size == new.size)
        return OK;
    return error_set(err, ERR_BUG,
                     "%s: the workload's size: expected %d, as it was before, found %d; whoever "
                     "scales it meanwhile would be undone",
                     call, old.size, new.size);
}

static int expect_template(const struct subject *subject, const json_t *before, const json_t *after,
                           const char *call, struct error *err)
{
    struct manifest manifest;
    if (!manifest_of(subject, before, &manifest))
        return OK;
    const struct adapter_kind *kind =
        manifest_kind_of(&manifest, json_object_get(before, "workload"));
    int result =
        kind ? expect_same(before, after, kind->template, kind->template_count, call, err) : OK;
    manifest_done(&manifest);
    return result;
}

int care_leaves_alone(const struct subject *subject, const struct specimen *specimen,
                      struct error *err)
{
    static const char *const marks[] = {MARK_HOLDER, MARK_APPLIED};
    struct outcome outcome;
    json_t *advance AUTO_JSON = step_request(specimen, CALL_ADVANCE);
    json_t *finish AUTO_JSON = step_request(specimen, CALL_FINISH);
    json_t *request = advance ? advance : finish;
    const char *call = advance ? "advance" : "finish";
    if (!request || step_says(request, "scale"))
        return OK;
    json_t *before AUTO_JSON = json_deep_copy(request);
    if (step_take(subject, advance ? CALL_ADVANCE : CALL_FINISH, request, &outcome, NULL) < 0 ||
        outcome.result != SLUICE_OK)
        return OK;
    int result = expect_size(subject, before, request, call, err);
    if (result == OK)
        result = expect_template(subject, before, request, call, err);
    return result == OK && advance ? expect_same(before, request, marks, 2, call, err) : result;
}

/* Is this a request in which a batch is under way, or can it be made one? */
static bool midway(const struct subject *subject, json_t *request,
                   struct workload_status *ret_status)
{
    if (!step_tells(request) || step_says(request, "paused") ||
        step_look(subject, request, ret_status) < 0 || !ret_status->settled || ret_status->size < 3)
        return false;
    return (ret_status->updated > 1 || step_set_updated(subject, request, 2)) &&
           step_look(subject, request, ret_status) == OK && ret_status->settled &&
           ret_status->updated < ret_status->size; /* beyond it, pods may be about to go */
}

int care_never_back(const struct subject *subject, const struct specimen *specimen,
                    struct error *err)
{
    json_t *request AUTO_JSON = step_request(specimen, CALL_ADVANCE);
    struct workload_status status;
    struct outcome stays, back;
    if (!request || !midway(subject, request, &status))
        return OK;
    json_t *kept AUTO_JSON = step_advance(subject, request, status.updated, &stays);
    json_t *taken AUTO_JSON = step_advance(subject, request, status.updated - 1, &back);
    if (!kept || !taken || step_same_workload(kept, taken))
        return OK;
    return error_set(err, ERR_BUG,
                     "advance takes pods back: goal %d with %d updated already, expected the same "
                     "as for goal %d, emitted %s",
                     status.updated - 1, status.updated, status.updated,
                     back.emitted ? back.what : "nothing");
}

int care_unsettled(const struct subject *subject, const struct specimen *specimen,
                   struct error *err)
{
    json_t *request AUTO_JSON = step_request(specimen, CALL_BEGIN);
    struct workload_status status;
    struct outcome begun, advanced;
    if (!request || !step_tells(request) || !json_at(request, "/target" MARK_HOLDER) ||
        step_take(subject, CALL_BEGIN, request, &begun, NULL) < 0 || !begun.emitted ||
        begun.result != SLUICE_OK || step_look(subject, request, &status) < 0 || !status.size ||
        (!status.updated && !step_set_updated(subject, request, status.size)))
        return OK;
    int64_t generation = json_int_at(request, "/workload/metadata/generation", 1);
    json_put_take(request, "/workload/metadata/generation", json_integer(generation + 1000));
    if (step_look(subject, request, &status) < 0 || status.settled || !status.updated)
        return OK;
    json_t *after AUTO_JSON = step_advance(subject, request, 0, &advanced);
    if (!after || step_same_workload(request, after))
        return OK;
    return error_set(err, ERR_BUG,
                     "advance believes counts that aren't settled: right after begin, with %d "
                     "updated pods of the revision before and goal 0, expected stale or nothing, "
                     "emitted %s",
                     status.updated, advanced.what);
}

/* The same answer whatever size the target has? */
static int expect_no_target_size(const struct subject *subject, const json_t *request,
                                 const char *pointer, struct error *err)
{
    struct outcome live, other;
    char *of_target AUTO_FREE = str_format("/target%s", pointer + strlen("/workload"));
    const json_t *size = json_at(request, of_target);
    if (!json_is_integer(size))
        return OK;
    int goal = (int)json_int_at(request, "/goal", 0);
    json_t *changed AUTO_JSON =
        leaves_with(request, of_target, json_integer(json_integer_value(size) + 7));
    json_t *one AUTO_JSON = step_advance(subject, request, goal, &live);
    json_t *two AUTO_JSON = step_advance(subject, changed, goal, &other);
    if (!one || !two || step_same_workload(one, two))
        return OK;
    return error_set(err, ERR_BUG,
                     "advance counts with the target's %s: expected the live one to count, but "
                     "with %lld instead of %lld there it emitted %s",
                     of_target + strlen("/target"), (long long)json_integer_value(size) + 7,
                     (long long)json_integer_value(size), other.emitted ? other.what : "nothing");
}

/* Somebody scales between the answer and the patch: either that makes no difference, or a test of
 * the patch fails. */
static int expect_tested(const struct subject *subject, const json_t *request, const char *pointer,
                         struct error *err)
{
    struct answer answer;
    struct outcome outcome;
    int64_t size = json_integer_value(json_at(request, pointer));
    json_t *scaled AUTO_JSON = leaves_with(request, pointer, json_integer(size + 5));
    json_put_take(scaled, "/workload/metadata/resourceVersion", json_string("scaled-meanwhile"));
    json_t *right AUTO_JSON =
        step_advance(subject, scaled, (int)json_int_at(request, "/goal", 0), &outcome);
    if (!right || carry_ask(subject, &manner_normal, CALL_ADVANCE, request, &answer) < 0)
        return OK;
    bool patched = answer.result == SLUICE_OK && answer.emission_count > 0 &&
                   carry_out(subject, &answer, scaled, NULL) == OK;
    answer_done(&answer);
    if (!patched || step_same_workload(right, scaled))
        return OK;
    return error_set(err, ERR_BUG,
                     "advance doesn't test %s, with which it counts: its patch for %lld can be "
                     "carried out on %lld; expected a test of it, or of metadata.resourceVersion",
                     pointer + strlen("/workload"), (long long)size, (long long)size + 5);
}

int care_live_size(const struct subject *subject, const struct specimen *specimen,
                   struct error *err)
{
    json_t *request AUTO_JSON = step_request(specimen, CALL_ADVANCE);
    if (!request || step_says(request, "scale"))
        return OK;
    char *pointer AUTO_FREE = step_size_pointer(subject, request);
    if (!pointer)
        return OK;
    int result = expect_no_target_size(subject, request, pointer, err);
    return result == OK ? expect_tested(subject, request, pointer, err) : result;
}

static int expect_whole(const json_t *body, const json_t *target, struct error *err)
{
    static const char *const parts[] = {"/spec", MARK_HOLDER, MARK_APPLIED};
    struct names leaves = {0};
    int result = OK;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        leaves_find(target, parts[i], &leaves);
    for (size_t i = 0; i < leaves.count && result == OK; i++)
        if (!json_at(body, leaves.at[i]))
            result = error_set(err, ERR_BUG,
                               "an apply patch without the target's %s, which the server would "
                               "take away; expected the whole target, or a merge or JSON patch",
                               leaves.at[i]);
    names_done(&leaves);
    return result;
}

static int expect_version(const json_t *body, const json_t *workload, struct error *err)
{
    const char *live = json_string_at(workload, "/metadata/resourceVersion");
    const char *found = json_string_at(body, "/metadata/resourceVersion");
    if (!live || str_equal(live, found))
        return OK;
    return error_set(err, ERR_BUG,
                     "an apply patch's metadata.resourceVersion: expected %s, which the workload "
                     "has, found %s: what somebody else writes meanwhile would be lost",
                     live, found ? found : "nothing");
}

int care_whole_apply(const struct subject *subject, const struct specimen *specimen,
                     struct error *err)
{
    struct case_plan plan;
    struct answer answer;
    json_t *emitted AUTO_JSON = NULL;
    int result = case_read(specimen->json, &plan, err);
    const json_t *target = result == OK ? json_object_get(plan.request, "target") : NULL;
    if (!json_is_object(target) ||
        carry_ask(subject, &manner_normal, plan.call, plan.request, &answer) < 0)
        return result;
    if (answer.result == SLUICE_OK)
        result = case_emitted(&answer, &emitted, err);
    for (size_t i = 0; i < json_array_size(emitted) && result == OK; i++) {
        const json_t *patch = json_object_get(json_array_get(emitted, i), "patch");
        const json_t *body = json_object_get(patch, "body");
        if (!str_equal(json_string_at(patch, "/type"), "apply"))
            continue;
        result = expect_whole(body, target, err);
        if (result == OK)
            result = expect_version(body, json_object_get(plan.request, "workload"), err);
    }
    answer_done(&answer);
    return result;
}
