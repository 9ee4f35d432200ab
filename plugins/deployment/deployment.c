// SPDX-License-Identifier: Apache-2.0
/*
 * Deployments (apps/v1), tried with Kubernetes 1.34.
 *
 * A Deployment has no partition. But one that never finds a new pod available stands still at
 * exactly maxSurge + maxUnavailable new pods, so while it is held its minReadySeconds says that
 * pods become available in 68 years, and a batch is one patch of its strategy:
 *
 *     maxUnavailable   old pods that have been let go
 *     maxSurge         new pods that come on top of those
 *
 * It stands where it is if nobody looks after it. Why this road was chosen, what else was thought
 * of, and what it costs is told in README.md.
 */
#include "common/workload.h"

#define OWNERS   "rollout.sluice.dev/owners-fields"
#define REVISION "deployment.kubernetes.io/revision"

#define OWNERS_POINTER  "/metadata/annotations/rollout.sluice.dev~1owners-fields"
#define PAUSED          "/spec/paused"
#define MIN_READY       "/spec/minReadySeconds"
#define DEADLINE        "/spec/progressDeadlineSeconds"
#define STRATEGY        "/spec/strategy"
#define MAX_SURGE       STRATEGY "/rollingUpdate/maxSurge"
#define MAX_UNAVAILABLE STRATEGY "/rollingUpdate/maxUnavailable"

/* What holds it: the API server wants the deadline above minReadySeconds, and knows the largest
 * deadline as "none". */
enum { NEVER_READY = 2147483646, NO_DEADLINE = 2147483647 };

/* ---- reading a Deployment ---- */

/* The number as a percentage wherever a whole one says exactly that, because then whoever scales
 * the Deployment meanwhile scales the batch with it. */
static json_t *scaled_new(int count, int size, enum rounding rounding)
{
    if (size <= 0 || count == 0)
        return json_integer(count);
    int64_t percent = ((int64_t)count * 100 + (rounding == ROUND_UP ? 0 : size - 1)) / size;
    json_t *text = json_sprintf("%d%%", (int)percent);
    if (scaled(text, size, rounding) == count)
        return text;
    json_decref(text);
    return json_integer(count);
}

/* A Deployment that has been taken over and not been given back. */
static bool held_by_fields(json_t *workload)
{
    return sluice_int(workload, MIN_READY, 0) == NEVER_READY;
}

static bool paused(json_t *workload)
{
    return sluice_bool(workload, PAUSED, false);
}

/* Held, and let loose as far as its strategy goes. */
static bool moving(json_t *workload)
{
    return held_by_fields(workload) && !paused(workload);
}

/* ---- its ReplicaSets ---- */

static long revision_of(json_t *set)
{
    return strtol(sluice_annotation(set, REVISION), NULL, 10);
}

/* The controller of a Deployment gives the marks to whichever set has the template at the moment,
 * and there they stay when the template changes again: a set with pods isn't the newest where the
 * Deployment counts none. */
static bool marked_in_passing(json_t *workload, json_t *set)
{
    return generation_seen(workload) && generation_seen(set) &&
           whole_at(workload, "/status/updatedReplicas", 0) == 0 &&
           whole_at(set, "/status/replicas", 0) > 0;
}

/* The ReplicaSet of the Deployment's present template. Its controller copies the Deployment's
 * annotations to it, so the mark of what was applied tells it from all others; of several the one
 * with the highest revision. NULL when it isn't there, or isn't known yet. */
static json_t *newest_set(const struct sluice_request *request, json_t *workload)
{
    json_t *found = NULL, *set;
    const char *applied = sluice_annotation(workload, MARK_APPLIED);
    size_t i;
    json_array_foreach (sluice_at(request->json, "/owned"), i, set) {
        bool same = strcmp(applied, sluice_annotation(set, MARK_APPLIED)) == 0;
        if ((same || !*applied) && !marked_in_passing(workload, set) &&
            (!found || revision_of(set) > revision_of(found)))
            found = set;
    }
    return found;
}

/* What is known of old and new pods. */
struct pods {
    int size;               /* that the owner wants */
    int old_told, new_told; /* what the ReplicaSets were told to have */
    int updated;            /* new pods that are there */
    int updated_ready;
    int peopled;          /* ReplicaSets that were told to have any */
    int ready, available; /* by the ReplicaSets, of any revision */
    bool seen;            /* every ReplicaSet has counted since it was told */
    bool settled;         /* the counts are about the present template */
    bool new_held;        /* none of the new counts as available */
    json_t *newest;       /* ReplicaSet; borrowed */
};

static bool set_is_held(json_t *set)
{
    return sluice_int(set, MIN_READY, 0) == NEVER_READY && generation_seen(set) &&
           sluice_int(set, "/status/availableReplicas", 0) == 0;
}

/* Has the Deployment's controller seen its last change, and do its counts and the ReplicaSets that
 * we see speak of the same? They come by two watches, and after a quick change of the size a pod
 * that has gone meanwhile would count for one that has just come. */
static bool counts_agree(json_t *workload, const struct pods *pods)
{
    return generation_seen(workload) && pods->seen && (pods->newest || pods->updated == 0) &&
           pods->ready == whole_at(workload, "/status/readyReplicas", 0);
}

/* As long as the Deployment's controller takes new pods for available, it would let old ones go for
 * them. Its own count tells what it knows. */
static bool may_be_let_loose(json_t *workload, const struct pods *pods)
{
    return moving(workload) || (pods->new_held && whole_at(workload, "/status/availableReplicas",
                                                           0) == pods->available);
}

/* Ready pods that stay. A ReplicaSet that was told to have fewer counts once more before they go.
 */
static int ready_to_stay(json_t *set)
{
    int surplus = whole_at(set, "/status/replicas", 0) - whole_at(set, "/spec/replicas", 0);
    int ready = whole_at(set, "/status/readyReplicas", 0);
    return within((int64_t)ready - (surplus > 0 ? surplus : 0), 0, ready);
}

static void count_set(json_t *set, struct pods *pods)
{
    int told = whole_at(set, "/spec/replicas", 0);
    pods->peopled += told > 0;
    if (set == pods->newest)
        pods->new_told = told;
    else
        pods->old_told = within((int64_t)pods->old_told + told, 0, NO_DEADLINE);
    pods->seen = pods->seen && generation_seen(set);
    pods->ready =
        within((int64_t)pods->ready + whole_at(set, "/status/readyReplicas", 0), 0, NO_DEADLINE);
    pods->available = within(
        (int64_t)pods->available + whole_at(set, "/status/availableReplicas", 0), 0, NO_DEADLINE);
}

static struct pods count_pods(const struct sluice_request *request, json_t *workload)
{
    struct pods pods = {
        .size = size_of(workload),
        .seen = true,
        .updated = whole_at(workload, "/status/updatedReplicas", 0),
        .newest = newest_set(request, workload),
    };
    size_t i;
    json_t *set;
    json_array_foreach (sluice_at(request->json, "/owned"), i, set)
        count_set(set, &pods);
    int ready = whole_at(workload, "/status/readyReplicas", 0);
    pods.updated_ready =
        within(ready_to_stay(pods.newest), 0, ready < pods.updated ? ready : pods.updated);
    pods.new_held = !pods.newest || set_is_held(pods.newest);
    pods.settled = counts_agree(workload, &pods) &&
                   (!held_by_fields(workload) || may_be_let_loose(workload, &pods));
    return pods;
}

/* ---- observe ---- */

/* What its controller says itself about not getting on: a quota, an admission that refuses. */
static json_t *reason_of(json_t *workload)
{
    size_t i;
    json_t *condition;
    if (being_deleted(workload))
        return json_string("the Deployment is being deleted");
    json_array_foreach (sluice_at(workload, "/status/conditions"), i, condition) {
        if (strcmp(sluice_string(condition, "/type"), "ReplicaFailure") == 0 &&
            strcmp(sluice_string(condition, "/status"), "True") == 0)
            return reason_text(sluice_string(condition, "/message"));
    }
    return NULL;
}

static int32_t observe_body(const struct sluice_request *request)
{
    json_t *workload = sluice_at(request->json, "/workload");
    if (!workload)
        return observe_missing(request);
    struct pods pods = count_pods(request, workload);
    const char *name = sluice_string(pods.newest, "/metadata/name");
    json_t *status =
        json_pack("{s:i, s:i, s:i, s:i, s:b, s:o, s:o*}", "size", pods.size, "updated",
                  pods.updated, "updatedReady", pods.updated_ready, "ready",
                  whole_at(workload, "/status/readyReplicas", 0), "settled", pods.settled,
                  "updateRevision", revision_name(name), "reason", reason_of(workload));
    return sluice_emit_take(request, SLUICE_STATUS, status);
}

/* ---- validate ---- */

static int32_t check_target(const struct sluice_request *request, json_t *target)
{
    const char *type = sluice_string(target, STRATEGY "/type");
    if (*type && strcmp(type, "RollingUpdate") != 0)
        return sluice_fail(request, SLUICE_INVALID, "/target" STRATEGY "/type",
                           "spec.strategy.type of the Deployment: expected RollingUpdate, found "
                           "\"%s\"; pods that are all replaced at once can't come in batches",
                           type);
    if (paused(target))
        return sluice_fail(request, SLUICE_INVALID, "/target" PAUSED,
                           "spec.paused of the Deployment: expected false, found true; a paused "
                           "Deployment doesn't make the pods that the rollout waits for");
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

/* ---- where it stands ---- */

/* Where the Deployment stands, and where it is to go. */
struct course {
    int told;    /* new pods that it was told to have */
    int gone;    /* old pods that it was told to let go */
    int goal;    /* new pods that the batch wants */
    int step;    /* pods by which the owner lets it leave its size at a time */
    int missing; /* new pods that need not be ready */
    bool increase_first;
};

/* What a Deployment that moves was told. */
static void read_bounds(json_t *workload, int size, struct course *course)
{
    int surge = scaled(sluice_at(workload, MAX_SURGE), size, ROUND_UP);
    int unavailable = scaled(sluice_at(workload, MAX_UNAVAILABLE), size, ROUND_DOWN);
    course->told = within((int64_t)surge + unavailable, 0, size);
    course->gone = within(unavailable, 0, size);
}

/* Is it where it was told to be, in the ReplicaSets that we see? Only then may it be paused: or old
 * pods would be gone whose successors are never made, or its surplus would be misjudged. */
static bool stands(json_t *workload, const struct pods *pods)
{
    struct course course = {0};
    read_bounds(workload, pods->size, &course);
    return pods->settled && pods->old_told <= pods->size - course.gone &&
           pods->new_told >= course.told;
}

/* ---- begin ---- */

static void put_strategy(json_t *object, int surge, int unavailable)
{
    int size = size_of(object);
    sluice_put_take(object, STRATEGY,
                    json_pack("{s:s, s:{s:o, s:o}}", "type", "RollingUpdate", "rollingUpdate",
                              "maxSurge", scaled_new(surge, size, ROUND_UP), "maxUnavailable",
                              scaled_new(unavailable, size, ROUND_DOWN)));
}

/* A paused Deployment with pods of several revisions is brought to size + maxSurge by its
 * controller, so maxSurge has to be what there is on top already. Zero for both is refused by the
 * API server; while it is paused, maxUnavailable means nothing. */
static void put_stillness(json_t *object, const struct pods *pods)
{
    int surplus = within((int64_t)pods->old_told + pods->new_told - pods->size, 0, NO_DEADLINE);
    json_t *unavailable = sluice_at(object, MAX_UNAVAILABLE);
    sluice_put_take(object, STRATEGY "/type", json_string("RollingUpdate"));
    sluice_put_take(object, MAX_SURGE, json_integer(surplus));
    if (surplus == 0 && unavailable && !positive(unavailable))
        sluice_put_take(object, MAX_UNAVAILABLE, json_integer(1));
}

static void put_hold(json_t *object)
{
    sluice_put_take(object, MIN_READY, json_integer(NEVER_READY));
    sluice_put_take(object, DEADLINE, json_integer(NO_DEADLINE));
}

/* What the hold covers, kept on the object itself: it has to be given back even when the revision
 * that says so is gone. */
static void put_owners_fields(json_t *object, json_t *target)
{
    json_t *fields =
        json_pack("{s:O*, s:O*, s:O*}", "minReadySeconds", sluice_at(target, MIN_READY),
                  "progressDeadlineSeconds", sluice_at(target, DEADLINE), "strategy",
                  sluice_at(target, STRATEGY));
    char *text = json_dumps(fields, JSON_COMPACT | JSON_SORT_KEYS);
    sluice_put_take(object, OWNERS_POINTER, json_string(text ? text : "{}"));
    free(text);
    json_decref(fields);
}

/* Between two rolls being paused is all it takes: pods that are scaled up, or die and come again,
 * are to become available as ever. */
static void rest(json_t *object, const struct pods *pods)
{
    sluice_put_take(object, PAUSED, json_true());
    if (pods->peopled > 1)
        put_stillness(object, pods);
}

/* Paused: no pod of the target comes yet. */
static void hold(const struct sluice_request *request, json_t *workload, json_t *object)
{
    struct pods pods = count_pods(request, workload);
    if (sluice_bool(request->json, "/hold", false)) {
        rest(object, &pods);
        return;
    }
    put_owners_fields(object, sluice_at(request->json, "/target"));
    sluice_put_take(object, PAUSED, json_true());
    put_hold(object);
    put_default_take(object, MAX_UNAVAILABLE, json_string("25%"));
    put_stillness(object, &pods);
}

static int32_t begin_body(const struct sluice_request *request)
{
    json_t *workload = sluice_at(request->json, "/workload");
    struct pods pods = count_pods(request, workload);
    if (moving(workload) && !marked(workload, sluice_at(request->json, "/target")) &&
        !stands(workload, &pods))
        return sluice_fail(request, SLUICE_STALE, "/owned",
                           "the Deployment isn't where it was told to be yet");
    return begin_workload(request, hold);
}

/* ---- advance ---- */

/* How far the owner's own strategy would go at a time, so that neither the room for pods nor their
 * availability is worse off than he planned for. */
static int owners_step(json_t *target, int size, bool increase_first)
{
    json_t *value = sluice_at(target, increase_first ? MAX_SURGE : MAX_UNAVAILABLE);
    json_t *quarter = json_string("25%"); /* the default of both */
    int step = scaled(value ? value : quarter, size, increase_first ? ROUND_UP : ROUND_DOWN);
    json_decref(quarter);
    return step > 1 ? step : 1;
}

static struct course course_of(const struct sluice_request *request, json_t *workload,
                               const struct pods *pods)
{
    int size = pods->size;
    bool increase = strcmp(sluice_string(request->json, "/strategy"), "DecreaseFirst") != 0;
    struct course course = {
        .goal = within(sluice_int(request->json, "/goal", 0), 0, size),
        .missing = whole_at(request->json, "/maxUnavailable", 0),
        .step = owners_step(sluice_at(request->json, "/target"), size, increase),
        .increase_first = increase,
    };
    if (moving(workload)) {
        read_bounds(workload, size, &course);
    } else {
        course.told = within(pods->new_told, 0, size);
        course.gone = within((int64_t)size - pods->old_told, 0, course.told);
    }
    return course;
}

/* Is what it was told done? */
static bool step_done(const struct course *course, const struct pods *pods)
{
    return pods->updated >= course->told &&
           (int64_t)pods->updated_ready + course->missing >= course->told;
}

/* How many new pods it is told to have next: never more of them unready than a step has. */
static int next_told(const struct course *course, const struct pods *pods)
{
    if (course->goal <= course->told)
        return course->told;
    int64_t step = course->step > course->missing ? course->step : course->missing;
    if (course->goal <= pods->updated_ready + step)
        return course->goal;
    return step_done(course, pods) ? within(course->told + step, 0, course->goal) : course->told;
}

/* With IncreaseFirst an old pod goes only for a new one that is ready; with DecreaseFirst it goes
 * before the new one comes. */
static int next_gone(const struct course *course, const struct pods *pods, int told)
{
    int gone = told;
    if (course->increase_first) {
        gone = pods->updated_ready < course->told ? pods->updated_ready : course->told;
        if (told == course->told && !step_done(course, pods))
            gone = course->gone; /* not a patch for every pod */
    }
    return gone > course->gone ? gone : course->gone;
}

/* What the strategy has to say so that there are as many new pods as they are told to be. */
static void put_course(json_t *after, const struct course *course, const struct pods *pods)
{
    int told = next_told(course, pods);
    int gone = next_gone(course, pods, told);
    if (told == course->told && gone == course->gone)
        return; /* it is there, or on its way */
    put_strategy(after, told > gone ? told - gone : 0, gone);
    if (paused(after))
        sluice_put_take(after, PAUSED, json_false());
}

/* Somebody else, such as a tool that applies its own copy again and again, has taken the hold off:
 * the Deployment is stopped, and whoever reads its Events learns why. */
static int32_t hold_again(const struct sluice_request *request, json_t *after,
                          const struct pods *pods)
{
    put_hold(after);
    sluice_put_take(after, PAUSED, json_true());
    put_stillness(after, pods);
    return tell_hold_taken_off(request, after, "spec.minReadySeconds was");
}

static int gone_already(const struct pods *pods)
{
    return within((int64_t)pods->size - pods->old_told, 0, pods->size);
}

/* How many new pods there may be: the batch's, or those whose predecessors have gone. */
static int bound_of(const struct course *course, const struct pods *pods)
{
    int gone = gone_already(pods);
    return course->goal > gone ? course->goal : gone;
}

/* Would more new pods come than that, by the strategy as it stands? Somebody else has set it, also
 * when it has let all old pods go by now: that has to be told. While the ReplicaSets don't have the
 * whole size yet, because it has just grown, nobody knows. */
static bool goes_beyond(const struct course *course, json_t *workload, const struct pods *pods)
{
    int surge = scaled(sluice_at(workload, MAX_SURGE), pods->size, ROUND_UP);
    int bound = bound_of(course, pods);
    bool whole = (int64_t)pods->old_told + pods->new_told >= pods->size;
    if (!moving(workload) || course->goal == pods->size)
        return false;
    return course->told > bound || (whole && (int64_t)gone_already(pods) + surge > bound);
}

static int32_t bound_again(const struct sluice_request *request, json_t *after,
                           const struct course *course, const struct pods *pods)
{
    int gone = gone_already(pods);
    put_strategy(after, bound_of(course, pods) - gone, gone);
    return tell_hold_taken_off(request, after, "spec.strategy was");
}

static void put_pause(json_t *after, const struct pods *pods)
{
    if (paused(after))
        return;
    sluice_put_take(after, PAUSED, json_true());
    put_stillness(after, pods);
}

/* Paused where it is, so that no more pods become of whatever template there is. */
static int32_t stop(const struct sluice_request *request, json_t *workload, const struct pods *pods)
{
    json_t *after = json_deep_copy(workload);
    put_pause(after, pods);
    return emit_roll_take(request, workload, after);
}

static int32_t roll_to_goal(const struct sluice_request *request, json_t *workload)
{
    struct pods pods = count_pods(request, workload);
    if (template_changed(request))
        return stop(request, workload, &pods);
    struct course course = course_of(request, workload, &pods);
    bool beyond = goes_beyond(&course, workload, &pods);
    if (!pods.settled && !beyond && held_by_fields(workload))
        return sluice_fail(request, SLUICE_STALE, "/workload/status/observedGeneration",
                           "the last change of the Deployment hasn't been seen by its controller "
                           "yet");
    json_t *after = json_deep_copy(workload);
    int32_t result = SLUICE_OK;
    if (!held_by_fields(workload))
        result = hold_again(request, after, &pods);
    else if (beyond)
        result = bound_again(request, after, &course, &pods);
    else if (!sluice_bool(request->json, "/paused", false))
        put_course(after, &course, &pods);
    else if (stands(workload, &pods)) /* before that, what it was told comes to its end */
        put_pause(after, &pods);
    if (result == SLUICE_OK)
        return emit_roll_take(request, workload, after);
    json_decref(after);
    return result;
}

static int32_t advance_body(const struct sluice_request *request)
{
    return advance_workload(request, roll_to_goal);
}

/* ---- finish ---- */

/* Where the owner's values of the held fields stand: in the target, unless that is the live object
 * itself because nothing else is known any more. The caller releases it. */
static json_t *owners_fields(json_t *workload, json_t *target)
{
    json_t *spec = NULL;
    if (target && !held_by_fields(target))
        return json_incref(target);
    spec = json_loads(sluice_annotation(workload, OWNERS), 0, NULL);
    return json_pack("{s:o*}", "spec", spec);
}

/* Owns `owners`. */
static void restore_all_take(json_t *object, json_t *owners)
{
    restore_take(object, owners, MIN_READY, json_integer(0));
    restore_take(object, owners, DEADLINE, json_integer(600));
    restore_take(object, owners, MAX_SURGE, json_string("25%"));
    restore_take(object, owners, MAX_UNAVAILABLE, json_string("25%"));
    sluice_remove(object, OWNERS_POINTER);
    json_decref(owners);
}

static bool give_back(const struct sluice_request *request, json_t *workload, json_t *after)
{
    struct pods pods = count_pods(request, workload);
    bool frozen = !succeeded(request);
    if (frozen && moving(workload) && !stands(workload, &pods))
        return false; /* the next change of a ReplicaSet brings it here again */
    if (paused(after) != frozen)
        sluice_put_take(after, PAUSED, json_boolean(frozen));
    restore_all_take(after, owners_fields(after, sluice_at(request->json, "/target")));
    if (frozen)
        put_stillness(after, &pods);
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
        "kind": "Deployment",
        "keep": [
            "/metadata/annotations/rollout.sluice.dev~1holder",
            "/metadata/annotations/rollout.sluice.dev~1applied",
            "/metadata/annotations/rollout.sluice.dev~1owners-fields",
            "/metadata/deletionTimestamp",
            "/spec/replicas",
            "/spec/selector",
            "/spec/paused",
            "/spec/minReadySeconds",
            "/spec/progressDeadlineSeconds",
            "/spec/strategy",
            "/status/observedGeneration",
            "/status/readyReplicas",
            "/status/availableReplicas",
            "/status/updatedReplicas",
            "/status/conditions"
        ],
        "owned": [{
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "keep": [
                "/metadata/annotations/rollout.sluice.dev~1applied",
                "/metadata/annotations/deployment.kubernetes.io~1revision",
                "/spec/replicas",
                "/spec/minReadySeconds",
                "/status/observedGeneration",
                "/status/replicas",
                "/status/readyReplicas",
                "/status/availableReplicas"
            ]
        }]
    }],
    "rights": [
        {"apiGroups": ["apps"], "resources": ["deployments"],
         "verbs": ["list", "watch", "create", "patch"]},
        {"apiGroups": ["apps"], "resources": ["replicasets"], "verbs": ["list", "watch"]}
    ],
    "smoke": {
        "call": "observe",
        "request": {"workload": null},
        "emitted": [{"status": {"size": 0, "updated": 0, "updatedReady": 0, "ready": 0,
                                "settled": true}}]
    }
});
/* clang-format on */

SLUICE_ADAPTER(.name = "deployment", .version = SLUICE_VERSION, .manifest = manifest,
               .provides = SLUICE_PROVIDES_SCALE, .validate = validate, .observe = observe,
               .begin = begin, .advance = advance, .finish = finish)
