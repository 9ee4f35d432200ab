// SPDX-License-Identifier: Apache-2.0
/*
 * The pass of an Application that asks to be recorded:
 *
 *     check ─► recorded already? ─► definitions ─► render once ─► POST revision ─► status
 *
 * Two writes at most, and the first can be recognised: whoever finds the revision's name taken
 * looks whether it is the very same recording, and adopts it. So it may end between any two steps,
 * and the next pass goes on. Rendering is for the author's sake only: a template that fails is
 * told at once, and recorded all the same.
 */
#include "base/alloc.h"
#include "oam/revision.h"
#include "reconcile/key.h"
#include "reconcile/recording.h"

#include <stdlib.h>

static void definition_fetch(struct recording *recording);
static void component_render(struct recording *recording);
static void revision_post(struct recording *recording);

static void recording_free(void *value)
{
    struct recording *recording = value;
    if (recording->call)
        call_cancel(recording->call);
    renderer_forget(recording->controller->renderer, recording);
    json_decref(recording->application);
    json_decref(recording->types);
    json_decref(recording->definitions);
    json_decref(recording->revision);
    json_decref(recording->latest);
    json_decref(recording->conditions);
    free(recording->key);
    free(recording);
}

void application_passes_drop(struct controller *controller)
{
    map_done(&controller->recordings, recording_free);
}

void application_pass_drop(struct controller *controller, const char *key)
{
    struct recording *recording = map_remove(&controller->recordings, key);
    if (recording)
        recording_free(recording);
    waiters_forget(&controller->application_waiters, key);
    queue_done(controller->application_queue, key);
}

void recording_end(struct recording *recording)
{
    struct queue *queue = recording->controller->application_queue;
    char *key AUTO_FREE = str_copy(recording->key);
    bool again = recording->again;
    recording_free(map_remove(&recording->controller->recordings, key));
    if (again)
        queue_retry(queue, key);
    else
        queue_done(queue, key);
}

/* The Application as it stands can't be recorded: nothing to do until something changes. */
static void recording_refuse(struct recording *recording, const char *reason, const char *message)
{
    recording_judge(recording, &(struct verdict){"Ready", "False", reason, message});
    recording_write(recording);
}

static void recording_ask(struct recording *recording, const char *plural, const char *ns,
                          const char *name, reply_fn *on_reply)
{
    char *path AUTO_FREE = oam_path(plural, ns, name, NULL);
    struct call_spec spec = {.method = "GET", .path = path};
    recording->call = cluster_call(recording->controller->cluster, &spec, on_reply, recording);
}

/* ── The revision ─────────────────────────────────────────────────────────────────────────── */

static void revision_recorded(struct recording *recording)
{
    const char *name = json_string_at(recording->revision, "/metadata/name");
    char *message AUTO_FREE = str_format("recorded as %s", name);
    json_decref(recording->latest);
    recording->latest = json_pack("{s:s, s:i, s:s}", "name", name, "revision", recording->number,
                                  "revisionHash", revision_hash(recording->revision));
    recording_judge(recording, &(struct verdict){"Ready", "True", "Recorded", message});
    recording_write(recording);
}

static void revision_make(struct recording *recording, int number)
{
    json_decref(recording->revision);
    recording->number = number;
    recording->revision = revision_build(recording->application, recording->definitions, number);
}

/* It will be gone soon: somebody deletes it, or it belonged to an Application of the same name that
 * is gone already. */
static bool revision_passing(const json_t *revision, const json_t *application)
{
    const char *uid = json_string_at(application, "/metadata/uid");
    size_t index;
    json_t *owner;
    json_array_foreach (json_at(revision, "/metadata/ownerReferences"), index, owner) {
        if (str_equal(json_string_at(owner, "/kind"), "Application") &&
            !str_equal(json_string_at(owner, "/uid"), uid))
            return true;
    }
    return json_at(revision, "/metadata/deletionTimestamp") != NULL;
}

static void on_namesake(void *data, const struct reply *reply)
{
    struct recording *recording = data;
    recording->call = NULL;
    struct error err = reply->error;
    if (err.code == OK && revision_passing(reply->body, recording->application))
        error_set(&err, ERR_RETRY,
                  "ApplicationRevision %s of an earlier Application is still there",
                  json_string_at(recording->revision, "/metadata/name"));
    if (err.code != OK) {
        recording_fail(recording, &err);
    } else if (str_equal(revision_hash(reply->body), revision_hash(recording->revision))) {
        revision_recorded(recording);
    } else {
        revision_make(recording, recording->number + 1);
        revision_post(recording);
    }
}

static void on_posted(void *data, const struct reply *reply)
{
    struct recording *recording = data;
    recording->call = NULL;
    if (reply->error.code == OK)
        revision_recorded(recording);
    else if (reply->error.code == ERR_CONFLICT)
        recording_ask(recording, "applicationrevisions", recording->ns,
                      json_string_at(recording->revision, "/metadata/name"), on_namesake);
    else
        recording_fail(recording, &reply->error);
}

static void revision_post(struct recording *recording)
{
    char *body AUTO_FREE = json_text(recording->revision);
    char *path AUTO_FREE = oam_path("applicationrevisions", recording->ns, NULL, NULL);
    char *query AUTO_FREE = str_format("%s?fieldManager=" FIELD_MANAGER, path);
    struct call_spec spec = {.method = "POST", .path = query, .body = body};
    recording->call = cluster_call(recording->controller->cluster, &spec, on_posted, recording);
}

/* ── Rendering, to see whether it can be done ─────────────────────────────────────────────── */

static const char *component_name(const struct recording *recording)
{
    const json_t *components = json_at(recording->application, "/spec/components");
    return json_string_at(json_array_get(components, recording->component), "/name");
}

static void component_fails(struct recording *recording, const struct error *err)
{
    bool unknown = err->code == ERR_RETRY;
    char *message AUTO_FREE = str_format("component %s: %s%s%s", component_name(recording),
                                         err->path, *err->path ? ": " : "", err->text);
    recording_judge(recording,
                    &(struct verdict){"Rendered", unknown ? "Unknown" : "False",
                                      unknown ? "RendererUnavailable" : "RenderFailed", message});
    revision_post(recording);
}

static int component_check(const struct recording *recording, const struct render_result *result,
                           struct error *err)
{
    const char *name = component_name(recording);
    json_t *workload AUTO_JSON = NULL;
    if (result->err->code != OK) {
        *err = *result->err;
        return err->code;
    }
    int code = workload_finish(recording->revision, name, result->output, NULL, &workload, err);
    for (void *at = json_object_iter((json_t *)(uintptr_t)result->outputs); at && code == OK;
         at = json_object_iter_next((json_t *)(uintptr_t)result->outputs, at)) {
        json_t *object AUTO_JSON = NULL;
        code = auxiliary_finish(recording->revision, name, json_object_iter_key(at),
                                json_object_iter_value(at), &object, err);
    }
    return code;
}

static void on_rendered(void *data, const struct render_result *result)
{
    struct recording *recording = data;
    struct error err = {0};
    if (component_check(recording, result, &err) < 0) {
        component_fails(recording, &err);
        return;
    }
    recording->component++;
    component_render(recording);
}

static void component_render(struct recording *recording)
{
    const char *name = component_name(recording);
    struct render_input input = {0};
    struct error err = {0};
    if (!name) {
        recording_judge(recording, &(struct verdict){"Rendered", "True", "Rendered",
                                                     "every component can be rendered"});
        revision_post(recording);
    } else if (revision_component(recording->revision, name, &input, &err) < 0) {
        component_fails(recording, &err);
    } else {
        renderer_render(recording->controller->renderer, input.template, input.context,
                        input.parameter, on_rendered, recording);
        render_input_done(&input);
    }
}

/* ── Definitions ──────────────────────────────────────────────────────────────────────────── */

static const char *definition_type(const struct recording *recording)
{
    return json_string_value(json_array_get(recording->types, recording->type));
}

static const char *definition_namespace(const struct recording *recording)
{
    return recording->shared ? recording->controller->config->definition_namespace : recording->ns;
}

static void definition_missing(struct recording *recording)
{
    const char *shared = recording->controller->config->definition_namespace;
    bool both = !str_equal(shared, recording->ns);
    char *message AUTO_FREE = str_format(
        "there is no ComponentDefinition %s in namespace %s%s%s; it is waited for",
        definition_type(recording), recording->ns, both ? " or " : "", both ? shared : "");
    recording_refuse(recording, "DefinitionMissing", message);
}

static void definitions_found(struct recording *recording)
{
    int latest = (int)json_int_at(recording->latest, "/revision", 0);
    waiters_forget(&recording->controller->application_waiters, recording->key);
    revision_make(recording, latest + 1);
    component_render(recording);
}

static void on_definition(void *data, const struct reply *reply)
{
    struct recording *recording = data;
    recording->call = NULL;
    if (reply->error.code == OK) {
        json_object_set(recording->definitions, definition_type(recording), reply->body);
        recording->type++;
        recording->shared = false;
        definition_fetch(recording);
    } else if (reply->error.code != ERR_MISSING) {
        recording_fail(recording, &reply->error);
    } else if (recording->shared) {
        definition_missing(recording);
    } else {
        recording->shared = true;
        definition_fetch(recording);
    }
}

/* It is waited for before it is looked for, so that one that comes meanwhile isn't missed. */
static void definition_fetch(struct recording *recording)
{
    const char *type = definition_type(recording);
    if (!type) {
        definitions_found(recording);
        return;
    }
    char *topic AUTO_FREE = str_format("definition %s", type);
    waiters_add(&recording->controller->application_waiters, topic, recording->key);
    recording_ask(recording, "componentdefinitions", definition_namespace(recording), type,
                  on_definition);
}

/* ── The pass ─────────────────────────────────────────────────────────────────────────────── */

static bool is_recorded(const struct recording *recording)
{
    char hash[HASH_HEX_SIZE];
    application_hash(recording->application, hash);
    return str_equal(json_string_at(recording->latest, "/revisionHash"), hash);
}

static void recording_start(struct recording *recording)
{
    struct error err = {0};
    if (application_check(recording->application, &err) < 0) {
        char *message AUTO_FREE = str_format("%s: %s", err.path, err.text);
        recording_refuse(recording, "InvalidApplication", message);
    } else if (is_recorded(recording)) {
        char *message AUTO_FREE =
            str_format("recorded as %s", json_string_at(recording->latest, "/name"));
        recording_judge(recording, &(struct verdict){"Ready", "True", "Recorded", message});
        recording_write(recording);
    } else {
        definition_fetch(recording);
    }
}

static struct recording *recording_new_take(struct controller *controller, const char *key,
                                            json_t *application)
{
    struct recording *recording = mem_alloc(sizeof *recording);
    json_t *conditions = json_deep_copy(json_at(application, "/status/conditions"));
    recording->controller = controller;
    recording->key = str_copy(key);
    recording->application = application;
    recording->ns = json_string_at(application, "/metadata/namespace");
    recording->name = json_string_at(application, "/metadata/name");
    recording->types = application_types(application);
    recording->definitions = json_object();
    recording->latest = json_incref(json_at(application, "/status/latestRevision"));
    recording->conditions = conditions ? conditions : json_array();
    map_put(&controller->recordings, key, recording);
    return recording;
}

void application_pass(void *data, const char *key)
{
    struct controller *controller = data;
    if (!acts_for(controller, key)) {
        queue_done(controller->application_queue, key);
        return;
    }
    char *ns AUTO_FREE = NULL, *name AUTO_FREE = NULL;
    key_split(key, &ns, &name);
    waiters_forget(&controller->application_waiters, key);
    json_t *application = store_get(controller->applications, ns, name);
    if (application_is_template(application) &&
        !json_at(application, "/metadata/deletionTimestamp")) {
        recording_start(recording_new_take(controller, key, application));
    } else {
        json_decref(application);
        queue_done(controller->application_queue, key);
    }
}
