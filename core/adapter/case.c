// SPDX-License-Identifier: Apache-2.0
#include "adapter/case.h"

#include "adapter/difference.h"
#include "adapter/members.h"
#include "base/alloc.h"
#include "base/json.h"

#include <sluice/abi.h>

#include <string.h>

const char *result_name(int32_t result)
{
    static const char *const names[] = {"ok", "invalid", "unsupported", "stale", "limit", "bug"};
    return result <= 0 && result >= SLUICE_BUG ? names[-result] : NULL;
}

static const char *emission_name(uint32_t kind)
{
    static const char *const names[] = {"unknown",   "status", "patch",
                                        "deletePod", "event",  "manifest"};
    return kind <= SLUICE_MANIFEST ? names[kind] : names[0];
}

int case_emitted(const struct answer *answer, json_t **ret_emitted, struct error *err)
{
    json_t *list = json_array();
    for (size_t i = 0; i < answer->emission_count; i++) {
        const struct emission *emission = &answer->emissions[i];
        json_t *json;
        if (json_parse(emission->text, emission->length, &json, err) < 0) {
            json_decref(list);
            error_prefix(err, "emission %zu", i + 1);
            return ERR_BUG;
        }
        json_array_append_new(list, json_pack("{s:o}", emission_name(emission->kind), json));
    }
    *ret_emitted = list;
    return OK;
}

static int call_kind_of(const char *name)
{
    for (int kind = 0; kind < CALL_COUNT; kind++)
        if (str_equal(name, call_name((enum call_kind)kind)))
            return kind;
    return ERR_INVALID;
}

int case_read(const json_t *json, struct case_plan *ret_plan, struct error *err)
{
    static const char *const known[] = {"call", "request", "emitted", "result", "fails", NULL};
    const struct members members = {.object = json, .what = "case", .err = err};
    if (json_is_object(json) && members_known(&members, known) < 0) {
        if (err)
            err->code = ERR_INVALID;
        return ERR_INVALID;
    }
    const char *result = json_string_at(json, "/result");
    struct case_plan plan = {
        .request = json_object_get(json, "request"),
        .emitted = json_object_get(json, "emitted"),
        .result = result ? result : "ok",
        .fails = json_string_at(json, "/fails"),
    };
    int kind = call_kind_of(json_string_at(json, "/call"));
    if (kind < 0)
        return error_at(
            err, ERR_INVALID, "call",
            "call: expected validate, observe, begin, advance, finish or describe, found "
            "%s",
            json_string_at(json, "/call") ? json_string_at(json, "/call") : "nothing");
    if (!json_is_object(plan.request))
        return error_at(err, ERR_INVALID, "request", "request: expected an object");
    if (!json_is_array(plan.emitted) && !result)
        return error_at(err, ERR_INVALID, "emitted",
                        "emitted: expected an array, or \"result\" instead");
    plan.call = (enum call_kind)kind;
    *ret_plan = plan;
    return OK;
}

static int compare_result(const struct answer *answer, const struct case_plan *plan,
                          struct error *err)
{
    const char *found = result_name(answer->result);
    const char *text = answer->fail_text ? answer->fail_text : "";
    if (!str_equal(plan->result, found))
        return error_set(err, ERR_BUG, "expected the result %s, found %s (%d) %s", plan->result,
                         found ? found : "an unknown one", answer->result, text);
    if (plan->fails && !strstr(text, plan->fails))
        return error_set(err, ERR_BUG, "expected a failure that says \"%s\", found \"%s\"",
                         plan->fails, text);
    return OK;
}

static char *text_or_nothing(const json_t *json)
{
    return json ? json_text(json) : str_copy("nothing");
}

static int tell_difference(const json_t *expected, const json_t *found, struct error *err)
{
    struct difference at;
    difference_find(expected, found, &at);
    char *path AUTO_FREE = text_steal(&at.path);
    char *wanted AUTO_FREE = text_or_nothing(at.expected),
                 *got AUTO_FREE = text_or_nothing(at.found);
    return error_set(err, ERR_BUG, "%s%s%sexpected %.320s, found %.320s", *path ? "emitted" : "",
                     path, *path ? ": " : "", wanted, got);
}

static int compare(const struct answer *answer, const struct case_plan *plan, struct error *err)
{
    int result = compare_result(answer, plan, err);
    if (result < 0 || answer->result != SLUICE_OK)
        return result;
    json_t *emitted AUTO_JSON = NULL;
    result = case_emitted(answer, &emitted, err);
    if (result < 0 || json_equal(emitted, plan->emitted))
        return result;
    return tell_difference(plan->emitted, emitted, err);
}

int case_run(struct transport *transport, const json_t *json, struct error *err)
{
    struct case_plan plan;
    int result = case_read(json, &plan, err);
    if (result < 0)
        return result;
    char *text AUTO_FREE = json_text(plan.request);
    const struct question question = {.kind = plan.call, .text = text, .length = strlen(text)};
    struct answer answer;
    result = transport->call(transport, &question, &answer, err);
    if (result < 0)
        return result;
    result = compare(&answer, &plan, err);
    answer_done(&answer);
    return result;
}
