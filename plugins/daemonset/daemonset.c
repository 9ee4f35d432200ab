// SPDX-License-Identifier: Apache-2.0
/*
 * DaemonSets (apps/v1), tried with Kubernetes 1.34.
 *
 * A DaemonSet has no partition. But with `updateStrategy: OnDelete` its controller replaces a pod
 * only when somebody deletes it, so a batch is so many deletions, each of exactly one pod. Where it
 * stands can be read from the pods alone. More, and why, is told in README.md.
 */
#include "common/daemons.h"
#include "common/pods.h"
#include "common/workload.h"
#include "revision.h"

#define STRATEGY        "/spec/updateStrategy"
#define STRATEGY_TYPE   STRATEGY "/type"
#define ROLLING_UPDATE  STRATEGY "/rollingUpdate"
#define MAX_SURGE       ROLLING_UPDATE "/maxSurge"
#define MAX_UNAVAILABLE ROLLING_UPDATE "/maxUnavailable"

enum { DELETIONS_MAX = 500 }; /* in one call; the next goes on */

/* ---- observe ---- */

static int32_t observe_body(const struct sluice_request *request)
{
    json_t *workload = sluice_at(request->json, "/workload");
    if (!workload)
        return observe_missing(request);
    const char *revision = update_revision(request, workload);
    return observe_daemons(request, workload, revision, generation_seen(workload) && *revision);
}

/* ---- validate ---- */

/* A pod that is deleted goes before the next one comes. An owner with maxSurge wants every node to
 * have a pod at any time, so there the plan has to say that it may be otherwise. */
static int32_t check_order(const struct sluice_request *request, json_t *target)
{
    bool surges = positive(sluice_at(target, MAX_SURGE));
    bool decreases = strcmp(sluice_string(request->json, "/strategy"), "DecreaseFirst") == 0;
    if (decreases || (!surges && !increase_first_asked(request)))
        return SLUICE_OK;
    return sluice_fail(
        request, SLUICE_UNSUPPORTED, "/strategy",
        "rolloutStrategy: expected DecreaseFirst%s, found %s%s; in batches the old "
        "pod of a node goes before the new one comes",
        surges ? "" : " or none", increase_first_asked(request) ? "IncreaseFirst" : "nothing",
        surges ? " with updateStrategy.rollingUpdate.maxSurge of the DaemonSet above 0" : "");
}

static bool has_pod(const struct sluice_request *request, json_t *name)
{
    size_t i;
    json_t *object;
    json_array_foreach (sluice_at(request->json, "/owned"), i, object) {
        if (strcmp(sluice_string(object, "/kind"), "Pod") == 0 &&
            json_equal(name, sluice_at(object, "/metadata/name")))
            return true;
    }
    return false;
}

static int32_t check_names(const struct sluice_request *request)
{
    size_t i;
    json_t *name;
    json_array_foreach (sluice_at(request->json, "/podNames"), i, name) {
        if (!has_pod(request, name))
            return sluice_fail(request, SLUICE_INVALID, "/podNames",
                               "the DaemonSet has no pod \"%.253s\"", sluice_string(name, ""));
    }
    return SLUICE_OK;
}

static int32_t validate_body(const struct sluice_request *request)
{
    json_t *workload = sluice_at(request->json, "/workload");
    json_t *target = sluice_at(request->json, "/target");
    if (!target)
        return sluice_fail(request, SLUICE_BUG, "/target", "validate: expected a target");
    int32_t result = check_strategy_type(request, target);
    if (result == SLUICE_OK)
        result = check_amount(request, MAX_UNAVAILABLE);
    if (result == SLUICE_OK)
        result = check_amount(request, MAX_SURGE);
    if (result == SLUICE_OK)
        result = check_order(request, target);
    if (result == SLUICE_OK && workload)
        result = check_selector(request, workload, target);
    return result == SLUICE_OK ? check_names(request) : result;
}

/* ---- begin ---- */

/* The rest of the strategy stays the owner's: with OnDelete it means nothing. */
static void put_hold(const struct sluice_request *request, json_t *workload, json_t *object)
{
    sluice_put_take(object, STRATEGY_TYPE, json_string("OnDelete"));
}

static int32_t begin_body(const struct sluice_request *request)
{
    return begin_workload(request, put_hold);
}

/* ---- advance: which pods go ---- */

enum rank { RANK_NAMED, RANK_UNREADY, RANK_READY };

/* A pod that may be let go; and who is let go before whom. */
struct candidate {
    json_t *pod;
    enum rank rank;
};

static int by_turn(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;
    int order = (a->rank > b->rank) - (a->rank < b->rank);
    order = order ? order : strcmp(daemon_node(a->pod), daemon_node(b->pod));
    return order ? order
                 : strcmp(sluice_string(a->pod, "/metadata/name"),
                          sluice_string(b->pod, "/metadata/name"));
}

static bool is_named(const struct sluice_request *request, json_t *pod)
{
    size_t i;
    json_t *name;
    json_array_foreach (sluice_at(request->json, "/podNames"), i, name) {
        if (json_equal(name, sluice_at(pod, "/metadata/name")))
            return true;
    }
    return false;
}

static enum rank rank_of(const struct sluice_request *request, json_t *pod)
{
    if (is_named(request, pod))
        return RANK_NAMED;
    return pod_ready(pod) ? RANK_READY : RANK_UNREADY;
}

/* Fills `candidates` with the old pods, first things first; there must be room for all that is
 * owned. Returns how many there are. */
static size_t old_pods(const struct sluice_request *request, const char *revision,
                       struct candidate *candidates)
{
    size_t i, count = 0;
    json_t *pod;
    json_array_foreach (sluice_at(request->json, "/owned"), i, pod) {
        if (daemon_is_old(pod, revision) && *sluice_string(pod, "/metadata/uid"))
            candidates[count++] = (struct candidate){pod, rank_of(request, pod)};
    }
    qsort(candidates, count, sizeof *candidates, by_turn);
    return count;
}

/* How many pods are to go so that no more old ones than `size - goal` are left: those that have
 * gone come at the new revision by themselves, as do those on new nodes. */
static int pods_to_go(const struct sluice_request *request, const struct daemons *daemons)
{
    int goal = within(sluice_int(request->json, "/goal", 0), 0, daemons->size);
    int kept = daemons->size - goal;
    return within((int64_t)daemons->old - daemons->elsewhere - kept, 0, DELETIONS_MAX);
}

/* How many ready pods may go now: as many nodes may be without one as the owner allows, or the
 * batch if that is more. The DaemonSet's own count knows of minReadySeconds, but is later. */
static int pods_to_spare(const struct sluice_request *request, json_t *workload,
                         const struct daemons *daemons)
{
    json_t *owners = sluice_at(sluice_at(request->json, "/target"), MAX_UNAVAILABLE);
    int allowed = owners ? scaled(owners, daemons->size, ROUND_UP) : 1;
    int of_batch = whole_at(request->json, "/maxUnavailable", 0);
    int64_t down = (int64_t)daemons->size + daemons->elsewhere - daemons->ready;
    int counted = whole_at(workload, "/status/numberUnavailable", 0);
    allowed = allowed > of_batch ? allowed : of_batch;
    allowed = allowed > 1 ? allowed : 1;
    return within(allowed - (down > counted ? down : counted), 0, INT32_MAX);
}

/* Of those whose turn it is, a pod that isn't ready can be spared always. */
static int32_t let_go(const struct sluice_request *request, json_t *workload, const char *revision)
{
    struct daemons daemons = count_daemons(request, workload, revision);
    size_t owned = json_array_size(sluice_at(request->json, "/owned"));
    int left = pods_to_go(request, &daemons), spare = pods_to_spare(request, workload, &daemons);
    int32_t result = SLUICE_OK;
    if (left == 0)
        return SLUICE_OK;
    struct candidate *candidates = request->host->alloc(request->call, owned * sizeof *candidates);
    if (!candidates)
        return SLUICE_LIMIT;
    size_t count = old_pods(request, revision, candidates);
    for (size_t i = 0; i < count && left > 0 && result == SLUICE_OK; i++, left--) {
        json_t *pod = candidates[i].pod;
        if (!pod_ready(pod) || spare-- > 0)
            result = delete_pod(request, pod);
    }
    return result;
}

/* ---- advance ---- */

static bool is_held(json_t *workload)
{
    return strcmp(sluice_string(workload, STRATEGY_TYPE), "OnDelete") == 0;
}

/* Somebody else, such as a tool that applies its own copy again and again, has taken the hold off:
 * the DaemonSet is stopped, and whoever reads its Events learns why. */
static int32_t hold_again(const struct sluice_request *request, json_t *workload)
{
    int32_t result = tell_hold_taken_off(request, workload, "spec.updateStrategy.type was");
    if (result != SLUICE_OK)
        return result;
    json_t *after = json_deep_copy(workload);
    put_hold(request, workload, after);
    return emit_roll_take(request, workload, after);
}

static int32_t roll_to_goal(const struct sluice_request *request, json_t *workload)
{
    const char *revision = update_revision(request, workload);
    if (!is_held(workload))
        return hold_again(request, workload);
    if (sluice_bool(request->json, "/paused", false)) /* what has gone comes back, and no more */
        return SLUICE_OK;
    if (!generation_seen(workload) || !*revision)
        return sluice_fail(request, SLUICE_STALE, "/workload/status/observedGeneration",
                           "the last change of the DaemonSet hasn't been seen by its controller "
                           "yet");
    return let_go(request, workload, revision);
}

static int32_t advance_body(const struct sluice_request *request)
{
    return advance_workload(request, roll_to_goal);
}

/* ---- finish ---- */

/* Would no pod move, whatever the strategy? */
static bool at_rest(const struct sluice_request *request, json_t *workload)
{
    const char *revision = update_revision(request, workload);
    return generation_seen(workload) && *revision &&
           count_daemons(request, workload, revision).old == 0;
}

/* Unless all pods have come to the target, only OnDelete keeps the others where they are. */
static bool give_back(const struct sluice_request *request, json_t *workload, json_t *after)
{
    json_t *target = sluice_at(request->json, "/target");
    if (succeeded(request) || (target && at_rest(request, workload))) {
        restore_take(after, target, STRATEGY_TYPE, json_string("RollingUpdate"));
        restore_take(after, target, ROLLING_UPDATE,
                     json_pack("{s:i, s:i}", "maxSurge", 0, "maxUnavailable", 1));
    } else {
        put_hold(request, workload, after);
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
        "kind": "DaemonSet",
        "keep": [
            "/metadata/annotations/rollout.sluice.dev~1holder",
            "/metadata/annotations/rollout.sluice.dev~1applied",
            "/metadata/deletionTimestamp",
            "/spec/selector",
            "/spec/template",
            "/spec/updateStrategy",
            "/status/observedGeneration",
            "/status/desiredNumberScheduled",
            "/status/numberMisscheduled",
            "/status/numberUnavailable"
        ],
        "owned": [{
            "apiVersion": "v1",
            "kind": "Pod",
            "keep": ["/metadata/labels/controller-revision-hash", "/metadata/deletionTimestamp",
                     "/spec/nodeName", "/status/conditions"]
        }, {
            "apiVersion": "apps/v1",
            "kind": "ControllerRevision",
            "keep": ["/metadata/labels/controller-revision-hash", "/data/spec/template",
                     "/revision"]
        }]
    }],
    "rights": [
        {"apiGroups": ["apps"], "resources": ["daemonsets"],
         "verbs": ["list", "watch", "create", "patch"]},
        {"apiGroups": ["apps"], "resources": ["controllerrevisions"], "verbs": ["list", "watch"]},
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

SLUICE_ADAPTER(.name = "daemonset", .version = SLUICE_VERSION, .manifest = manifest,
               .provides = SLUICE_PROVIDES_POD_NAMES, .validate = validate, .observe = observe,
               .begin = begin, .advance = advance, .finish = finish)
