// SPDX-License-Identifier: Apache-2.0
/*
 * CloneSets of OpenKruise (apps.kruise.io/v1alpha1), tried with 1.8.
 *
 * A CloneSet keeps `updateStrategy.partition` pods at the old revision and brings the others to
 * the new one by itself, so a batch is one patch of the partition. Why each field is treated as it
 * is, and what OpenKruise's own code does with it, is told in README.md.
 */
#include "common/pods.h"
#include "common/workload.h"

#define STRATEGY        "/spec/updateStrategy"
#define PARTITION       STRATEGY "/partition"
#define PAUSED          STRATEGY "/paused"
#define MAX_SURGE       STRATEGY "/maxSurge"
#define MAX_UNAVAILABLE STRATEGY "/maxUnavailable"
#define PRIORITY        STRATEGY "/priorityStrategy"
#define SCATTER         STRATEGY "/scatterStrategy"

/* On every pod of a CloneSet, and unique among them. */
#define INSTANCE_ID "apps.kruise.io/cloneset-instance-id"

/* ---- reading a CloneSet ---- */

static int updated_of(json_t *workload)
{
    return (int)sluice_int(workload, "/status/updatedReplicas", 0);
}

/* How many pods are updated and stay, at the least. While there are too many pods some are about to
 * go, and nobody knows yet which. */
static int updated_to_stay(json_t *workload)
{
    int64_t surplus = sluice_int(workload, "/status/replicas", 0) - size_of(workload);
    return within(updated_of(workload) - (surplus > 0 ? surplus : 0), 0, INT32_MAX);
}

/* Has OpenKruise seen the last change of the spec? Until then its counts may be about the
 * revision before. */
static bool settled(json_t *workload)
{
    return generation_seen(workload) && *sluice_string(workload, "/status/updateRevision");
}

static bool in_place(json_t *object)
{
    return strncmp(sluice_string(object, STRATEGY "/type"), "InPlace", 7) == 0;
}

/* How many pods the CloneSet keeps at the old revision, percentages rounded up. One below 100%
 * always lets one pod of several go. */
static int partition_of(json_t *workload)
{
    json_t *value = sluice_at(workload, PARTITION);
    int size = size_of(workload);
    int kept = scaled(value, size, ROUND_UP);
    if (size > 1 && kept == size && json_is_string(value) &&
        strcmp(json_string_value(value), "100%") != 0)
        kept = size - 1;
    return within(kept, 0, size);
}

/* The partition that keeps `kept` of `size` pods: as a percentage wherever a whole one says
 * exactly that, because then whoever scales the CloneSet meanwhile scales the batch with it. */
static json_t *partition_new(int kept, int size)
{
    if (size <= 0 || kept >= size)
        return json_string("100%");
    int percent = (int)((int64_t)kept * 100 / size);
    bool exact = ((int64_t)percent * size + 99) / 100 == kept;
    return exact ? json_sprintf("%d%%", percent) : json_integer(kept);
}

/* ---- observe ---- */

/* What OpenKruise says itself about not getting on. */
static json_t *reason_of(json_t *workload)
{
    size_t i;
    json_t *condition;
    if (being_deleted(workload))
        return json_string("the CloneSet is being deleted");
    json_array_foreach (sluice_at(workload, "/status/conditions"), i, condition) {
        const char *type = sluice_string(condition, "/type");
        if (strncmp(type, "Failed", 6) != 0 ||
            strcmp(sluice_string(condition, "/status"), "True") != 0)
            continue;
        char text[1024];
        snprintf(text, sizeof text, "%s: %s", type, sluice_string(condition, "/message"));
        return reason_text(text);
    }
    return NULL;
}

static int32_t observe_body(const struct sluice_request *request)
{
    json_t *workload = sluice_at(request->json, "/workload");
    if (!workload)
        return observe_missing(request);
    json_t *status = json_pack(
        "{s:i, s:i, s:I, s:I, s:b, s:o, s:o, s:o*}", "size", size_of(workload), "updated",
        updated_of(workload), "updatedReady",
        (json_int_t)sluice_int(workload, "/status/updatedReadyReplicas", 0), "ready",
        (json_int_t)sluice_int(workload, "/status/readyReplicas", 0), "settled", settled(workload),
        "updateRevision", revision_name(sluice_string(workload, "/status/updateRevision")),
        "currentRevision", revision_name(sluice_string(workload, "/status/currentRevision")),
        "reason", reason_of(workload));
    return sluice_emit_take(request, SLUICE_STATUS, status);
}

/* ---- what a roll changes of the owner's strategy ---- */

/* IncreaseFirst and DecreaseFirst, for pods that are replaced. Pods that are updated in place
 * neither come nor go, so there the owner's values stay. */
static void set_order(json_t *object, const char *strategy)
{
    bool surges = positive(sluice_at(object, MAX_SURGE));
    json_t *unavailable = sluice_at(object, MAX_UNAVAILABLE);
    if (in_place(object))
        return;
    if (strcmp(strategy, "DecreaseFirst") == 0) {
        if (surges)
            sluice_put_take(object, MAX_SURGE, json_integer(0));
        if (unavailable && !positive(unavailable)) /* OpenKruise refuses zero for both */
            sluice_put_take(object, MAX_UNAVAILABLE, json_integer(1));
    } else if (!surges) {
        /* No more than the batch ever surges, because the partition bounds that too. */
        sluice_put_take(object, MAX_SURGE, json_string("100%"));
        sluice_put_take(object, MAX_UNAVAILABLE, json_integer(0));
    }
}

/* The ids of the pods named; pods that have been replaced since are gone, and that is right. */
static json_t *instance_ids(json_t *pods, json_t *names)
{
    json_t *ids = json_array();
    size_t n, p;
    json_t *name, *pod;
    json_array_foreach (names, n, name)
        json_array_foreach (pods, p, pod) {
            json_t *id = json_object_get(sluice_at(pod, "/metadata/labels"), INSTANCE_ID);
            if (id && json_equal(name, sluice_at(pod, "/metadata/name")))
                json_array_append(ids, id);
        }
    return ids;
}

/* Puts the named pods before all others. Scattering would come after and mix them again. */
static void put_first_take(json_t *object, json_t *ids)
{
    sluice_put_take(object, PRIORITY,
                    json_pack("{s:[{s:i, s:{s:[{s:s, s:s, s:o}]}}]}", "weightPriority", "weight",
                              100, "matchSelector", "matchExpressions", "key", INSTANCE_ID,
                              "operator", "In", "values", ids));
    sluice_remove(object, SCATTER);
}

static void restore_choice(json_t *object, json_t *target)
{
    restore_take(object, target, PRIORITY, json_object());
    restore_take(object, target, SCATTER, json_array());
}

static void restore_order(json_t *object, json_t *target)
{
    restore_take(object, target, PAUSED, json_false());
    restore_take(object, target, MAX_SURGE, json_integer(0));
    restore_take(object, target, MAX_UNAVAILABLE, json_string("20%"));
}

/* ---- validate ---- */

static int32_t check_target(const struct sluice_request *request, json_t *target)
{
    const char *type = sluice_string(target, STRATEGY "/type");
    if (*type && strcmp(type, "ReCreate") != 0 && strcmp(type, "InPlaceIfPossible") != 0 &&
        strcmp(type, "InPlaceOnly") != 0)
        return sluice_fail(request, SLUICE_INVALID, "/target" STRATEGY "/type",
                           "spec.updateStrategy.type of the CloneSet: expected ReCreate, "
                           "InPlaceIfPossible or InPlaceOnly, found \"%s\"",
                           type);
    if (strcmp(type, "InPlaceOnly") == 0 && positive(sluice_at(target, MAX_SURGE)))
        return sluice_fail(request, SLUICE_INVALID, "/target" MAX_SURGE,
                           "spec.updateStrategy.maxSurge of the CloneSet: expected 0 with "
                           "InPlaceOnly, because its pods are never replaced");
    return check_replicas(request, target);
}

/* With a surge OpenKruise deletes the surplus in an order of its own. */
static int32_t check_choice(const struct sluice_request *request, json_t *object)
{
    if (json_array_size(sluice_at(request->json, "/podNames")) == 0 ||
        !positive(sluice_at(object, MAX_SURGE)))
        return SLUICE_OK;
    return sluice_fail(request, SLUICE_INVALID, "/podNames",
                       "a CloneSet brings named pods first only while maxSurge is 0: use "
                       "rolloutStrategy DecreaseFirst, or updateStrategy.type InPlaceIfPossible "
                       "with maxSurge 0");
}

static int32_t validate_body(const struct sluice_request *request)
{
    json_t *workload = sluice_at(request->json, "/workload");
    json_t *target = sluice_at(request->json, "/target");
    if (!target)
        return sluice_fail(request, SLUICE_BUG, "/target", "validate: expected a target");
    int32_t result = check_target(request, target);
    if (result == SLUICE_OK)
        result = check_selector(request, workload, target);
    if (result == SLUICE_OK)
        result = check_pod_names(request);
    if (result != SLUICE_OK)
        return result;
    json_t *ordered = json_deep_copy(target);
    set_order(ordered, sluice_string(request->json, "/strategy"));
    result = check_choice(request, ordered);
    json_decref(ordered);
    return result;
}

/* ---- begin ---- */

/* All pods stay where they are. OpenKruise's defaults are said aloud: what an earlier rollout gave
 * back by a patch, an apply that merely leaves it out would not take away. */
static void hold(const struct sluice_request *request, json_t *workload, json_t *object)
{
    int size = size_of(workload);
    sluice_put_take(object, PARTITION, partition_new(size, size));
    if (sluice_bool(request->json, "/hold", false))
        return; /* the order of a roll is chosen when there is one */
    sluice_put_take(object, PAUSED, json_false());
    put_default_take(object, MAX_SURGE, json_integer(0));
    put_default_take(object, MAX_UNAVAILABLE, json_string("20%"));
    set_order(object, sluice_string(request->json, "/strategy"));
}

static int32_t begin_body(const struct sluice_request *request)
{
    return begin_workload(request, hold);
}

/* ---- advance ---- */

/* How many pods are to stay at the old revision so that `goal` are updated. */
static int kept_for_goal(const struct sluice_request *request, json_t *workload)
{
    int size = size_of(workload), updated = updated_to_stay(workload);
    int goal = (int)sluice_int(request->json, "/goal", 0);
    return within((int64_t)size - (goal > updated ? goal : updated), 0, size);
}

/* Moves the partition so that `goal` pods are updated, and says which. */
static void move_partition(const struct sluice_request *request, json_t *after)
{
    json_t *names = sluice_at(request->json, "/podNames");
    json_t *target = sluice_at(request->json, "/target");
    int size = size_of(after), kept = kept_for_goal(request, after);
    if (kept == partition_of(after))
        return;
    sluice_put_take(after, PARTITION, partition_new(kept, size));
    if (json_array_size(names))
        put_first_take(after, instance_ids(sluice_at(request->json, "/pods"), names));
    else if (target)
        restore_choice(after, target);
}

static int32_t roll_to_goal(const struct sluice_request *request, json_t *workload)
{
    bool paused = sluice_bool(request->json, "/paused", false);
    bool taken_off = !paused && kept_for_goal(request, workload) > partition_of(workload);
    if (!settled(workload) && !template_changed(request) && !taken_off)
        return sluice_fail(request, SLUICE_STALE, "/workload/status/observedGeneration",
                           "OpenKruise hasn't seen the last change of the CloneSet yet");
    int32_t result = check_choice(request, workload);
    if (result == SLUICE_OK && taken_off)
        result = tell_hold_taken_off(request, workload, "spec.updateStrategy.partition was");
    if (result != SLUICE_OK)
        return result;
    json_t *after = json_deep_copy(workload);
    if (paused != sluice_bool(workload, PAUSED, false))
        sluice_put_take(after, PAUSED, json_boolean(paused));
    if (!paused)
        move_partition(request, after);
    return emit_roll_take(request, workload, after);
}

static int32_t advance_body(const struct sluice_request *request)
{
    return advance_workload(request, roll_to_goal);
}

/* ---- finish ---- */

/* Nothing moves any more. While the counts may be about another revision, all stay. */
static void freeze(json_t *object)
{
    int size = size_of(object);
    int kept = within(settled(object) ? size - updated_to_stay(object) : size, 0, size);
    if (kept != partition_of(object))
        sluice_put_take(object, PARTITION, partition_new(kept, size));
}

static bool give_back(const struct sluice_request *request, json_t *workload, json_t *after)
{
    json_t *target = sluice_at(request->json, "/target");
    if (succeeded(request))
        restore_take(after, target, PARTITION, json_integer(0));
    else
        freeze(after);
    if (target) {
        restore_order(after, target);
        restore_choice(after, target);
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
        "apiVersion": "apps.kruise.io/v1alpha1",
        "kind": "CloneSet",
        "keep": [
            "/metadata/annotations/rollout.sluice.dev~1holder",
            "/metadata/annotations/rollout.sluice.dev~1applied",
            "/metadata/deletionTimestamp",
            "/spec/replicas",
            "/spec/selector",
            "/spec/updateStrategy",
            "/status/observedGeneration",
            "/status/replicas",
            "/status/readyReplicas",
            "/status/updatedReplicas",
            "/status/updatedReadyReplicas",
            "/status/updateRevision",
            "/status/currentRevision",
            "/status/conditions"
        ]
    }],
    "rights": [
        {"apiGroups": ["apps.kruise.io"], "resources": ["clonesets"],
         "verbs": ["list", "watch", "create", "patch"]},
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
    ],
    "smoke": {
        "call": "observe",
        "request": {"workload": null},
        "emitted": [{"status": {"size": 0, "updated": 0, "updatedReady": 0, "ready": 0,
                                "settled": true}}]
    }
});
/* clang-format on */

SLUICE_ADAPTER(.name = "cloneset", .version = SLUICE_VERSION, .manifest = manifest,
               .provides = SLUICE_PROVIDES_SCALE | SLUICE_PROVIDES_POD_NAMES, .validate = validate,
               .observe = observe, .begin = begin, .advance = advance, .finish = finish)
