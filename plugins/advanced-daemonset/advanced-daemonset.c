// SPDX-License-Identifier: Apache-2.0
/*
 * DaemonSets of OpenKruise (apps.kruise.io/v1alpha1), tried with 1.8.
 *
 * OpenKruise lets as many nodes go to the new revision as there are above
 * `rollingUpdate.partition`, those that have it already first, so a batch is one patch of the
 * partition. More, and why, is told in README.md.
 */
#include "common/daemons.h"
#include "common/workload.h"

#define STRATEGY        "/spec/updateStrategy"
#define STRATEGY_TYPE   STRATEGY "/type"
#define ROLLING_UPDATE  STRATEGY "/rollingUpdate"
#define PARTITION       ROLLING_UPDATE "/partition"
#define PAUSED          ROLLING_UPDATE "/paused"
#define UPDATE_TYPE     ROLLING_UPDATE "/rollingUpdateType"
#define SELECTOR        ROLLING_UPDATE "/selector"
#define MAX_SURGE       ROLLING_UPDATE "/maxSurge"
#define MAX_UNAVAILABLE ROLLING_UPDATE "/maxUnavailable"

/* ---- reading it ---- */

static const char *update_revision(json_t *workload)
{
    return sluice_string(workload, "/status/daemonSetHash");
}

static bool settled(json_t *workload)
{
    return generation_seen(workload) && *update_revision(workload);
}

/* More than there are nodes: all pods stay. */
static const int EVERY_POD = INT32_MAX;

static int partition_of(json_t *workload)
{
    return whole_at(workload, PARTITION, 0);
}

/* ---- observe ---- */

static int32_t observe_body(const struct sluice_request *request)
{
    json_t *workload = sluice_at(request->json, "/workload");
    if (!workload)
        return observe_missing(request);
    return observe_daemons(request, workload, update_revision(workload), settled(workload));
}

/* ---- validate ---- */

/* Nodes that aren't selected would never come to the target. */
static int32_t check_node_selector(const struct sluice_request *request, json_t *target)
{
    if (!sluice_at(target, SELECTOR))
        return SLUICE_OK;
    return sluice_fail(request, SLUICE_INVALID, "/target" SELECTOR,
                       "spec.updateStrategy.rollingUpdate.selector of the DaemonSet: expected "
                       "none; batches choose the nodes, and would wait for ever for those that it "
                       "leaves out");
}

static bool in_place(json_t *target)
{
    return strcmp(sluice_string(target, UPDATE_TYPE), "InPlaceIfPossible") == 0;
}

/* Only the owner knows whether two of the pods fit on a node. In place, none comes or goes. */
static int32_t check_order(const struct sluice_request *request, json_t *target)
{
    if (!increase_first_asked(request) || in_place(target) ||
        positive(sluice_at(target, MAX_SURGE)))
        return SLUICE_OK;
    return sluice_fail(request, SLUICE_UNSUPPORTED, "/strategy",
                       "rolloutStrategy: expected DecreaseFirst or none, found IncreaseFirst with "
                       "updateStrategy.rollingUpdate.maxSurge of the DaemonSet at 0, by which a "
                       "node's old pod goes before the new one comes");
}

static int32_t validate_body(const struct sluice_request *request)
{
    json_t *workload = sluice_at(request->json, "/workload");
    json_t *target = sluice_at(request->json, "/target");
    if (!target)
        return sluice_fail(request, SLUICE_BUG, "/target", "validate: expected a target");
    int32_t result = check_strategy_type(request, target);
    if (result == SLUICE_OK)
        result = check_node_selector(request, target);
    if (result == SLUICE_OK)
        result = check_amount(request, MAX_UNAVAILABLE);
    if (result == SLUICE_OK)
        result = check_amount(request, MAX_SURGE);
    if (result == SLUICE_OK)
        result = check_order(request, target);
    return result == SLUICE_OK && workload ? check_selector(request, workload, target) : result;
}

/* ---- begin ---- */

/* A node's pod goes before the next comes; OpenKruise refuses zero for both. */
static void put_decrease_first(json_t *object)
{
    if (!positive(sluice_at(object, MAX_SURGE)))
        return;
    sluice_put_take(object, MAX_SURGE, json_integer(0));
    if (!positive(sluice_at(object, MAX_UNAVAILABLE)))
        sluice_put_take(object, MAX_UNAVAILABLE, json_integer(1));
}

static void put_hold(const struct sluice_request *request, json_t *workload, json_t *object)
{
    sluice_put_take(object, STRATEGY_TYPE, json_string("RollingUpdate"));
    sluice_put_take(object, PARTITION, json_integer(EVERY_POD));
    sluice_put_take(object, PAUSED, json_false());
    if (strcmp(sluice_string(request->json, "/strategy"), "DecreaseFirst") == 0)
        put_decrease_first(object);
}

static int32_t begin_body(const struct sluice_request *request)
{
    return begin_workload(request, put_hold);
}

/* ---- advance ---- */

/* OpenKruise counts all nodes that have a pod or are to have one. */
static int partition_for(const struct sluice_request *request, const struct daemons *daemons)
{
    int goal = within(sluice_int(request->json, "/goal", 0), 0, daemons->size);
    return within((int64_t)daemons->size + daemons->elsewhere - goal, 0, INT32_MAX);
}

static bool is_held(json_t *workload)
{
    return strcmp(sluice_string(workload, STRATEGY_TYPE), "RollingUpdate") == 0;
}

static int32_t roll_to_goal(const struct sluice_request *request, json_t *workload)
{
    bool paused = sluice_bool(request->json, "/paused", false);
    struct daemons daemons = count_daemons(request, workload, update_revision(workload));
    int partition = partition_for(request, &daemons);
    bool taken_off = !paused && partition > partition_of(workload);
    if (!settled(workload) && !template_changed(request) && !taken_off)
        return sluice_fail(request, SLUICE_STALE, "/workload/status/observedGeneration",
                           "OpenKruise hasn't seen the last change of the DaemonSet yet");
    int32_t result = taken_off
                         ? tell_hold_taken_off(request, workload,
                                               "spec.updateStrategy.rollingUpdate.partition was")
                         : SLUICE_OK;
    if (result != SLUICE_OK)
        return result;
    json_t *after = json_deep_copy(workload);
    if (!is_held(workload))
        sluice_put_take(after, STRATEGY_TYPE, json_string("RollingUpdate"));
    if (paused != sluice_bool(workload, PAUSED, false))
        sluice_put_take(after, PAUSED, json_boolean(paused));
    if (!paused && partition != partition_of(workload))
        sluice_put_take(after, PARTITION, json_integer(partition));
    return emit_roll_take(request, workload, after);
}

static int32_t advance_body(const struct sluice_request *request)
{
    return advance_workload(request, roll_to_goal);
}

/* ---- finish ---- */

/* With as many nodes kept as have only an old pod, no further one goes. While the counts may be
 * about another revision, all are. */
static int partition_at_rest(const struct sluice_request *request, json_t *workload)
{
    if (!settled(workload))
        return EVERY_POD;
    struct daemons daemons = count_daemons(request, workload, update_revision(workload));
    int64_t nodes = (int64_t)daemons.size + daemons.elsewhere;
    int64_t pods = (int64_t)daemons.old + daemons.updated;
    bool doubled = positive(sluice_at(workload, MAX_SURGE)) && pods > nodes;
    return within(daemons.old - (doubled ? pods - nodes : 0), 0, INT32_MAX);
}

static void restore_order(json_t *after, json_t *target)
{
    restore_take(after, target, PAUSED, json_false());
    restore_take(after, target, MAX_SURGE, json_integer(0));
    restore_take(after, target, MAX_UNAVAILABLE, json_integer(1));
}

static bool give_back(const struct sluice_request *request, json_t *workload, json_t *after)
{
    json_t *target = sluice_at(request->json, "/target");
    if (succeeded(request)) {
        restore_take(after, target, STRATEGY_TYPE, json_string("RollingUpdate"));
        restore_take(after, target, PARTITION, json_integer(0));
    } else if (partition_at_rest(request, workload) != partition_of(workload)) {
        sluice_put_take(after, PARTITION, json_integer(partition_at_rest(request, workload)));
    }
    if (target)
        restore_order(after, target);
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
        "apiVersion": "apps.kruise.io/v1alpha1",
        "kind": "DaemonSet",
        "keep": [
            "/metadata/annotations/rollout.sluice.dev~1holder",
            "/metadata/annotations/rollout.sluice.dev~1applied",
            "/metadata/deletionTimestamp",
            "/spec/selector",
            "/spec/updateStrategy",
            "/status/observedGeneration",
            "/status/desiredNumberScheduled",
            "/status/numberMisscheduled",
            "/status/daemonSetHash"
        ],
        "owned": [{
            "apiVersion": "v1",
            "kind": "Pod",
            "keep": ["/metadata/labels/controller-revision-hash", "/metadata/deletionTimestamp",
                     "/spec/nodeName", "/status/conditions"]
        }]
    }],
    "rights": [
        {"apiGroups": ["apps.kruise.io"], "resources": ["daemonsets"],
         "verbs": ["list", "watch", "create", "patch"]},
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "watch"]}
    ],
    "smoke": {
        "call": "observe",
        "request": {"workload": null},
        "emitted": [{"status": {"size": 0, "updated": 0, "updatedReady": 0, "ready": 0,
                                "settled": true}}]
    }
});
/* clang-format on */

SLUICE_ADAPTER(.name = "advanced-daemonset", .version = SLUICE_VERSION, .manifest = manifest,
               .validate = validate, .observe = observe, .begin = begin, .advance = advance,
               .finish = finish)
