// SPDX-License-Identifier: Apache-2.0
/*
 * StatefulSets (apps/v1), tried with Kubernetes 1.34.
 *
 * A StatefulSet keeps the pods below `updateStrategy.rollingUpdate.partition` at the old revision
 * and brings the others to the new one, the highest first, each after the one above it is ready. So
 * a batch is one patch of the partition. What is ready of which revision is read from the pods
 * themselves. More, and why, is told in README.md.
 */
#include "common/pods.h"
#include "common/workload.h"

#define STRATEGY  "/spec/updateStrategy"
#define PARTITION STRATEGY "/rollingUpdate/partition"

/* ---- reading a StatefulSet ---- */

static int partition_of(json_t *workload)
{
    return within(sluice_int(workload, PARTITION, 0), 0, size_of(workload));
}

/* Has its controller seen the last change of the spec? */
static bool settled(json_t *workload)
{
    return generation_seen(workload) && *sluice_string(workload, "/status/updateRevision");
}

/* Pods come one after the other, and none goes on while one isn't ready. */
static bool ordered(json_t *workload)
{
    return strcmp(sluice_string(workload, "/spec/podManagementPolicy"), "Parallel") != 0;
}

/* ---- its pods ---- */

/* The place of a pod, counted from 0: the end of its name, less where the owner lets them begin. */
static int place_of(json_t *workload, json_t *pod)
{
    const char *dash = strrchr(sluice_string(pod, "/metadata/name"), '-');
    long ordinal = dash ? strtol(dash + 1, NULL, 10) : -1;
    int64_t place = ordinal - sluice_int(workload, "/spec/ordinals/start", 0);
    return place < 0 || place > INT32_MAX ? -1 : (int)place;
}

static bool updated(json_t *pod, json_t *workload)
{
    return pod_of_revision(pod, workload, "/status/updateRevision");
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
        bool lower = !first || place_of(workload, pod) < place_of(workload, first);
        if (!pod_leaving(pod) && !pod_ready(pod) && lower)
            first = pod;
    }
    if (!first)
        return NULL;
    const char *why = pod_unready_message(first);
    snprintf(text, sizeof text, "pod %s%s isn't ready%s%s", sluice_string(first, "/metadata/name"),
             updated(first, workload) ? "" : " of another revision", *why ? ": " : "", why);
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
        if (pod_leaving(pod))
            continue;
        counts.updated += updated(pod, workload);
        counts.updated_ready += updated(pod, workload) && pod_ready(pod);
        counts.ready += pod_ready(pod);
    }
    return counts;
}

static int32_t observe_body(const struct sluice_request *request)
{
    json_t *workload = sluice_at(request->json, "/workload");
    if (!workload)
        return observe_missing(request);
    struct counts counts = count_pods(request, workload);
    json_t *status = json_pack(
        "{s:i, s:i, s:i, s:i, s:b, s:o, s:o, s:o*}", "size", size_of(workload), "updated",
        counts.updated, "updatedReady", counts.updated_ready, "ready", counts.ready, "settled",
        settled(workload), "updateRevision",
        revision_name(sluice_string(workload, "/status/updateRevision")), "currentRevision",
        revision_name(sluice_string(workload, "/status/currentRevision")), "reason",
        reason_of(request, workload));
    return sluice_emit_take(request, SLUICE_STATUS, status);
}

/* ---- validate ---- */

static int32_t check_target(const struct sluice_request *request, json_t *target)
{
    const char *type = sluice_string(target, STRATEGY "/type");
    if (*type && strcmp(type, "RollingUpdate") != 0)
        return sluice_fail(request, SLUICE_INVALID, "/target" STRATEGY "/type",
                           "spec.updateStrategy.type of the StatefulSet: expected RollingUpdate, "
                           "found \"%s\"; with OnDelete nobody replaces the pods of a batch",
                           type);
    return check_replicas(request, target);
}

static int32_t validate_body(const struct sluice_request *request)
{
    json_t *workload = sluice_at(request->json, "/workload");
    json_t *target = sluice_at(request->json, "/target");
    if (!target)
        return sluice_fail(request, SLUICE_BUG, "/target", "validate: expected a target");
    int32_t result = check_target(request, target);
    return result == SLUICE_OK ? check_selector(request, workload, target) : result;
}

/* ---- begin ---- */

/* All pods are kept where they are: the same write raises the partition and changes the template.
 */
static void hold(const struct sluice_request *request, json_t *workload, json_t *object)
{
    sluice_put_take(object, STRATEGY "/type", json_string("RollingUpdate"));
    sluice_put_take(object, PARTITION, json_integer(size_of(workload)));
}

static int32_t begin_body(const struct sluice_request *request)
{
    return begin_workload(request, hold);
}

/* ---- advance ---- */

/* Pods that are at the new revision once all from `partition` on have got it. */
static int updated_with(const struct sluice_request *request, json_t *workload, int partition)
{
    int count = size_of(workload) - partition;
    size_t i;
    json_t *pod;
    json_array_foreach (owned_pods(request), i, pod) {
        int place = place_of(workload, pod);
        if (place >= 0 && place < partition && !pod_leaving(pod) && updated(pod, workload))
            count++;
    }
    return count;
}

/* The highest partition with which `goal` pods come to the new revision. Those below it that have
 * it already, when a roll goes back halfway, count. */
static int partition_for(const struct sluice_request *request, json_t *workload)
{
    int size = size_of(workload);
    int64_t goal = sluice_int(request->json, "/goal", 0);
    goal = goal < 0 ? 0 : goal > size ? size : goal;
    int partition = size - (int)goal;
    while (partition < size && updated_with(request, workload, partition + 1) >= goal)
        partition++;
    return partition;
}

/* The partition with which no further pod is replaced: above the highest that still has another
 * revision. */
static int partition_at_rest(const struct sluice_request *request, json_t *workload)
{
    int partition = partition_of(workload), size = size_of(workload);
    size_t i;
    json_t *pod;
    if (!settled(workload))
        return size;
    json_array_foreach (owned_pods(request), i, pod) {
        int place = place_of(workload, pod);
        if (place >= partition && place < size && !pod_leaving(pod) && !updated(pod, workload))
            partition = place + 1;
    }
    return partition;
}

/* A pod that will never be ready holds up all others, also those that are to replace it. It goes:
 * it comes back at the new revision if it is its turn, else at the one that the StatefulSet has
 * come from. A pod of that one which is not to be replaced yet is left alone. */
static bool is_stuck(json_t *workload, json_t *pod, int partition)
{
    if (pod_leaving(pod) || pod_ready(pod) || updated(pod, workload))
        return false;
    return place_of(workload, pod) >= partition ||
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

static int32_t delete_stuck_pods(const struct sluice_request *request, json_t *workload)
{
    int32_t result = SLUICE_OK;
    size_t i;
    json_t *pod;
    if (!ordered(workload))
        return SLUICE_OK;
    json_array_foreach (owned_pods(request), i, pod) {
        if (result == SLUICE_OK && *sluice_string(pod, "/metadata/uid") &&
            is_stuck(workload, pod, partition_of(workload)))
            result = delete_stuck_pod(request, pod);
    }
    return result;
}

static int32_t emit_partition(const struct sluice_request *request, json_t *workload, int partition)
{
    json_t *after = json_deep_copy(workload);
    sluice_put_take(after, PARTITION, json_integer(partition));
    return emit_roll_take(request, workload, after);
}

/* Holding still takes a higher partition, because a StatefulSet can't be paused. */
static int32_t roll_to_goal(const struct sluice_request *request, json_t *workload)
{
    bool paused = sluice_bool(request->json, "/paused", false);
    int now = partition_of(workload);
    if (!settled(workload))
        return sluice_fail(request, SLUICE_STALE, "/workload/status/observedGeneration",
                           "the last change of the StatefulSet hasn't been seen by its controller "
                           "yet");
    int wanted = paused ? partition_at_rest(request, workload) : partition_for(request, workload);
    if (paused ? wanted > now : wanted < now)
        return emit_partition(request, workload, wanted);
    return paused ? SLUICE_OK : delete_stuck_pods(request, workload);
}

static int32_t advance_body(const struct sluice_request *request)
{
    return advance_workload(request, roll_to_goal);
}

/* ---- finish ---- */

static bool give_back(const struct sluice_request *request, json_t *workload, json_t *after)
{
    json_t *target = sluice_at(request->json, "/target");
    int partition =
        succeeded(request) ? whole_at(target, PARTITION, 0) : partition_at_rest(request, workload);
    if (partition != whole_at(workload, PARTITION, 0))
        sluice_put_take(after, PARTITION, json_integer(partition));
    return true;
}

static int32_t finish_body(const struct sluice_request *request)
{
    return finish_workload(request, give_back);
}

/* ---- the table ---- */

static int32_t validate(const sluice_host *host, sluice_call *call, sluice_text request)
{
    return sluice_with_request(host, call, request, validate_body);
}

static int32_t observe(const sluice_host *host, sluice_call *call, sluice_text request)
{
    return sluice_with_request(host, call, request, observe_body);
}

static int32_t begin(const sluice_host *host, sluice_call *call, sluice_text request)
{
    return sluice_with_request(host, call, request, begin_body);
}

static int32_t advance(const sluice_host *host, sluice_call *call, sluice_text request)
{
    return sluice_with_request(host, call, request, advance_body);
}

static int32_t finish(const sluice_host *host, sluice_call *call, sluice_text request)
{
    return sluice_with_request(host, call, request, finish_body);
}

/* clang-format off */
static const char manifest[] = SLUICE_JSON({
    "kinds": [{
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "keep": [
            "/metadata/annotations/rollout.sluice.dev~1holder",
            "/metadata/annotations/rollout.sluice.dev~1applied",
            "/metadata/deletionTimestamp",
            "/spec/replicas",
            "/spec/selector",
            "/spec/ordinals",
            "/spec/podManagementPolicy",
            "/spec/updateStrategy",
            "/status/observedGeneration",
            "/status/updateRevision",
            "/status/currentRevision"
        ],
        "owned": [{
            "apiVersion": "v1",
            "kind": "Pod",
            "keep": ["/metadata/labels/controller-revision-hash", "/metadata/deletionTimestamp",
                     "/status/conditions"]
        }]
    }],
    "rights": [
        {"apiGroups": ["apps"], "resources": ["statefulsets"],
         "verbs": ["list", "watch", "create", "patch"]},
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "watch", "delete"]}
    ],
    "smoke": {
        "call": "observe",
        "request": {"workload": null},
        "emitted": [{"status": {"size": 0, "updated": 0, "updatedReady": 0, "ready": 0,
                                "settled": true}}]
    }
});
/* clang-format on */

SLUICE_ADAPTER(.name = "statefulset", .version = SLUICE_VERSION, .manifest = manifest,
               .provides = SLUICE_PROVIDES_SCALE, .validate = validate, .observe = observe,
               .begin = begin, .advance = advance, .finish = finish)
