// SPDX-License-Identifier: Apache-2.0
#include "common/daemons.h"

#include "common/pods.h"
#include "common/workload.h"

/* What is owned may be more than pods. */
static bool is_pod(json_t *object)
{
    return strcmp(sluice_string(object, "/kind"), "Pod") == 0;
}

static bool is_at(json_t *pod, const char *revision)
{
    return *revision && strcmp(sluice_string(pod, "/metadata/labels/" POD_REVISION), revision) == 0;
}

bool daemon_is_old(json_t *object, const char *revision)
{
    return is_pod(object) && !pod_leaving(object) && !is_at(object, revision);
}

const char *daemon_node(json_t *pod)
{
    return sluice_string(pod, "/spec/nodeName");
}

struct daemons count_daemons(const struct sluice_request *request, json_t *workload,
                             const char *revision)
{
    struct daemons daemons = {
        .size = whole_at(workload, "/status/desiredNumberScheduled", 0),
        .elsewhere = whole_at(workload, "/status/numberMisscheduled", 0),
    };
    size_t i;
    json_t *pod;
    json_array_foreach (owned_pods(request), i, pod) {
        if (!is_pod(pod) || pod_leaving(pod))
            continue;
        bool updated = is_at(pod, revision), ready = pod_ready(pod);
        daemons.old += !updated;
        daemons.updated += updated;
        daemons.updated_ready += updated && ready;
        daemons.ready += ready;
    }
    return daemons;
}

/* ---- observe ---- */

/* The pod that isn't ready on the first node by name; NULL if all are. */
static json_t *first_unready(const struct sluice_request *request)
{
    json_t *pod, *first = NULL;
    size_t i;
    json_array_foreach (owned_pods(request), i, pod)
        if (is_pod(pod) && !pod_ready(pod) &&
            (!first || strcmp(daemon_node(pod), daemon_node(first)) < 0))
            first = pod;
    return first;
}

/* A quota or an admission that refuses pods is told in Events only. */
static json_t *reason_of_missing(const struct daemons *daemons)
{
    int64_t missing = (int64_t)daemons->size + daemons->elsewhere - daemons->old - daemons->updated;
    return missing > 0 ? json_sprintf("%lld nodes have no pod yet", (long long)missing) : NULL;
}

static json_t *reason_of(const struct sluice_request *request, json_t *workload,
                         const struct daemons *daemons)
{
    char text[1024];
    json_t *pod = first_unready(request);
    if (being_deleted(workload))
        return reason_text("the DaemonSet is being deleted");
    if (!pod)
        return reason_of_missing(daemons);
    const char *node = daemon_node(pod), *why = pod_unready_message(pod);
    snprintf(text, sizeof text, "pod %s%s%s %s%s%s", sluice_string(pod, "/metadata/name"),
             *node ? " on node " : "", node, pod_leaving(pod) ? "is on its way out" : "isn't ready",
             *why ? ": " : "", why);
    return reason_text(text);
}

int32_t observe_daemons(const struct sluice_request *request, json_t *workload,
                        const char *revision, bool settled)
{
    struct daemons daemons = count_daemons(request, workload, revision);
    return sluice_emit_take(request, SLUICE_STATUS,
                            json_pack("{s:i, s:i, s:i, s:i, s:b, s:o, s:o*}", "size", daemons.size,
                                      "updated", daemons.updated, "updatedReady",
                                      daemons.updated_ready, "ready", daemons.ready, "settled",
                                      settled, "updateRevision", revision_name(revision), "reason",
                                      reason_of(request, workload, &daemons)));
}

/* ---- validate ---- */

int32_t check_strategy_type(const struct sluice_request *request, json_t *target)
{
    const char *type = sluice_string(target, "/spec/updateStrategy/type");
    if (!*type || strcmp(type, "RollingUpdate") == 0 || strcmp(type, "OnDelete") == 0)
        return SLUICE_OK;
    return sluice_fail(request, SLUICE_INVALID, "/target/spec/updateStrategy/type",
                       "spec.updateStrategy.type of the DaemonSet: expected RollingUpdate or "
                       "OnDelete, found \"%.63s\"",
                       type);
}

static bool is_percentage(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    return digits > 0 && strcmp(text + digits, "%") == 0;
}

int32_t check_amount(const struct sluice_request *request, const char *pointer)
{
    json_t *amount = sluice_at(sluice_at(request->json, "/target"), pointer);
    char at[128];
    if (!amount || (json_is_integer(amount) && json_integer_value(amount) >= 0) ||
        (json_is_string(amount) && is_percentage(json_string_value(amount))))
        return SLUICE_OK;
    snprintf(at, sizeof at, "/target%s", pointer);
    char *found = json_dumps(amount, JSON_ENCODE_ANY | JSON_COMPACT);
    sluice_fail(request, SLUICE_INVALID, at,
                "%s of the DaemonSet: expected a whole number from 0 on or a percentage, found "
                "%.100s",
                strrchr(pointer, '/') + 1, found ? found : "something else");
    free(found);
    return SLUICE_INVALID;
}
