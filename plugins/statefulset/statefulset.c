// SPDX-License-Identifier: Apache-2.0
/*
 * StatefulSets (apps/v1), tried with Kubernetes 1.34.
 *
 * A StatefulSet keeps the pods below `updateStrategy.rollingUpdate.partition` at the old revision
 * and brings the others to the new one, the highest first, each after the one above it is ready. So
 * a batch is one patch of the partition. What is ready of which revision is read from the pods
 * themselves. More, and why, is told in README.md.
 */
#include <sluice/json.h>

#define HOLDER  "rollout.sluice.dev/holder"
#define APPLIED "rollout.sluice.dev/applied"

#define HOLDER_POINTER "/metadata/annotations/rollout.sluice.dev~1holder"
#define STRATEGY       "/spec/updateStrategy"
#define PARTITION      STRATEGY "/rollingUpdate/partition"

/* On every pod: the name of its revision. */
#define REVISION "controller-revision-hash"

enum { REASON_MAX_BYTES = 255 }; /* what a STATUS may carry */

/* ---- reading a StatefulSet ---- */

static int whole(json_t *root, const char *pointer, int fallback)
{
    int64_t value = sluice_int(root, pointer, fallback);
    return value < 0 ? 0 : value > INT32_MAX ? INT32_MAX : (int)value;
}

static int size_of(json_t *workload)
{
    return whole(workload, "/spec/replicas", 1);
}

static int partition_of(json_t *workload)
{
    int partition = whole(workload, PARTITION, 0), size = size_of(workload);
    return partition < size ? partition : size;
}

static bool being_deleted(json_t *workload)
{
    return sluice_at(workload, "/metadata/deletionTimestamp") != NULL;
}

/* Has its controller seen the last change of the spec? */
static bool settled(json_t *workload)
{
    return sluice_int(workload, "/status/observedGeneration", 0) >=
               sluice_int(workload, "/metadata/generation", 0) &&
           *sluice_string(workload, "/status/updateRevision");
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

static bool leaving(json_t *pod)
{
    return sluice_at(pod, "/metadata/deletionTimestamp") != NULL;
}

static bool of_revision(json_t *pod, json_t *workload, const char *pointer)
{
    json_t *label = json_object_get(sluice_at(pod, "/metadata/labels"), REVISION);
    return label && json_equal(label, sluice_at(workload, pointer));
}

static bool updated(json_t *pod, json_t *workload)
{
    return of_revision(pod, workload, "/status/updateRevision");
}

static json_t *ready_condition(json_t *pod)
{
    size_t i;
    json_t *condition;
    json_array_foreach (sluice_at(pod, "/status/conditions"), i, condition) {
        if (strcmp(sluice_string(condition, "/type"), "Ready") == 0)
            return condition;
    }
    return NULL;
}

static bool ready(json_t *pod)
{
    return strcmp(sluice_string(ready_condition(pod), "/status"), "True") == 0;
}

static json_t *pods_of(const struct sluice_request *request)
{
    return sluice_at(request->json, "/owned");
}

/* ---- observe ---- */

/* At most `max` bytes, cut between characters. */
static json_t *text_head(const char *text, size_t max)
{
    size_t length = strlen(text);
    if (length > max)
        for (length = max; length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80;)
            length--;
    return json_stringn(text, length);
}

/* The lowest pod that isn't ready, in the kubelet's words: in order, the others wait for it. */
static json_t *reason_of(const struct sluice_request *request, json_t *workload)
{
    json_t *pod, *first = NULL;
    size_t i;
    char text[1024];
    if (being_deleted(workload))
        return json_string("the StatefulSet is being deleted");
    json_array_foreach (pods_of(request), i, pod) {
        bool lower = !first || place_of(workload, pod) < place_of(workload, first);
        if (!leaving(pod) && !ready(pod) && lower)
            first = pod;
    }
    if (!first)
        return NULL;
    const char *why = sluice_string(ready_condition(first), "/message");
    snprintf(text, sizeof text, "pod %s%s isn't ready%s%s", sluice_string(first, "/metadata/name"),
             updated(first, workload) ? "" : " of another revision", *why ? ": " : "", why);
    return text_head(text, REASON_MAX_BYTES);
}

static int32_t observe_missing(const struct sluice_request *request)
{
    return sluice_emit_take(request, SLUICE_STATUS,
                            json_pack("{s:i, s:i, s:i, s:i, s:b}", "size", 0, "updated", 0,
                                      "updatedReady", 0, "ready", 0, "settled", 1));
}

struct counts {
    int updated, updated_ready, ready;
};

static struct counts count_pods(const struct sluice_request *request, json_t *workload)
{
    struct counts counts = {0};
    size_t i;
    json_t *pod;
    json_array_foreach (pods_of(request), i, pod) {
        if (leaving(pod))
            continue;
        counts.updated += updated(pod, workload);
        counts.updated_ready += updated(pod, workload) && ready(pod);
        counts.ready += ready(pod);
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
        text_head(sluice_string(workload, "/status/updateRevision"), 127), "currentRevision",
        text_head(sluice_string(workload, "/status/currentRevision"), 127), "reason",
        reason_of(request, workload));
    return sluice_emit_take(request, SLUICE_STATUS, status);
}

/* ---- validate ---- */

static int32_t check_target(const struct sluice_request *request, json_t *target)
{
    const char *type = sluice_string(target, STRATEGY "/type");
    json_t *replicas = sluice_at(target, "/spec/replicas");
    if (replicas && (!json_is_integer(replicas) || json_integer_value(replicas) < 0))
        return sluice_fail(request, SLUICE_INVALID, "/target/spec/replicas",
                           "spec.replicas of the StatefulSet: expected a whole number from 0 on");
    if (*type && strcmp(type, "RollingUpdate") != 0)
        return sluice_fail(request, SLUICE_INVALID, "/target" STRATEGY "/type",
                           "spec.updateStrategy.type of the StatefulSet: expected RollingUpdate, "
                           "found \"%s\"; with OnDelete nobody replaces the pods of a batch",
                           type);
    return SLUICE_OK;
}

/* The selector of a StatefulSet can't be changed. */
static int32_t check_selector(const struct sluice_request *request, json_t *workload,
                              json_t *target)
{
    json_t *live = sluice_at(workload, "/spec/selector");
    json_t *wanted = sluice_at(target, "/spec/selector");
    if (!live || json_equal(live, wanted))
        return SLUICE_OK;
    char *live_text = json_dumps(live, JSON_COMPACT);
    sluice_fail(request, SLUICE_INVALID, "/target/spec/selector",
                "spec.selector of the StatefulSet: expected %.300s as it is in the cluster, "
                "because it can't be changed",
                live_text ? live_text : "the one");
    free(live_text);
    return SLUICE_INVALID;
}

static int32_t validate_body(const struct sluice_request *request)
{
    json_t *workload = sluice_at(request->json, "/workload");
    json_t *target = sluice_at(request->json, "/target");
    if (!target)
        return sluice_fail(request, SLUICE_BUG, "/target", "validate: expected a target");
    int32_t result = check_target(request, target);
    return result == SLUICE_OK && workload ? check_selector(request, workload, target) : result;
}

/* ---- begin ---- */

static int32_t emit_apply_take(const struct sluice_request *request, json_t *object)
{
    sluice_remove(object, "/status");
    return sluice_emit_take(request, SLUICE_PATCH,
                            json_pack("{s:s, s:o}", "type", "apply", "body", object));
}

static int32_t create(const struct sluice_request *request, json_t *target)
{
    json_t *object = json_deep_copy(target);
    sluice_put_take(object, "/spec/replicas", json_integer(0));
    return emit_apply_take(request, object);
}

/* The whole target, but as many pods as there are, and all of them kept where they are: the same
 * patch raises the partition and changes the template. */
static int32_t take_over(const struct sluice_request *request, json_t *workload, json_t *target)
{
    json_t *object = json_deep_copy(target);
    int size = size_of(workload);
    sluice_put_take(object, "/metadata/resourceVersion",
                    json_string(sluice_string(workload, "/metadata/resourceVersion")));
    sluice_put_take(object, "/spec/replicas", json_integer(size));
    sluice_put_take(object, STRATEGY "/type", json_string("RollingUpdate"));
    sluice_put_take(object, PARTITION, json_integer(size));
    return emit_apply_take(request, object);
}

/* A merge patch, because only these two annotations are known here and others must stay. */
static int32_t put_marks(const struct sluice_request *request, json_t *workload, json_t *target)
{
    json_t *body =
        json_pack("{s:{s:s, s:{s:s, s:s}}}", "metadata", "resourceVersion",
                  sluice_string(workload, "/metadata/resourceVersion"), "annotations", HOLDER,
                  sluice_annotation(target, HOLDER), APPLIED, sluice_annotation(target, APPLIED));
    return sluice_emit_take(request, SLUICE_PATCH,
                            json_pack("{s:s, s:o}", "type", "merge", "body", body));
}

static bool marked(json_t *workload, json_t *target)
{
    const char *holder = sluice_annotation(target, HOLDER);
    return *holder && strcmp(holder, sluice_annotation(workload, HOLDER)) == 0 &&
           strcmp(sluice_annotation(target, APPLIED), sluice_annotation(workload, APPLIED)) == 0;
}

static int32_t begin_body(const struct sluice_request *request)
{
    json_t *workload = sluice_at(request->json, "/workload");
    json_t *target = sluice_at(request->json, "/target");
    if (!target)
        return sluice_fail(request, SLUICE_BUG, "/target", "begin: expected a target");
    if (!workload)
        return create(request, target);
    if (being_deleted(workload))
        return sluice_fail(request, SLUICE_STALE, "/workload",
                           "the StatefulSet is being deleted; waiting until it is gone");
    if (marked(workload, target))
        return SLUICE_OK;
    if (sluice_bool(request->json, "/scale", false))
        return put_marks(request, workload, target);
    return take_over(request, workload, target);
}

/* ---- advance ---- */

/* Pods that are at the new revision once all from `partition` on have got it. */
static int updated_with(const struct sluice_request *request, json_t *workload, int partition)
{
    int count = size_of(workload) - partition;
    size_t i;
    json_t *pod;
    json_array_foreach (pods_of(request), i, pod) {
        int place = place_of(workload, pod);
        if (place >= 0 && place < partition && !leaving(pod) && updated(pod, workload))
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
    json_array_foreach (pods_of(request), i, pod) {
        int place = place_of(workload, pod);
        if (place >= partition && place < size && !leaving(pod) && !updated(pod, workload))
            partition = place + 1;
    }
    return partition;
}

/* A pod that will never be ready holds up all others, also those that are to replace it. It goes:
 * it comes back at the new revision if it is its turn, else at the one that the StatefulSet has
 * come from. A pod of that one which is not to be replaced yet is left alone. */
static bool is_stuck(json_t *workload, json_t *pod, int partition)
{
    if (leaving(pod) || ready(pod) || updated(pod, workload))
        return false;
    return place_of(workload, pod) >= partition ||
           !of_revision(pod, workload, "/status/currentRevision");
}

static int32_t delete_stuck_pod(const struct sluice_request *request, json_t *pod)
{
    const char *name = sluice_string(pod, "/metadata/name");
    json_t *message = json_sprintf("pod %s isn't ready at revision %s and holds up the others; it "
                                   "is deleted so that it comes back at another",
                                   name, sluice_string(pod, "/metadata/labels/" REVISION));
    int32_t result = sluice_emit_take(request, SLUICE_EVENT,
                                      json_pack("{s:s, s:s, s:o}", "type", "Warning", "reason",
                                                "StuckPodDeleted", "message", message));
    if (result != SLUICE_OK)
        return result;
    return sluice_emit_take(
        request, SLUICE_DELETE_POD,
        json_pack("{s:s, s:s}", "pod", name, "uid", sluice_string(pod, "/metadata/uid")));
}

static int32_t delete_stuck_pods(const struct sluice_request *request, json_t *workload)
{
    int32_t result = SLUICE_OK;
    size_t i;
    json_t *pod;
    if (!ordered(workload))
        return SLUICE_OK;
    json_array_foreach (pods_of(request), i, pod) {
        if (result == SLUICE_OK && *sluice_string(pod, "/metadata/uid") &&
            is_stuck(workload, pod, partition_of(workload)))
            result = delete_stuck_pod(request, pod);
    }
    return result;
}

static int32_t emit_partition(const struct sluice_request *request, json_t *workload, int partition)
{
    static const char *const relies_on[] = {"/spec/replicas", NULL};
    json_t *after = json_deep_copy(workload);
    sluice_put_take(after, PARTITION, json_integer(partition));
    int32_t result = sluice_emit_changes(request, workload, after, relies_on);
    json_decref(after);
    return result;
}

/* Holding still takes a higher partition, because a StatefulSet can't be paused. */
static int32_t roll_to_goal(const struct sluice_request *request, json_t *workload)
{
    bool paused = sluice_bool(request->json, "/paused", false);
    int now = partition_of(workload);
    int wanted = paused ? partition_at_rest(request, workload) : partition_for(request, workload);
    if (paused ? wanted > now : wanted < now)
        return emit_partition(request, workload, wanted);
    return paused ? SLUICE_OK : delete_stuck_pods(request, workload);
}

static int32_t scale_to_goal(const struct sluice_request *request, json_t *workload)
{
    if (sluice_bool(request->json, "/paused", false))
        return SLUICE_OK;
    json_t *after = json_deep_copy(workload);
    sluice_put_take(after, "/spec/replicas", json_integer(sluice_int(request->json, "/goal", 0)));
    int32_t result = sluice_emit_changes(request, workload, after, NULL);
    json_decref(after);
    return result;
}

static int32_t advance_body(const struct sluice_request *request)
{
    json_t *workload = sluice_at(request->json, "/workload");
    if (!workload)
        return sluice_fail(request, SLUICE_STALE, "/workload", "the StatefulSet isn't there");
    if (being_deleted(workload))
        return sluice_fail(request, SLUICE_STALE, "/workload", "the StatefulSet is being deleted");
    if (sluice_bool(request->json, "/scale", false))
        return scale_to_goal(request, workload);
    if (!settled(workload))
        return sluice_fail(request, SLUICE_STALE, "/workload/status/observedGeneration",
                           "the last change of the StatefulSet hasn't been seen by its controller "
                           "yet");
    return roll_to_goal(request, workload);
}

/* ---- finish ---- */

/* Does this rollout still hold the StatefulSet? Without a target, whoever holds it is let go. */
static bool held(json_t *workload, json_t *target)
{
    const char *live = sluice_annotation(workload, HOLDER);
    const char *ours = sluice_annotation(target, HOLDER);
    if (*ours)
        return strcmp(live, ours) == 0;
    return target || *live;
}

static int32_t finish_body(const struct sluice_request *request)
{
    static const char *const relies_on[] = {"/spec/replicas", NULL};
    json_t *workload = sluice_at(request->json, "/workload");
    json_t *target = sluice_at(request->json, "/target");
    bool scale = sluice_bool(request->json, "/scale", false);
    bool succeeded = target && strcmp(sluice_string(request->json, "/outcome"), "succeeded") == 0;
    if (!workload || being_deleted(workload) || !held(workload, target))
        return SLUICE_OK;
    json_t *after = json_deep_copy(workload);
    int partition = succeeded ? whole(target, PARTITION, 0) : partition_at_rest(request, workload);
    sluice_remove(after, HOLDER_POINTER);
    if (!scale && partition != whole(workload, PARTITION, 0))
        sluice_put_take(after, PARTITION, json_integer(partition));
    int32_t result = sluice_emit_changes(request, workload, after, scale ? NULL : relies_on);
    json_decref(after);
    return result;
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
         "verbs": ["get", "list", "watch", "create", "patch"]},
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
