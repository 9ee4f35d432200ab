// SPDX-License-Identifier: Apache-2.0
#include "revision.h"

#include "common/pods.h"

static bool is_absent(json_t *value)
{
    return !value || json_is_null(value);
}

static bool same_content(json_t *a, json_t *b);

static bool same_members(json_t *a, json_t *b)
{
    const char *key;
    json_t *value;
    json_object_foreach (a, key, value) {
        if (!same_content(value, json_object_get(b, key)))
            return false;
    }
    json_object_foreach (b, key, value) {
        if (!is_absent(value) && !json_object_get(a, key))
            return false;
    }
    return true;
}

static bool same_items(json_t *a, json_t *b)
{
    size_t i;
    json_t *value;
    if (json_array_size(a) != json_array_size(b))
        return false;
    json_array_foreach (a, i, value) {
        if (!same_content(value, json_array_get(b, i)))
            return false;
    }
    return true;
}

/* Are they equal, if null is the same as absent? Versions of Kubernetes differ in that. */
static bool same_content(json_t *a, json_t *b)
{
    if (is_absent(a) || is_absent(b))
        return is_absent(a) && is_absent(b);
    if (json_is_object(a) && json_is_object(b))
        return same_members(a, b);
    if (json_is_array(a) && json_is_array(b))
        return same_items(a, b);
    return json_equal(a, b);
}

/* Does a ControllerRevision record the present template? It is kept as a strategic merge patch. */
static bool records_template(json_t *revision, json_t *workload)
{
    json_t *recorded = sluice_at(revision, "/data/spec/template");
    json_t *template = json_is_object(recorded) ? json_copy(recorded) : NULL;
    if (!template)
        return false;
    json_object_del(template, "$patch");
    bool same = same_content(template, sluice_at(workload, "/spec/template"));
    json_decref(template);
    return same;
}

const char *update_revision(const struct sluice_request *request, json_t *workload)
{
    json_t *found = NULL, *object;
    size_t i;
    json_array_foreach (sluice_at(request->json, "/owned"), i, object) {
        if (records_template(object, workload) &&
            (!found || sluice_int(object, "/revision", 0) > sluice_int(found, "/revision", 0)))
            found = object;
    }
    return sluice_string(found, "/metadata/labels/" POD_REVISION);
}
