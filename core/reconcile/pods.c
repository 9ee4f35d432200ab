// SPDX-License-Identifier: Apache-2.0
#include "reconcile/pods.h"

#include "base/alloc.h"

#include <stdlib.h>

struct pods_fetch {
    struct controller *controller;
    char *ns;
    json_t *names, *pods;
    size_t next;
    struct call *call;
    pods_fn *on_fetched;
    void *data;
};

static void fetch_next(struct pods_fetch *fetch);

static bool array_has(const json_t *array, const json_t *wanted)
{
    for (size_t i = 0; i < json_array_size(array); i++)
        if (json_equal(json_array_get(array, i), wanted))
            return true;
    return false;
}

json_t *plan_pod_names(const struct plan *plan)
{
    json_t *names = NULL;
    for (size_t i = 0; i < plan->batch_count; i++) {
        const json_t *batch = plan->batches[i].pods;
        for (size_t k = 0; k < json_array_size(batch); k++) {
            names = names ? names : json_array();
            if (!array_has(names, json_array_get(batch, k)))
                json_array_append(names, json_array_get(batch, k));
        }
    }
    return names;
}

static void fetch_free(struct pods_fetch *fetch)
{
    json_decref(fetch->names);
    json_decref(fetch->pods);
    free(fetch->ns);
    free(fetch);
}

void pods_fetch_cancel(struct pods_fetch *fetch)
{
    if (!fetch)
        return;
    call_cancel(fetch->call);
    fetch_free(fetch);
}

static void fetch_finish(struct pods_fetch *fetch, const struct error *err)
{
    pods_fn *on_fetched = fetch->on_fetched;
    void *data = fetch->data;
    json_t *pods AUTO_JSON = json_incref(fetch->pods);
    fetch_free(fetch);
    on_fetched(data, err->code == OK ? pods : NULL, err);
}

static void on_pod(void *data, const struct reply *reply)
{
    struct pods_fetch *fetch = data;
    fetch->call = NULL;
    if (reply->error.code == OK)
        json_array_append(fetch->pods, reply->body);
    if (reply->error.code != OK && reply->error.code != ERR_MISSING)
        fetch_finish(fetch, &reply->error);
    else if (++fetch->next == json_array_size(fetch->names))
        fetch_finish(fetch, &(struct error){.code = OK});
    else
        fetch_next(fetch);
}

static void fetch_next(struct pods_fetch *fetch)
{
    static const struct kind_info pods = {"v1", "Pod", "pods", true};
    const char *name = json_string_value(json_array_get(fetch->names, fetch->next));
    char *path AUTO_FREE = object_path(&pods, fetch->ns, name, NULL);
    struct call_spec spec = {.method = "GET", .path = path};
    fetch->call = cluster_call(fetch->controller->cluster, &spec, on_pod, fetch);
}

struct pods_fetch *pods_fetch_start(struct controller *controller, const char *ns,
                                    const json_t *names, pods_fn *on_fetched, void *data)
{
    struct pods_fetch *fetch = mem_alloc(sizeof *fetch);
    fetch->controller = controller;
    fetch->ns = str_copy(ns);
    fetch->names = json_deep_copy(names);
    fetch->pods = json_array();
    fetch->on_fetched = on_fetched;
    fetch->data = data;
    fetch_next(fetch);
    return fetch;
}
