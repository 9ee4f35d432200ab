// SPDX-License-Identifier: Apache-2.0
/* What kubelets say of their nodes, and what a cluster does when one of them falls silent. */
#include "base/alloc.h"
#include "base/json.h"
#include "change.h"
#include "controllers.h"
#include "faults.h"
#include "later.h"
#include "nodes.h"
#include "pods.h"
#include "workload.h"

#include <stdlib.h>

#define UNREACHABLE "node.kubernetes.io/unreachable"

/* So long pods tolerate a node that can't be reached, unless they say otherwise. */
enum { TOLERATED_MS = 300 * 1000 };

/* ── Nodes of our own ─────────────────────────────────────────────────────────────────────── */

static void node_create(struct sandbox *sandbox, int number)
{
    char *name AUTO_FREE = str_format("node-%d", number);
    json_t *node AUTO_JSON =
        json_pack("{ss ss s{ss s{ss ss ss}}}", "kind", "Node", "apiVersion", "v1", "metadata",
                  "name", name, "labels", "kubernetes.io/hostname", name, "kubernetes.io/os",
                  "linux", "kubernetes.io/arch", "amd64");
    struct target target = {.kind = workload_kind(sandbox, "Node")};
    struct change_options options = {0};
    struct failure failure = {0};
    change_create(sandbox, &target, node, &options, &failure);
    failure_done(&failure);
}

void nodes_create(struct sandbox *sandbox, int count)
{
    sandbox->has_nodes = count > 0;
    for (int i = 1; i <= count; i++)
        node_create(sandbox, i);
}

char *node_for(struct sandbox *sandbox, const json_t *pod)
{
    json_t *nodes AUTO_JSON = workload_all(sandbox, "Node");
    size_t count = json_array_size(nodes);
    for (size_t i = 0; i < count; i++) {
        const json_t *node = json_array_get(nodes, (sandbox->next_node + i) % count);
        if (node_fit(node, json_object_get(pod, "spec")) != FIT_RUNS)
            continue;
        sandbox->next_node += i + 1;
        return str_copy(json_string_at(node, "/metadata/name"));
    }
    return NULL;
}

/* ── Life and death ───────────────────────────────────────────────────────────────────────── */

static const char *readiness(const json_t *node)
{
    return json_string_at(workload_condition(node, "Ready"), "/status");
}

bool node_is_dead(const struct sandbox *sandbox, const char *name)
{
    json_t *node AUTO_JSON = name ? workload_get(sandbox, "Node", name) : NULL;
    return str_equal(readiness(node), "Unknown");
}

static bool must_die(struct sandbox *sandbox, const char *name)
{
    const struct fault_subject subject = {.name = name};
    return faults_pick(sandbox->faults, FAULTS_OF_NODES, &subject);
}

static void put_status(json_t *node, bool dead)
{
    json_t *ready = workload_put_condition(node, "Ready", true);
    if (dead != str_equal(json_string_at(ready, "/status"), "Unknown"))
        json_object_set_new(ready, "lastTransitionTime", time_now());
    json_object_set_new(ready, "status", json_string(dead ? "Unknown" : "True"));
    json_object_set_new(ready, "reason", json_string(dead ? "NodeStatusUnknown" : "KubeletReady"));
    json_object_set_new(ready, "message",
                        json_string(dead ? "Kubelet stopped posting node status."
                                         : "kubelet is posting ready status"));
    json_put_take(node, "/status/allocatable",
                  json_pack("{ss ss ss}", "cpu", "32", "memory", "256Gi", "pods", "1000"));
    json_put_take(node, "/status/capacity", json_copy(json_at(node, "/status/allocatable")));
}

/* Nothing new goes there; daemons tolerate it. */
static void put_taint(json_t *node, bool dead)
{
    json_t *taints = json_at(node, "/spec/taints");
    for (size_t i = json_array_size(taints); i-- > 0;)
        if (str_equal(json_string_at(json_array_get(taints, i), "/key"), UNREACHABLE))
            json_array_remove(taints, i);
    if (dead && !taints) {
        taints = json_array();
        json_put_take(node, "/spec/taints", taints);
    }
    if (dead)
        json_array_append_new(taints,
                              json_pack("{ss ss}", "key", UNREACHABLE, "effect", "NoSchedule"));
    else if (taints && !json_array_size(taints))
        json_remove_at(node, "/spec/taints");
}

static void on_tolerated(struct sandbox *sandbox, const char *name)
{
    if (node_is_dead(sandbox, name))
        pods_evict(sandbox, name);
}

static void node_put(struct sandbox *sandbox, json_t *node, bool dead)
{
    const char *name = json_string_at(node, "/metadata/name");
    json_t *copy AUTO_JSON = json_deep_copy(node);
    put_taint(copy, dead);
    workload_write(sandbox, "Node", copy);
    json_t *tainted AUTO_JSON = workload_get(sandbox, "Node", name);
    put_status(tainted, dead);
    workload_write_status(sandbox, "Node", tainted);
    pods_look_on(sandbox, name);
    if (dead)
        later_do(sandbox, TOLERATED_MS, on_tolerated, name);
}

static void node_look(struct sandbox *sandbox, json_t *node)
{
    bool dead = must_die(sandbox, json_string_at(node, "/metadata/name"));
    const char *is = readiness(node);
    if (!str_equal(is, dead ? "Unknown" : "True") && !workload_is_going(node))
        node_put(sandbox, node, dead);
}

void nodes_look(struct sandbox *sandbox)
{
    json_t *nodes AUTO_JSON = workload_all(sandbox, "Node"), *node;
    size_t i;
    if (sandbox->ready_after_ms < 0)
        return;
    json_array_foreach (nodes, i, node)
        node_look(sandbox, node);
}

static void look(struct sandbox *sandbox, const char *name)
{
    json_t *node AUTO_JSON = workload_get(sandbox, "Node", name);
    if (node)
        node_look(sandbox, node);
}

/* A node that has come gets its kubelet. */
void node_controller(struct sandbox *sandbox, const struct news *news)
{
    if (sandbox->ready_after_ms < 0 || news->kind != workload_kind(sandbox, "Node") ||
        news->version->change == CHANGE_DELETED)
        return;
    if (!readiness(news->object))
        later_soon(sandbox, look, news->version->entry->key);
}
