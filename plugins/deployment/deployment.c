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
#include <sluice/json.h>

#define HOLDER   "rollout.sluice.dev/holder"
#define APPLIED  "rollout.sluice.dev/applied"
#define OWNERS   "rollout.sluice.dev/owners-fields"
#define REVISION "deployment.kubernetes.io/revision"

#define HOLDER_POINTER  "/metadata/annotations/rollout.sluice.dev~1holder"
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

enum { REASON_MAX_BYTES = 255 }; /* what a STATUS may carry */

/* ---- reading a Deployment ---- */

static int whole(json_t *root, const char *pointer, int fallback)
{
    int64_t value = sluice_int(root, pointer, fallback);
    return value < 0 ? 0 : value > NO_DEADLINE ? NO_DEADLINE : (int)value;
}

static int between(int64_t value, int least, int most)
{
    return value < least ? least : value > most ? most : (int)value;
}

static int size_of(json_t *workload)
{
    return whole(workload, "/spec/replicas", 1);
}

static bool being_deleted(json_t *workload)
{
    return sluice_at(workload, "/metadata/deletionTimestamp") != NULL;
}

enum rounding { ROUND_DOWN, ROUND_UP };

/* A number, or a percentage of `size`; the Deployment's controller rounds maxSurge up and
 * maxUnavailable down. */
static int scaled(json_t *value, int size, enum rounding rounding)
{
    if (json_is_integer(value))
        return between(json_integer_value(value), 0, NO_DEADLINE);
    int percent =
        json_is_string(value) ? between(strtol(json_string_value(value), NULL, 10), 0, 10000) : 0;
    return (int)(((int64_t)percent * size + (rounding == ROUND_UP ? 99 : 0)) / 100);
}

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

/* The ReplicaSet of the Deployment's present template. Its controller copies the Deployment's
 * annotations to it, so the mark of what was applied tells it from all others; of several the one
 * with the highest revision. NULL when it isn't there, or isn't known yet. */
static json_t *newest_set(const struct sluice_request *request, json_t *workload)
{
    json_t *found = NULL, *set;
    const char *applied = sluice_annotation(workload, APPLIED);
    size_t i;
    json_array_foreach (sluice_at(request->json, "/owned"), i, set) {
        bool same = strcmp(applied, sluice_annotation(set, APPLIED)) == 0;
        if ((same || !*applied) && (!found || revision_of(set) > revision_of(found)))
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
    int ready, available; /* by the ReplicaSets, of any revision */
    bool settled;         /* the counts are about the present template */
    bool new_held;        /* none of the new counts as available */
    json_t *newest;       /* ReplicaSet; borrowed */
};

static bool set_is_held(json_t *set)
{
    return sluice_int(set, MIN_READY, 0) == NEVER_READY &&
           sluice_int(set, "/status/observedGeneration", 0) >=
               sluice_int(set, "/metadata/generation", 0) &&
           sluice_int(set, "/status/availableReplicas", 0) == 0;
}

/* Has the Deployment's controller seen its last change, and do its counts and the ReplicaSets that
 * we see speak of the same? They come by two watches, and after a quick change of the size a pod
 * that has gone meanwhile would count for one that has just come. */
static bool counts_agree(json_t *workload, const struct pods *pods)
{
    bool seen = sluice_int(workload, "/status/observedGeneration", 0) >=
                sluice_int(workload, "/metadata/generation", 0);
    return seen && (pods->newest || pods->updated == 0) &&
           pods->ready == whole(workload, "/status/readyReplicas", 0);
}

/* As long as the Deployment's controller takes new pods for available, it would let old ones go for
 * them. Its own count tells what it knows. */
static bool may_be_let_loose(json_t *workload, const struct pods *pods)
{
    return moving(workload) ||
           (pods->new_held && whole(workload, "/status/availableReplicas", 0) == pods->available);
}

static void count_set(json_t *set, struct pods *pods)
{
    int told = whole(set, "/spec/replicas", 0);
    if (set == pods->newest)
        pods->new_told = told;
    else
        pods->old_told = between((int64_t)pods->old_told + told, 0, NO_DEADLINE);
    pods->ready =
        between((int64_t)pods->ready + whole(set, "/status/readyReplicas", 0), 0, NO_DEADLINE);
    pods->available = between((int64_t)pods->available + whole(set, "/status/availableReplicas", 0),
                              0, NO_DEADLINE);
}

static struct pods count_pods(const struct sluice_request *request, json_t *workload)
{
    struct pods pods = {
        .size = size_of(workload),
        .updated = whole(workload, "/status/updatedReplicas", 0),
        .newest = newest_set(request, workload),
    };
    size_t i;
    json_t *set;
    json_array_foreach (sluice_at(request->json, "/owned"), i, set)
        count_set(set, &pods);
    int ready = whole(workload, "/status/readyReplicas", 0);
    pods.updated_ready = between(whole(pods.newest, "/status/readyReplicas", 0), 0,
                                 ready < pods.updated ? ready : pods.updated);
    pods.new_held = !pods.newest || set_is_held(pods.newest);
    pods.settled = counts_agree(workload, &pods) &&
                   (!held_by_fields(workload) || may_be_let_loose(workload, &pods));
    return pods;
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
            return text_head(sluice_string(condition, "/message"), REASON_MAX_BYTES);
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
    struct pods pods = count_pods(request, workload);
    const char *name = sluice_string(pods.newest, "/metadata/name");
    json_t *status =
        json_pack("{s:i, s:i, s:i, s:i, s:b, s:o, s:o*}", "size", pods.size, "updated",
                  pods.updated, "updatedReady", pods.updated_ready, "ready",
                  whole(workload, "/status/readyReplicas", 0), "settled", pods.settled,
                  "updateRevision", text_head(name, 127), "reason", reason_of(workload));
    return sluice_emit_take(request, SLUICE_STATUS, status);
}

/* ---- validate ---- */

static int32_t check_target(const struct sluice_request *request, json_t *target)
{
    const char *type = sluice_string(target, STRATEGY "/type");
    json_t *replicas = sluice_at(target, "/spec/replicas");
    if (replicas && (!json_is_integer(replicas) || json_integer_value(replicas) < 0))
        return sluice_fail(request, SLUICE_INVALID, "/target/spec/replicas",
                           "spec.replicas of the Deployment: expected a whole number from 0 on");
    if (*type && strcmp(type, "RollingUpdate") != 0)
        return sluice_fail(request, SLUICE_INVALID, "/target" STRATEGY "/type",
                           "spec.strategy.type of the Deployment: expected RollingUpdate, found "
                           "\"%s\"; pods that are all replaced at once can't come in batches",
                           type);
    if (paused(target))
        return sluice_fail(request, SLUICE_INVALID, "/target" PAUSED,
                           "spec.paused of the Deployment: expected false, found true; a paused "
                           "Deployment doesn't make the pods that the rollout waits for");
    return SLUICE_OK;
}

/* The selector of a Deployment can't be changed. */
static int32_t check_selector(const struct sluice_request *request, json_t *workload,
                              json_t *target)
{
    json_t *live = sluice_at(workload, "/spec/selector");
    json_t *wanted = sluice_at(target, "/spec/selector");
    if (!live || json_equal(live, wanted))
        return SLUICE_OK;
    char *live_text = json_dumps(live, JSON_COMPACT);
    sluice_fail(request, SLUICE_INVALID, "/target/spec/selector",
                "spec.selector of the Deployment: expected %.300s as it is in the cluster, because "
                "it can't be changed",
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
    int surplus = between((int64_t)pods->old_told + pods->new_told - pods->size, 0, NO_DEADLINE);
    json_t *unavailable = sluice_at(object, MAX_UNAVAILABLE);
    sluice_put_take(object, STRATEGY "/type", json_string("RollingUpdate"));
    sluice_put_take(object, MAX_SURGE, json_integer(surplus));
    if (surplus == 0 && (!unavailable || scaled(unavailable, 100, ROUND_DOWN) == 0))
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

/* The whole target, but as many pods as there are, and paused: no pod of it comes yet. */
static int32_t take_over(const struct sluice_request *request, json_t *workload, json_t *target)
{
    json_t *object = json_deep_copy(target);
    struct pods pods = count_pods(request, workload);
    sluice_put_take(object, "/metadata/resourceVersion",
                    json_string(sluice_string(workload, "/metadata/resourceVersion")));
    sluice_put_take(object, "/spec/replicas", json_integer(size_of(workload)));
    sluice_put_take(object, PAUSED, json_true());
    put_hold(object);
    put_stillness(object, &pods);
    put_owners_fields(object, target);
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
                           "the Deployment is being deleted; waiting until it is gone");
    if (marked(workload, target))
        return SLUICE_OK;
    if (sluice_bool(request->json, "/scale", false))
        return put_marks(request, workload, target);
    return take_over(request, workload, target);
}

/* ---- advance ---- */

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
    course->told = between((int64_t)surge + unavailable, 0, size);
    course->gone = between(unavailable, 0, size);
}

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
        .goal = between(sluice_int(request->json, "/goal", 0), 0, size),
        .missing = whole(request->json, "/maxUnavailable", 0),
        .step = owners_step(sluice_at(request->json, "/target"), size, increase),
        .increase_first = increase,
    };
    if (moving(workload)) {
        read_bounds(workload, size, &course);
    } else {
        course.told = between(pods->new_told, 0, size);
        course.gone = between((int64_t)size - pods->old_told, 0, course.told);
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
    return step_done(course, pods) ? between(course->told + step, 0, course->goal) : course->told;
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
static int32_t hold_again(const struct sluice_request *request, json_t *after)
{
    put_hold(after);
    sluice_put_take(after, PAUSED, json_true());
    return sluice_emit_take(
        request, SLUICE_EVENT,
        json_pack("{s:s, s:s, s:s}", "type", "Warning", "reason", "HoldTakenOff", "message",
                  "spec.minReadySeconds was changed by somebody else while a rollout holds the "
                  "Deployment; leave spec.minReadySeconds, progressDeadlineSeconds, paused and "
                  "strategy alone until the rollout has ended"));
}

static int32_t emit_advance_take(const struct sluice_request *request, json_t *workload,
                                 json_t *after)
{
    static const char *const relies_on[] = {"/spec/replicas", NULL};
    bool scale = sluice_bool(request->json, "/scale", false);
    int32_t result = sluice_emit_changes(request, workload, after, scale ? NULL : relies_on);
    json_decref(after);
    return result;
}

static int32_t roll_to_goal(const struct sluice_request *request, json_t *workload)
{
    struct pods pods = count_pods(request, workload);
    if (!pods.settled)
        return sluice_fail(request, SLUICE_STALE, "/workload/status/observedGeneration",
                           "the last change of the Deployment hasn't been seen by its controller "
                           "yet");
    struct course course = course_of(request, workload, &pods);
    json_t *after = json_deep_copy(workload);
    int32_t result = SLUICE_OK;
    if (!held_by_fields(workload))
        result = hold_again(request, after);
    else if (!sluice_bool(request->json, "/paused", false)) /* what it was told is all it does */
        put_course(after, &course, &pods);
    if (result == SLUICE_OK)
        return emit_advance_take(request, workload, after);
    json_decref(after);
    return result;
}

static int32_t scale_to_goal(const struct sluice_request *request, json_t *workload)
{
    json_t *after = json_deep_copy(workload);
    if (!sluice_bool(request->json, "/paused", false))
        sluice_put_take(after, "/spec/replicas",
                        json_integer(sluice_int(request->json, "/goal", 0)));
    return emit_advance_take(request, workload, after);
}

static int32_t advance_body(const struct sluice_request *request)
{
    json_t *workload = sluice_at(request->json, "/workload");
    if (!workload)
        return sluice_fail(request, SLUICE_STALE, "/workload", "the Deployment isn't there");
    if (being_deleted(workload))
        return sluice_fail(request, SLUICE_STALE, "/workload", "the Deployment is being deleted");
    if (sluice_bool(request->json, "/scale", false))
        return scale_to_goal(request, workload);
    return roll_to_goal(request, workload);
}

/* ---- finish ---- */

/* Does this rollout still hold the Deployment? Without a target, whoever holds it is let go. */
static bool held(json_t *workload, json_t *target)
{
    const char *live = sluice_annotation(workload, HOLDER);
    const char *ours = sluice_annotation(target, HOLDER);
    if (*ours)
        return strcmp(live, ours) == 0;
    return target || *live;
}

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

/* Gives one field back to its owner, or to the API server's default. Owns `fallback`, which is what
 * the API server puts in for an absent one. */
static void restore_take(json_t *object, json_t *target, const char *pointer, json_t *fallback)
{
    json_t *wanted = sluice_at(target, pointer), *found = sluice_at(object, pointer);
    if (!json_equal(found ? found : fallback, wanted ? wanted : fallback))
        sluice_put_take(object, pointer, json_incref(wanted ? wanted : fallback));
    json_decref(fallback);
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

/* A paused Deployment neither makes nor removes a pod. So it is let come to where it was told to be
 * first: or old ones would be gone whose successors are never made. */
static bool may_be_frozen(json_t *workload, const struct pods *pods)
{
    struct course course = {0};
    read_bounds(workload, pods->size, &course);
    return pods->settled && pods->old_told <= pods->size - course.gone &&
           pods->new_told >= course.told;
}

static void give_back(json_t *after, json_t *target, bool succeeded)
{
    json_t *owners = owners_fields(after, target);
    if (paused(after) == succeeded)
        sluice_put_take(after, PAUSED, json_boolean(!succeeded));
    restore_all_take(after, owners);
}

static int32_t finish_roll(const struct sluice_request *request, json_t *workload, json_t *after)
{
    static const char *const relies_on[] = {"/spec/replicas", NULL};
    json_t *target = sluice_at(request->json, "/target");
    bool succeeded = target && strcmp(sluice_string(request->json, "/outcome"), "succeeded") == 0;
    struct pods pods = count_pods(request, workload);
    if (!succeeded && moving(workload) && !may_be_frozen(workload, &pods))
        return SLUICE_OK; /* not yet: the next change of a ReplicaSet brings it here again */
    give_back(after, target, succeeded);
    if (!succeeded)
        put_stillness(after, &pods);
    return sluice_emit_changes(request, workload, after, relies_on);
}

static int32_t finish_body(const struct sluice_request *request)
{
    json_t *workload = sluice_at(request->json, "/workload");
    json_t *target = sluice_at(request->json, "/target");
    if (!workload || being_deleted(workload) || !held(workload, target))
        return SLUICE_OK;
    json_t *after = json_deep_copy(workload);
    sluice_remove(after, HOLDER_POINTER);
    int32_t result = sluice_bool(request->json, "/scale", false)
                         ? sluice_emit_changes(request, workload, after, NULL)
                         : finish_roll(request, workload, after);
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
                "/status/readyReplicas",
                "/status/availableReplicas"
            ]
        }]
    }],
    "rights": [
        {"apiGroups": ["apps"], "resources": ["deployments"],
         "verbs": ["get", "list", "watch", "create", "patch"]},
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
