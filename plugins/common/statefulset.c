// SPDX-License-Identifier: Apache-2.0
#include "common/statefulset.h"

#include "common/ordinals.h"

/* ---- reading a StatefulSet ---- */

bool statefulset_settled(json_t *workload)
{
    return generation_seen(workload) && *sluice_string(workload, "/status/updateRevision");
}

int statefulset_partition(json_t *workload)
{
    return within(sluice_int(workload, PARTITION, 0), 0, size_of(workload));
}

/* Pods come one after the other, and none goes on while one isn't ready. */
static bool one_by_one(json_t *workload)
{
    return strcmp(sluice_string(workload, "/spec/podManagementPolicy"), "Parallel") != 0;
}

/* ---- its pods ---- */

static bool updated(json_t *workload, json_t *pod)
{
    return pod_of_revision(pod, workload, "/status/updateRevision");
}

/* Is it one of those that the StatefulSet is to have, and stays? */
static bool stays(json_t *workload, json_t *pod)
{
    return !pod_leaving(pod) && pod_place(workload, pod) >= 0;
}

/* ---- observe ---- */

/* The lowest pod that isn't ready, in the kubelet's words: in order, the others wait for it. */
static json_t *reason_of(const struct sluice_request *request, json_t *workload)
{
    json_t *pod, *first = NULL;
    size_t i;
    char text[1024];
    if (being_deleted(workload))
        return json_string("the StatefulSet is being deleted");
    json_array_foreach (owned_pods(request), i, pod) {
        bool lower = !first || pod_place(workload, pod) < pod_place(workload, first);
        if (stays(workload, pod) && !pod_ready(pod) && lower)
            first = pod;
    }
    if (!first)
        return NULL;
    const char *why = pod_unready_message(first);
    snprintf(text, sizeof text, "pod %s%s isn't ready%s%s", sluice_string(first, "/metadata/name"),
             updated(workload, first) ? "" : " of another revision", *why ? ": " : "", why);
    return reason_text(text);
}

struct counts {
    int updated, updated_ready, ready;
};

static struct counts count_pods(const struct sluice_request *request, json_t *workload)
{
    struct counts counts = {0};
    size_t i;
    json_t *pod;
    json_array_foreach (owned_pods(request), i, pod) {
        if (!stays(workload, pod))
            continue;
        counts.updated += updated(workload, pod);
        counts.updated_ready += updated(workload, pod) && pod_ready(pod);
        counts.ready += pod_ready(pod);
    }
    return counts;
}

/* Pods that are ready but haven't been for minReadySeconds yet. Whose they are isn't told: all are
 * taken for new ones, which they mostly are. */
static int too_young(json_t *workload)
{
    bool asked = sluice_int(workload, "/spec/minReadySeconds", 0) > 0 ||
                 sluice_int(workload, ROLLING_UPDATE "/minReadySeconds", 0) > 0;
    int ready = whole_at(workload, "/status/readyReplicas", 0);
    int available = whole_at(workload, "/status/availableReplicas", 0);
    return asked && ready > available ? ready - available : 0;
}

int32_t statefulset_observe(const struct sluice_request *request)
{
    json_t *workload = sluice_at(request->json, "/workload");
    if (!workload)
        return observe_missing(request);
    struct counts counts = count_pods(request, workload);
    int done = within((int64_t)counts.updated_ready - too_young(workload), 0, INT32_MAX);
    json_t *status = json_pack(
        "{s:i, s:i, s:i, s:i, s:b, s:o, s:o, s:o*}", "size", size_of(workload), "updated",
        counts.updated, "updatedReady", done, "ready", counts.ready, "settled",
        statefulset_settled(workload), "updateRevision",
        revision_name(sluice_string(workload, "/status/updateRevision")), "currentRevision",
        revision_name(sluice_string(workload, "/status/currentRevision")), "reason",
        reason_of(request, workload));
    return sluice_emit_take(request, SLUICE_STATUS, status);
}

/* ---- validate ---- */

static int32_t check_type(const struct sluice_request *request, json_t *target)
{
    const char *type = sluice_string(target, STRATEGY "/type");
    if (!*type || strcmp(type, "RollingUpdate") == 0)
        return SLUICE_OK;
    return sluice_fail(request, SLUICE_INVALID, "/target" STRATEGY "/type",
                       "spec.updateStrategy.type of the StatefulSet: expected RollingUpdate, "
                       "found \"%s\"; with OnDelete nobody replaces the pods of a batch",
                       type);
}

int32_t statefulset_check_order(const struct sluice_request *request)
{
    if (!increase_first_asked(request))
        return SLUICE_OK;
    return sluice_fail(
        request, SLUICE_UNSUPPORTED, "/strategy",
        "rolloutStrategy: expected DecreaseFirst or none, found IncreaseFirst; a pod "
        "of a StatefulSet keeps its name, so it goes before its successor comes");
}

int32_t statefulset_validate(const struct sluice_request *request)
{
    json_t *target = sluice_at(request->json, "/target");
    if (!target)
        return sluice_fail(request, SLUICE_BUG, "/target", "validate: expected a target");
    int32_t result = check_type(request, target);
    if (result == SLUICE_OK)
        result = check_replicas(request, target);
    if (result == SLUICE_OK)
        result = check_selector(request, sluice_at(request->json, "/workload"), target);
    return result;
}

/* ---- begin ---- */

/* The same write raises the partition and changes the template. While no roll follows, a pod that
 * it is scaled up by isn't to be the first at a new template either. */
void statefulset_hold(const struct sluice_request *request, json_t *workload, json_t *object)
{
    bool lasts = sluice_bool(request->json, "/hold", false);
    sluice_put_take(object, STRATEGY "/type", json_string("RollingUpdate"));
    sluice_put_take(object, PARTITION, json_integer(lasts ? INT32_MAX : size_of(workload)));
}

/* ---- advance ---- */

int32_t statefulset_behind(const struct sluice_request *request)
{
    return sluice_fail(request, SLUICE_STALE, "/workload/status/observedGeneration",
                       "the last change of the StatefulSet hasn't been seen by its controller yet");
}

/* Pods that are at the new revision once all from `partition` on have got it. */
static int updated_with(const struct sluice_request *request, json_t *workload, int partition)
{
    int count = size_of(workload) - partition;
    size_t i;
    json_t *pod;
    json_array_foreach (owned_pods(request), i, pod) {
        bool below = pod_place(workload, pod) < partition;
        count += below && stays(workload, pod) && updated(workload, pod);
    }
    return count;
}

/* In no order, those that are updated count first, wherever they are. */
int statefulset_partition_for_goal(const struct sluice_request *request, json_t *workload)
{
    int size = size_of(workload);
    int goal = within(sluice_int(request->json, "/goal", 0), 0, size);
    int partition = size - goal;
    if (sluice_at(workload, UNORDERED))
        return partition;
    while (partition < size && updated_with(request, workload, partition + 1) >= goal)
        partition++;
    return partition;
}

static bool waits_for_replacement(json_t *workload, json_t *pod)
{
    return stays(workload, pod) && !updated(workload, pod);
}

static int partition_at_rest_unordered(const struct sluice_request *request, json_t *workload)
{
    int waiting = 0;
    size_t i;
    json_t *pod;
    json_array_foreach (owned_pods(request), i, pod)
        waiting += waits_for_replacement(workload, pod);
    return waiting;
}

/* In order, above the highest pod that still has another revision. */
int statefulset_partition_at_rest(const struct sluice_request *request, json_t *workload)
{
    int partition = statefulset_partition(workload);
    size_t i;
    json_t *pod;
    if (!statefulset_settled(workload))
        return size_of(workload);
    if (sluice_at(workload, UNORDERED)) {
        int waiting = partition_at_rest_unordered(request, workload);
        return waiting > partition ? waiting : partition;
    }
    json_array_foreach (owned_pods(request), i, pod) {
        int place = pod_place(workload, pod);
        if (place >= partition && waits_for_replacement(workload, pod))
            partition = place + 1;
    }
    return partition;
}

/* Pods that are there and stay, and are at the new revision once all from `partition` on are. */
static int bound_for_it(const struct sluice_request *request, json_t *workload, int partition)
{
    int count = 0;
    size_t i;
    json_t *pod;
    json_array_foreach (owned_pods(request), i, pod)
        count += stays(workload, pod) &&
                 (pod_place(workload, pod) >= partition || updated(workload, pod));
    return count;
}

static bool any_waits_from(const struct sluice_request *request, json_t *workload, int partition)
{
    size_t i;
    json_t *pod;
    json_array_foreach (owned_pods(request), i, pod) {
        if (waits_for_replacement(workload, pod) && pod_place(workload, pod) >= partition)
            return true;
    }
    return false;
}

/* Pods that a larger size has added don't count while the others are where they are to be. */
int statefulset_partition_to_hold(const struct sluice_request *request, json_t *workload)
{
    int size = size_of(workload), partition = statefulset_partition(workload);
    int goal = within(sluice_int(request->json, "/goal", 0), 0, size);
    if (sluice_at(workload, UNORDERED)) {
        int waiting = partition_at_rest_unordered(request, workload);
        int kept = waiting < size - goal ? waiting : size - goal;
        return kept > partition ? kept : partition;
    }
    if (!any_waits_from(request, workload, partition) ||
        bound_for_it(request, workload, partition) <= goal)
        return partition;
    while (partition < size && updated_with(request, workload, partition) > goal)
        partition++;
    return partition;
}

int32_t statefulset_hold_again(const struct sluice_request *request, json_t *after, int partition)
{
    sluice_put_take(after, PARTITION, json_integer(partition));
    return tell_hold_taken_off(request, after, "spec.updateStrategy.rollingUpdate.partition was");
}

/* It comes back at the new revision if it is its turn, else at the one that the StatefulSet has
 * come from. A pod of that one which is not to be replaced yet is left alone. */
static bool is_stuck(json_t *workload, json_t *pod)
{
    if (!waits_for_replacement(workload, pod) || pod_ready(pod))
        return false;
    return pod_place(workload, pod) >= statefulset_partition(workload) ||
           !pod_of_revision(pod, workload, "/status/currentRevision");
}

static int32_t delete_stuck_pod(const struct sluice_request *request, json_t *pod)
{
    json_t *message = json_sprintf(
        "pod %s isn't ready at revision %s and holds up the others; it is deleted so that it comes "
        "back at another",
        sluice_string(pod, "/metadata/name"), sluice_string(pod, "/metadata/labels/" POD_REVISION));
    return delete_pod_take(request, pod, "StuckPodDeleted", message);
}

int32_t statefulset_delete_stuck_pods(const struct sluice_request *request, json_t *workload)
{
    int32_t result = SLUICE_OK;
    size_t i;
    json_t *pod;
    if (!one_by_one(workload))
        return SLUICE_OK;
    json_array_foreach (owned_pods(request), i, pod) {
        if (result == SLUICE_OK && *sluice_string(pod, "/metadata/uid") && is_stuck(workload, pod))
            result = delete_stuck_pod(request, pod);
    }
    return result;
}

/* ---- finish ---- */

void statefulset_give_back(const struct sluice_request *request, json_t *workload, json_t *after)
{
    if (succeeded(request)) {
        restore_take(after, sluice_at(request->json, "/target"), PARTITION, json_integer(0));
        return;
    }
    int partition = statefulset_partition_at_rest(request, workload);
    if (partition != whole_at(workload, PARTITION, 0))
        sluice_put_take(after, PARTITION, json_integer(partition));
}
