// SPDX-License-Identifier: Apache-2.0
/*
 * Discovery. What a group version has is asked for once and remembered; an event of a CRD makes
 * what is remembered of its group stale. CRDs are watched as metadata only: they are the largest
 * objects of many clusters, and their name, "<plural>.<group>", is all that is needed.
 *
 * A CRD's event comes before its kind is served, at times seconds before. So after an event the
 * kinds that were asked for in vain are looked for until they are there, for half a minute.
 */
#include "cluster/kinds.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/list.h"
#include "base/map.h"
#include "cluster/backoff.h"
#include "cluster/watch.h"

#include <stdlib.h>
#include <string.h>

enum {
    GATHER_MS = 50,             /* CRDs come in bunches */
    LOOK_FOR_MS = 30 * 1000,    /* after an event */
    MISSING_FOR_MS = 60 * 1000, /* how long "no such kind" is believed without any event */
};

struct question {
    struct list link;
    char *kind;
    kind_fn *on_found;
    void *data;
};

struct resource {
    char *plural;
    bool namespaced;
};

/* A group version, such as apps/v1, that somebody has asked for. */
struct group {
    struct kinds *kinds;
    char *api_version;
    struct map resources; /* kind → struct resource */
    struct map missing;   /* kinds asked for in vain; the values mean nothing */
    bool known;           /* `resources` is what the server said … */
    bool stale;           /* … but a CRD has changed since */
    int64_t known_ms, look_until_ms;
    struct call *call;
    struct list questions, answering;
};

struct kinds {
    struct cluster *cluster;
    void (*on_change)(void *data);
    void *data;
    void (*on_state)(void *data, const struct error *err); /* may be NULL */
    void *state_data;
    struct watch *crds;
    bool synced;
    struct map groups; /* api_version → struct group */
    struct timer changed, look;
    struct backoff backoff;
    unsigned busy;
    bool closed;
};

static void question_free(struct question *question)
{
    list_remove(&question->link);
    free(question->kind);
    free(question);
}

static void questions_drop(struct list *head, const void *data)
{
    for (struct list *at = head->next, *next; at != head; at = next) {
        struct question *question = list_entry(at, struct question, link);
        next = at->next;
        if (!data || question->data == data)
            question_free(question);
    }
}

static void resource_free(void *value)
{
    struct resource *resource = value;
    free(resource->plural);
    free(resource);
}

static void group_free(void *value)
{
    struct group *group = value;
    questions_drop(&group->questions, NULL);
    questions_drop(&group->answering, NULL);
    map_done(&group->resources, resource_free);
    map_done(&group->missing, NULL);
    free(group->api_version);
    free(group);
}

static void kinds_release(struct kinds *kinds)
{
    if (kinds->busy || !kinds->closed)
        return;
    map_done(&kinds->groups, group_free);
    free(kinds);
}

void kinds_free(struct kinds *kinds)
{
    if (!kinds)
        return;
    size_t cursor = 0;
    const struct map_entry *entry;
    while ((entry = map_next(&kinds->groups, &cursor)))
        call_cancel(((struct group *)entry->value)->call);
    watch_close(kinds->crds);
    timer_stop(cluster_loop(kinds->cluster), &kinds->changed);
    timer_stop(cluster_loop(kinds->cluster), &kinds->look);
    kinds->closed = true;
    kinds_release(kinds);
}

static void kinds_leave(struct kinds *kinds)
{
    kinds->busy--;
    kinds_release(kinds);
}

static struct group *group_of(struct kinds *kinds, const char *api_version)
{
    struct group *group = map_get(&kinds->groups, api_version);
    if (group)
        return group;
    group = mem_alloc(sizeof *group);
    group->kinds = kinds;
    group->api_version = str_copy(api_version);
    list_init(&group->questions);
    list_init(&group->answering);
    map_put(&kinds->groups, api_version, group);
    return group;
}

/* Telling */

static void on_changed(void *data)
{
    struct kinds *kinds = data;
    if (kinds->on_change)
        kinds->on_change(kinds->data);
}

/* on_change, a moment later and once for all that happens until then. */
static void kinds_changed(struct kinds *kinds)
{
    if (!timer_running(&kinds->changed))
        timer_start(cluster_loop(kinds->cluster), &kinds->changed, GATHER_MS, on_changed, kinds);
}

static void answer(struct group *group, const char *kind, kind_fn *on_found, void *data)
{
    struct error err = {0};
    const struct resource *resource = map_get(&group->resources, kind);
    if (!resource) {
        map_put(&group->missing, kind, group);
        error_set(&err, ERR_MISSING, "the cluster has no kind %s in %s", kind, group->api_version);
        on_found(data, NULL, &err);
        return;
    }
    struct kind_info info = {.api_version = group->api_version,
                             .kind = kind,
                             .plural = resource->plural,
                             .namespaced = resource->namespaced};
    on_found(data, &info, &err);
}

/* Answers those who wait now; who asks again from within waits for the next answer. */
static void answer_all(struct group *group, const struct error *err)
{
    struct kinds *kinds = group->kinds;
    kinds->busy++;
    while (!list_empty(&group->questions)) {
        struct list *first = group->questions.next;
        list_remove(first);
        list_append(&group->answering, first);
    }
    while (!kinds->closed && !list_empty(&group->answering)) {
        struct question *question = list_entry(group->answering.next, struct question, link);
        struct question now = *question;
        char *kind AUTO_FREE = str_copy(question->kind);
        question_free(question);
        if (err->code == OK)
            answer(group, kind, now.on_found, now.data);
        else
            now.on_found(now.data, NULL, err);
    }
    kinds_leave(kinds);
}

/* Asking */

/* Subresources stand in the same list as "deployments/scale". */
static void group_learn(struct group *group, const json_t *list)
{
    size_t i;
    json_t *entry;
    map_done(&group->resources, resource_free);
    json_array_foreach (json_object_get(list, "resources"), i, entry) {
        const char *name = json_string_at(entry, "/name"), *kind = json_string_at(entry, "/kind");
        if (!name || !kind || strchr(name, '/') || map_get(&group->resources, kind))
            continue;
        struct resource *resource = mem_alloc(sizeof *resource);
        resource->plural = str_copy(name);
        resource->namespaced = json_bool_at(entry, "/namespaced", false);
        map_put(&group->resources, kind, resource);
    }
    group->known = true;
    group->stale = false;
    group->known_ms = clock_monotonic_ms();
}

/* Takes the kinds that are there by now off the list of missing ones. */
static bool group_found_missing(struct group *group)
{
    bool found = false;
    size_t cursor = 0;
    const struct map_entry *entry;
    struct map still = {0};
    while ((entry = map_next(&group->missing, &cursor))) {
        if (map_get(&group->resources, entry->key))
            found = true;
        else
            map_put(&still, entry->key, group);
    }
    map_done(&group->missing, NULL);
    group->missing = still;
    return found;
}

static void on_group(void *data, const struct reply *reply)
{
    struct group *group = data;
    struct error fine = {0};
    group->call = NULL;
    if (reply->error.code == OK || reply->error.code == ERR_MISSING) {
        group_learn(group, reply->error.code == OK ? reply->body : NULL);
        if (group_found_missing(group))
            kinds_changed(group->kinds);
        answer_all(group, &fine);
    } else {
        answer_all(group, &reply->error);
    }
}

static void group_ask(struct group *group)
{
    if (group->call)
        return;
    bool core = !strchr(group->api_version, '/');
    char *path AUTO_FREE = str_format("%s/%s", core ? "/api" : "/apis", group->api_version);
    struct call_spec spec = {.method = "GET", .path = path};
    group->call = cluster_call(group->kinds->cluster, &spec, on_group, group);
}

/* Whether what is known answers a question about this kind. */
static bool group_knows(const struct group *group, const char *kind)
{
    if (!group->known || group->stale || group->call)
        return false;
    return map_get(&group->resources, kind) ||
           clock_monotonic_ms() - group->known_ms < MISSING_FOR_MS;
}

void kind_find(struct kinds *kinds, const char *api_version, const char *kind, kind_fn *on_found,
               void *data)
{
    struct group *group = group_of(kinds, api_version);
    if (group_knows(group, kind)) {
        kinds->busy++;
        answer(group, kind, on_found, data);
        kinds_leave(kinds);
        return;
    }
    struct question *question = mem_alloc(sizeof *question);
    question->kind = str_copy(kind);
    question->on_found = on_found;
    question->data = data;
    list_append(&group->questions, &question->link);
    group_ask(group);
}

void kind_forget(struct kinds *kinds, void *data)
{
    size_t cursor = 0;
    const struct map_entry *entry;
    while ((entry = map_next(&kinds->groups, &cursor))) {
        struct group *group = entry->value;
        questions_drop(&group->questions, data);
        questions_drop(&group->answering, data);
    }
}

/* Following the CRDs */

static void on_look(void *data)
{
    struct kinds *kinds = data;
    int64_t now = clock_monotonic_ms();
    bool looking = false;
    size_t cursor = 0;
    const struct map_entry *entry;
    while ((entry = map_next(&kinds->groups, &cursor))) {
        struct group *group = entry->value;
        if (group->look_until_ms <= now || !group->missing.count)
            continue;
        group_ask(group);
        looking = true;
    }
    if (looking)
        timer_start(cluster_loop(kinds->cluster), &kinds->look, backoff_next(&kinds->backoff),
                    on_look, kinds);
}

static bool is_in_group(const struct group *group, const char *name)
{
    size_t length = strcspn(group->api_version, "/");
    return group->api_version[length] == '/' && strlen(name) == length &&
           strncmp(group->api_version, name, length) == 0;
}

static void on_crd(struct kinds *kinds, const json_t *crd)
{
    const char *name = json_string_at(crd, "/metadata/name");
    const char *dot = name ? strchr(name, '.') : NULL;
    size_t cursor = 0;
    const struct map_entry *entry;
    if (!kinds->synced || !dot)
        return;
    while ((entry = map_next(&kinds->groups, &cursor))) {
        struct group *group = entry->value;
        if (!is_in_group(group, dot + 1))
            continue;
        group->stale = true;
        group->look_until_ms = clock_monotonic_ms() + LOOK_FOR_MS;
    }
    backoff_reset(&kinds->backoff);
    timer_start(cluster_loop(kinds->cluster), &kinds->look, GATHER_MS, on_look, kinds);
    kinds_changed(kinds);
}

static void on_crd_put(void *data, json_t *crd)
{
    on_crd(data, crd);
}

static void on_crd_synced(void *data)
{
    ((struct kinds *)data)->synced = true;
}

static void on_crds_state(void *data, const struct error *err)
{
    struct kinds *kinds = data;
    if (kinds->on_state)
        kinds->on_state(kinds->state_data, err);
}

void kinds_on_state(struct kinds *kinds, void (*on_state)(void *data, const struct error *err),
                    void *data)
{
    kinds->on_state = on_state;
    kinds->state_data = data;
}

struct kinds *kinds_new(struct cluster *cluster, void (*on_change)(void *data), void *data)
{
    static const char *const nothing[] = {""};
    static const struct watch_events events = {.on_put = on_crd_put,
                                               .on_delete = on_crd_put,
                                               .on_synced = on_crd_synced,
                                               .on_state = on_crds_state};
    struct watch_spec spec = {.path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
                              .metadata_only = true,
                              .keep = nothing,
                              .keep_count = 0};
    struct kinds *kinds = mem_alloc(sizeof *kinds);
    kinds->cluster = cluster;
    kinds->on_change = on_change;
    kinds->data = data;
    kinds->crds = watch_open(cluster, &spec, &events, kinds);
    return kinds;
}

/* A name is one step of the path, whatever it says: names come from templates and specs. */
static char *path_step(const char *name)
{
    char *escaped = curl_easy_escape(NULL, name ? name : "", 0);
    char *step = str_copy(escaped ? escaped : "");
    curl_free(escaped);
    return step;
}

char *object_path(const struct kind_info *info, const char *ns, const char *name,
                  const char *subresource)
{
    bool core = !strchr(info->api_version, '/');
    bool in_ns = info->namespaced && ns && *ns;
    char *ns_step AUTO_FREE = path_step(in_ns ? ns : NULL);
    char *name_step AUTO_FREE = path_step(name);
    return str_format("%s/%s%s%s/%s%s%s%s%s", core ? "/api" : "/apis", info->api_version,
                      in_ns ? "/namespaces/" : "", ns_step, info->plural, name ? "/" : "",
                      name_step, subresource ? "/" : "", subresource ? subresource : "");
}

char *object_list_path(const struct kind_info *info, const char *ns, const char *name)
{
    char *path AUTO_FREE = object_path(info, ns, NULL, NULL);
    return str_format("%s?fieldSelector=metadata.name%%3D%s", path, name);
}
