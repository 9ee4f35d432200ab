// SPDX-License-Identifier: Apache-2.0
/* Runs pods, as a kubelet would say it does. After a time that was chosen, the containers of a pod
 * have started, and so has one whose image was changed. */
#include "base/alloc.h"
#include "base/json.h"
#include "controllers.h"
#include "later.h"
#include "nodes.h"
#include "pods.h"
#include "workload.h"

#include <stdlib.h>
#include <string.h>

/* ── Containers ───────────────────────────────────────────────────────────────────────────── */

/* The tags `broken` and `unready` are those of images that never get ready. */
static bool gets_ready(const json_t *container)
{
    const char *image = json_string_at(container, "/image");
    const char *tag = image ? strrchr(image, ':') : NULL;
    return !str_equal(tag, ":broken") && !str_equal(tag, ":unready");
}

static bool all_get_ready(const json_t *pod)
{
    json_t *container;
    size_t i;
    json_array_foreach (json_at(pod, "/spec/containers"), i, container)
        if (!gets_ready(container))
            return false;
    return true;
}

static json_t *image_id(const json_t *container)
{
    const char *image = json_string_at(container, "/image");
    char hex[HASH_HEX_SIZE];
    hash_sha256(image ? image : "", image ? strlen(image) : 0, hex);
    return json_sprintf("sha256:%s", hex);
}

static bool runs_image(const json_t *status, const json_t *container)
{
    return str_equal(json_string_at(status, "/image"), json_string_at(container, "/image"));
}

/* `was`: how it ran until now; NULL: it didn't. */
static json_t *status_of(const json_t *pod, const json_t *container, json_t *was)
{
    if (was && runs_image(was, container))
        return json_incref(was);
    const char *name = json_string_at(container, "/name");
    int64_t restarts = was ? json_int_at(was, "/restartCount", 0) + 1 : 0;
    json_t *status = json_pack(
        "{ss sO* so so sb sb sI s{s{so}}}", "name", name, "image",
        json_object_get(container, "image"), "imageID", image_id(container), "containerID",
        json_sprintf("sandbox://%s-%s-%lld", json_string_at(pod, "/metadata/uid"), name,
                     (long long)restarts),
        "ready", gets_ready(container), "started", 1, "restartCount", (json_int_t)restarts, "state",
        "running", "startedAt", time_now());
    if (was)
        json_put_take(status, "/lastState/terminated",
                      json_pack("{si ss sO* so}", "exitCode", 0, "reason", "Completed", "startedAt",
                                json_at(was, "/state/running/startedAt"), "finishedAt",
                                time_now()));
    return status;
}

static void put_containers(json_t *pod)
{
    const json_t *were = json_at(pod, "/status/containerStatuses");
    json_t *list = json_array(), *container;
    size_t i;
    json_array_foreach (json_at(pod, "/spec/containers"), i, container)
        json_array_append_new(list, status_of(pod, container, json_array_get(were, i)));
    json_put_take(pod, "/status/containerStatuses", list);
}

/* Whether each container that has started runs the image that it should. */
static bool is_up_to_date(const json_t *pod)
{
    const json_t *statuses = json_at(pod, "/status/containerStatuses");
    json_t *container;
    size_t i;
    json_array_foreach (json_at(pod, "/spec/containers"), i, container)
        if (!runs_image(json_array_get(statuses, i), container))
            return false;
    return true;
}

/* ── Conditions ───────────────────────────────────────────────────────────────────────────── */

static void say(json_t *pod, const char *type, bool holds)
{
    json_t *condition = workload_put_condition(pod, type, holds);
    json_object_del(condition, "reason");
    json_object_del(condition, "message");
}

static bool holds(const json_t *pod, const char *type)
{
    return str_equal(json_string_at(workload_condition(pod, type), "/status"), "True");
}

/* Its containers are, and whoever has a gate there has opened it. */
static bool is_ready(const json_t *pod)
{
    json_t *gate;
    size_t i;
    json_array_foreach (json_at(pod, "/spec/readinessGates"), i, gate)
        if (!holds(pod, json_string_at(gate, "/conditionType")))
            return false;
    return holds(pod, "ContainersReady");
}

/* ── Pods ─────────────────────────────────────────────────────────────────────────────────── */

/* One with gates that keep it from being scheduled can't start. */
static bool can_start(const json_t *pod)
{
    return str_equal(json_string_at(pod, "/status/phase"), "Pending") &&
           !json_array_size(json_at(pod, "/spec/schedulingGates"));
}

static bool runs(const json_t *pod)
{
    return str_equal(json_string_at(pod, "/status/phase"), "Running");
}

/* A pod that is meant for one node goes there, others where there is room. False: it can't run,
 * because no node takes it, or its own has died. */
static bool bind_to_node(struct sandbox *sandbox, json_t *pod)
{
    const char *meant = pod_node(pod);
    char *node AUTO_FREE = meant || !sandbox->has_nodes ? str_copy(meant) : node_for(sandbox, pod);
    if (!node)
        return !sandbox->has_nodes;
    if (!json_at(pod, "/spec/nodeName")) {
        json_put_take(pod, "/spec/nodeName", json_string(node));
        workload_write(sandbox, "Pod", pod);
    }
    return !node_is_dead(sandbox, node);
}

/* One of its own, as far as chance goes. */
static void put_address(json_t *pod)
{
    unsigned long number = strtoul(json_string_at(pod, "/metadata/uid"), NULL, 16);
    json_t *address AUTO_JSON =
        json_sprintf("10.%lu.%lu.%lu", number >> 24 & 255, number >> 16 & 255, number >> 8 & 255);
    json_put_take(pod, "/status/podIP", json_incref(address));
    json_put_take(pod, "/status/podIPs", json_pack("[{sO}]", "ip", address));
}

static void start(json_t *pod)
{
    json_put_take(pod, "/status/phase", json_string("Running"));
    json_put_take(pod, "/status/startTime", time_now());
    put_address(pod);
    say(pod, "PodReadyToStartContainers", true);
    say(pod, "Initialized", true);
    say(pod, "PodScheduled", true);
}

/* A pod that starts again has another chance. */
static void count_start(struct sandbox *sandbox, const json_t *pod, const char *key)
{
    const struct fault_subject subject = {.ns = json_string_at(pod, "/metadata/namespace"),
                                          .name = json_string_at(pod, "/metadata/name")};
    map_remove(&sandbox->never_ready, key);
    if (faults_pick(sandbox->faults, FAULTS_OF_PODS, &subject))
        map_put(&sandbox->never_ready, key, sandbox);
    if (++sandbox->starts == sandbox->stuck_start)
        str_replace(&sandbox->stuck, key);
    else if (str_equal(sandbox->stuck, key))
        str_replace(&sandbox->stuck, NULL);
}

static bool is_kept_from_ready(const struct sandbox *sandbox, const char *key)
{
    return str_equal(sandbox->stuck, key) || map_get(&sandbox->never_ready, key);
}

/* Its kubelet says nothing any more; that it isn't ready is said by others. */
static void say_lost(struct sandbox *sandbox, json_t *pod)
{
    if (!runs(pod))
        return;
    say(pod, "Ready", false);
    workload_write_status(sandbox, "Pod", pod);
}

static void run(struct sandbox *sandbox, const char *key)
{
    json_t *pod AUTO_JSON = workload_get(sandbox, "Pod", key);
    if (!pod || (!can_start(pod) && !runs(pod)))
        return;
    if (!bind_to_node(sandbox, pod)) {
        say_lost(sandbox, pod);
        return;
    }
    if (can_start(pod) || !is_up_to_date(pod))
        count_start(sandbox, pod, key);
    if (can_start(pod))
        start(pod);
    put_containers(pod);
    say(pod, "ContainersReady", all_get_ready(pod) && !is_kept_from_ready(sandbox, key));
    say(pod, "Ready", is_ready(pod));
    workload_write_status(sandbox, "Pod", pod);
}

void pods_look(struct sandbox *sandbox)
{
    struct map kept = sandbox->never_ready;
    size_t cursor = 0;
    const struct map_entry *at;
    sandbox->never_ready = (struct map){0};
    while ((at = map_next(&kept, &cursor)))
        later_soon(sandbox, run, at->key);
    map_done(&kept, NULL);
}

/* Whether it is on the node, or waits for any. */
static bool is_on(const json_t *pod, const char *node)
{
    const char *own = pod_node(pod);
    return !own || str_equal(own, node);
}

void pods_look_on(struct sandbox *sandbox, const char *node)
{
    json_t *pods AUTO_JSON = workload_all(sandbox, "Pod"), *pod;
    size_t i;
    json_array_foreach (pods, i, pod) {
        char *key AUTO_FREE = workload_key(pod);
        if (is_on(pod, node))
            later_do(sandbox, can_start(pod) ? sandbox->ready_after_ms : 0, run, key);
    }
}

void pods_evict(struct sandbox *sandbox, const char *node)
{
    json_t *pods AUTO_JSON = workload_all(sandbox, "Pod"), *pod;
    size_t i;
    json_array_foreach (pods, i, pod) {
        const char *owner = json_string_at(pod, "/metadata/ownerReferences/0/kind");
        if (str_equal(pod_node(pod), node) && !str_equal(owner, "DaemonSet"))
            workload_delete(sandbox, "Pod", pod);
    }
}

void pod_controller(struct sandbox *sandbox, const struct news *news)
{
    const json_t *pod = news->object;
    const char *key = news->version->entry->key;
    if (sandbox->ready_after_ms < 0 || news->kind != workload_kind(sandbox, "Pod") ||
        news->version->change == CHANGE_DELETED || workload_is_going(pod))
        return;
    if (can_start(pod) || (runs(pod) && !is_up_to_date(pod)))
        later_do(sandbox, sandbox->ready_after_ms, run, key);
    else if (runs(pod) && is_ready(pod) != holds(pod, "Ready") &&
             !node_is_dead(sandbox, pod_node(pod)))
        later_soon(sandbox, run, key);
}
