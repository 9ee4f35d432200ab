// SPDX-License-Identifier: Apache-2.0
#include "common/pods.h"

json_t *owned_pods(const struct sluice_request *request)
{
    return sluice_at(request->json, "/owned");
}

bool pod_of_revision(json_t *pod, json_t *workload, const char *pointer)
{
    json_t *label = json_object_get(sluice_at(pod, "/metadata/labels"), POD_REVISION);
    return label && json_equal(label, sluice_at(workload, pointer));
}

bool pod_leaving(json_t *pod)
{
    return sluice_at(pod, "/metadata/deletionTimestamp") != NULL;
}

static json_t *condition_of(json_t *pod, const char *type)
{
    size_t i;
    json_t *condition;
    json_array_foreach (sluice_at(pod, "/status/conditions"), i, condition) {
        if (strcmp(sluice_string(condition, "/type"), type) == 0)
            return condition;
    }
    return NULL;
}

static bool condition_is(json_t *pod, const char *type, const char *status)
{
    return strcmp(sluice_string(condition_of(pod, type), "/status"), status) == 0;
}

/* OpenKruise takes InPlaceUpdateReady away before it changes a pod in place; the kubelet, a moment
 * later, takes Ready. */
bool pod_ready(json_t *pod)
{
    return !pod_leaving(pod) && condition_is(pod, "Ready", "True") &&
           !condition_is(pod, "InPlaceUpdateReady", "False");
}

const char *pod_unready_message(json_t *pod)
{
    json_t *ready = condition_of(pod, "Ready");
    return sluice_string(ready ? ready : condition_of(pod, "PodScheduled"), "/message");
}

int32_t delete_pod_take(const struct sluice_request *request, json_t *pod, const char *reason,
                        json_t *message)
{
    int32_t result = sluice_emit_take(
        request, SLUICE_EVENT,
        json_pack("{s:s, s:s, s:o}", "type", "Warning", "reason", reason, "message", message));
    return result == SLUICE_OK ? delete_pod(request, pod) : result;
}

int32_t delete_pod(const struct sluice_request *request, json_t *pod)
{
    return sluice_emit_take(request, SLUICE_DELETE_POD,
                            json_pack("{s:s, s:s}", "pod", sluice_string(pod, "/metadata/name"),
                                      "uid", sluice_string(pod, "/metadata/uid")));
}

int32_t check_pod_names(const struct sluice_request *request)
{
    json_t *pods = sluice_at(request->json, "/pods"), *pod, *name;
    const char *kind = sluice_string(request->json, "/target/kind");
    size_t n, p;
    if (!pods)
        return SLUICE_OK;
    json_array_foreach (sluice_at(request->json, "/podNames"), n, name) {
        bool found = false;
        json_array_foreach (pods, p, pod)
            found = found || json_equal(name, sluice_at(pod, "/metadata/name"));
        if (!found)
            return sluice_fail(request, SLUICE_INVALID, "/podNames",
                               "the %.63s has no pod \"%.253s\"", kind, sluice_string(name, ""));
    }
    return SLUICE_OK;
}
