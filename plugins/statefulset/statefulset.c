// SPDX-License-Identifier: Apache-2.0
/*
 * StatefulSets (apps/v1), tried with Kubernetes 1.34.
 *
 * A StatefulSet keeps the pods below `updateStrategy.rollingUpdate.partition` at the old revision
 * and brings the others to the new one, the highest first, each after the one above it is ready. So
 * a batch is one patch of the partition. What is ready of which revision is read from the pods
 * themselves. More, and why, is told in README.md.
 */
#include "common/statefulset.h"

static int32_t put_back(const struct sluice_request *request, json_t *workload, int partition)
{
    json_t *after = json_deep_copy(workload);
    int32_t result = statefulset_hold_again(request, after, partition);
    if (result == SLUICE_OK)
        return emit_roll_take(request, workload, after);
    json_decref(after);
    return result;
}

/* Holding still takes a higher partition, because a StatefulSet can't be paused. */
static int32_t roll_to_goal(const struct sluice_request *request, json_t *workload)
{
    bool paused = sluice_bool(request->json, "/paused", false);
    int now = statefulset_partition(workload);
    int held = statefulset_partition_to_hold(request, workload);
    if (held > now && !paused)
        return put_back(request, workload, held);
    if (!statefulset_settled(workload) && !template_changed(request))
        return statefulset_behind(request);
    int wanted = paused ? statefulset_partition_at_rest(request, workload)
                        : statefulset_partition_for_goal(request, workload);
    if (paused ? wanted <= now : wanted >= now)
        return paused ? SLUICE_OK : statefulset_delete_stuck_pods(request, workload);
    json_t *after = json_deep_copy(workload);
    sluice_put_take(after, PARTITION, json_integer(wanted));
    return emit_roll_take(request, workload, after);
}

static int32_t validate_body(const struct sluice_request *request)
{
    int32_t result = statefulset_validate(request);
    return result == SLUICE_OK ? statefulset_check_order(request) : result;
}

static bool give_back(const struct sluice_request *request, json_t *workload, json_t *after)
{
    statefulset_give_back(request, workload, after);
    return true;
}

static int32_t begin_body(const struct sluice_request *request)
{
    return begin_workload(request, statefulset_hold);
}

static int32_t advance_body(const struct sluice_request *request)
{
    return advance_workload(request, roll_to_goal);
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
    return sluice_with_request(host, call, request, statefulset_observe);
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
            "/spec/minReadySeconds",
            "/spec/updateStrategy",
            "/status/observedGeneration",
            "/status/readyReplicas",
            "/status/availableReplicas",
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
