// SPDX-License-Identifier: Apache-2.0
#include "sight.h"

#include "accept.h"
#include "adapter/case.h"
#include "base/alloc.h"
#include "base/json.h"
#include "carry.h"
#include "leaves.h"
#include "manifest_of.h"
#include "step.h"

#include <stdlib.h>
#include <string.h>

/* ── What it is shown ─────────────────────────────────────────────────────────────────────── */

static const struct adapter_owned *owned_kind_of(const struct adapter_kind *kind,
                                                 const json_t *object)
{
    for (size_t i = 0; i < kind->owned_count; i++)
        if (str_equal(kind->owned[i].api_version, json_string_at(object, "/apiVersion")) &&
            str_equal(kind->owned[i].kind, json_string_at(object, "/kind")))
            return &kind->owned[i];
    return NULL;
}

/* The marks are shown in any case. */
static json_t *pick_workload(const struct adapter_kind *kind, const json_t *workload)
{
    static const char *const marks[] = {MARK_HOLDER, MARK_APPLIED};
    json_t *picked = json_pick(workload, kind->keep, kind->keep_count);
    json_t *marked AUTO_JSON = json_pick(workload, marks, 2);
    json_object_update_recursive(picked, marked);
    return picked;
}

static json_t *pick_owned(const struct adapter_kind *kind, const json_t *objects)
{
    size_t i;
    json_t *object, *picked = json_array();
    json_array_foreach (objects, i, object) {
        const struct adapter_owned *owned = owned_kind_of(kind, object);
        json_array_append_new(picked, owned ? json_pick(object, owned->keep, owned->keep_count)
                                            : json_incref(object));
    }
    return picked;
}

/* The request as the controller would make it. The caller owns it. */
static json_t *as_shown(const struct adapter_kind *kind, const json_t *request)
{
    json_t *shown = json_copy((json_t *)(uintptr_t)request);
    const json_t *owned = json_object_get(request, "owned");
    json_object_set_new(shown, "workload",
                        pick_workload(kind, json_object_get(request, "workload")));
    if (json_is_array(owned))
        json_object_set_new(shown, "owned", pick_owned(kind, owned));
    return shown;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The operations of a JSON patch in no order: which comes first may follow that of the request's
 * members. The caller owns it. */
static json_t *unordered(const json_t *body)
{
    size_t count = json_array_size(body);
    char **texts AUTO_FREE = mem_alloc((count + 1) * sizeof *texts);
    json_t *sorted = json_array();
    for (size_t i = 0; i < count; i++)
        texts[i] = json_canonical(json_array_get(body, i));
    qsort(texts, count, sizeof *texts, compare_texts);
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(sorted, json_string(texts[i]));
        free(texts[i]);
    }
    return sorted;
}

static char *emitted_text(json_t *emitted)
{
    size_t i;
    json_t *emission;
    json_array_foreach (emitted, i, emission) {
        json_t *patch = json_object_get(emission, "patch");
        const json_t *body = json_object_get(patch, "body");
        if (json_is_array(body))
            json_object_set_new(patch, "body", unordered(body));
    }
    return json_canonical(emitted);
}

/* What came of a request, as text: the same text, the same answer. The caller frees it. NULL: the
 * adapter lacks the call. */
static char *answer_text(const struct subject *subject, enum call_kind call, const json_t *request)
{
    struct answer answer;
    json_t *emitted AUTO_JSON = NULL;
    if (carry_ask(subject, &manner_normal, call, request, &answer) < 0)
        return NULL;
    char *text = NULL;
    const char *name = result_name(answer.result);
    if (answer.result == SLUICE_OK && case_emitted(&answer, &emitted, NULL) == OK)
        text = emitted_text(emitted);
    else
        text = str_format("%s: %s", name ? name : "?", answer.fail_text ? answer.fail_text : "");
    answer_done(&answer);
    return text;
}

/* The value whose absence makes the difference: a pointer into the request, which the caller frees.
 */
static char *missed(const struct subject *subject, const struct case_plan *plan,
                    const json_t *shown)
{
    struct names leaves = {0};
    char *found = NULL;
    char *whole AUTO_FREE = answer_text(subject, plan->call, plan->request);
    leaves_find(plan->request, "/workload", &leaves);
    leaves_find(plan->request, "/owned", &leaves);
    for (size_t i = 0; i < leaves.count && !found; i++) {
        if (json_at(shown, leaves.at[i]))
            continue;
        json_t *less AUTO_JSON = json_deep_copy(plan->request);
        json_remove_at(less, leaves.at[i]);
        char *answer AUTO_FREE = answer_text(subject, plan->call, less);
        if (!str_equal(answer, whole))
            found = str_copy(leaves.at[i]);
    }
    names_done(&leaves);
    return found;
}

static int check_keep(const struct subject *subject, const struct adapter_kind *kind,
                      const struct case_plan *plan, struct error *err)
{
    json_t *shown AUTO_JSON = as_shown(kind, plan->request);
    char *whole AUTO_FREE = answer_text(subject, plan->call, plan->request);
    char *pruned AUTO_FREE = answer_text(subject, plan->call, shown);
    if (str_equal(whole, pruned))
        return OK;
    char *pointer AUTO_FREE = missed(subject, plan, shown);
    return error_set(err, ERR_BUG,
                     "%s reads %s of the request, which the manifest's keep doesn't name: the "
                     "controller will not show it; without it, expected %.200s, found %.200s",
                     call_name(plan->call), pointer ? pointer : "something", whole, pruned);
}

static int kind_refuse(const struct manifest *manifest, const json_t *workload, struct error *err)
{
    return error_set(
        err, ERR_BUG,
        "the manifest's kinds: expected %s %s, as the case's workload is, found %s %s%s",
        json_string_at(workload, "/apiVersion"), json_string_at(workload, "/kind"),
        manifest->kinds[0].api_version, manifest->kinds[0].kind,
        manifest->kind_count > 1 ? " and others" : "");
}

int sight_keep(const struct subject *subject, const struct specimen *specimen, struct error *err)
{
    struct case_plan plan;
    struct manifest manifest;
    int result = case_read(specimen->json, &plan, err);
    const json_t *workload = result == OK ? json_object_get(plan.request, "workload") : NULL;
    if (!json_string_at(workload, "/apiVersion") || !json_string_at(workload, "/kind") ||
        !manifest_of(subject, plan.request, &manifest))
        return result;
    const struct adapter_kind *kind = manifest_kind_of(&manifest, workload);
    result = kind ? check_keep(subject, kind, &plan, err) : kind_refuse(&manifest, workload, err);
    manifest_done(&manifest);
    return result;
}

/* ── What it tells ────────────────────────────────────────────────────────────────────────── */

/* Other values that a leaf may have; ends in NULL. The caller owns each. */
enum { OTHERS_MAX = 6 };
static void others_of(const json_t *leaf, json_t *ret_others[OTHERS_MAX])
{
    memset(ret_others, 0, OTHERS_MAX * sizeof *ret_others);
    if (json_is_integer(leaf)) {
        static const int numbers[] = {0, 1, 2, 5};
        for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
            ret_others[i] = json_integer(numbers[i]);
    } else if (json_is_boolean(leaf)) {
        ret_others[0] = json_boolean(!json_is_true(leaf));
    } else {
        ret_others[0] = json_string("");
        ret_others[1] = json_string("False");
    }
}

/* Calls `look` with each leaf of the request changed in each way, until it says true. */
struct search {
    const struct subject *subject;
    const json_t *request;
    const struct names *leaves;
    bool (*look)(const struct search *search, const json_t *changed);
    int depth; /* how many leaves are changed at once */
    struct workload_status base;
};

static bool search_leaf(const struct search *search, const json_t *request, size_t index, int depth)
{
    json_t *others[OTHERS_MAX];
    bool found = false;
    others_of(json_at(request, search->leaves->at[index]), others);
    for (size_t i = 0; others[i]; i++) {
        json_t *changed AUTO_JSON = leaves_with(request, search->leaves->at[index], others[i]);
        found = found || search->look(search, changed);
        for (size_t k = index + 1; !found && depth > 1 && k < search->leaves->count; k++)
            found = search_leaf(search, changed, k, depth - 1);
    }
    return found;
}

static bool search_run(const struct search *search)
{
    bool found = false;
    for (size_t i = 0; i < search->leaves->count && !found; i++)
        found = search_leaf(search, search->request, i, search->depth);
    return found;
}

static bool is_unsettled(const struct search *search, const json_t *changed)
{
    struct workload_status status;
    return step_look(search->subject, changed, &status) == OK && !status.settled;
}

int sight_settled(const struct subject *subject, const struct specimen *specimen, struct error *err)
{
    static const char *const parts[] = {"/workload/status", "/workload/spec", "/native", "/owned"};
    json_t *request AUTO_JSON = step_request(specimen, CALL_OBSERVE);
    struct names leaves = {0};
    struct search search = {.subject = subject,
                            .request = request,
                            .leaves = &leaves,
                            .look = is_unsettled,
                            .depth = 1};
    if (!json_object_size(json_at(request, "/workload/status")) ||
        json_at(request, "/workload/metadata/deletionTimestamp") ||
        step_look(subject, request, &search.base) < 0 || !search.base.settled)
        return OK;
    json_t *newer AUTO_JSON =
        leaves_with(request, "/workload/metadata/generation", json_integer(1000000));
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        leaves_find(request, parts[i], &leaves);
    bool can = is_unsettled(&search, newer) || search_run(&search);
    names_done(&leaves);
    return can ? OK
               : error_set(err, ERR_BUG,
                           "observe: STATUS.settled: expected false with metadata.generation "
                           "1000000, of which the status says nothing yet, found true, whatever "
                           "stands in the status");
}

/* Does it tell ready pods of the new revision from others? */
static bool is_told(const struct search *search, const json_t *changed)
{
    struct workload_status status;
    return step_look(search->subject, changed, &status) == OK && status.updated > 0 &&
           status.updated_ready != (status.ready < status.updated ? status.ready : status.updated);
}

/* Has this one value to do with ready pods of both kinds? */
static bool is_both(const struct search *search, const json_t *changed)
{
    struct workload_status status;
    return step_look(search->subject, changed, &status) == OK &&
           status.updated == search->base.updated && status.ready != search->base.ready &&
           status.updated_ready != search->base.updated_ready;
}

/* Can a count of all ready pods be told at work: old ones among them, and all new ones ready? */
static bool is_suspect(const struct workload_status *status)
{
    return status->updated > 0 && status->updated_ready == status->updated &&
           status->ready > status->updated;
}

int sight_ready(const struct subject *subject, const struct specimen *specimen, struct error *err)
{
    json_t *request AUTO_JSON = step_request(specimen, CALL_OBSERVE);
    struct names leaves = {0};
    struct search both = {
        .subject = subject, .request = request, .leaves = &leaves, .look = is_both, .depth = 1};
    if (!request || json_array_size(json_object_get(request, "owned")) ||
        json_array_size(json_object_get(request, "pods")) ||
        step_look(subject, request, &both.base) < 0 || !is_suspect(&both.base))
        return OK;
    leaves_find(request, "/workload/status", &leaves);
    leaves_find(request, "/native", &leaves);
    struct search told = both;
    told.look = is_told;
    told.depth = leaves.count <= 12 ? 2 : 1;
    bool wrong = leaves.count <= 40 && search_run(&both) && !search_run(&told);
    names_done(&leaves);
    return wrong ? error_set(err, ERR_BUG,
                             "observe: STATUS.updatedReady: expected ready pods of the new "
                             "revision only, found min(ready, updated) whatever stands in the "
                             "status: the count of ready pods includes old ones")
                 : OK;
}

/* ── Nothing at all ───────────────────────────────────────────────────────────────────────── */

static bool has_negative(const json_t *value)
{
    const char *key;
    const json_t *inner;
    size_t i;
    bool has = json_is_integer(value) && json_integer_value(value) < 0;
    json_object_foreach ((json_t *)(uintptr_t)value, key, inner)
        has = has || has_negative(inner);
    json_array_foreach (value, i, inner)
        has = has || has_negative(inner);
    return has;
}

/* A target may have negative numbers of its own, so only what lets go or gives back is looked at.
 */
static int expect_no_negative(const struct answer *answer, const struct case_plan *plan,
                              struct error *err)
{
    json_t *emitted AUTO_JSON = NULL;
    if ((plan->call != CALL_ADVANCE && plan->call != CALL_FINISH) || has_negative(plan->request) ||
        case_emitted(answer, &emitted, NULL) < 0 || !has_negative(emitted))
        return OK;
    char *text AUTO_FREE = json_text(emitted);
    return error_set(err, ERR_BUG, "%s: expected no number below 0, emitted %.300s",
                     call_name(plan->call), text);
}

int sight_empty(const struct subject *subject, const struct specimen *specimen, struct error *err)
{
    struct case_plan plan;
    struct answer answer;
    int result = case_read(specimen->json, &plan, err);
    char *pointer AUTO_FREE = result == OK ? step_size_pointer(subject, plan.request) : NULL;
    if (!pointer)
        return result;
    json_t *request AUTO_JSON = leaves_with(plan.request, pointer, json_integer(0));
    plan.request = request;
    if (carry_ask(subject, &manner_normal, plan.call, request, &answer) < 0)
        return OK;
    if (answer.result == SLUICE_OK)
        result = accept_answer(subject, &plan, &answer, err);
    if (result == OK && answer.result == SLUICE_OK)
        result = expect_no_negative(&answer, &plan, err);
    answer_done(&answer);
    if (result < 0)
        error_prefix(err, "with 0 at %s", pointer);
    return result;
}
