// SPDX-License-Identifier: Apache-2.0
/* Asking: from a typed request to bytes, through the transport, and from what came back to types.
 */
#include "adapter/emissions.h"
#include "adapter/figures.h"
#include "adapter/internal.h"
#include "adapter/request.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"

#include <sluice/abi.h>

#include <stdio.h>
#include <string.h>

/* "/target/spec/maxSurge" as people write it: target.spec.maxSurge. */
static void pointer_to_path(const char *pointer, char *ret_path, size_t size)
{
    size_t length = 0;
    if (*pointer == '/')
        pointer++;
    for (; *pointer && length + 1 < size; pointer++) {
        char c = *pointer == '/' ? '.' : *pointer;
        if (c == '~' && (pointer[1] == '0' || pointer[1] == '1'))
            c = *++pointer == '1' ? '/' : '~';
        ret_path[length++] = c;
    }
    ret_path[length] = '\0';
}

/* The one reaction of the core to what the adapter returned. */
static int result_code(int32_t result)
{
    switch (result) {
    case SLUICE_INVALID:
    case SLUICE_UNSUPPORTED:
        return ERR_INVALID;
    case SLUICE_STALE:
        return ERR_RETRY;
    case SLUICE_LIMIT:
        return ERR_LIMIT;
    default:
        return ERR_BUG;
    }
}

static const char *result_text(int32_t result)
{
    switch (result) {
    case SLUICE_INVALID:
        return "it refuses this rollout without saying why";
    case SLUICE_UNSUPPORTED:
        return "it can't do this";
    case SLUICE_STALE:
        return "it can't tell yet";
    case SLUICE_LIMIT:
        return "the answer is too large";
    case SLUICE_BUG:
        return "it found a defect in itself";
    default:
        return NULL;
    }
}

static int answer_failure(const struct answer *answer, struct error *err)
{
    char path[sizeof err->path] = "";
    const char *text = answer->fail_text;
    if (!result_text(answer->result))
        return error_set(err, ERR_BUG, "expected a result of the contract, found %d",
                         answer->result);
    if (answer->fail_pointer)
        pointer_to_path(answer->fail_pointer, path, sizeof path);
    return error_at(err, result_code(answer->result), path, "%s",
                    text && *text ? text : result_text(answer->result));
}

static int check_in_use(const struct adapter *adapter, struct error *err)
{
    const struct error *refusal = adapter_refusal(adapter);
    return refusal ? error_set(err, refusal->code, "it is refused: %s", refusal->text) : OK;
}

static int timed_call(const struct adapter *adapter, const struct question *question,
                      struct answer *ret_answer, struct error *err)
{
    int64_t began_us = clock_monotonic_us();
    int result = adapter->transport->call(adapter->transport, question, ret_answer, err);
    figures_call(adapter->figures, clock_monotonic_us() - began_us);
    return result;
}

/* Makes the call and looks at everything but what was emitted. The caller releases *ret_answer. */
static int ask(const struct adapter *adapter, enum call_kind kind,
               const struct adapter_request *request, struct answer *ret_answer, struct error *err)
{
    char *text AUTO_FREE = request_text(kind, request, adapter->options);
    const struct question question = {.kind = kind, .text = text, .length = strlen(text)};
    struct answer answer;
    int result = check_in_use(adapter, err);
    if (result == OK)
        result = timed_call(adapter, &question, &answer, err);
    if (result < 0)
        return result;
    if (answer.result != SLUICE_OK)
        result = answer_failure(&answer, err);
    else if (answer.over_limit)
        result = error_set(err, ERR_LIMIT, "it ran into the limits of a call (%zu bytes emitted)",
                           answer.emitted_bytes);
    if (result < 0)
        answer_done(&answer);
    else
        *ret_answer = answer;
    return result;
}

/* Says whose words these are, and counts them. That it can't tell yet is no refusal. */
static int named(const struct adapter *adapter, enum call_kind kind, int result, struct error *err)
{
    struct error unheard = {0};
    if (result == OK)
        return OK;
    err = err ? err : &unheard;
    error_prefix(err, "adapter %s, %s", adapter->name, call_name(kind));
    if (result != ERR_RETRY && !adapter_refusal(adapter))
        figures_refusal(adapter->figures, err->text);
    return result;
}

static struct reading reading_of(const struct adapter *adapter,
                                 const struct adapter_request *request)
{
    return (struct reading){
        .object = request->workload ? request->workload : request->target,
        .newer = adapter->newer,
    };
}

static int check_provided(const struct adapter *adapter, const struct adapter_request *request,
                          struct error *err)
{
    if (request->scale && !adapter_scales(adapter))
        return error_set(err, ERR_INVALID,
                         "it can't scale: give the rollout a sourceAppRevisionName");
    if (json_array_size(request->pod_names) && !(adapter->provides & SLUICE_PROVIDES_POD_NAMES))
        return error_at(err, ERR_INVALID, "podNames",
                        "it can't choose pods by name: use replicas instead of podList");
    return OK;
}

static int validate(const struct adapter *adapter, const struct adapter_request *request,
                    struct error *err)
{
    struct answer answer;
    int result = check_in_use(adapter, err);
    if (result == OK)
        result = check_provided(adapter, request, err);
    if (result < 0 || !adapter->transport->has(adapter->transport, CALL_VALIDATE))
        return result;
    result = ask(adapter, CALL_VALIDATE, request, &answer, err);
    if (result < 0)
        return result;
    result = emissions_none(&answer, err);
    answer_done(&answer);
    return result;
}

int adapter_validate(const struct adapter *adapter, const struct adapter_request *request,
                     struct error *err)
{
    return named(adapter, CALL_VALIDATE, validate(adapter, request, err), err);
}

int adapter_describe(struct adapter *adapter, struct error *err)
{
    struct answer answer;
    const struct adapter_request request = {0};
    json_t *described AUTO_JSON = NULL;
    if (!adapter->transport->has(adapter->transport, CALL_DESCRIBE))
        return OK;
    int result = ask(adapter, CALL_DESCRIBE, &request, &answer, err);
    if (result < 0)
        return result;
    result = emissions_manifest(&answer, &described, err);
    answer_done(&answer);
    if (result < 0)
        error_prefix(err, "describe");
    return result < 0 ? result
                      : manifest_describe(&adapter->manifest, described, adapter->newer, err);
}

int adapter_observe(const struct adapter *adapter, const struct adapter_request *request,
                    struct workload_status *ret_status, struct error *err)
{
    struct answer answer;
    const struct reading reading = reading_of(adapter, request);
    int result = ask(adapter, CALL_OBSERVE, request, &answer, err);
    if (result == OK) {
        result = emissions_status(&answer, &reading, ret_status, err);
        answer_done(&answer);
    }
    return named(adapter, CALL_OBSERVE, result, err);
}

static int ask_actions(const struct adapter *adapter, enum call_kind kind,
                       const struct adapter_request *request, struct actions *ret_actions,
                       struct error *err)
{
    struct answer answer;
    const struct reading reading = reading_of(adapter, request);
    int result = check_in_use(adapter, err);
    if (result == OK && kind != CALL_FINISH) /* giving back must never fail for this */
        result = check_provided(adapter, request, err);
    if (result == OK)
        result = ask(adapter, kind, request, &answer, err);
    if (result == OK) {
        result = emissions_actions(&answer, &reading, ret_actions, err);
        answer_done(&answer);
    }
    return named(adapter, kind, result, err);
}

int adapter_begin(const struct adapter *adapter, const struct adapter_request *request,
                  struct actions *ret_actions, struct error *err)
{
    return ask_actions(adapter, CALL_BEGIN, request, ret_actions, err);
}

int adapter_advance(const struct adapter *adapter, const struct adapter_request *request,
                    struct actions *ret_actions, struct error *err)
{
    return ask_actions(adapter, CALL_ADVANCE, request, ret_actions, err);
}

int adapter_finish(const struct adapter *adapter, const struct adapter_request *request,
                   struct actions *ret_actions, struct error *err)
{
    return ask_actions(adapter, CALL_FINISH, request, ret_actions, err);
}
