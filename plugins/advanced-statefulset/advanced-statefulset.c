// SPDX-License-Identifier: Apache-2.0
/*
 * Advanced StatefulSets of OpenKruise (apps.kruise.io/v1beta1), tried with 1.8.
 *
 * What they share with Kubernetes' own is in common/statefulset.c. What they have beyond: a pause,
 * pods that are updated in place, reserved ordinals, and updates in an order of one's own, by which
 * a batch can be of named pods. More, and why, is told in README.md.
 */
#include "common/statefulset.h"

#define PAUSED    ROLLING_UPDATE "/paused"
#define POLICY    ROLLING_UPDATE "/podUpdatePolicy"
#define PRIORITY  UNORDERED "/priorityStrategy"
#define READINESS "/spec/template/spec/readinessGates"

/* On every pod, with its own name. */
#define POD_NAME "statefulset.kubernetes.io/pod-name"

static bool names_pods(const struct sluice_request *request)
{
    return json_array_size(sluice_at(request->json, "/podNames")) > 0;
}

/* ---- validate ---- */

static bool has_readiness_gate(json_t *target)
{
    size_t i;
    json_t *gate;
    json_array_foreach (sluice_at(target, READINESS), i, gate) {
        if (strcmp(sluice_string(gate, "/conditionType"), "InPlaceUpdateReady") == 0)
            return true;
    }
    return false;
}

static bool in_place(json_t *target)
{
    return strncmp(sluice_string(target, POLICY), "InPlace", 7) == 0;
}

static int32_t check_policy(const struct sluice_request *request, json_t *target)
{
    const char *policy = sluice_string(target, POLICY);
    if (*policy && strcmp(policy, "ReCreate") != 0 && strcmp(policy, "InPlaceIfPossible") != 0 &&
        strcmp(policy, "InPlaceOnly") != 0)
        return sluice_fail(request, SLUICE_INVALID, "/target" POLICY,
                           "spec.updateStrategy.rollingUpdate.podUpdatePolicy of the StatefulSet: "
                           "expected ReCreate, InPlaceIfPossible or InPlaceOnly, found \"%s\"",
                           policy);
    if (in_place(target) && !has_readiness_gate(target))
        return sluice_fail(request, SLUICE_INVALID, "/target" READINESS,
                           "spec.template.spec.readinessGates of the StatefulSet: expected one "
                           "with conditionType InPlaceUpdateReady, because podUpdatePolicy is %s",
                           policy);
    return SLUICE_OK;
}

/* OpenKruise updates in another order than by ordinal only where pods don't wait for each other. */
static int32_t check_choice(const struct sluice_request *request, json_t *target)
{
    const char *policy = sluice_string(target, "/spec/podManagementPolicy");
    if (!names_pods(request) || strcmp(policy, "Parallel") == 0)
        return check_pod_names(request);
    return sluice_fail(request, SLUICE_INVALID, "/podNames",
                       "podList needs a StatefulSet with podManagementPolicy Parallel, found "
                       "\"%s\"; otherwise its pods are updated by ordinal",
                       *policy ? policy : "OrderedReady");
}

static int32_t validate_body(const struct sluice_request *request)
{
    json_t *target = sluice_at(request->json, "/target");
    int32_t result = statefulset_validate(request);
    if (result == SLUICE_OK)
        result = check_policy(request, target);
    if (result == SLUICE_OK && !in_place(target)) /* in place, none comes or goes */
        result = statefulset_check_order(request);
    return result == SLUICE_OK ? check_choice(request, target) : result;
}

/* ---- begin ---- */

/* OpenKruise leaves out a pause that is false. Where there is none, putting that in would be a
 * change that never comes about. */
static void hold(const struct sluice_request *request, json_t *workload, json_t *object)
{
    statefulset_hold(request, workload, object);
    if (sluice_bool(object, PAUSED, false) || sluice_bool(workload, PAUSED, false))
        sluice_put_take(object, PAUSED, json_false());
}

static int32_t begin_body(const struct sluice_request *request)
{
    return begin_workload(request, hold);
}

/* ---- advance ---- */

/* Puts the named pods before all others. Once a batch was of named pods the roll stays without an
 * order, and has the owner's priorities again: in order, a pod that was updated out of its turn
 * would come back at the old revision when it dies. */
static void choose(const struct sluice_request *request, json_t *after)
{
    json_t *names = sluice_at(request->json, "/podNames");
    json_t *target = sluice_at(request->json, "/target");
    if (names_pods(request))
        sluice_put_take(after, PRIORITY,
                        json_pack("{s:[{s:i, s:{s:[{s:s, s:s, s:O}]}}]}", "weightPriority",
                                  "weight", 100, "matchSelector", "matchExpressions", "key",
                                  POD_NAME, "operator", "In", "values", names));
    else if (target && sluice_at(after, UNORDERED))
        restore_take(after, target, PRIORITY, json_object());
}

static void move_partition(const struct sluice_request *request, json_t *after)
{
    json_t *moved = json_deep_copy(after);
    choose(request, moved);
    int wanted = statefulset_partition_for_goal(request, moved);
    if (wanted < statefulset_partition(after)) {
        choose(request, after);
        sluice_put_take(after, PARTITION, json_integer(wanted));
    }
    json_decref(moved);
}

static int32_t roll_to_goal(const struct sluice_request *request, json_t *workload)
{
    bool paused = sluice_bool(request->json, "/paused", false);
    int held = statefulset_partition_to_hold(request, workload);
    bool taken_off = !paused && held > statefulset_partition(workload);
    if (!statefulset_settled(workload) && !template_changed(request) && !taken_off)
        return statefulset_behind(request);
    json_t *after = json_deep_copy(workload);
    int32_t result = taken_off ? statefulset_hold_again(request, after, held) : SLUICE_OK;
    if (result != SLUICE_OK) {
        json_decref(after);
        return result;
    }
    if (paused != sluice_bool(workload, PAUSED, false))
        sluice_put_take(after, PAUSED, json_boolean(paused));
    if (!paused && !taken_off)
        move_partition(request, after);
    if (json_equal(workload, after) && !paused) {
        json_decref(after);
        return statefulset_delete_stuck_pods(request, workload);
    }
    return emit_roll_take(request, workload, after);
}

static int32_t advance_body(const struct sluice_request *request)
{
    return advance_workload(request, roll_to_goal);
}

/* ---- finish ---- */

static bool give_back(const struct sluice_request *request, json_t *workload, json_t *after)
{
    json_t *target = sluice_at(request->json, "/target");
    statefulset_give_back(request, workload, after);
    if (target) {
        restore_take(after, target, PAUSED, json_false());
        restore_take(after, target, UNORDERED, json_null());
    }
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
        "apiVersion": "apps.kruise.io/v1beta1",
        "kind": "StatefulSet",
        "keep": [
            "/metadata/annotations/rollout.sluice.dev~1holder",
            "/metadata/annotations/rollout.sluice.dev~1applied",
            "/metadata/deletionTimestamp",
            "/spec/replicas",
            "/spec/selector",
            "/spec/ordinals",
            "/spec/reserveOrdinals",
            "/spec/podManagementPolicy",
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
        {"apiGroups": ["apps.kruise.io"], "resources": ["statefulsets"],
         "verbs": ["list", "watch", "create", "patch"]},
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch", "delete"]}
    ],
    "smoke": {
        "call": "observe",
        "request": {"workload": null},
        "emitted": [{"status": {"size": 0, "updated": 0, "updatedReady": 0, "ready": 0,
                                "settled": true}}]
    }
});
/* clang-format on */

SLUICE_ADAPTER(.name = "advanced-statefulset", .version = SLUICE_VERSION, .manifest = manifest,
               .provides = SLUICE_PROVIDES_SCALE | SLUICE_PROVIDES_POD_NAMES, .validate = validate,
               .observe = observe, .begin = begin, .advance = advance, .finish = finish)
