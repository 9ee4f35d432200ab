// SPDX-License-Identifier: Apache-2.0
#include "adapter/case.h"

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
    static const char *const names[] = {"unknown", "status", "patch", "deletePod", "event"};
    return kind <= SLUICE_EVENT ? names[kind] : names[0];
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

static int compare_failure(const struct answer *answer, const json_t *json, struct error *err)
{
    const char *expected = json_string_at(json, "/result");
    const char *found = result_name(answer->result);
    const char *part = json_string_at(json, "/fails");
    const char *text = answer->fail_text ? answer->fail_text : "";
    if (!str_equal(expected ? expected : "ok", found))
        return error_set(err, ERR_BUG, "expected the result %s, found %s (%d) %s",
                         expected ? expected : "ok", found ? found : "an unknown one",
                         answer->result, text);
    if (part && !strstr(text, part))
        return error_set(err, ERR_BUG, "expected a failure that says \"%s\", found \"%s\"", part,
                         text);
    return OK;
}

static int compare(const struct answer *answer, const json_t *json, struct error *err)
{
    int result = compare_failure(answer, json, err);
    if (result < 0 || answer->result < 0)
        return result;
    json_t *emitted AUTO_JSON = NULL;
    result = case_emitted(answer, &emitted, err);
    if (result < 0)
        return result;
    const json_t *expected = json_object_get(json, "emitted");
    if (json_equal(emitted, expected))
        return OK;
    char *expected_text AUTO_FREE = json_text(expected), *found_text AUTO_FREE = json_text(emitted);
    return error_set(err, ERR_BUG, "expected %.380s, found %.380s", expected_text, found_text);
}

int case_run(struct transport *transport, const json_t *json, struct error *err)
{
    const json_t *request = json_object_get(json, "request");
    int kind = call_kind_of(json_string_at(json, "/call"));
    if (kind < 0)
        return error_at(err, ERR_INVALID, "call",
                        "call: expected validate, observe, begin, advance or finish, found %s",
                        json_string_at(json, "/call") ? json_string_at(json, "/call") : "nothing");
    if (!json_is_object(request))
        return error_at(err, ERR_INVALID, "request", "request: expected an object");
    if (!json_is_array(json_object_get(json, "emitted")) && !json_string_at(json, "/result"))
        return error_at(err, ERR_INVALID, "emitted",
                        "emitted: expected an array, or \"result\" instead");
    char *text AUTO_FREE = json_text(request);
    struct answer answer;
    int result = transport->call(transport, (enum call_kind)kind, text, &answer, err);
    if (result < 0)
        return result;
    result = compare(&answer, json, err);
    answer_done(&answer);
    return result;
}
