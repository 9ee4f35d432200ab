// SPDX-License-Identifier: Apache-2.0
#include "reconcile/locate.h"

#include "base/alloc.h"
#include "oam/revision.h"
#include "reconcile/workload_kinds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct locate {
    struct controller *controller;
    char *ns, *holder, *key;
    struct waiters *waiters;
    json_t *component_list;
    struct location *location;
    json_t *target, *source; /* the revisions */
    size_t rendering;        /* which component is being rendered */
    bool looked_twice;
    struct call *call;
    struct timer later;
    locate_fn *on_located;
    void *data;
};

static void fetch_target(struct locate *locate);
static void fetch_source(struct locate *locate);
static void render_next(struct locate *locate);

void location_free(struct location *location)
{
    if (!location)
        return;
    for (size_t i = 0; i < location->count; i++) {
        free(location->components[i].name);
        json_decref(location->components[i].workload);
        json_decref(location->components[i].auxiliaries);
        free(location->components[i].packed);
    }
    free(location->components);
    free(location->target);
    free(location->source);
    free(location);
}

/* Nobody changes what was located, so its text is made once. */
static void component_pack(struct located_component *component)
{
    json_t *both AUTO_JSON = NULL;
    if (!component->packed) {
        both = json_pack("[O, O]", component->workload, component->auxiliaries);
        component->packed = json_text(both);
    }
    json_decref(component->workload);
    json_decref(component->auxiliaries);
    component->workload = component->auxiliaries = NULL;
}

static void component_unpack(struct located_component *component)
{
    json_t *both AUTO_JSON = NULL;
    if (json_parse(component->packed, strlen(component->packed), &both, NULL) < 0)
        return; /* it is our own text */
    component->workload = json_incref(json_array_get(both, 0));
    component->auxiliaries = json_incref(json_array_get(both, 1));
}

void location_pack(struct location *location)
{
    for (size_t i = 0; location && i < location->count; i++)
        if (location->components[i].error.code == OK && location->components[i].workload)
            component_pack(&location->components[i]);
}

void location_unpack(struct location *location)
{
    for (size_t i = 0; location && i < location->count; i++)
        if (location->components[i].packed && !location->components[i].workload)
            component_unpack(&location->components[i]);
}

static void locate_free(struct locate *locate)
{
    location_free(locate->location);
    json_decref(locate->component_list);
    json_decref(locate->target);
    json_decref(locate->source);
    free(locate->ns);
    free(locate->holder);
    free(locate->key);
    free(locate);
}

void locate_cancel(struct locate *locate)
{
    if (!locate)
        return;
    if (locate->call)
        call_cancel(locate->call);
    timer_stop(cluster_loop(locate->controller->cluster), &locate->later);
    renderer_forget(locate->controller->renderer, locate);
    locate_free(locate);
}

static void locate_finish(struct locate *locate)
{
    struct location *location = locate->location;
    locate_fn *on_located = locate->on_located;
    void *data = locate->data;
    locate->location = NULL;
    locate_free(locate);
    on_located(data, location);
}

/* Which kind of waiting an error of a read or of a rendering is. */
static enum reason_code why_of(struct error *err, enum reason_code missing)
{
    if (err->code == ERR_MISSING)
        return missing;
    return err->code == ERR_INVALID ? REASON_REVISION_UNUSABLE : trouble_reason(err);
}

static void locate_fail(struct locate *locate, const struct error *err, enum reason_code missing)
{
    locate->location->error = *err;
    locate->location->why = why_of(&locate->location->error, missing);
    locate_finish(locate);
}

static void fetch_revision(struct locate *locate, const char *name, reply_fn *on_reply)
{
    char *path AUTO_FREE = oam_path("applicationrevisions", locate->ns, name, NULL);
    struct call_spec spec = {.method = "GET", .path = path};
    locate->call = cluster_call(locate->controller->cluster, &spec, on_reply, locate);
}

/* A revision that isn't there is waited for. Between our look and our waiting it may have come, so
 * it is looked for once more after we have begun to wait. */
static void revision_missing(struct locate *locate, const char *field, const char *name,
                             void (*again)(struct locate *))
{
    struct error err = {0};
    if (!locate->looked_twice) {
        char *topic AUTO_FREE = str_format("revision %s/%s", locate->ns, name);
        waiters_add(locate->waiters, topic, locate->key);
        locate->looked_twice = true;
        again(locate);
        return;
    }
    error_at(&err, ERR_MISSING, field,
             "there is no ApplicationRevision %s in namespace %s; it is waited for", name,
             locate->ns);
    locate_fail(locate, &err, REASON_REVISION_MISSING);
}

/* A usable revision, or the end of the search; false: the latter. */
static bool revision_take(struct locate *locate, const struct reply *reply, json_t **ret_revision)
{
    struct error err = reply->error;
    if (err.code == OK && revision_check(reply->body, &err) == OK) {
        *ret_revision = json_incref(reply->body);
        locate->looked_twice = false;
        return true;
    }
    locate_fail(locate, &err, REASON_REVISION_MISSING);
    return false;
}

static struct located_component *component_nth(struct locate *locate, size_t index)
{
    return &locate->location->components[index];
}

static void components_begin(struct locate *locate, json_t *names)
{
    struct location *location = locate->location;
    location->count = json_array_size(names);
    location->components = mem_alloc(location->count * sizeof *location->components);
    for (size_t i = 0; i < location->count; i++)
        location->components[i].name = str_copy(json_string_value(json_array_get(names, i)));
    render_next(locate);
}

static void find_components(struct locate *locate)
{
    struct error err = {0};
    json_t *names AUTO_JSON = NULL;
    if (json_array_size(locate->component_list) > 0)
        names = json_incref(locate->component_list);
    else if (revision_common_components(locate->target, locate->source, &names, &err) < 0) {
        locate_fail(locate, &err, REASON_REVISION_UNUSABLE);
        return;
    }
    components_begin(locate, names);
}

static void on_source(void *data, const struct reply *reply)
{
    struct locate *locate = data;
    locate->call = NULL;
    if (reply->error.code == ERR_MISSING)
        revision_missing(locate, "spec.sourceAppRevisionName", locate->location->source,
                         fetch_source);
    else if (revision_take(locate, reply, &locate->source))
        find_components(locate);
}

static void fetch_source(struct locate *locate)
{
    fetch_revision(locate, locate->location->source, on_source);
}

static void on_target(void *data, const struct reply *reply)
{
    struct locate *locate = data;
    locate->call = NULL;
    if (reply->error.code == ERR_MISSING)
        revision_missing(locate, "spec.targetAppRevisionName", locate->location->target,
                         fetch_target);
    else if (!revision_take(locate, reply, &locate->target))
        return;
    else if (locate->location->source[0])
        fetch_source(locate);
    else
        find_components(locate);
}

static void fetch_target(struct locate *locate)
{
    fetch_revision(locate, locate->location->target, on_target);
}

static void component_fail(struct located_component *component, const struct error *err,
                           enum reason_code missing)
{
    component->error = *err;
    component->why = why_of(&component->error, missing);
}

/* The kind of what was rendered, with the adapter that handles it. */
static int component_kind(struct locate *locate, struct located_component *component,
                          struct error *err)
{
    struct controller *controller = locate->controller;
    const char *api_version = json_string_at(component->workload, "/apiVersion");
    const char *kind = json_string_at(component->workload, "/kind");
    const struct adapter *adapter;
    int code = adapters_find(controller->adapters, api_version, kind, &adapter, err);
    if (code < 0) {
        waiters_add(locate->waiters, WAITS_FOR_ADAPTER, locate->key);
        return code;
    }
    component->kind = workload_kind_find(controller, api_version, kind);
    return OK;
}

static int component_auxiliaries(struct locate *locate, struct located_component *component,
                                 const json_t *outputs, struct error *err)
{
    component->auxiliaries = json_array();
    for (void *at = json_object_iter((json_t *)(uintptr_t)outputs); at;
         at = json_object_iter_next((json_t *)(uintptr_t)outputs, at)) {
        json_t *object;
        int code = auxiliary_finish(locate->target, component->name, json_object_iter_key(at),
                                    json_object_iter_value(at), &object, err);
        if (code < 0)
            return code;
        json_array_append_new(component->auxiliaries, object);
    }
    return OK;
}

static void component_take(struct locate *locate, struct located_component *component,
                           const struct render_result *result)
{
    struct error err = {0};
    if (result->err->code != OK) {
        err = *result->err;
        error_prefix(&err, "component %s", component->name);
        component_fail(component, &err, REASON_REVISION_UNUSABLE);
        return;
    }
    if (workload_finish(locate->target, component->name, result->output, locate->holder,
                        &component->workload, &err) < 0 ||
        component_auxiliaries(locate, component, result->outputs, &err) < 0)
        component_fail(component, &err, REASON_REVISION_UNUSABLE);
    else if (component_kind(locate, component, &err) < 0)
        component_fail(component, &err, REASON_KIND_UNKNOWN);
}

static void on_rendered(void *data, const struct render_result *result)
{
    struct locate *locate = data;
    component_take(locate, component_nth(locate, locate->rendering), result);
    locate->rendering++;
    render_next(locate);
}

static void on_later(void *data)
{
    locate_finish(data);
}

/* Renders the components one after the other; one that can't be has its error and the others go
 * on. */
static void render_next(struct locate *locate)
{
    for (; locate->rendering < locate->location->count; locate->rendering++) {
        struct located_component *component = component_nth(locate, locate->rendering);
        struct render_input input = {0};
        struct error err = {0};
        if (revision_component(locate->target, component->name, &input, &err) < 0) {
            err.code = err.code == ERR_MISSING ? ERR_INVALID : err.code;
            component_fail(component, &err, REASON_REVISION_UNUSABLE);
            continue;
        }
        renderer_render(locate->controller->renderer, input.template, input.context,
                        input.parameter, on_rendered, locate);
        render_input_done(&input);
        return;
    }
    timer_start(cluster_loop(locate->controller->cluster), &locate->later, 0, on_later, locate);
}

struct locate *locate_start(struct controller *controller, const struct locate_spec *spec,
                            locate_fn *on_located, void *data)
{
    struct locate *locate = mem_alloc(sizeof *locate);
    locate->controller = controller;
    locate->ns = str_copy(spec->ns);
    locate->holder = str_copy(spec->holder);
    locate->key = str_copy(spec->key);
    locate->waiters = spec->waiters;
    locate->component_list = spec->component_list ? json_deep_copy(spec->component_list) : NULL;
    locate->on_located = on_located;
    locate->data = data;
    locate->location = mem_alloc(sizeof *locate->location);
    locate->location->target = str_copy(spec->target);
    locate->location->source = str_copy(spec->source);
    fetch_target(locate);
    return locate;
}
