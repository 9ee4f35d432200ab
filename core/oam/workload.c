// SPDX-License-Identifier: Apache-2.0
/* From what a template made to the objects that are applied. */
#include "base/alloc.h"
#include "base/json.h"
#include "oam/revision.h"
#include "oam/revision_private.h"

#include <ctype.h>
#include <string.h>

/* Whose object it is: the revision, the component, and where messages say that it stands. */
struct origin {
    const json_t *revision;
    const char *component;
    const char *path; /* "output", "outputs.service" */
};

static int refuse(const struct origin *origin, const char *field, struct error *err,
                  const char *words)
{
    char *path AUTO_FREE = str_format("%s%s%s", origin->path, *field ? "." : "", field);
    return error_at(err, ERR_INVALID, path, "component %s: %s", origin->component, words);
}

static int check_text(const struct origin *origin, const json_t *output, const char *field,
                      struct error *err)
{
    const char *text = json_string_value(json_object_get(output, field));
    return text && *text ? OK
                         : refuse(origin, field, err, "the template must set it, and to a text");
}

/* An object or nothing at all. */
static int check_map(const struct origin *origin, const json_t *output, const char *field,
                     struct error *err)
{
    char *pointer AUTO_FREE = str_format("/metadata/%s", field);
    char *path AUTO_FREE = str_format("metadata.%s", field);
    const json_t *map = json_at(output, pointer);
    return !map || json_is_object(map) ? OK : refuse(origin, path, err, "expected an object");
}

/* An object that its Application owns can't stand in another namespace than the Application. */
static int check_namespace(const struct origin *origin, const json_t *output, struct error *err)
{
    const json_t *found = json_at(output, "/metadata/namespace");
    const char *home = json_string_at(origin->revision, "/metadata/namespace");
    if (!found || str_equal(json_string_value(found), home))
        return OK;
    char *text AUTO_FREE = json_text(found);
    char *words AUTO_FREE =
        str_format("expected the Application's namespace %s, found %s", home ? home : "", text);
    return refuse(origin, "metadata.namespace", err, words);
}

static int check_output(const struct origin *origin, const json_t *output, struct error *err)
{
    const json_t *name = json_at(output, "/metadata/name");
    int code;
    if (!json_is_object(output))
        return refuse(origin, "", err, "the template made no object");
    if ((code = check_text(origin, output, "apiVersion", err)) < 0 ||
        (code = check_text(origin, output, "kind", err)) < 0)
        return code;
    if (json_object_get(output, "metadata") && !json_is_object(json_at(output, "/metadata")))
        return refuse(origin, "metadata", err, "expected an object");
    if (name && json_string_length(name) == 0)
        return refuse(origin, "metadata.name", err, "expected a text that isn't empty, or no name");
    if ((code = check_map(origin, output, "labels", err)) < 0 ||
        (code = check_map(origin, output, "annotations", err)) < 0)
        return code;
    return check_namespace(origin, output, err);
}

static int check_declared(const struct origin *origin, const json_t *output, struct error *err)
{
    const json_t *definition = revision_definition(origin->revision, origin->component);
    const char *version = json_string_at(definition, "/spec/workload/definition/apiVersion");
    const char *kind = json_string_at(definition, "/spec/workload/definition/kind");
    const char *made_version = json_string_at(output, "/apiVersion");
    const char *made_kind = json_string_at(output, "/kind");
    if (!kind || (str_equal(kind, made_kind) && str_equal(version, made_version)))
        return OK;
    char *words AUTO_FREE =
        str_format("the ComponentDefinition declares %s %s, but its template made %s %s",
                   version ? version : "", kind, made_version, made_kind);
    return refuse(origin, "kind", err, words);
}

/* The revision's own reference to its Application, but as one that isn't the controller. */
static void put_owner(const json_t *revision, json_t *metadata)
{
    size_t index;
    json_t *owner;
    json_array_foreach (json_at(revision, "/metadata/ownerReferences"), index, owner) {
        if (!str_equal(json_string_at(owner, "/kind"), "Application"))
            continue;
        json_t *copy = json_deep_copy(owner);
        json_object_set_new(copy, "controller", json_false());
        json_object_set_new(copy, "blockOwnerDeletion", json_false());
        if (!json_is_array(json_object_get(metadata, "ownerReferences")))
            json_object_set_new(metadata, "ownerReferences", json_array());
        json_array_append_new(json_object_get(metadata, "ownerReferences"), copy);
    }
}

static json_t *child_object(json_t *parent, const char *key)
{
    if (!json_object_get(parent, key))
        json_object_set_new(parent, key, json_object());
    return json_object_get(parent, key);
}

static void put_text(json_t *object, const char *key, const char *text)
{
    if (text)
        json_object_set_new(object, key, json_string(text));
}

static void put_default(json_t *object, const char *key, const char *text)
{
    if (!json_object_get(object, key))
        put_text(object, key, text);
}

/* Labels go on the object itself and never into a pod template: they tell the revision, and would
 * replace every pod with each new one. */
static json_t *object_finish(const struct origin *origin, const json_t *output, const char *name)
{
    json_t *object = json_deep_copy(output);
    json_t *metadata = child_object(object, "metadata");
    put_default(metadata, "name", name);
    put_default(metadata, "namespace", json_string_at(origin->revision, "/metadata/namespace"));
    json_t *labels = child_object(metadata, "labels");
    const json_t *application = revision_application(origin->revision);
    put_text(labels, LABEL_APP, json_string_at(application, "/metadata/name"));
    put_text(labels, LABEL_COMPONENT, origin->component);
    put_text(labels, LABEL_REVISION, json_string_at(origin->revision, "/metadata/name"));
    put_owner(origin->revision, metadata);
    return object;
}

/* The mark of what was applied is the hash of the output as it was rendered: it changes with
 * whatever the template says, and not with our own labels. So the same content under the name of
 * another revision is the same thing, and there is nothing to roll between the two. */
int workload_finish(const json_t *revision, const char *component, const json_t *output,
                    const char *holder, json_t **ret_workload, struct error *err)
{
    struct origin origin = {revision, component, "output"};
    int code = check_output(&origin, output, err);
    if (code == OK)
        code = check_declared(&origin, output, err);
    if (code < 0)
        return code;
    char hash[HASH_HEX_SIZE];
    json_hash(output, hash);
    json_t *workload = object_finish(&origin, output, component);
    json_t *annotations = child_object(json_at(workload, "/metadata"), "annotations");
    put_text(annotations, MARK_APPLIED, hash);
    put_text(annotations, MARK_HOLDER, holder);
    *ret_workload = workload;
    return OK;
}

/* Keys are CUE labels, names are DNS: letters are lowered, whatever else doesn't fit becomes '-'.
 */
static char *auxiliary_name(const char *component, const char *key)
{
    char *name = str_format("%s-%s", component, key);
    for (char *at = name; *at; at++)
        *at = isalnum((unsigned char)*at) ? (char)tolower((unsigned char)*at) : '-';
    return name;
}

int auxiliary_finish(const json_t *revision, const char *component, const char *key,
                     const json_t *output, json_t **ret_object, struct error *err)
{
    char *path AUTO_FREE = str_format("outputs.%s", key);
    struct origin origin = {revision, component, path};
    int code = check_output(&origin, output, err);
    if (code < 0)
        return code;
    char *name AUTO_FREE = auxiliary_name(component, key);
    *ret_object = object_finish(&origin, output, name);
    return OK;
}
