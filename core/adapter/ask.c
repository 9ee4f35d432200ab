// SPDX-License-Identifier: Apache-2.0
/* Asking: from a typed request to bytes, through the transport, and from what came back to types.
 */
#include "adapter/emissions.h"
#include "adapter/figures.h"
#include "adapter/internal.h"
#include "adapter/line.h"
#include "adapter/request.h"
#include "adapter/watchdog.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"

#include <sluice/abi.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A member of the request as people know it who write a plan; NULL: as it is called. */
static const char *plan_field(const char *pointer)
{
    static const char *const fields[][2] = {
        {"/strategy", "spec.rolloutPlan.rolloutStrategy"},
        {"/inSteps", "spec.rolloutPlan.rolloutBatches"},
        {"/podNames", "spec.rolloutPlan.rolloutBatches[].podList"},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (strcmp(pointer, fields[i][0]) == 0)
            return fields[i][1];
    return NULL;
}

/* "/target/spec/maxSurge" as people write it: target.spec.maxSurge. */
static void pointer_to_path(const char *pointer, char *ret_path, size_t size)
{
    size_t length = 0;
    const char *field = plan_field(pointer);
    if (field) {
        snprintf(ret_path, size, "%s", field);
        return;
    }
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

static int check_provided(const struct adapter *adapter, const struct adapter_request *request,
                          struct error *err)
{
    if (request->scale && !adapter_scales(adapter))
        return error_set(err, ERR_INVALID,
                         "it can't scale: give the rollout a sourceAppRevisionName");
    if (json_array_size(request->pod_names) && !(adapter->provides & SLUICE_PROVIDES_POD_NAMES))
        return error_at(err, ERR_INVALID, plan_field("/podNames"),
                        "it can't choose pods by name: use replicas instead of podList");
    return OK;
}

/* What can be said without asking it. Giving back must never fail for what it provides. */
static int check_request(const struct adapter *adapter, enum call_kind kind,
                         const struct adapter_request *request, struct error *err)
{
    int result = check_in_use(adapter, err);
    if (result < 0 || kind == CALL_OBSERVE || kind == CALL_FINISH)
        return result;
    return check_provided(adapter, request, err);
}

/* ── Understanding what came back ─────────────────────────────────────────────────────────── */

static int answer_check(const struct answer *answer, struct error *err)
{
    if (answer->result != SLUICE_OK)
        return answer_failure(answer, err);
    if (answer->over_limit)
        return error_set(err, ERR_LIMIT, "it ran into the limits of a call (%zu bytes emitted)",
                         answer->emitted_bytes);
    return OK;
}

static int emissions_read(const struct adapter_asking *asking, const struct answer *answer,
                          struct adapter_reply *reply)
{
    const struct reading reading = {
        .object = asking->object,
        .owned = asking->owned,
        .pods = asking->pods,
        .newer = asking->adapter->newer,
    };
    if (asking->kind == CALL_VALIDATE)
        return emissions_none(answer, &reply->err);
    if (asking->kind == CALL_OBSERVE)
        return emissions_status(answer, &reading, &reply->status, &reply->err);
    return emissions_actions(answer, &reading, &reply->actions, &reply->err);
}

static void reply_read(const struct adapter_asking *asking, const struct answer *answer,
                       struct adapter_reply *reply)
{
    int result = answer_check(answer, &reply->err);
    reply->err.code = result < 0 ? result : emissions_read(asking, answer, reply);
}

/* Says whose words these are, and counts them. That it can't tell yet is no refusal. */
static void reply_name(const struct adapter_asking *asking, struct adapter_reply *reply)
{
    const struct adapter *adapter = asking->adapter;
    if (reply->err.code == OK)
        return;
    error_prefix(&reply->err, "adapter %s, %s", adapter->name, call_name(asking->kind));
    if (reply->err.code != ERR_RETRY && !adapter_refusal(adapter))
        figures_refusal(adapter->figures, reply->err.text);
}

static void asking_reply(struct adapter_asking *asking, struct adapter_reply *reply)
{
    reply_name(asking, reply);
    adapter_ask_cancel(asking);
    asking->on_reply(asking->data, reply);
}

void asking_end(struct adapter_asking *asking, struct call_outcome *outcome)
{
    struct adapter_reply reply = {.err = outcome->err};
    if (reply.err.code == OK)
        reply_read(asking, &outcome->answer, &reply);
    answer_done(&outcome->answer);
    asking_reply(asking, &reply);
}

/* ── Asking ───────────────────────────────────────────────────────────────────────────────── */

/* jansson counts references, so it takes no const; nothing else of the object changes. */
static json_t *shared(const json_t *json)
{
    return json_incref((json_t *)(uintptr_t)json);
}

/* Waits for it, whatever it takes; in this process nothing can end it, but the watchdog tells. */
static void call_now(const struct adapter *adapter, const struct question *question,
                     struct call_outcome *outcome)
{
    int64_t began_us = clock_monotonic_us();
    if (adapter->isolation == ISOLATION_IN_PROCESS)
        watchdog_enter(adapter->name, question->kind, adapter->deadline_ms);
    adapter->transport->call(adapter->transport, question, &outcome->answer, &outcome->err);
    if (adapter->isolation == ISOLATION_IN_PROCESS)
        watchdog_leave();
    int64_t took_us = clock_monotonic_us() - began_us;
    figures_call(adapter->figures, took_us);
    if (adapter->isolation == ISOLATION_IN_PROCESS && took_us > adapter->deadline_ms * 1000)
        adapter->figures->slow++;
}

static void asking_begin(struct adapter_asking *asking, const struct adapter *adapter,
                         enum call_kind kind, const struct adapter_request *request)
{
    const json_t *object = request->workload ? request->workload : request->target;
    asking->adapter = adapter_hold((struct adapter *)(uintptr_t)adapter);
    asking->kind = kind;
    asking->object = shared(object);
    asking->owned = shared(request->owned);
    asking->pods = shared(request->pods);
    asking->text = request_text(kind, request, adapter->options);
    list_init(&asking->link);
}

void adapter_ask(struct adapter_asking *asking, const struct adapter *adapter, enum call_kind kind,
                 const struct adapter_request *request)
{
    struct adapter_reply reply = {0};
    struct call_outcome outcome = {0};
    asking_begin(asking, adapter, kind, request);
    if (check_request(adapter, kind, request, &reply.err) < 0 ||
        !adapter->transport->has(adapter->transport, kind)) { /* validate is optional */
        asking_reply(asking, &reply);
        return;
    }
    if (adapter->line) {
        line_add(adapter->line, asking);
        return;
    }
    const struct question question = {
        .kind = kind, .text = asking->text, .length = strlen(asking->text)};
    call_now(adapter, &question, &outcome);
    asking_end(asking, &outcome);
}

void adapter_ask_cancel(struct adapter_asking *asking)
{
    if (!asking->adapter)
        return;
    if (asking->adapter->line)
        line_remove(asking->adapter->line, asking);
    adapter_release(asking->adapter);
    json_decref(asking->object);
    json_decref(asking->owned);
    json_decref(asking->pods);
    free(asking->text);
    asking->adapter = NULL;
    asking->object = asking->owned = asking->pods = NULL;
    asking->text = NULL;
}

static void keep_reply(void *data, struct adapter_reply *reply)
{
    *(struct adapter_reply *)data = *reply;
}

/* The same, for those who can wait. */
static struct adapter_reply ask(const struct adapter *adapter, enum call_kind kind,
                                const struct adapter_request *request)
{
    struct adapter_reply reply = {0};
    struct adapter_asking asking = {.on_reply = keep_reply, .data = &reply};
    adapter_ask(&asking, adapter, kind, request);
    return reply;
}

static int told(const struct adapter_reply *reply, struct error *err)
{
    if (err && reply->err.code < 0)
        *err = reply->err;
    return reply->err.code;
}

int adapter_validate(const struct adapter *adapter, const struct adapter_request *request,
                     struct error *err)
{
    const struct adapter_reply reply = ask(adapter, CALL_VALIDATE, request);
    return told(&reply, err);
}

int adapter_observe(const struct adapter *adapter, const struct adapter_request *request,
                    struct workload_status *ret_status, struct error *err)
{
    const struct adapter_reply reply = ask(adapter, CALL_OBSERVE, request);
    if (reply.err.code == OK)
        *ret_status = reply.status;
    return told(&reply, err);
}

static int ask_actions(const struct adapter *adapter, enum call_kind kind,
                       const struct adapter_request *request, struct actions *ret_actions,
                       struct error *err)
{
    const struct adapter_reply reply = ask(adapter, kind, request);
    if (reply.err.code == OK)
        *ret_actions = reply.actions;
    return told(&reply, err);
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

int adapter_describe(struct adapter *adapter, struct error *err)
{
    json_t *native AUTO_JSON = natives_told(&adapter->natives);
    const struct adapter_request request = {.native = native};
    char *text AUTO_FREE = request_text(CALL_DESCRIBE, &request, adapter->options);
    const struct question question = {.kind = CALL_DESCRIBE, .text = text, .length = strlen(text)};
    struct call_outcome outcome = {0};
    json_t *described AUTO_JSON = NULL;
    if (!adapter->transport->has(adapter->transport, CALL_DESCRIBE))
        return OK;
    call_now(adapter, &question, &outcome);
    if (outcome.err.code == OK && answer_check(&outcome.answer, &outcome.err) == OK &&
        emissions_manifest(&outcome.answer, &described, &outcome.err) < 0)
        error_prefix(&outcome.err, "describe");
    answer_done(&outcome.answer);
    if (outcome.err.code < 0) {
        *err = outcome.err;
        return err->code;
    }
    return manifest_describe(&adapter->manifest, described, adapter->newer, err);
}
