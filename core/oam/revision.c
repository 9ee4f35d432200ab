// SPDX-License-Identifier: Apache-2.0
#include "oam/revision.h"

#include "base/alloc.h"
#include "base/json.h"
#include "oam/revision_private.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define ANNOTATIONS "/metadata/annotations"

#define API_VERSION "core.oam.dev/v1beta1"

/* kubectl's own copy of the object; it would only be there twice. */
#define ANNOTATION_LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"

const json_t *revision_application(const json_t *revision)
{
    return json_at(revision, "/spec/application");
}

const json_t *revision_definition(const json_t *revision, const char *component)
{
    const json_t *entry = application_component(revision_application(revision), component);
    const char *type = json_string_at(entry, "/type");
    return type ? json_object_get(json_at(revision, "/spec/componentDefinitions"), type) : NULL;
}

const char *revision_hash(const json_t *revision)
{
    const json_t *labels = json_at(revision, "/metadata/labels");
    const char *hash = json_string_value(json_object_get(labels, LABEL_REVISION_HASH));
    return hash ? hash : "";
}

static json_t *annotations_of(const json_t *object)
{
    json_t *annotations = json_deep_copy(json_at(object, ANNOTATIONS));
    if (!json_is_object(annotations)) {
        json_decref(annotations);
        return json_object();
    }
    json_object_del(annotations, ANNOTATION_LAST_APPLIED);
    return annotations;
}

static json_t *labels_of(const json_t *object)
{
    json_t *labels = json_deep_copy(json_at(object, "/metadata/labels"));
    if (json_is_object(labels))
        return labels;
    json_decref(labels);
    return json_object();
}

static void put_if_any_take(json_t *object, const char *key, json_t *members)
{
    if (json_object_size(members))
        json_object_set_new(object, key, members);
    else
        json_decref(members);
}

static json_t *record_application(const json_t *application)
{
    static const char *const keep[] = {"/spec"};
    json_t *picked AUTO_JSON = json_pick(application, keep, 1);
    json_t *record = json_deep_copy(picked);
    json_remove_at(record, "/metadata/resourceVersion");
    json_t *metadata = json_at(record, "/metadata");
    put_if_any_take(metadata, "labels", labels_of(application));
    put_if_any_take(metadata, "annotations", annotations_of(application));
    return record;
}

/* Name and namespace tell where it was found; of the rest only the spec takes part. */
static json_t *record_definition(const json_t *definition)
{
    return json_pack(
        "{s:s*, s:s*, s:{s:s*, s:s*}, s:O*}", "apiVersion",
        json_string_at(definition, "/apiVersion"), "kind", json_string_at(definition, "/kind"),
        "metadata", "name", json_string_at(definition, "/metadata/name"), "namespace",
        json_string_at(definition, "/metadata/namespace"), "spec", json_at(definition, "/spec"));
}

static json_t *record_definitions(const json_t *definitions)
{
    json_t *records = json_object();
    for (void *at = json_object_iter((json_t *)(uintptr_t)definitions); at;
         at = json_object_iter_next((json_t *)(uintptr_t)definitions, at))
        json_object_set_new(records, json_object_iter_key(at),
                            record_definition(json_object_iter_value(at)));
    return records;
}

/* The Application keeps its revisions: they go when it goes. */
static json_t *owners_of(const json_t *application)
{
    const char *uid = json_string_at(application, "/metadata/uid");
    if (!uid)
        return NULL;
    return json_pack("[{s:s, s:s, s:s, s:s, s:b, s:b}]", "apiVersion", API_VERSION, "kind",
                     "Application", "name", json_string_at(application, "/metadata/name"), "uid",
                     uid, "controller", 1, "blockOwnerDeletion", 0);
}

static json_t *revision_metadata(const json_t *application, const json_t *spec, int number)
{
    char hash[HASH_HEX_SIZE], content[HASH_HEX_SIZE];
    application_hash(application, hash);
    json_hash(spec, content);
    const char *app = json_string_at(application, "/metadata/name");
    char *name AUTO_FREE = str_format("%s-v%d", app, number);
    return json_pack("{s:s, s:s*, s:{s:s, s:s}, s:{s:s}, s:o*}", "name", name, "namespace",
                     json_string_at(application, "/metadata/namespace"), "labels", LABEL_APP, app,
                     LABEL_REVISION_HASH, hash, "annotations", ANNOTATION_CONTENT, content,
                     "ownerReferences", owners_of(application));
}

json_t *revision_build(const json_t *application, const json_t *definitions, int number)
{
    json_t *spec = json_pack("{s:o, s:o}", "application", record_application(application),
                             "componentDefinitions", record_definitions(definitions));
    json_t *metadata = revision_metadata(application, spec, number);
    return json_pack("{s:s, s:s, s:o, s:o}", "apiVersion", API_VERSION, "kind",
                     "ApplicationRevision", "metadata", metadata, "spec", spec);
}

/* A revision that was written by somebody else records no content hash and is taken as it is. */
int revision_check(const json_t *revision, struct error *err)
{
    char now[HASH_HEX_SIZE];
    const char *recorded = object_mark(revision, ANNOTATION_CONTENT);
    if (!recorded)
        return OK;
    json_hash(json_at(revision, "/spec"), now);
    if (str_equal(recorded, now))
        return OK;
    const char *name = json_string_at(revision, "/metadata/name");
    return error_at(
        err, ERR_INVALID, "spec",
        "ApplicationRevision %s was changed after it had been recorded: its content has "
        "the hash %.12s…, expected %.12s…; delete it and record the Application again",
        name ? name : "", now, recorded);
}

/* The number at the end of "<app>-v<number>", 0 when there is none. */
static int revision_number(const json_t *revision)
{
    const char *name = json_string_at(revision, "/metadata/name");
    const char *mark = name ? strrchr(name, '-') : NULL;
    if (!mark || mark[1] != 'v' || !isdigit((unsigned char)mark[2]))
        return 0;
    char *end;
    long number = strtol(mark + 2, &end, 10);
    return *end || number > INT32_MAX ? 0 : (int)number;
}

static json_t *context_build(const json_t *revision, const char *component)
{
    const json_t *application = revision_application(revision);
    int number = revision_number(revision);
    char *own_revision AUTO_FREE = str_format("%s-v%d", component, number);
    return json_pack("{s:s, s:s*, s:s*, s:s*, s:i, s:s, s:o, s:o}", "name", component, "namespace",
                     json_string_at(revision, "/metadata/namespace"), "appName",
                     json_string_at(application, "/metadata/name"), "appRevision",
                     json_string_at(revision, "/metadata/name"), "appRevisionNum", number,
                     "revision", own_revision, "appLabels", labels_of(application),
                     "appAnnotations", annotations_of(application));
}

static json_t *component_names(const json_t *application)
{
    json_t *names = json_array();
    size_t index;
    json_t *component;
    json_array_foreach (json_at(application, "/spec/components"), index, component) {
        const char *name = json_string_at(component, "/name");
        if (name)
            json_array_append_new(names, json_string(name));
    }
    return names;
}

static int component_missing(const json_t *revision, const char *component, struct error *err)
{
    const char *name = json_string_at(revision, "/metadata/name");
    json_t *names AUTO_JSON = component_names(revision_application(revision));
    char *list AUTO_FREE = names_text(names);
    return error_set(err, ERR_MISSING,
                     "ApplicationRevision %s has no component %s; its components are %s",
                     name ? name : "", component, list);
}

/* Which schematic stands there instead of CUE, for the message. */
static const char *schematic_found(const json_t *definition)
{
    json_t *schematic = json_at(definition, "/spec/schematic");
    const char *first = json_object_iter_key(json_object_iter(schematic));
    return first ? first : "none";
}

static int template_find(const json_t *revision, const char *component, const char **ret_template,
                         struct error *err)
{
    const json_t *entry = application_component(revision_application(revision), component);
    const json_t *definition = revision_definition(revision, component);
    const char *type = json_string_at(entry, "/type");
    const char *template = json_string_at(definition, "/spec/schematic/cue/template");
    if (!definition)
        return error_at(err, ERR_INVALID, "spec.componentDefinitions",
                        "the revision has no ComponentDefinition %s for component %s",
                        type ? type : "(no type)", component);
    if (!template || !*template)
        return error_at(err, ERR_INVALID, "spec.schematic",
                        "ComponentDefinition %s: expected cue.template, found %s", type,
                        schematic_found(definition));
    *ret_template = template;
    return OK;
}

int revision_component(const json_t *revision, const char *component,
                       struct render_input *ret_input, struct error *err)
{
    const char *template = NULL;
    const json_t *entry = application_component(revision_application(revision), component);
    if (!entry)
        return component_missing(revision, component, err);
    int code = template_find(revision, component, &template, err);
    if (code < 0)
        return code;
    const json_t *definition = revision_definition(revision, component);
    json_t *parameter = json_deep_copy(json_object_get(entry, "properties"));
    *ret_input = (struct render_input){
        .template = str_copy(template),
        .context = context_build(revision, component),
        .parameter = parameter ? parameter : json_object(),
        .api_version = str_copy(json_string_at(definition, "/spec/workload/definition/apiVersion")),
        .kind = str_copy(json_string_at(definition, "/spec/workload/definition/kind")),
    };
    return OK;
}

void render_input_done(struct render_input *input)
{
    free(input->template);
    json_decref(input->context);
    json_decref(input->parameter);
    free(input->api_version);
    free(input->kind);
    *input = (struct render_input){0};
}

/* The names that `source` has as well; all of them when there is no source. */
static json_t *names_shared(const json_t *names, const json_t *source)
{
    json_t *shared = json_array();
    size_t index;
    json_t *name;
    json_array_foreach (names, index, name) {
        if (!source || application_component(source, json_string_value(name)))
            json_array_append(shared, name);
    }
    return shared;
}

static int names_refuse(const json_t *shared, struct error *err)
{
    if (json_array_size(shared) == 0)
        return error_at(err, ERR_INVALID, "spec.componentList",
                        "is empty, and source and target revision have no component in common");
    char *list AUTO_FREE = names_text(shared);
    return error_at(err, ERR_INVALID, "spec.componentList",
                    "is empty, and there is more than one component to choose from; name those to "
                    "roll, of %s",
                    list);
}

int revision_common_components(const json_t *target, const json_t *source, json_t **ret_names,
                               struct error *err)
{
    const json_t *to = revision_application(target);
    const json_t *from = source ? revision_application(source) : NULL;
    json_t *all AUTO_JSON = component_names(to);
    json_t *shared AUTO_JSON = names_shared(all, from);
    json_t *chosen AUTO_JSON = application_rolling_components(to);
    json_t *chosen_shared AUTO_JSON = names_shared(chosen, from);
    if (json_array_size(chosen_shared)) {
        *ret_names = json_incref(chosen_shared);
        return OK;
    }
    if (json_array_size(shared) != 1)
        return names_refuse(shared, err);
    *ret_names = json_incref(shared);
    return OK;
}

/* ── Marks ────────────────────────────────────────────────────────────────────────────────── */

const char *object_mark(const json_t *object, const char *mark)
{
    return json_string_value(json_object_get(json_at(object, ANNOTATIONS), mark));
}

void object_put_mark(json_t *object, const char *mark, const char *text)
{
    if (text && !json_at(object, ANNOTATIONS))
        json_put_take(object, ANNOTATIONS, json_object());
    if (text)
        json_object_set_new(json_at(object, ANNOTATIONS), mark, json_string(text));
    else
        json_object_del(json_at(object, ANNOTATIONS), mark);
}
