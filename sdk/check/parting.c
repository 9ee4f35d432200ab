// SPDX-License-Identifier: Apache-2.0
#include "parting.h"

#include "adapter/difference.h"
#include "base/alloc.h"
#include "base/json.h"
#include "leaves.h"
#include "step.h"

#include <stdlib.h>
#include <string.h>

/* ── After success ────────────────────────────────────────────────────────────────────────── */

/* A whole roll of the workload that begin is asked about, as far as that moves no status. The
 * caller owns what is left. NULL: some call can't tell. */
static json_t *rolled(const struct subject *subject, const json_t *request)
{
    struct workload_status status;
    struct outcome outcome;
    json_t *begun AUTO_JSON = json_deep_copy(request);
    if (step_take(subject, CALL_BEGIN, begun, &outcome, NULL) < 0 || !outcome.emitted ||
        step_look(subject, begun, &status) < 0)
        return NULL;
    json_t *after = step_advance(subject, begun, status.size, &outcome);
    json_object_set_new(after, "outcome", json_string("succeeded"));
    if (after && step_take(subject, CALL_FINISH, after, &outcome, NULL) == OK &&
        outcome.result == SLUICE_OK)
        return after;
    json_decref(after);
    return NULL;
}

/* Notes that neither the owner has made nor Sluice. */
static int expect_no_notes(const json_t *before, const json_t *after, struct error *err)
{
    static const char *const parts[] = {"/metadata/annotations", "/metadata/labels"};
    struct names leaves = {0};
    int result = OK;
    const json_t *left = json_object_get(after, "workload");
    leaves_find(left, parts[0], &leaves);
    leaves_find(left, parts[1], &leaves);
    for (size_t i = 0; i < leaves.count && result == OK; i++) {
        const char *pointer = leaves.at[i];
        if (strstr(pointer, "/rollout.sluice.dev~1") ||
            json_at(json_object_get(before, "workload"), pointer) ||
            json_at(json_object_get(before, "target"), pointer))
            continue;
        result = error_set(err, ERR_BUG,
                           "finish after succeeded: the workload's %s: expected nothing, as its "
                           "owner has it, found %s",
                           pointer, json_string_at(left, pointer));
    }
    names_done(&leaves);
    return result;
}

/* Is there something of the roll left at this place that held pods, and that the target hasn't? */
static int expect_let_go(const json_t *finished, const json_t *advanced, const char *emitted,
                         struct error *err)
{
    struct difference at;
    const json_t *left = json_object_get(finished, "workload");
    difference_find(json_object_get(left, "spec"), json_at(advanced, "/workload/spec"), &at);
    char *path AUTO_FREE = text_steal(&at.path);
    char *in_target AUTO_FREE = str_format("/target/spec%s", path);
    if (!at.expected || json_is_object(at.expected) || json_at(finished, in_target))
        return OK;
    char *value AUTO_FREE = json_text(at.expected);
    return error_set(err, ERR_BUG,
                     "finish after succeeded: the workload's /spec%s: expected what the target "
                     "has, which is nothing, found %s; it still holds pods: advance to all of "
                     "them emitted %s",
                     path, value, emitted);
}

/* Its last batch has come: what has advance left to do after finish? */
static int expect_free(const struct subject *subject, json_t *request, struct error *err)
{
    struct workload_status status;
    struct outcome outcome;
    const char *holder = json_string_at(request, "/workload" MARK_HOLDER);
    if (!step_tells(request) || !holder ||
        !str_equal(holder, json_string_at(request, "/target" MARK_HOLDER)) ||
        step_look(subject, request, &status) < 0 || !status.settled || !status.size ||
        status.updated < status.size ||
        step_take(subject, CALL_FINISH, request, &outcome, NULL) < 0 || outcome.result != SLUICE_OK)
        return OK;
    json_t *after AUTO_JSON = step_advance(subject, request, status.size, &outcome);
    return after && !step_same_workload(request, after)
               ? expect_let_go(request, after, outcome.what, err)
               : OK;
}

int parting_clean(const struct subject *subject, const struct specimen *specimen, struct error *err)
{
    json_t *begin AUTO_JSON = step_request(specimen, CALL_BEGIN);
    json_t *finish AUTO_JSON = step_request(specimen, CALL_FINISH);
    if (finish)
        return str_equal(json_string_at(finish, "/outcome"), "succeeded")
                   ? expect_free(subject, finish, err)
                   : OK;
    if (!begin || !step_tells(begin) || !json_at(begin, "/target" MARK_HOLDER))
        return OK;
    json_t *left AUTO_JSON = rolled(subject, begin);
    return left ? expect_no_notes(begin, left, err) : OK;
}

/* ── After anything else ──────────────────────────────────────────────────────────────────── */

/* Where advance lets pods go: one number, which the caller frees the pointer into the workload of.
 * NULL: it is no single number. */
static char *hold_pointer(const json_t *before, const json_t *gone)
{
    struct difference at;
    const json_t *spec = json_at(before, "/workload/spec");
    if (step_same_workload(before, gone))
        return NULL;
    difference_find(spec, json_at(gone, "/workload/spec"), &at);
    char *path AUTO_FREE = text_steal(&at.path);
    return json_is_integer(at.expected) && json_is_integer(at.found)
               ? str_format("/workload/spec%s", path)
               : NULL;
}

/* Is `left` nearer to where all pods go than `held`? What is taken away lets go where less holds
 * less. */
static bool lets_go(int64_t held, int64_t all, const json_t *left)
{
    if (!left)
        return all < held;
    int64_t now = json_integer_value(left);
    return json_is_integer(left) && (all < held ? now < held : now > held);
}

/* What holds those that are still old, as advance has it; where it can't tell, what is there. */
static int64_t held_at(const struct subject *subject, const json_t *request, const char *pointer,
                       int updated)
{
    struct outcome outcome;
    json_t *still AUTO_JSON = step_advance(subject, request, updated, &outcome);
    return json_int_at(still ? still : request, pointer, 0);
}

/* Was nothing else changed, which could hold the pods instead? */
static bool only_there(const json_t *before, const json_t *after, const char *pointer)
{
    json_t *back AUTO_JSON = leaves_with(after, pointer, json_incref(json_at(before, pointer)));
    return step_same_workload(before, back);
}

static bool stops_midway(const struct subject *subject, const json_t *request,
                         struct workload_status *ret_status)
{
    return !str_equal(json_string_at(request, "/outcome"), "succeeded") && step_tells(request) &&
           json_at(request, "/workload" MARK_HOLDER) &&
           step_look(subject, request, ret_status) == OK && ret_status->settled &&
           ret_status->updated < ret_status->size;
}

int parting_still(const struct subject *subject, const struct specimen *specimen, struct error *err)
{
    json_t *request AUTO_JSON = step_request(specimen, CALL_FINISH);
    struct workload_status status;
    struct outcome outcome;
    if (!request || !stops_midway(subject, request, &status))
        return OK;
    json_t *gone AUTO_JSON = step_advance(subject, request, status.size, &outcome);
    char *pointer AUTO_FREE = gone ? hold_pointer(request, gone) : NULL;
    json_t *before AUTO_JSON = json_deep_copy(request);
    if (!pointer || step_take(subject, CALL_FINISH, request, &outcome, NULL) < 0 ||
        outcome.result != SLUICE_OK)
        return OK;
    const json_t *left = json_at(request, pointer);
    int64_t held = held_at(subject, before, pointer, status.updated);
    int64_t all = json_int_at(gone, pointer, 0);
    if (!lets_go(held, all, left) || !lets_go(json_int_at(before, pointer, 0), all, left) ||
        !only_there(before, request, pointer))
        return OK;
    char *text AUTO_FREE = left ? json_text(left) : str_copy("nothing");
    return error_set(err, ERR_BUG,
                     "finish after %s lets pods go: the workload's %s: expected %lld, which "
                     "holds those that are still old, found %s; emitted %s",
                     json_string_at(before, "/outcome") ? json_string_at(before, "/outcome")
                                                        : "no outcome",
                     pointer + strlen("/workload"), (long long)held, text, outcome.what);
}
