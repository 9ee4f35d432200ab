// SPDX-License-Identifier: Apache-2.0
/* Makes and deletes the pods of ReplicaSets, and counts them. */
#include "base/alloc.h"
#include "base/json.h"
#include "controllers.h"
#include "later.h"
#include "workload.h"

#include <stdlib.h>
#include <string.h>

/* The youngest go first, and before them those that aren't ready. */
static void delete_some(struct sandbox *sandbox, json_t *pods, int64_t count)
{
    for (int ready = 0; ready <= 1; ready++) {
        for (size_t i = json_array_size(pods); i-- > 0 && count > 0;) {
            if ((workload_available_in(json_array_get(pods, i), 0) == 0) != (bool)ready)
                continue;
            workload_delete(sandbox, "Pod", json_array_get(pods, i));
            json_array_remove(pods, i);
            count--;
        }
    }
}

/* `pods` becomes what there is afterwards. */
static void make_as_many(struct sandbox *sandbox, const json_t *set, json_t *pods)
{
    const json_t *template = json_at(set, "/spec/template");
    int64_t wanted = json_int_at(set, "/spec/replicas", 1);
    int64_t there = (int64_t)json_array_size(pods);
    for (; there < wanted; there++) {
        json_t *pod = workload_create_take(sandbox, set, "Pod", workload_pod(set, template));
        if (!pod)
            return;
        json_array_append_new(pods, pod);
    }
    delete_some(sandbox, pods, there - wanted);
}

static later_fn reconcile;

static void count(struct sandbox *sandbox, json_t *set, const json_t *pods, const char *key)
{
    struct tally tally = workload_tally(pods, json_int_at(set, "/spec/minReadySeconds", 0));
    int64_t there = (int64_t)json_array_size(pods);
    json_put_take(set, "/status/replicas", json_integer(there));
    workload_put_count(set, "/status/fullyLabeledReplicas", there);
    workload_put_count(set, "/status/readyReplicas", tally.ready);
    workload_put_count(set, "/status/availableReplicas", tally.available);
    workload_put_observed(set);
    workload_write_status(sandbox, "ReplicaSet", set);
    if (tally.wait_ms >= 0)
        later_do(sandbox, tally.wait_ms, reconcile, key);
}

static void reconcile(struct sandbox *sandbox, const char *key)
{
    json_t *set AUTO_JSON = workload_get(sandbox, "ReplicaSet", key);
    if (!set)
        return;
    json_t *pods AUTO_JSON = workload_controlled(sandbox, set, "Pod");
    make_as_many(sandbox, set, pods);
    count(sandbox, set, pods, key);
}

void replica_set_controller(struct sandbox *sandbox, const struct news *news)
{
    workload_look(sandbox, news, &(struct workload_kinds){"ReplicaSet", "Pod", reconcile});
}
