// SPDX-License-Identifier: Apache-2.0
/* Makes the pods of StatefulSets, each with a name and a place of its own, and replaces them from
 * the last to the first. */
#include "base/alloc.h"
#include "base/json.h"
#include "controllers.h"
#include "later.h"
#include "revisions.h"

#include <stdlib.h>
#include <string.h>

#define POD_REVISION_AT "/metadata/labels/controller-revision-hash"
#define NAME_LABEL      "statefulset.kubernetes.io~1pod-name"
#define INDEX_LABEL     "apps.kubernetes.io~1pod-index"
#define HASH_LABEL      "controller.kubernetes.io/hash"

/* A StatefulSet with what it controls. */
struct members {
    json_t *set;
    json_t *pods; /* by ordinal, the lowest first */
    struct revisions revisions;
    const char *current, *update; /* the revisions' names */
    int64_t first, end;           /* the ordinals that there shall be: end is beyond */
    int64_t partition;            /* how many of the first ones are kept at `current` */
    int64_t min_ready_s;
    bool ordered; /* one after the other, each when those before it are available */
};

static void members_done(struct members *members)
{
    json_decref(members->set);
    json_decref(members->pods);
    revisions_done(&members->revisions);
}

/* ── Pods ─────────────────────────────────────────────────────────────────────────────────── */

static int64_t ordinal_of(const json_t *pod)
{
    const char *name = json_string_at(pod, "/metadata/name");
    return strtoll(strrchr(name, '-') + 1, NULL, 10);
}

static int by_ordinal(const void *a, const void *b)
{
    int64_t left = ordinal_of(*(json_t *const *)a), right = ordinal_of(*(json_t *const *)b);
    return (left > right) - (left < right);
}

static bool is_condemned(const struct members *members, const json_t *pod)
{
    return ordinal_of(pod) < members->first || ordinal_of(pod) >= members->end;
}

static bool is_available(const struct members *members, const json_t *pod)
{
    return !workload_is_going(pod) && workload_available_in(pod, members->min_ready_s) == 0;
}

/* NULL: there is none. Borrowed. */
static json_t *pod_at(const struct members *members, int64_t ordinal)
{
    size_t low = 0, high = json_array_size(members->pods);
    while (low < high) {
        size_t middle = (low + high) / 2;
        json_t *pod = json_array_get(members->pods, middle);
        if (ordinal_of(pod) == ordinal)
            return pod;
        if (ordinal_of(pod) < ordinal)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* Below the partition a new pod is as those that are kept there. */
static json_t *pod_of(const struct members *members, int64_t ordinal)
{
    bool kept = ordinal < members->first + members->partition;
    const char *revision = kept ? members->current : members->update;
    const char *set = json_string_at(members->set, "/metadata/name");
    json_t *template AUTO_JSON = revision_template(revisions_named(&members->revisions, revision));
    json_t *pod = workload_pod(members->set, template);
    char *name AUTO_FREE = str_format("%s-%lld", set, (long long)ordinal);
    json_put_take(pod, "/metadata/name", json_string(name));
    json_put_take(pod, "/metadata/labels/" NAME_LABEL, json_string(name));
    json_put_take(pod, "/metadata/labels/" INDEX_LABEL, json_sprintf("%lld", (long long)ordinal));
    json_put_take(pod, POD_REVISION_AT, json_string(revision));
    json_put_take(pod, "/spec/hostname", json_string(name));
    if (json_at(members->set, "/spec/serviceName"))
        json_put_take(pod, "/spec/subdomain",
                      json_incref(json_at(members->set, "/spec/serviceName")));
    return pod;
}

/* ── Steps ────────────────────────────────────────────────────────────────────────────────── */

/* Each returns whether the next one may follow. */

static bool settle(struct sandbox *sandbox, const struct members *members, int64_t ordinal)
{
    const json_t *pod = pod_at(members, ordinal);
    if (!pod) {
        json_decref(workload_create_take(sandbox, members->set, "Pod", pod_of(members, ordinal)));
        return false;
    }
    if (workload_has_ended(pod) && !workload_is_going(pod))
        workload_delete(sandbox, "Pod", pod);
    return is_available(members, pod) && !workload_has_ended(pod);
}

static bool fill(struct sandbox *sandbox, const struct members *members)
{
    for (int64_t ordinal = members->first; ordinal < members->end; ordinal++)
        if (!settle(sandbox, members, ordinal) && members->ordered)
            return false;
    return true;
}

/* In order, pods that aren't available hold up all but the lowest of them. NULL: there is none. */
static const json_t *lowest_unavailable(const struct members *members)
{
    json_t *pod;
    size_t i;
    json_array_foreach (members->pods, i, pod)
        if (is_condemned(members, pod) && !is_available(members, pod))
            return pod;
    return NULL;
}

static bool shrink(struct sandbox *sandbox, const struct members *members)
{
    const json_t *lowest = lowest_unavailable(members);
    for (size_t i = json_array_size(members->pods); i-- > 0;) {
        const json_t *pod = json_array_get(members->pods, i);
        if (!is_condemned(members, pod))
            continue;
        bool may_go = is_available(members, pod) || pod == lowest || !members->ordered;
        if (may_go && !workload_is_going(pod))
            workload_delete(sandbox, "Pod", pod);
        if (members->ordered)
            return false;
    }
    return true;
}

/* Takes the last pod that isn't as it shall be, when all after it are available; the next pass
 * makes it anew. */
static void replace(struct sandbox *sandbox, const struct members *members)
{
    for (int64_t at = members->end; at-- > members->first + members->partition;) {
        const json_t *pod = pod_at(members, at);
        if (!pod || workload_is_going(pod))
            return;
        if (!str_equal(json_string_at(pod, POD_REVISION_AT), members->update)) {
            workload_delete(sandbox, "Pod", pod);
            return;
        }
        if (!is_available(members, pod))
            return;
    }
}

/* ── Status ───────────────────────────────────────────────────────────────────────────────── */

static int64_t count_of_revision(const json_t *pods, const char *revision)
{
    int64_t count = 0;
    json_t *pod;
    size_t i;
    json_array_foreach (pods, i, pod)
        count +=
            str_equal(json_string_at(pod, POD_REVISION_AT), revision) && !workload_is_going(pod);
    return count;
}

static void put_counts(const struct members *members, const json_t *pods, struct tally tally)
{
    json_t *set = members->set;
    int64_t updated = count_of_revision(pods, members->update);
    int64_t there = (int64_t)json_array_size(pods), wanted = members->end - members->first;
    bool complete = updated == wanted && tally.ready == wanted && there == wanted;
    const char *current = workload_rolls(set) && complete ? members->update : members->current;
    json_put_take(set, "/status/replicas", json_integer(there));
    json_put_take(set, "/status/availableReplicas", json_integer(tally.available));
    workload_put_count(set, "/status/readyReplicas", tally.ready);
    workload_put_count(set, "/status/updatedReplicas", updated);
    workload_put_count(set, "/status/currentReplicas", count_of_revision(pods, current));
    json_put_take(set, "/status/updateRevision", json_string(members->update));
    json_put_take(set, "/status/currentRevision", json_string(current));
}

static later_fn reconcile;

static void tell(struct sandbox *sandbox, const struct members *members)
{
    json_t *set = members->set;
    char *key AUTO_FREE = workload_key(set);
    json_t *pods AUTO_JSON = workload_controlled_all(sandbox, set, "Pod");
    struct tally tally = workload_tally(pods, members->min_ready_s);
    put_counts(members, pods, tally);
    workload_put_observed(set);
    if (!json_at(set, "/status/collisionCount"))
        json_put_take(set, "/status/collisionCount", json_integer(0));
    workload_write_status(sandbox, "StatefulSet", set);
    if (tally.wait_ms >= 0)
        later_do(sandbox, tally.wait_ms, reconcile, key);
}

/* ── Passes ───────────────────────────────────────────────────────────────────────────────── */

static void read_members(struct sandbox *sandbox, struct members *members)
{
    const json_t *set = members->set;
    members->pods = workload_sorted_take(workload_controlled_all(sandbox, set, "Pod"), by_ordinal);
    members->first = json_int_at(set, "/spec/ordinals/start", 0);
    members->end = members->first + json_int_at(set, "/spec/replicas", 1);
    members->partition = json_int_at(set, "/spec/updateStrategy/rollingUpdate/partition", 0);
    members->min_ready_s = json_int_at(set, "/spec/minReadySeconds", 0);
    members->ordered = !str_equal(json_string_at(set, "/spec/podManagementPolicy"), "Parallel");
    revisions_find(sandbox, set, HASH_LABEL, &members->revisions);
    members->update = json_string_at(members->revisions.update, "/metadata/name");
    const json_t *current =
        revisions_named(&members->revisions, json_string_at(set, "/status/currentRevision"));
    members->current = current ? json_string_at(current, "/metadata/name") : members->update;
}

static void reconcile(struct sandbox *sandbox, const char *key)
{
    struct members members AUTO(members_done) = {.set = workload_get(sandbox, "StatefulSet", key)};
    if (!members.set)
        return;
    read_members(sandbox, &members);
    if (!members.update)
        return;
    if (fill(sandbox, &members) && shrink(sandbox, &members) && workload_rolls(members.set))
        replace(sandbox, &members);
    tell(sandbox, &members);
    revisions_forget(sandbox, &members.revisions, members.set, members.pods);
}

void stateful_set_controller(struct sandbox *sandbox, const struct news *news)
{
    workload_look(sandbox, news, &(struct workload_kinds){"StatefulSet", "Pod", reconcile});
}
