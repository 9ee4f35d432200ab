// SPDX-License-Identifier: Apache-2.0
/*
 * Makes the pods of OpenKruise's CloneSets, and turns as many of them to another template as the
 * partition lets it: in place where only images differ, or by new ones. It either makes and deletes
 * pods or updates them, never both in one pass.
 */
#include "base/alloc.h"
#include "base/json.h"
#include "clone_pod.h"
#include "controllers.h"
#include "later.h"
#include "revisions.h"
#include "scale.h"

#include <stdlib.h>
#include <string.h>

#define STRATEGY   "/spec/updateStrategy"
#define HASH_LABEL "controller.kubernetes.io/hash"

/* A CloneSet with what it controls. */
struct clones {
    json_t *set;
    json_t *pods; /* those that live, by their worth */
    struct revisions revisions;
    const json_t *current, *update; /* the revisions before and after the roll; borrowed */
    int64_t wanted, partition;      /* so many of those that are wanted stay at `current` */
    int64_t surge, unavailable;
    int64_t min_ready_s;
};

static void clones_done(struct clones *clones)
{
    json_decref(clones->set);
    json_decref(clones->pods);
    revisions_done(&clones->revisions);
}

static int64_t at_least(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t at_most(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* ── What is wanted ───────────────────────────────────────────────────────────────────────── */

/* Of several pods one is updated at least, unless the share is all of them. */
static int64_t partition_of(const json_t *set, int64_t wanted)
{
    const json_t *value = json_at(set, STRATEGY "/partition");
    int64_t kept = workload_share(value, wanted, true);
    if (json_is_string(value) && kept == wanted && wanted > 1 &&
        !str_equal(json_string_value(value), "100%"))
        kept = wanted - 1;
    return at_most(at_least(kept, 0), wanted);
}

static void read_numbers(struct clones *clones)
{
    const json_t *set = clones->set, *strategy = json_at(set, STRATEGY);
    clones->wanted = json_int_at(set, "/spec/replicas", 1);
    clones->partition = partition_of(set, clones->wanted);
    clones->min_ready_s = json_int_at(set, "/spec/minReadySeconds", 0);
    bool paused = json_bool_at(strategy, "/paused", false);
    clones->surge =
        paused ? 0 : workload_share(json_object_get(strategy, "maxSurge"), clones->wanted, true);
    clones->unavailable = workload_share(json_object_get(strategy, "maxUnavailable"),
                                         clones->wanted, clones->surge == 0);
}

static bool is_updated(const struct clones *clones, const json_t *pod)
{
    return str_equal(json_string_at(pod, CLONE_POD_REVISION_AT),
                     json_string_at(clones->update, "/metadata/name"));
}

static bool is_available(const struct clones *clones, const json_t *pod)
{
    return clone_pod_available_in(pod, clones->min_ready_s, true) == 0;
}

/* By its owner, who names it, or by an update that replaces it. */
static bool is_given_up(const struct clones *clones, const json_t *pod)
{
    json_t *named;
    size_t i;
    json_array_foreach (json_at(clones->set, "/spec/scaleStrategy/podsToDelete"), i, named)
        if (json_equal(named, json_at(pod, "/metadata/name")))
            return true;
    return clone_pod_is_given_up(pod);
}

/* ── What there is to do ──────────────────────────────────────────────────────────────────── */

/* Pods of the template as it is, or of those before. */
struct side {
    int64_t count, given_up;
    int64_t unavailable; /* of those that aren't given up */
};

/* How far what there is differs from what is wanted. */
struct gap {
    int64_t create, create_old;  /* so many of them of `current` */
    int64_t delete, delete_old;  /* beside those that are given up */
    int64_t ready_deletions;     /* so many of those that are deleted may be ready */
    int64_t update, unavailable; /* updates, and how many pods may be unavailable then */
};

static struct side count_side(const struct clones *clones, bool updated)
{
    struct side side = {0};
    json_t *pod;
    size_t i;
    json_array_foreach (clones->pods, i, pod) {
        if (is_updated(clones, pod) != updated)
            continue;
        side.count++;
        if (is_given_up(clones, pod))
            side.given_up++;
        else
            side.unavailable += !is_available(clones, pod);
    }
    return side;
}

/* Pods beyond the wanted ones: for as many that are given up as couldn't be missed, or for as many
 * as are to be updated and have no successor yet, whichever are more. */
struct surge {
    int64_t all, old;
};

static struct surge surge_of(const struct clones *clones, struct side new, struct side old,
                             int64_t updates)
{
    int64_t given_up = new.given_up + old.given_up;
    int64_t missed = new.unavailable + old.unavailable + given_up - clones->unavailable;
    int64_t replaced = at_most(at_least(missed, 0), given_up);
    if (replaced < updates)
        return (struct surge){at_most(clones->surge, updates), 0};
    int64_t all = at_most(clones->surge, replaced);
    return (struct surge){all, at_most(all, at_least(replaced - new.given_up, 0))};
}

static struct gap gap_of(const struct clones *clones)
{
    struct side new = count_side(clones, true), old = count_side(clones, false);
    int64_t there = new.count + old.count, given_up = new.given_up + old.given_up;
    int64_t unavailable = new.unavailable + old.unavailable;
    int64_t too_old = at_least(old.count - clones->partition, 0);
    int64_t missing_new = at_least(clones->wanted - clones->partition - new.count, 0);
    struct gap gap = {.update = at_most(too_old, missing_new)};
    struct surge surge = surge_of(clones, new, old, gap.update);
    int64_t wanted = clones->wanted + surge.all, wanted_old = clones->partition + surge.old;
    const json_t *scaling = json_at(clones->set, "/spec/scaleStrategy/maxUnavailable");
    gap.create = at_least(wanted - there, 0);
    if (scaling)
        gap.create = at_most(
            gap.create, at_least(workload_share(scaling, clones->wanted, true) - unavailable, 0));
    gap.create_old = at_most(gap.create, at_least(wanted_old - old.count, 0));
    gap.delete = at_least(there - given_up - wanted, 0);
    gap.delete_old = at_most(gap.delete, at_least(old.count - old.given_up - wanted_old, 0));
    gap.unavailable = clones->unavailable + there - clones->wanted;
    gap.ready_deletions = at_least(gap.unavailable - unavailable, 0);
    return gap;
}

/* ── Size ─────────────────────────────────────────────────────────────────────────────────── */

/* Each returns whether it has done anything. */

static bool create(struct sandbox *sandbox, const struct clones *clones, const struct gap *gap)
{
    bool any = false;
    for (int64_t i = 0; i < gap->create; i++)
        any |= clone_pod_create(sandbox, clones->set,
                                i < gap->create_old ? clones->current : clones->update);
    return any;
}

/* If the pod may be missed. */
static bool delete_one(struct sandbox *sandbox, const json_t *pod, struct gap *gap)
{
    if (clone_pod_available_in(pod, 0, true) == 0 && gap->ready_deletions-- <= 0)
        return false;
    workload_delete(sandbox, "Pod", pod);
    return true;
}

static bool delete_given_up(struct sandbox *sandbox, const struct clones *clones, struct gap *gap)
{
    bool any = false;
    json_t *pod;
    size_t i;
    json_array_foreach (clones->pods, i, pod)
        if (is_given_up(clones, pod))
            any |= delete_one(sandbox, pod, gap);
    return any;
}

/* The first `count` of one side. */
static bool delete_some(struct sandbox *sandbox, const struct clones *clones, struct gap *gap,
                        bool updated, int64_t count)
{
    bool any = false;
    json_t *pod;
    size_t i;
    json_array_foreach (clones->pods, i, pod)
        if (is_updated(clones, pod) == updated && count-- > 0)
            any |= delete_one(sandbox, pod, gap);
    return any;
}

static bool has_given_up(const struct clones *clones)
{
    json_t *pod;
    size_t i;
    json_array_foreach (clones->pods, i, pod)
        if (is_given_up(clones, pod))
            return true;
    return false;
}

static bool scale(struct sandbox *sandbox, const struct clones *clones)
{
    struct gap gap = gap_of(clones);
    if (gap.create)
        return create(sandbox, clones, &gap);
    if (has_given_up(clones))
        return delete_given_up(sandbox, clones, &gap);
    bool any = delete_some(sandbox, clones, &gap, false, gap.delete_old);
    any |= delete_some(sandbox, clones, &gap, true, gap.delete -gap.delete_old);
    return any;
}

/* ── Updates ──────────────────────────────────────────────────────────────────────────────── */

static bool settle(struct sandbox *sandbox, const struct clones *clones)
{
    bool any = false;
    json_t *pod;
    size_t i;
    json_array_foreach (clones->pods, i, pod)
        any |= clone_pod_settle(sandbox, pod);
    return any;
}

/* How many pods aren't available: all of them, or those that are updated. */
static int64_t count_unavailable(const struct clones *clones, bool updated_only)
{
    int64_t count = 0;
    json_t *pod;
    size_t i;
    json_array_foreach (clones->pods, i, pod)
        count += !is_available(clones, pod) && (!updated_only || is_updated(clones, pod));
    return count;
}

static void update_one(struct sandbox *sandbox, const struct clones *clones, json_t *pod)
{
    const char *type = json_string_at(clones->set, STRATEGY "/type");
    const json_t *from =
        revisions_named(&clones->revisions, json_string_at(pod, CLONE_POD_REVISION_AT));
    if (str_equal(type, "ReCreate"))
        clone_pod_give_up(sandbox, pod);
    else if (clone_pod_fits_in_place(from, clones->update))
        clone_pod_update(sandbox, pod, from, clones->update);
    else if (str_equal(type, "InPlaceIfPossible"))
        clone_pod_give_up(sandbox, pod);
}

/* A pod that isn't available can be updated without making more of them unavailable. */
static void update(struct sandbox *sandbox, const struct clones *clones)
{
    struct gap gap = gap_of(clones);
    int64_t down = count_unavailable(clones, false), new_down = count_unavailable(clones, true);
    json_t *pod;
    size_t i;
    json_array_foreach (clones->pods, i, pod) {
        if (is_updated(clones, pod))
            continue;
        down += is_available(clones, pod);
        if (gap.update-- <= 0 || new_down++ >= gap.unavailable ||
            (is_available(clones, pod) && down > gap.unavailable))
            return;
        update_one(sandbox, clones, pod);
    }
}

/* ── Status ───────────────────────────────────────────────────────────────────────────────── */

static void put_counts(const struct clones *clones)
{
    int64_t ready[2] = {0}, available[2] = {0}, count[2] = {0};
    json_t *set = clones->set, *pod;
    size_t i;
    json_array_foreach (clones->pods, i, pod) {
        bool updated = is_updated(clones, pod);
        count[updated]++;
        ready[updated] += clone_pod_available_in(pod, 0, false) == 0;
        available[updated] += is_available(clones, pod);
    }
    json_put_take(set, "/status/replicas", json_integer(count[0] + count[1]));
    json_put_take(set, "/status/readyReplicas", json_integer(ready[0] + ready[1]));
    json_put_take(set, "/status/availableReplicas", json_integer(available[0] + available[1]));
    json_put_take(set, "/status/updatedReplicas", json_integer(count[1]));
    json_put_take(set, "/status/updatedReadyReplicas", json_integer(ready[1]));
    workload_put_count(set, "/status/updatedAvailableReplicas", available[1]);
    workload_put_count(set, "/status/expectedUpdatedReplicas", clones->wanted - clones->partition);
    bool stable = !count[0] && count[1] == clones->wanted;
    json_put_take(
        set, "/status/currentRevision",
        json_incref(json_at(stable ? clones->update : clones->current, "/metadata/name")));
}

static int64_t first_available_in(const struct clones *clones)
{
    int64_t first = 0;
    json_t *pod;
    size_t i;
    json_array_foreach (clones->pods, i, pod) {
        int64_t wait_ms = clone_pod_available_in(pod, clones->min_ready_s, true);
        if (wait_ms > 0 && (!first || wait_ms < first))
            first = wait_ms;
    }
    return first;
}

static later_fn reconcile;

static void tell(struct sandbox *sandbox, const struct clones *clones)
{
    json_t *set = clones->set;
    char *key AUTO_FREE = workload_key(set);
    put_counts(clones);
    json_put_take(set, "/status/updateRevision",
                  json_incref(json_at(clones->update, "/metadata/name")));
    json_put_take(set, "/status/labelSelector", scale_selector(json_at(set, "/spec/selector")));
    workload_put_observed(set);
    if (!json_at(set, "/status/collisionCount"))
        json_put_take(set, "/status/collisionCount", json_integer(0));
    workload_write_status(sandbox, "CloneSet", set);
    if (first_available_in(clones))
        later_do(sandbox, first_available_in(clones), reconcile, key);
}

/* ── Passes ───────────────────────────────────────────────────────────────────────────────── */

/* Names of pods that have gone are no longer named. */
static void drop_names(struct sandbox *sandbox, const struct clones *clones)
{
    json_t *names = json_at(clones->set, "/spec/scaleStrategy/podsToDelete");
    size_t before = json_array_size(names);
    for (size_t i = before; i-- > 0;) {
        bool there = false;
        json_t *pod;
        size_t at;
        json_array_foreach (clones->pods, at, pod)
            there |= json_equal(json_at(pod, "/metadata/name"), json_array_get(names, i));
        if (!there)
            json_array_remove(names, i);
    }
    if (json_array_size(names) != before)
        workload_write(sandbox, "CloneSet", clones->set);
}

static void read_pods(struct sandbox *sandbox, struct clones *clones)
{
    json_decref(clones->pods);
    clones->pods = workload_controlled(sandbox, clones->set, "Pod");
    for (size_t i = json_array_size(clones->pods); i-- > 0;)
        if (workload_has_ended(json_array_get(clones->pods, i)))
            json_array_remove(clones->pods, i);
    clones->pods = workload_sorted_take(clones->pods, clone_pod_by_worth);
}

static void read_clones(struct sandbox *sandbox, struct clones *clones)
{
    const json_t *set = clones->set;
    read_numbers(clones);
    read_pods(sandbox, clones);
    revisions_find(sandbox, set, HASH_LABEL, &clones->revisions);
    clones->update = clones->revisions.update;
    clones->current =
        revisions_named(&clones->revisions, json_string_at(set, "/status/currentRevision"));
    if (!clones->current)
        clones->current = clones->update;
}

static void reconcile(struct sandbox *sandbox, const char *key)
{
    struct clones clones AUTO(clones_done) = {.set = workload_get(sandbox, "CloneSet", key)};
    if (!clones.set)
        return;
    read_clones(sandbox, &clones);
    if (!clones.update)
        return;
    bool busy = scale(sandbox, &clones) || settle(sandbox, &clones);
    if (!busy && !json_bool_at(clones.set, STRATEGY "/paused", false))
        update(sandbox, &clones);
    read_pods(sandbox, &clones);
    tell(sandbox, &clones);
    drop_names(sandbox, &clones);
    revisions_forget(sandbox, &clones.revisions, clones.set, clones.pods);
}

void clone_set_controller(struct sandbox *sandbox, const struct news *news)
{
    workload_look(sandbox, news, &(struct workload_kinds){"CloneSet", "Pod", reconcile});
}
