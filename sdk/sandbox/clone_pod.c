// SPDX-License-Identifier: Apache-2.0
#include "clone_pod.h"

#include "base/alloc.h"
#include "base/json.h"
#include "change.h"
#include "revisions.h"

#include <stdlib.h>
#include <string.h>

#define HASH_AT     "/metadata/labels/pod-template-hash"
#define ID_AT       "/metadata/labels/apps.kruise.io~1cloneset-instance-id"
#define GIVEN_UP_AT "/metadata/labels/apps.kruise.io~1specified-delete"
#define STATE_AT    "/metadata/labels/lifecycle.apps.kruise.io~1state"
#define SINCE_AT    "/metadata/annotations/lifecycle.apps.kruise.io~1timestamp"
#define UPDATE_AT   "/metadata/annotations/apps.kruise.io~1inplace-update-state"
#define GATE        "InPlaceUpdateReady"
#define OTHERS_GATE "KruisePodReady" /* for others to close; nobody here does */

/* ── What a pod says of itself ────────────────────────────────────────────────────────────── */

static void put_state(json_t *pod, const char *state)
{
    json_put_take(pod, STATE_AT, json_string(state));
    json_put_take(pod, SINCE_AT, time_now());
}

static bool is_in_state(const json_t *pod, const char *state)
{
    return str_equal(json_string_at(pod, STATE_AT), state);
}

static void put_revision(json_t *pod, const json_t *revision)
{
    const char *name = json_string_at(revision, "/metadata/name");
    json_put_take(pod, CLONE_POD_REVISION_AT, json_string(name));
    json_put_take(pod, HASH_AT, json_string(strrchr(name, '-') + 1));
}

static bool has_gate(const json_t *pod, const char *type)
{
    return json_find(json_at(pod, "/spec/readinessGates"), "/conditionType", type) != NULL;
}

static void add_gate(json_t *pod, const char *type)
{
    if (has_gate(pod, type))
        return;
    if (!json_at(pod, "/spec/readinessGates"))
        json_put_take(pod, "/spec/readinessGates", json_array());
    json_array_append_new(json_at(pod, "/spec/readinessGates"),
                          json_pack("{ss}", "conditionType", type));
}

static bool is_open(const json_t *pod, const char *gate)
{
    return str_equal(json_string_at(workload_condition(pod, gate), "/status"), "True");
}

static void open_gate(struct sandbox *sandbox, json_t *pod, const char *gate)
{
    if (!has_gate(pod, gate) || is_open(pod, gate))
        return;
    json_object_del(workload_put_condition(pod, gate, true), "reason");
    workload_write_status(sandbox, "Pod", pod);
}

bool clone_pod_create(struct sandbox *sandbox, const json_t *set, const json_t *revision)
{
    json_t *template AUTO_JSON = revision_template(revision);
    json_t *pod = workload_pod(set, template);
    char id[NAME_TAIL_SIZE];
    name_tail(id);
    json_put_take(pod, "/metadata/name",
                  json_sprintf("%s-%s", json_string_at(set, "/metadata/name"), id));
    json_put_take(pod, ID_AT, json_string(id));
    put_revision(pod, revision);
    put_state(pod, "PreparingNormal");
    add_gate(pod, GATE);
    add_gate(pod, OTHERS_GATE);
    json_t *made AUTO_JSON = workload_create_take(sandbox, set, "Pod", pod);
    return made;
}

/* ── In place ─────────────────────────────────────────────────────────────────────────────── */

static json_t *containers_of(const json_t *template)
{
    return json_at(template, "/spec/containers");
}

bool clone_pod_fits_in_place(const json_t *from, const json_t *to)
{
    json_t *old AUTO_JSON = from ? revision_template(from) : NULL;
    json_t *new AUTO_JSON = revision_template(to), *container;
    size_t i;
    json_array_foreach (containers_of(old), i, container)
        json_object_set(container, "image",
                        json_object_get(json_array_get(containers_of(new), i), "image"));
    return old && json_equal(json_object_get(old, "spec"), json_object_get(new, "spec"));
}

/* What the one has and the other hasn't goes; what is new or different is put there. */
static void turn(json_t *pod, const char *member, const json_t *old, const json_t *new)
{
    json_t *was = json_at(old, member), *is = json_at(new, member), *value;
    const char *name;
    if (!json_at(pod, member))
        json_put_take(pod, member, json_object());
    json_t *found = json_at(pod, member);
    json_object_foreach (was, name, value)
        if (!json_object_get(is, name))
            json_object_del(found, name);
    json_object_foreach (is, name, value)
        if (!json_equal(json_object_get(was, name), value))
            json_object_set(found, name, value);
}

static void close_gate(struct sandbox *sandbox, json_t *pod)
{
    json_t *gate = workload_put_condition(pod, GATE, false);
    json_object_set_new(gate, "reason", json_string("StartInPlaceUpdate"));
    json_t *ready = workload_put_condition(pod, "Ready", false);
    json_object_set_new(ready, "reason", json_string("ReadinessGatesNotReady"));
    json_object_set_new(
        ready, "message",
        json_string("the status of pod readiness gate \"" GATE "\" is not \"True\", but False"));
    workload_write_status(sandbox, "Pod", pod);
}

static void note_update(json_t *pod, const json_t *to)
{
    json_t *note AUTO_JSON = json_pack("{sO so}", "revision", json_at(to, "/metadata/name"),
                                       "updateTimestamp", time_now());
    char *text AUTO_FREE = json_text(note);
    json_put_take(pod, UPDATE_AT, json_string(text));
}

void clone_pod_update(struct sandbox *sandbox, json_t *pod, const json_t *from, const json_t *to)
{
    json_t *old AUTO_JSON = revision_template(from), *new AUTO_JSON = revision_template(to);
    json_t *container;
    size_t i;
    if (has_gate(pod, GATE))
        close_gate(sandbox, pod);
    turn(pod, "/metadata/labels", old, new);
    turn(pod, "/metadata/annotations", old, new);
    json_array_foreach (containers_of(pod), i, container)
        json_object_set(container, "image",
                        json_object_get(json_array_get(containers_of(new), i), "image"));
    put_revision(pod, to);
    put_state(pod, "Updating");
    note_update(pod, to);
    workload_write(sandbox, "Pod", pod);
}

void clone_pod_give_up(struct sandbox *sandbox, json_t *pod)
{
    json_put_take(pod, GIVEN_UP_AT, json_string("true"));
    workload_write(sandbox, "Pod", pod);
}

bool clone_pod_is_given_up(const json_t *pod)
{
    return json_at(pod, GIVEN_UP_AT);
}

/* ── After that ───────────────────────────────────────────────────────────────────────────── */

/* All containers run the images that they should. One that hasn't been updated always does. */
static bool is_updated(const json_t *pod)
{
    const json_t *statuses = json_at(pod, "/status/containerStatuses");
    json_t *container;
    size_t i;
    json_array_foreach (containers_of(pod), i, container)
        if (!str_equal(json_string_at(container, "/image"),
                       json_string_at(json_array_get(statuses, i), "/image")))
            return false;
    return true;
}

bool clone_pod_settle(struct sandbox *sandbox, json_t *pod)
{
    bool updated = !json_at(pod, UPDATE_AT) || is_updated(pod);
    open_gate(sandbox, pod, OTHERS_GATE);
    if (updated)
        open_gate(sandbox, pod, GATE);
    if (!is_in_state(pod, "PreparingNormal") && !(is_in_state(pod, "Updating") && updated))
        return false;
    put_state(pod, "Normal");
    workload_write(sandbox, "Pod", pod);
    return true;
}

int64_t clone_pod_available_in(const json_t *pod, int64_t min_ready_s, bool settled)
{
    bool running = str_equal(json_string_at(pod, "/status/phase"), "Running");
    bool closed = workload_condition(pod, GATE) && !is_open(pod, GATE);
    bool busy = json_at(pod, STATE_AT) && !is_in_state(pod, "Normal");
    if (!running || closed || (settled && busy))
        return -1;
    return workload_available_in(pod, min_ready_s);
}

/* ── Order ────────────────────────────────────────────────────────────────────────────────── */

static int64_t restarts_of(const json_t *pod)
{
    int64_t most = 0;
    json_t *status;
    size_t i;
    json_array_foreach (json_at(pod, "/status/containerStatuses"), i, status)
        if (json_int_at(status, "/restartCount", 0) > most)
            most = json_int_at(status, "/restartCount", 0);
    return most;
}

static bool is_pending(const json_t *pod)
{
    return str_equal(json_string_at(pod, "/status/phase"), "Pending");
}

/* The latest first; equal moments decide nothing. */
static int by_moment(const char *left, const char *right)
{
    return -strcmp(left ? left : "", right ? right : "");
}

int clone_pod_by_worth(const void *a, const void *b)
{
    const json_t *left = *(json_t *const *)a, *right = *(json_t *const *)b;
    bool left_ready = workload_available_in(left, 0) == 0;
    bool right_ready = workload_available_in(right, 0) == 0;
    int order = is_pending(right) - is_pending(left);
    if (!order)
        order = left_ready - right_ready;
    if (!order && left_ready)
        order =
            by_moment(json_string_at(workload_condition(left, "Ready"), "/lastTransitionTime"),
                      json_string_at(workload_condition(right, "Ready"), "/lastTransitionTime"));
    if (!order)
        order = (restarts_of(left) < restarts_of(right)) - (restarts_of(left) > restarts_of(right));
    return order ? order
                 : by_moment(json_string_at(left, "/metadata/creationTimestamp"),
                             json_string_at(right, "/metadata/creationTimestamp"));
}
