// SPDX-License-Identifier: Apache-2.0
/* Runs pods, as a kubelet would say it does: after a time that was chosen, each is ready. */
#include "base/alloc.h"
#include "base/json.h"
#include "controllers.h"
#include "later.h"
#include "workload.h"

#include <string.h>

static json_t *conditions(void)
{
    static const char *const types[] = {"PodReadyToStartContainers", "Initialized", "Ready",
                                        "ContainersReady", "PodScheduled"};
    json_t *list = json_array();
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        json_array_append_new(list, json_pack("{so ss ss}", "lastTransitionTime", time_now(),
                                              "status", "True", "type", types[i]));
    return list;
}

static json_t *container_statuses(const json_t *pod)
{
    json_t *list = json_array(), *container;
    size_t i;
    json_array_foreach (json_at(pod, "/spec/containers"), i, container)
        json_array_append_new(list, json_pack("{sO sO ss sb sb si s{s{so}}}", "name",
                                              json_object_get(container, "name"), "image",
                                              json_object_get(container, "image"), "imageID", "",
                                              "ready", 1, "started", 1, "restartCount", 0, "state",
                                              "running", "startedAt", time_now()));
    return list;
}

static void start(struct sandbox *sandbox, const char *key)
{
    json_t *pod AUTO_JSON = workload_get(sandbox, "Pod", key);
    if (!pod || !str_equal(json_string_at(pod, "/status/phase"), "Pending"))
        return;
    json_put_take(pod, "/status/phase", json_string("Running"));
    json_put_take(pod, "/status/startTime", time_now());
    json_put_take(pod, "/status/conditions", conditions());
    json_put_take(pod, "/status/containerStatuses", container_statuses(pod));
    workload_write_status(sandbox, "Pod", pod);
}

void pod_controller(struct sandbox *sandbox, const struct version *version)
{
    const struct kind *pods = workload_kind(sandbox, "Pod");
    if (sandbox->ready_after_ms >= 0 && version->entry->collection == pods->collection &&
        version->change == CHANGE_ADDED)
        later_do(sandbox, sandbox->ready_after_ms, start, version->entry->key);
}
