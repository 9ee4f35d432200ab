// SPDX-License-Identifier: Apache-2.0
/* Makes the pods of DaemonSets: one on each node that takes it. */
#include "base/alloc.h"
#include "base/json.h"
#include "controllers.h"
#include "later.h"
#include "nodes.h"
#include "revisions.h"

#include <stdlib.h>
#include <string.h>

#define HASH_LABEL "controller-revision-hash"
#define HASH_AT    "/metadata/labels/" HASH_LABEL

/* A DaemonSet with what it controls, and what the nodes are to it. */
struct daemons {
    json_t *set;
    json_t *pods; /* oldest first */
    json_t *fits; /* by the node's name: enum fit */
    struct revisions revisions;
    const char *hash; /* of the template as it is now */
    int64_t min_ready_s;
};

static void daemons_done(struct daemons *daemons)
{
    json_decref(daemons->set);
    json_decref(daemons->pods);
    json_decref(daemons->fits);
    revisions_done(&daemons->revisions);
}

/* ── Pods ─────────────────────────────────────────────────────────────────────────────────── */

/* Trouble with a node is no reason to leave it. */
static void add_tolerations(json_t *pod)
{
    static const char *const troubles[][2] = {
        {"not-ready", "NoExecute"},
        {"unreachable", "NoExecute"},
        {"disk-pressure", "NoSchedule"},
        {"memory-pressure", "NoSchedule"},
        {"pid-pressure", "NoSchedule"},
        {"unschedulable", "NoSchedule"},
        {"network-unavailable", "NoSchedule"},
    };
    size_t count = sizeof troubles / sizeof *troubles;
    if (!json_bool_at(pod, "/spec/hostNetwork", false))
        count--;
    if (!json_at(pod, "/spec/tolerations"))
        json_put_take(pod, "/spec/tolerations", json_array());
    for (size_t i = 0; i < count; i++)
        json_array_append_new(json_at(pod, "/spec/tolerations"),
                              json_pack("{ss so ss}", "effect", troubles[i][1], "key",
                                        json_sprintf("node.kubernetes.io/%s", troubles[i][0]),
                                        "operator", "Exists"));
}

static json_t *pod_of(const struct daemons *daemons)
{
    json_t *pod = workload_pod(daemons->set, json_at(daemons->set, "/spec/template"));
    json_put_take(pod, HASH_AT, json_string(daemons->hash));
    add_tolerations(pod);
    return pod;
}

static enum fit fit_of(const struct daemons *daemons, const json_t *pod)
{
    const char *node = pod_node(pod);
    return (enum fit)json_integer_value(node ? json_object_get(daemons->fits, node) : NULL);
}

static bool is_updated(const struct daemons *daemons, const json_t *pod)
{
    return str_equal(json_string_at(pod, HASH_AT), daemons->hash);
}

/* The oldest pod on each node, by the node's name; the caller owns the object. `with_going`: also
 * of those on their way out. */
static json_t *by_node(const struct daemons *daemons, bool with_going)
{
    json_t *found = json_object(), *pod;
    size_t i;
    json_array_foreach (daemons->pods, i, pod) {
        const char *node = pod_node(pod);
        if (node && !json_object_get(found, node) && (with_going || !workload_is_going(pod)))
            json_object_set(found, node, pod);
    }
    return found;
}

/* ── One for each node ────────────────────────────────────────────────────────────────────── */

/* All but the oldest go, and whatever doesn't belong there. Returns whether any went. */
static bool remove_excess(struct sandbox *sandbox, const struct daemons *daemons)
{
    json_t *oldest AUTO_JSON = by_node(daemons, false), *pod;
    bool any = false;
    size_t i;
    json_array_foreach (daemons->pods, i, pod) {
        const char *node = pod_node(pod);
        bool stays = node && json_object_get(oldest, node) == pod &&
                     fit_of(daemons, pod) != FIT_NOT && !workload_has_ended(pod);
        if (stays || workload_is_going(pod))
            continue;
        workload_delete(sandbox, "Pod", pod);
        any = true;
    }
    return any;
}

static bool add_missing(struct sandbox *sandbox, const struct daemons *daemons)
{
    json_t *there AUTO_JSON = by_node(daemons, true), *fit;
    bool any = false;
    const char *node;
    json_object_foreach (daemons->fits, node, fit) {
        if (json_integer_value(fit) != FIT_RUNS || json_object_get(there, node))
            continue;
        json_t *pod = pod_of(daemons);
        pod_put_node(pod, node);
        json_decref(workload_create_take(sandbox, daemons->set, "Pod", pod));
        any = true;
    }
    return any;
}

/* ── Rolling ──────────────────────────────────────────────────────────────────────────────── */

static int64_t most_unavailable(const struct daemons *daemons)
{
    json_t *fit,
        *limit = json_at(daemons->set, "/spec/updateStrategy/rollingUpdate/maxUnavailable");
    const char *node;
    int64_t nodes = 0;
    json_object_foreach (daemons->fits, node, fit)
        nodes += json_integer_value(fit) == FIT_RUNS;
    int64_t most = workload_share(limit, nodes, true);
    return most > 0 ? most : 1;
}

/* What isn't available can be replaced at once, and counts. */
static int64_t replace_unavailable(struct sandbox *sandbox, const struct daemons *daemons,
                                   json_t *pods)
{
    int64_t unavailable = 0;
    const char *node;
    json_t *fit;
    json_object_foreach (daemons->fits, node, fit) {
        const json_t *pod = json_object_get(pods, node);
        if (!pod) {
            unavailable += json_integer_value(fit) == FIT_RUNS;
        } else if (workload_available_in(pod, daemons->min_ready_s) != 0) {
            unavailable++;
            if (!is_updated(daemons, pod))
                workload_delete(sandbox, "Pod", pod);
        }
    }
    return unavailable;
}

static void roll(struct sandbox *sandbox, const struct daemons *daemons)
{
    json_t *pods AUTO_JSON = by_node(daemons, false), *pod;
    const char *node;
    int64_t room = most_unavailable(daemons) - replace_unavailable(sandbox, daemons, pods);
    json_object_foreach (pods, node, pod) {
        if (room <= 0)
            return;
        if (is_updated(daemons, pod) || workload_available_in(pod, daemons->min_ready_s) != 0)
            continue;
        workload_delete(sandbox, "Pod", pod);
        room--;
    }
}

/* ── Status ───────────────────────────────────────────────────────────────────────────────── */

static void put_number(json_t *set, const char *pointer, int64_t number)
{
    json_put_take(set, pointer, json_integer(number));
}

/* Returns the pods that count. The caller owns the array. */
static json_t *count_nodes(const struct daemons *daemons)
{
    json_t *pods AUTO_JSON = by_node(daemons, true), *counting = json_array(), *fit;
    int64_t wanted = 0, astray = 0, updated = 0;
    const char *node;
    json_object_foreach (daemons->fits, node, fit) {
        json_t *pod = json_object_get(pods, node);
        bool runs = json_integer_value(fit) == FIT_RUNS;
        wanted += runs;
        astray += !runs && pod;
        updated += runs && pod && is_updated(daemons, pod);
        if (runs && pod)
            json_array_append(counting, pod);
    }
    put_number(daemons->set, "/status/desiredNumberScheduled", wanted);
    put_number(daemons->set, "/status/currentNumberScheduled", (int64_t)json_array_size(counting));
    put_number(daemons->set, "/status/numberMisscheduled", astray);
    workload_put_count(daemons->set, "/status/updatedNumberScheduled", updated);
    return counting;
}

static later_fn reconcile;

static void tell(struct sandbox *sandbox, struct daemons *daemons)
{
    json_t *set = daemons->set;
    char *key AUTO_FREE = workload_key(set);
    json_decref(daemons->pods);
    daemons->pods = workload_controlled_all(sandbox, set, "Pod");
    json_t *pods AUTO_JSON = count_nodes(daemons);
    struct tally tally = workload_tally(pods, daemons->min_ready_s);
    put_number(set, "/status/numberReady", tally.ready);
    workload_put_count(set, "/status/numberAvailable", tally.available);
    workload_put_count(set, "/status/numberUnavailable",
                       json_int_at(set, "/status/desiredNumberScheduled", 0) - tally.available);
    workload_put_observed(set);
    workload_write_status(sandbox, "DaemonSet", set);
    if (tally.wait_ms >= 0)
        later_do(sandbox, tally.wait_ms, reconcile, key);
}

/* ── Passes ───────────────────────────────────────────────────────────────────────────────── */

/* What pods are made by stays, but all except the newest counts for the limit. */
static void forget_revisions(struct sandbox *sandbox, const struct daemons *daemons)
{
    json_t *hashes AUTO_JSON = json_pack("{sn}", daemons->hash), *live AUTO_JSON = json_object();
    json_t *pod, *revision;
    size_t i;
    json_array_foreach (daemons->pods, i, pod)
        json_object_set_new(hashes, json_string_at(pod, HASH_AT), json_null());
    json_array_foreach (daemons->revisions.all, i, revision)
        if (json_object_get(hashes, json_string_at(revision, HASH_AT)))
            json_object_set_new(live, json_string_at(revision, "/metadata/name"), json_null());
    int64_t old = (int64_t)json_array_size(daemons->revisions.all) - 1;
    int64_t limit = json_int_at(daemons->set, "/spec/revisionHistoryLimit", 10);
    revisions_trim(sandbox, &daemons->revisions, live, old - limit);
}

static void read_daemons(struct sandbox *sandbox, struct daemons *daemons)
{
    json_t *nodes AUTO_JSON = workload_all(sandbox, "Node"), *node;
    size_t i;
    revisions_find(sandbox, daemons->set, HASH_LABEL, &daemons->revisions);
    daemons->hash = json_string_at(daemons->revisions.update, HASH_AT);
    daemons->pods = workload_controlled_all(sandbox, daemons->set, "Pod");
    daemons->min_ready_s = json_int_at(daemons->set, "/spec/minReadySeconds", 0);
    daemons->fits = json_object();
    if (!daemons->hash)
        return;
    json_t *pod AUTO_JSON = pod_of(daemons);
    json_array_foreach (nodes, i, node)
        json_object_set_new(daemons->fits, json_string_at(node, "/metadata/name"),
                            json_integer(node_fit(node, json_object_get(pod, "spec"))));
}

static void reconcile(struct sandbox *sandbox, const char *key)
{
    struct daemons daemons AUTO(daemons_done) = {.set = workload_get(sandbox, "DaemonSet", key)};
    if (!daemons.set)
        return;
    read_daemons(sandbox, &daemons);
    if (!daemons.hash)
        return;
    bool busy = remove_excess(sandbox, &daemons);
    busy |= add_missing(sandbox, &daemons);
    if (!busy && workload_rolls(daemons.set))
        roll(sandbox, &daemons);
    tell(sandbox, &daemons);
    forget_revisions(sandbox, &daemons);
}

/* A node is every DaemonSet's business. */
static void look_at_all(struct sandbox *sandbox)
{
    json_t *sets AUTO_JSON = workload_all(sandbox, "DaemonSet"), *set;
    size_t i;
    json_array_foreach (sets, i, set) {
        char *key AUTO_FREE = workload_key(set);
        later_soon(sandbox, reconcile, key);
    }
}

void daemon_set_controller(struct sandbox *sandbox, const struct news *news)
{
    if (news->kind == workload_kind(sandbox, "Node"))
        look_at_all(sandbox);
    else
        workload_look(sandbox, news, &(struct workload_kinds){"DaemonSet", "Pod", reconcile});
}
