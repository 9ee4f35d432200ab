// SPDX-License-Identifier: Apache-2.0
#include "nodes.h"

#include "base/alloc.h"
#include "base/json.h"

#include <string.h>

#define TERMS_AT                                                                                   \
    "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms"

static bool same_or_any(const json_t *wanted, const json_t *found)
{
    const char *text = json_string_value(wanted);
    return !text || !*text || json_equal((json_t *)(uintptr_t)wanted, (json_t *)(uintptr_t)found);
}

static bool tolerates(const json_t *toleration, const json_t *taint)
{
    const char *value = json_string_at(toleration, "/value");
    const char *found = json_string_at(taint, "/value");
    bool any = str_equal(json_string_at(toleration, "/operator"), "Exists");
    return same_or_any(json_object_get(toleration, "effect"), json_object_get(taint, "effect")) &&
           same_or_any(json_object_get(toleration, "key"), json_object_get(taint, "key")) &&
           (any || strcmp(value ? value : "", found ? found : "") == 0);
}

static bool is_tolerated(const json_t *taint, const json_t *tolerations)
{
    for (size_t i = 0; i < json_array_size(tolerations); i++)
        if (tolerates(json_array_get(tolerations, i), taint))
            return true;
    return false;
}

static bool is_selected(const json_t *node, json_t *selector)
{
    const json_t *labels = json_at(node, "/metadata/labels");
    const char *name;
    json_t *value;
    json_object_foreach (selector, name, value)
        if (!json_equal(json_object_get(labels, name), value))
            return false;
    return true;
}

enum fit node_fit(const json_t *node, const json_t *pod_spec)
{
    const char *name = json_string_at(pod_spec, "/nodeName");
    enum fit fit = FIT_RUNS;
    json_t *taint;
    size_t i;
    if ((name && !str_equal(name, json_string_at(node, "/metadata/name"))) ||
        !is_selected(node, json_object_get(pod_spec, "nodeSelector")))
        return FIT_NOT;
    json_array_foreach (json_at(node, "/spec/taints"), i, taint) {
        const char *effect = json_string_at(taint, "/effect");
        if (is_tolerated(taint, json_object_get(pod_spec, "tolerations")))
            continue;
        if (str_equal(effect, "NoExecute"))
            return FIT_NOT;
        if (str_equal(effect, "NoSchedule"))
            fit = FIT_STAYS;
    }
    return fit;
}

void pod_put_node(json_t *pod, const char *node)
{
    json_put_take(pod, TERMS_AT,
                  json_pack("[{s[{ss ss s[s]}]}]", "matchFields", "key", "metadata.name",
                            "operator", "In", "values", node));
}

const char *pod_node(const json_t *pod)
{
    const char *name = json_string_at(pod, "/spec/nodeName");
    return name ? name : json_string_at(pod, TERMS_AT "/0/matchFields/0/values/0");
}
