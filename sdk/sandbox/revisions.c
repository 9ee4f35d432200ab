// SPDX-License-Identifier: Apache-2.0
#include "revisions.h"

#include "base/alloc.h"
#include "base/json.h"

#include <string.h>

static int by_revision(const void *a, const void *b)
{
    int64_t left = workload_count(*(json_t *const *)a, "/revision");
    int64_t right = workload_count(*(json_t *const *)b, "/revision");
    return (left > right) - (left < right);
}

json_t *revision_template(const json_t *revision)
{
    json_t *template = json_deep_copy(json_at(revision, "/data/spec/template"));
    json_remove_at(template, "/$patch");
    return template;
}

static json_t *find_equal(const json_t *all, const json_t *data)
{
    for (size_t i = json_array_size(all); i-- > 0;)
        if (json_equal(json_at(json_array_get(all, i), "/data"), data))
            return json_array_get(all, i);
    return NULL;
}

/* What restores the template, as a patch. */
static json_t *data_of(const json_t *owner)
{
    json_t *template = json_deep_copy(json_at(owner, "/spec/template"));
    json_object_set_new(template, "$patch", json_string("replace"));
    return json_pack("{s{so}}", "spec", "template", template);
}

static json_t *revision_of(const json_t *owner, const char *hash_label, int64_t number)
{
    char hash[WORKLOAD_HASH_SIZE];
    const json_t *template = json_at(owner, "/spec/template");
    json_t *labels = json_deep_copy(json_at(template, "/metadata/labels"));
    workload_hash(template, hash);
    json_object_set_new(labels, hash_label, json_string(hash));
    return json_pack("{s{so so sO*} so sI}", "metadata", "name",
                     json_sprintf("%s-%s", json_string_at(owner, "/metadata/name"), hash), "labels",
                     labels, "annotations", json_at(owner, "/metadata/annotations"), "data",
                     data_of(owner), "revision", (json_int_t)number);
}

static void put_last(struct sandbox *sandbox, struct revisions *revisions, int64_t number)
{
    json_object_set_new(revisions->update, "revision", json_integer(number));
    workload_write(sandbox, "ControllerRevision", revisions->update);
    revisions->all = workload_sorted_take(revisions->all, by_revision);
}

void revisions_find(struct sandbox *sandbox, const json_t *owner, const char *hash_label,
                    struct revisions *ret_revisions)
{
    json_t *data AUTO_JSON = data_of(owner);
    json_t *all = workload_sorted_take(workload_controlled(sandbox, owner, "ControllerRevision"),
                                       by_revision);
    size_t count = json_array_size(all);
    const json_t *newest = count ? json_array_get(all, count - 1) : NULL;
    int64_t next = workload_count(newest, "/revision") + 1;
    ret_revisions->all = all;
    ret_revisions->update = find_equal(all, data);
    if (!ret_revisions->update) {
        ret_revisions->update = workload_create_take(sandbox, owner, "ControllerRevision",
                                                     revision_of(owner, hash_label, next));
        if (ret_revisions->update)
            json_array_append_new(all, ret_revisions->update);
    } else if (ret_revisions->update != newest) {
        put_last(sandbox, ret_revisions, next);
    }
}

void revisions_done(struct revisions *revisions)
{
    json_decref(revisions->all);
}

json_t *revisions_named(const struct revisions *revisions, const char *name)
{
    return json_find(revisions->all, "/metadata/name", name);
}

void revisions_trim(struct sandbox *sandbox, const struct revisions *revisions, const json_t *live,
                    int64_t count)
{
    json_t *revision;
    size_t i;
    json_array_foreach (revisions->all, i, revision) {
        if (count <= 0)
            return;
        if (json_object_get(live, json_string_at(revision, "/metadata/name")))
            continue;
        workload_delete(sandbox, "ControllerRevision", revision);
        count--;
    }
}

/* The names of those that are in use, as members. The caller owns it. */
static json_t *names_in_use(const json_t *owner, const json_t *pods)
{
    json_t *names = json_object(), *pod;
    size_t i;
    json_array_foreach (pods, i, pod) {
        const char *name = json_string_at(pod, "/metadata/labels/controller-revision-hash");
        if (name)
            json_object_set_new(names, name, json_null());
    }
    json_object_set_new(names, json_string_at(owner, "/status/currentRevision"), json_null());
    json_object_set_new(names, json_string_at(owner, "/status/updateRevision"), json_null());
    return names;
}

void revisions_forget(struct sandbox *sandbox, const struct revisions *revisions,
                      const json_t *owner, const json_t *pods)
{
    json_t *live AUTO_JSON = names_in_use(owner, pods), *revision;
    int64_t spare = -json_int_at(owner, "/spec/revisionHistoryLimit", 10);
    size_t i;
    json_array_foreach (revisions->all, i, revision)
        spare += !json_object_get(live, json_string_at(revision, "/metadata/name"));
    revisions_trim(sandbox, revisions, live, spare);
}
