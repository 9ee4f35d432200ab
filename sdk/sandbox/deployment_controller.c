// SPDX-License-Identifier: Apache-2.0
/* Rolls Deployments out: one ReplicaSet for each template, scaled as the strategy allows. */
#include "base/alloc.h"
#include "base/json.h"
#include "controllers.h"
#include "later.h"
#include "workload.h"

#include <stdlib.h>
#include <string.h>

#define REVISION_AT "/metadata/annotations/deployment.kubernetes.io~1revision"
#define HASH_LABEL  "pod-template-hash"

/* A Deployment, with what it controls. */
struct rollout {
    json_t *deployment;
    json_t *all;     /* ReplicaSets, oldest first; shared with `current` */
    json_t *current; /* the one with the Deployment's template; NULL: there is none yet */
    int64_t wanted, surge, unavailable;
};

static void rollout_done(struct rollout *rollout)
{
    json_decref(rollout->deployment);
    json_decref(rollout->all);
    json_decref(rollout->current);
}

/* ── Numbers ──────────────────────────────────────────────────────────────────────────────── */

static bool recreates(const struct rollout *rollout)
{
    return str_equal(json_string_at(rollout->deployment, "/spec/strategy/type"), "Recreate");
}

/* Not both can be 0: nothing would ever move. */
static void read_numbers(struct rollout *rollout)
{
    const json_t *limits = json_at(rollout->deployment, "/spec/strategy/rollingUpdate");
    rollout->wanted = json_int_at(rollout->deployment, "/spec/replicas", 1);
    if (recreates(rollout))
        return;
    rollout->surge = workload_share(json_object_get(limits, "maxSurge"), rollout->wanted, true);
    rollout->unavailable =
        workload_share(json_object_get(limits, "maxUnavailable"), rollout->wanted, false);
    if (!rollout->surge && !rollout->unavailable)
        rollout->unavailable = 1;
    if (rollout->unavailable > rollout->wanted)
        rollout->unavailable = rollout->wanted;
}

static int64_t sum(const json_t *sets, const char *pointer)
{
    int64_t total = 0;
    for (size_t i = 0; i < json_array_size(sets); i++)
        total += workload_count(json_array_get(sets, i), pointer);
    return total;
}

/* ── The ReplicaSet of the template ───────────────────────────────────────────────────────── */

/* The template as a ReplicaSet has it, but for the label that tells them apart. */
static bool has_template(const json_t *set, const json_t *template)
{
    json_t *own AUTO_JSON = json_deep_copy(json_at(set, "/spec/template"));
    json_remove_at(own, "/metadata/labels/" HASH_LABEL);
    return json_equal(own, (json_t *)(uintptr_t)template);
}

static json_t *find_current(const struct rollout *rollout)
{
    json_t *template = json_at(rollout->deployment, "/spec/template"), *set;
    size_t i;
    json_array_foreach (rollout->all, i, set)
        if (has_template(set, template))
            return json_incref(set);
    return NULL;
}

static int64_t revision_of(const json_t *object)
{
    const char *text = json_string_at(object, REVISION_AT);
    return text ? strtoll(text, NULL, 10) : 0;
}

/* One more than all others have. */
static int64_t next_revision(const struct rollout *rollout)
{
    int64_t highest = 0;
    json_t *set;
    size_t i;
    json_array_foreach (rollout->all, i, set)
        if (set != rollout->current && revision_of(set) > highest)
            highest = revision_of(set);
    return highest + 1;
}

/* Those that are about the Deployment alone. */
static bool stays_behind(const char *annotation)
{
    static const char *const names[] = {
        "kubectl.kubernetes.io/last-applied-configuration",
        "deployment.kubernetes.io/revision",
        "deployment.kubernetes.io/revision-history",
        "deployment.kubernetes.io/desired-replicas",
        "deployment.kubernetes.io/max-replicas",
        "deprecated.deployment.rollback.to",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(annotation, names[i]) == 0)
            return true;
    return false;
}

/* The ReplicaSet of the template has the Deployment's annotations; one that is taken off the
 * Deployment stays. */
static void copy_annotations(const json_t *deployment, json_t *set)
{
    const char *name;
    json_t *text, *own = json_at(set, "/metadata/annotations");
    json_object_foreach (json_at(deployment, "/metadata/annotations"), name, text)
        if (!stays_behind(name))
            json_object_set(own, name, text);
}

static json_t *set_of(const struct rollout *rollout)
{
    const json_t *deployment = rollout->deployment;
    json_t *template = json_deep_copy(json_at(deployment, "/spec/template"));
    json_t *selector = json_deep_copy(json_at(deployment, "/spec/selector"));
    char hash[WORKLOAD_HASH_SIZE];
    workload_hash(template, hash);
    json_put_take(template, "/metadata/labels/" HASH_LABEL, json_string(hash));
    json_put_take(selector, "/matchLabels/" HASH_LABEL, json_string(hash));
    json_t *set =
        json_pack("{s{so so} s{si so so}}", "metadata", "name",
                  json_sprintf("%s-%s", json_string_at(deployment, "/metadata/name"), hash),
                  "labels", json_deep_copy(json_at(template, "/metadata/labels")), "spec",
                  "replicas", 0, "selector", selector, "template", template);
    int64_t min_ready_s = json_int_at(deployment, "/spec/minReadySeconds", 0);
    workload_put_count(set, "/spec/minReadySeconds", min_ready_s);
    json_put_take(set, REVISION_AT, json_sprintf("%lld", (long long)next_revision(rollout)));
    copy_annotations(deployment, set);
    return set;
}

static void make_current(struct sandbox *sandbox, struct rollout *rollout)
{
    rollout->current =
        workload_create_take(sandbox, rollout->deployment, "ReplicaSet", set_of(rollout));
    if (rollout->current)
        json_array_append(rollout->all, rollout->current);
}

/* Both say which revision it is; an earlier template that comes back is the newest again. */
static void number(struct sandbox *sandbox, struct rollout *rollout)
{
    int64_t revision = next_revision(rollout);
    if (revision_of(rollout->current) < revision)
        json_put_take(rollout->current, REVISION_AT, json_sprintf("%lld", (long long)revision));
    copy_annotations(rollout->deployment, rollout->current);
    workload_put_count(rollout->current, "/spec/minReadySeconds",
                       json_int_at(rollout->deployment, "/spec/minReadySeconds", 0));
    workload_write(sandbox, "ReplicaSet", rollout->current);
    json_put_take(rollout->deployment, REVISION_AT,
                  json_incref(json_at(rollout->current, REVISION_AT)));
    workload_write(sandbox, "Deployment", rollout->deployment);
}

/* ── Scaling ──────────────────────────────────────────────────────────────────────────────── */

static void scale(struct sandbox *sandbox, json_t *set, int64_t replicas)
{
    json_put_take(set, "/spec/replicas", json_integer(replicas));
    workload_write(sandbox, "ReplicaSet", set);
}

static int64_t at_most(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void scale_current(struct sandbox *sandbox, struct rollout *rollout)
{
    int64_t there = workload_count(rollout->current, "/spec/replicas");
    int64_t room = rollout->wanted + rollout->surge - sum(rollout->all, "/spec/replicas");
    if (there > rollout->wanted)
        scale(sandbox, rollout->current, rollout->wanted);
    else if (there < rollout->wanted && room > 0)
        scale(sandbox, rollout->current, there + at_most(room, rollout->wanted - there));
}

/* Takes `count` from the old ones, the oldest first; of each not more than it has that aren't
 * available, if only those are meant. Returns how many. */
static int64_t take_from_old(struct sandbox *sandbox, struct rollout *rollout, int64_t count,
                             bool unavailable_only)
{
    int64_t taken = 0;
    json_t *set;
    size_t i;
    json_array_foreach (rollout->all, i, set) {
        int64_t there = workload_count(set, "/spec/replicas");
        int64_t spare =
            there - (unavailable_only ? workload_count(set, "/status/availableReplicas") : 0);
        int64_t less = at_most(spare, count - taken);
        if (set == rollout->current || less <= 0)
            continue;
        scale(sandbox, set, there - less);
        taken += less;
    }
    return taken;
}

/* As many as may be unavailable may go, and pods that aren't available go first. */
static void scale_old(struct sandbox *sandbox, struct rollout *rollout)
{
    int64_t least = rollout->wanted - rollout->unavailable;
    int64_t missing = workload_count(rollout->current, "/spec/replicas") -
                      workload_count(rollout->current, "/status/availableReplicas");
    int64_t most = sum(rollout->all, "/spec/replicas") - least - missing;
    int64_t spare = sum(rollout->all, "/status/availableReplicas") - least;
    if (most > 0)
        take_from_old(sandbox, rollout, most, true);
    if (most > 0 && spare > 0)
        take_from_old(sandbox, rollout, spare, false);
}

static void recreate(struct sandbox *sandbox, struct rollout *rollout)
{
    int64_t old = sum(rollout->all, "/status/replicas");
    if (rollout->current)
        old -= workload_count(rollout->current, "/status/replicas");
    if (take_from_old(sandbox, rollout, INT64_MAX, false) || old)
        return;
    if (!rollout->current)
        make_current(sandbox, rollout);
    if (rollout->current)
        scale_current(sandbox, rollout);
}

static void roll(struct sandbox *sandbox, struct rollout *rollout)
{
    if (!rollout->current)
        make_current(sandbox, rollout);
    if (!rollout->current)
        return;
    scale_current(sandbox, rollout);
    scale_old(sandbox, rollout);
}

/* All that it wants are there, of the new template, and available. */
static bool saturated(const struct rollout *rollout)
{
    return rollout->current &&
           workload_count(rollout->current, "/spec/replicas") == rollout->wanted &&
           workload_count(rollout->current, "/status/availableReplicas") == rollout->wanted;
}

/* A Deployment that is paused keeps its ReplicaSets; only its size is followed, by the one that
 * has pods. Of several the old ones go when the new one has all. */
static void follow_size(struct sandbox *sandbox, struct rollout *rollout)
{
    json_t *set, *only = NULL;
    size_t i, active = 0;
    json_array_foreach (rollout->all, i, set) {
        if (workload_count(set, "/spec/replicas")) {
            only = set;
            active++;
        }
    }
    if (active == 1 && workload_count(only, "/spec/replicas") != rollout->wanted)
        scale(sandbox, only, rollout->wanted);
    else if (active > 1 && saturated(rollout))
        take_from_old(sandbox, rollout, INT64_MAX, false);
}

/* ── History ──────────────────────────────────────────────────────────────────────────────── */

static bool is_complete(const struct rollout *rollout)
{
    int64_t updated = workload_count(rollout->current, "/status/replicas");
    return rollout->current && updated == rollout->wanted &&
           sum(rollout->all, "/status/replicas") == updated &&
           sum(rollout->all, "/status/availableReplicas") == updated;
}

static int by_revision(const void *a, const void *b)
{
    int64_t x = revision_of(*(json_t *const *)a), y = revision_of(*(json_t *const *)b);
    return (x > y) - (x < y);
}

static bool is_empty(const json_t *set)
{
    return !workload_count(set, "/spec/replicas") && !workload_count(set, "/status/replicas") &&
           json_int_at(set, "/metadata/generation", 0) <=
               json_int_at(set, "/status/observedGeneration", 0);
}

/* Of the oldest that are too many for the owner those go that have no pods; one that has is spared,
 * and none goes in its place. */
static void forget_old(struct sandbox *sandbox, const struct rollout *rollout)
{
    json_t *sets AUTO_JSON = workload_sorted_take(json_copy(rollout->all), by_revision), *set;
    int64_t spare = (int64_t)json_array_size(sets) - (rollout->current != NULL) -
                    json_int_at(rollout->deployment, "/spec/revisionHistoryLimit", 10);
    size_t i;
    json_array_foreach (sets, i, set) {
        if (set == rollout->current)
            continue;
        if (spare-- <= 0)
            return;
        if (is_empty(set))
            workload_delete(sandbox, "ReplicaSet", set);
    }
}

/* ── Status ───────────────────────────────────────────────────────────────────────────────── */

static void say(json_t *deployment, const char *type, bool holds, const char *reason,
                const char *message)
{
    const json_t *before = workload_condition(deployment, type);
    if (before && str_equal(json_string_at(before, "/status"), holds ? "True" : "False") &&
        str_equal(json_string_at(before, "/reason"), reason) &&
        str_equal(json_string_at(before, "/message"), message))
        return;
    json_t *condition = workload_put_condition(deployment, type, holds);
    json_object_set_new(condition, "lastUpdateTime", time_now());
    json_object_set_new(condition, "reason", json_string(reason));
    json_object_set_new(condition, "message", json_string(message));
}

static void say_progress(const struct rollout *rollout, bool paused, bool complete)
{
    const char *name = json_string_at(rollout->current, "/metadata/name");
    char *words AUTO_FREE = str_format(complete ? "ReplicaSet \"%s\" has successfully progressed."
                                                : "ReplicaSet \"%s\" is progressing.",
                                       name ? name : "");
    if (paused && !complete)
        return;
    say(rollout->deployment, "Progressing", true,
        complete ? "NewReplicaSetAvailable" : "ReplicaSetUpdated", words);
}

static void tell(struct sandbox *sandbox, struct rollout *rollout, bool paused)
{
    json_t *deployment = rollout->deployment;
    int64_t all = sum(rollout->all, "/status/replicas");
    int64_t available = sum(rollout->all, "/status/availableReplicas");
    int64_t updated = workload_count(rollout->current, "/status/replicas");
    int64_t missing = sum(rollout->all, "/spec/replicas") - available;
    bool enough = available >= rollout->wanted - rollout->unavailable;
    workload_put_count(deployment, "/status/replicas", all);
    workload_put_count(deployment, "/status/updatedReplicas", updated);
    workload_put_count(deployment, "/status/readyReplicas",
                       sum(rollout->all, "/status/readyReplicas"));
    workload_put_count(deployment, "/status/availableReplicas", available);
    workload_put_count(deployment, "/status/unavailableReplicas", missing > 0 ? missing : 0);
    workload_put_observed(deployment);
    say(deployment, "Available", enough,
        enough ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
        enough ? "Deployment has minimum availability."
               : "Deployment does not have minimum availability.");
    say_progress(rollout, paused, is_complete(rollout));
    workload_write_status(sandbox, "Deployment", deployment);
}

/* ── Passes ───────────────────────────────────────────────────────────────────────────────── */

static void reconcile(struct sandbox *sandbox, const char *key)
{
    struct rollout rollout AUTO(rollout_done) = {.deployment =
                                                     workload_get(sandbox, "Deployment", key)};
    if (!rollout.deployment)
        return;
    bool paused = json_bool_at(rollout.deployment, "/spec/paused", false);
    rollout.all = workload_controlled(sandbox, rollout.deployment, "ReplicaSet");
    rollout.current = find_current(&rollout);
    read_numbers(&rollout);
    if (paused)
        follow_size(sandbox, &rollout);
    else if (recreates(&rollout))
        recreate(sandbox, &rollout);
    else
        roll(sandbox, &rollout);
    if (rollout.current)
        number(sandbox, &rollout);
    tell(sandbox, &rollout, paused);
    if (paused || is_complete(&rollout))
        forget_old(sandbox, &rollout);
}

void deployment_controller(struct sandbox *sandbox, const struct news *news)
{
    workload_look(sandbox, news, &(struct workload_kinds){"Deployment", "ReplicaSet", reconcile});
}
