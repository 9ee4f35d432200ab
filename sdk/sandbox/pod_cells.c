// SPDX-License-Identifier: Apache-2.0
/* What a pod shows: the state of its containers, in a word. Init containers aren't simulated, so
 * they count for nothing here. */
#include "base/alloc.h"
#include "base/json.h"
#include "cells.h"
#include "workload.h"

#include <string.h>

static const json_t *statuses_of(const json_t *pod)
{
    return json_at(pod, "/status/containerStatuses");
}

json_t *cell_pod_ready(const json_t *pod)
{
    size_t wanted = json_array_size(json_at(pod, "/spec/containers")), ready = 0, i;
    json_t *status;
    json_array_foreach (statuses_of(pod), i, status)
        ready += json_bool_at(status, "/ready", false) && json_at(status, "/state/running");
    return json_sprintf("%zu/%zu", ready, wanted);
}

/* Why a container isn't running; NULL: it is, or nothing is known. */
static const char *trouble_of(const json_t *status)
{
    const char *waiting = json_string_at(status, "/state/waiting/reason");
    return waiting ? waiting : json_string_at(status, "/state/terminated/reason");
}

json_t *cell_pod_status(const json_t *pod)
{
    const char *phase = json_string_at(pod, "/status/phase");
    const char *word = json_string_at(pod, "/status/reason");
    size_t i;
    json_t *status;
    if (!word)
        word = phase ? phase : "";
    json_array_foreach (statuses_of(pod), i, status)
        if (trouble_of(status))
            word = trouble_of(status);
    if (workload_is_going(pod) && !workload_has_ended(pod))
        word = "Terminating";
    return json_string(word);
}

json_t *cell_pod_restarts(const json_t *pod)
{
    int64_t count = 0;
    const char *last = NULL;
    size_t i;
    json_t *status;
    json_array_foreach (statuses_of(pod), i, status) {
        const char *ended = json_string_at(status, "/lastState/terminated/finishedAt");
        count += json_int_at(status, "/restartCount", 0);
        if (ended && (!last || strcmp(ended, last) > 0))
            last = ended;
    }
    if (!count || !last)
        return json_sprintf("%lld", (long long)count);
    json_t *ago AUTO_JSON = cell_since(last);
    return json_sprintf("%lld (%s ago)", (long long)count, json_string_value(ago));
}

static json_t *text_or_none(const json_t *pod, const char *pointer)
{
    const char *text = json_string_at(pod, pointer);
    return json_string(text && *text ? text : "<none>");
}

json_t *cell_pod_ip(const json_t *pod)
{
    return text_or_none(pod, "/status/podIPs/0/ip");
}

json_t *cell_pod_node(const json_t *pod)
{
    return text_or_none(pod, "/spec/nodeName");
}

static bool is_true(const json_t *pod, const char *type)
{
    const json_t *condition = json_find(json_at(pod, "/status/conditions"), "/type", type);
    return str_equal(json_string_at(condition, "/status"), "True");
}

json_t *cell_pod_gates(const json_t *pod)
{
    const json_t *gates = json_at(pod, "/spec/readinessGates");
    size_t open = 0, i;
    json_t *gate;
    json_array_foreach (gates, i, gate)
        open += is_true(pod, json_string_at(gate, "/conditionType"));
    if (!json_array_size(gates))
        return json_string("<none>");
    return json_sprintf("%zu/%zu", open, json_array_size(gates));
}
