// SPDX-License-Identifier: Apache-2.0
/*
 * CloneSets of OpenKruise (apps.kruise.io/v1alpha1), tried with 1.8.
 *
 * A CloneSet keeps `updateStrategy.partition` pods at the old revision and brings the others to
 * the new one by itself, so a batch is one patch of the partition. Why each field is treated as it
 * is, and what OpenKruise's own code does with it, is told in README.md.
 */
#include <sluice/json.h>

#define HOLDER  "rollout.sluice.dev/holder"
#define APPLIED "rollout.sluice.dev/applied"

#define HOLDER_POINTER  "/metadata/annotations/rollout.sluice.dev~1holder"
#define STRATEGY        "/spec/updateStrategy"
#define PARTITION       STRATEGY "/partition"
#define PAUSED          STRATEGY "/paused"
#define MAX_SURGE       STRATEGY "/maxSurge"
#define MAX_UNAVAILABLE STRATEGY "/maxUnavailable"
#define PRIORITY        STRATEGY "/priorityStrategy"
#define SCATTER         STRATEGY "/scatterStrategy"

/* On every pod of a CloneSet, and unique among them. */
#define INSTANCE_ID "apps.kruise.io/cloneset-instance-id"

enum { NAME_MAX_BYTES = 127, REASON_MAX_BYTES = 255 }; /* what a STATUS may carry */

/* ---- reading a CloneSet ---- */

static int size_of(json_t *workload)
{
    return (int)sluice_int(workload, "/spec/replicas", 1);
}

static int updated_of(json_t *workload)
{
    return (int)sluice_int(workload, "/status/updatedReplicas", 0);
}

/* Has OpenKruise seen the last change of the spec? Until then its counts may be about the
 * revision before. */
static bool settled(json_t *workload)
{
    return sluice_int(workload, "/status/observedGeneration", 0) >=
               sluice_int(workload, "/metadata/generation", 0) &&
           *sluice_string(workload, "/status/updateRevision");
}

static bool being_deleted(json_t *workload)
{
    return sluice_at(workload, "/metadata/deletionTimestamp") != NULL;
}

static bool in_place(json_t *object)
{
    return strncmp(sluice_string(object, STRATEGY "/type"), "InPlace", 7) == 0;
}

/* A number, or a percentage of `size` rounded up, as OpenKruise reads them. */
static int scaled(json_t *value, int size)
{
    if (json_is_integer(value))
        return (int)json_integer_value(value);
    long percent = json_is_string(value) ? strtol(json_string_value(value), NULL, 10) : 0;
    return (int)((percent * size + 99) / 100);
}

/* How many pods the CloneSet keeps at the old revision. A percentage below 100% always lets one
 * pod of several go. */
static int partition_of(json_t *workload)
{
    json_t *value = sluice_at(workload, PARTITION);
    int size = size_of(workload);
    int kept = scaled(value, size);
    if (size > 1 && kept == size && json_is_string(value) &&
        strcmp(json_string_value(value), "100%") != 0)
        kept = size - 1;
    return kept < 0 ? 0 : kept > size ? size : kept;
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

/* At most `max` bytes, cut between characters. */
static json_t *text_head(const char *text, size_t max)
{
    size_t length = strlen(text);
    if (length > max)
        for (length = max; length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80;)
            length--;
    return json_stringn(text, length);
}

/* The end of a revision's name, where its hash is. */
static json_t *revision_tail(json_t *workload, const char *pointer)
{
    const char *name = sluice_string(workload, pointer);
    size_t length = strlen(name);
    return json_string(length > NAME_MAX_BYTES ? name + length - NAME_MAX_BYTES : name);
}

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
        return text_head(text, REASON_MAX_BYTES);
    }
    return NULL;
}

static int32_t observe_missing(const struct sluice_request *request)
{
    return sluice_emit_take(request, SLUICE_STATUS,
                            json_pack("{s:i, s:i, s:i, s:i, s:b}", "size", 0, "updated", 0,
                                      "updatedReady", 0, "ready", 0, "settled", 1));
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
        "updateRevision", revision_tail(workload, "/status/updateRevision"), "currentRevision",
        revision_tail(workload, "/status/currentRevision"), "reason", reason_of(workload));
    return sluice_emit_take(request, SLUICE_STATUS, status);
}

/* ---- what a roll changes of the owner's strategy ---- */

/* Is a number or percentage above zero? */
static bool positive(json_t *value)
{
    return scaled(value, 100) > 0;
}

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

/* Has the field the value that `target` gives it? Absent is the same as OpenKruise's default. */
static bool as_target(json_t *object, json_t *target, const char *pointer, json_t *fallback)
{
    json_t *found = sluice_at(object, pointer), *wanted = sluice_at(target, pointer);
    return json_equal(found ? found : fallback, wanted ? wanted : fallback);
}

/* Gives one field back to its owner. Owns `fallback`, the default. */
static void restore_take(json_t *object, json_t *target, const char *pointer, json_t *fallback)
{
    json_t *wanted = sluice_at(target, pointer);
    if (!as_target(object, target, pointer, fallback)) {
        if (wanted)
            sluice_put_take(object, pointer, json_incref(wanted));
        else
            sluice_remove(object, pointer);
    }
    json_decref(fallback);
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
    json_t *replicas = sluice_at(target, "/spec/replicas");
    if (replicas && (!json_is_integer(replicas) || json_integer_value(replicas) < 0))
        return sluice_fail(request, SLUICE_INVALID, "/target/spec/replicas",
                           "spec.replicas of the CloneSet: expected a whole number from 0 on");
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
    return SLUICE_OK;
}

/* The selector of a CloneSet can't be changed. */
static int32_t check_selector(const struct sluice_request *request, json_t *workload,
                              json_t *target)
{
    json_t *live = sluice_at(workload, "/spec/selector");
    json_t *wanted = sluice_at(target, "/spec/selector");
    if (!live || json_equal(live, wanted))
        return SLUICE_OK;
    char *live_text = json_dumps(live, JSON_COMPACT);
    sluice_fail(request, SLUICE_INVALID, "/target/spec/selector",
                "spec.selector of the CloneSet: expected %.300s as it is in the cluster, because "
                "it can't be changed",
                live_text ? live_text : "the one");
    free(live_text);
    return SLUICE_INVALID;
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

static int32_t check_names(const struct sluice_request *request)
{
    json_t *pods = sluice_at(request->json, "/pods"), *pod, *name;
    size_t n, p;
    if (!pods)
        return SLUICE_OK;
    json_array_foreach (sluice_at(request->json, "/podNames"), n, name) {
        bool found = false;
        json_array_foreach (pods, p, pod)
            found = found || json_equal(name, sluice_at(pod, "/metadata/name"));
        if (!found)
            return sluice_fail(request, SLUICE_INVALID, "/podNames",
                               "the CloneSet has no pod \"%s\"", json_string_value(name));
    }
    return SLUICE_OK;
}

static int32_t validate_body(const struct sluice_request *request)
{
    json_t *workload = sluice_at(request->json, "/workload");
    json_t *target = sluice_at(request->json, "/target");
    if (!target)
        return sluice_fail(request, SLUICE_BUG, "/target", "validate: expected a target");
    int32_t result = check_target(request, target);
    if (result == SLUICE_OK && workload)
        result = check_selector(request, workload, target);
    if (result == SLUICE_OK)
        result = check_names(request);
    if (result != SLUICE_OK)
        return result;
    json_t *ordered = json_deep_copy(target);
    set_order(ordered, sluice_string(request->json, "/strategy"));
    result = check_choice(request, ordered);
    json_decref(ordered);
    return result;
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

static void put_default_take(json_t *object, const char *pointer, json_t *value)
{
    if (sluice_at(object, pointer))
        json_decref(value);
    else
        sluice_put_take(object, pointer, value);
}

/* The whole target, but as many pods as there are and all of them where they are. OpenKruise's
 * defaults are said aloud: what an earlier rollout gave back by a patch, an apply that merely
 * leaves it out would not take away. */
static int32_t take_over(const struct sluice_request *request, json_t *workload, json_t *target)
{
    json_t *object = json_deep_copy(target);
    int size = size_of(workload);
    sluice_put_take(object, "/metadata/resourceVersion",
                    json_string(sluice_string(workload, "/metadata/resourceVersion")));
    sluice_put_take(object, "/spec/replicas", json_integer(size));
    sluice_put_take(object, PARTITION, partition_new(size, size));
    sluice_put_take(object, PAUSED, json_false());
    put_default_take(object, MAX_SURGE, json_integer(0));
    put_default_take(object, MAX_UNAVAILABLE, json_string("20%"));
    set_order(object, sluice_string(request->json, "/strategy"));
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
                           "the CloneSet is being deleted; waiting until it is gone");
    if (marked(workload, target))
        return SLUICE_OK;
    if (sluice_bool(request->json, "/scale", false))
        return put_marks(request, workload, target);
    return take_over(request, workload, target);
}

/* ---- advance ---- */

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

/* How many pods are updated and stay. While there are too many pods, some are about to go, and
 * nobody knows yet which: none is counted on. */
static int updated_to_stay(json_t *workload)
{
    bool surplus = sluice_int(workload, "/status/replicas", 0) > size_of(workload);
    return surplus ? 0 : updated_of(workload);
}

/* Moves the partition so that `goal` pods are updated, and says which. */
static void move_partition(const struct sluice_request *request, json_t *after)
{
    json_t *names = sluice_at(request->json, "/podNames");
    json_t *target = sluice_at(request->json, "/target");
    int size = size_of(after), updated = updated_to_stay(after);
    int goal = (int)sluice_int(request->json, "/goal", 0);
    int kept = size - (goal > updated ? goal : updated);
    kept = kept < 0 ? 0 : kept;
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
    static const char *const relies_on[] = {"/spec/replicas", NULL};
    bool paused = sluice_bool(request->json, "/paused", false);
    int32_t result = check_choice(request, workload);
    if (result != SLUICE_OK)
        return result;
    json_t *after = json_deep_copy(workload);
    if (paused != sluice_bool(workload, PAUSED, false))
        sluice_put_take(after, PAUSED, json_boolean(paused));
    if (!paused)
        move_partition(request, after);
    result = sluice_emit_changes(request, workload, after, relies_on);
    json_decref(after);
    return result;
}

static int32_t advance_body(const struct sluice_request *request)
{
    json_t *workload = sluice_at(request->json, "/workload");
    if (!workload)
        return sluice_fail(request, SLUICE_STALE, "/workload", "the CloneSet isn't there");
    if (being_deleted(workload))
        return sluice_fail(request, SLUICE_STALE, "/workload", "the CloneSet is being deleted");
    if (sluice_bool(request->json, "/scale", false))
        return scale_to_goal(request, workload);
    if (!settled(workload))
        return sluice_fail(request, SLUICE_STALE, "/workload/status/observedGeneration",
                           "OpenKruise hasn't seen the last change of the CloneSet yet");
    return roll_to_goal(request, workload);
}

/* ---- finish ---- */

/* Does this rollout still hold the CloneSet? Without a target, whoever holds it is let go. */
static bool held(json_t *workload, json_t *target)
{
    const char *live = sluice_annotation(workload, HOLDER);
    const char *ours = sluice_annotation(target, HOLDER);
    if (*ours)
        return strcmp(live, ours) == 0;
    return target || *live;
}

/* Nothing moves any more. While the counts may be about another revision, all stay. */
static void freeze(json_t *object)
{
    int size = size_of(object);
    int kept = settled(object) ? size - updated_of(object) : size;
    kept = kept < 0 ? 0 : kept;
    if (kept != partition_of(object))
        sluice_put_take(object, PARTITION, partition_new(kept, size));
}

static void give_back(const struct sluice_request *request, json_t *object, json_t *target)
{
    if (target && strcmp(sluice_string(request->json, "/outcome"), "succeeded") == 0)
        restore_take(object, target, PARTITION, json_integer(0));
    else
        freeze(object);
    if (target) {
        restore_order(object, target);
        restore_choice(object, target);
    }
}

static int32_t finish_body(const struct sluice_request *request)
{
    static const char *const relies_on[] = {"/spec/replicas", NULL};
    json_t *workload = sluice_at(request->json, "/workload");
    json_t *target = sluice_at(request->json, "/target");
    if (!workload || being_deleted(workload) || !held(workload, target))
        return SLUICE_OK;
    bool scale = sluice_bool(request->json, "/scale", false);
    json_t *after = json_deep_copy(workload);
    sluice_remove(after, HOLDER_POINTER);
    if (!scale)
        give_back(request, after, target);
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
         "verbs": ["get", "list", "watch", "create", "patch"]},
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}
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
