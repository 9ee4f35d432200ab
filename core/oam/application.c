// SPDX-License-Identifier: Apache-2.0
#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"
#include "oam/revision.h"
#include "oam/revision_private.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Labels on revisions and workloads carry "<app>-v<number>": this much is left for the name. */
enum { APPLICATION_NAME_MAX = 55 };

bool application_is_template(const json_t *application)
{
    const json_t *annotations = json_at(application, "/metadata/annotations");
    return str_equal(json_string_value(json_object_get(annotations, ANNOTATION_TEMPLATE)), "true");
}

/* Cut to 128 bits, because it also stands in a label. */
void application_hash(const json_t *application, char ret_hash[HASH_HEX_SIZE])
{
    json_hash(json_at(application, "/spec"), ret_hash);
    ret_hash[32] = '\0';
}

const json_t *application_component(const json_t *application, const char *name)
{
    return json_find(json_at(application, "/spec/components"), "/name", name);
}

static bool array_has(const json_t *array, const char *text)
{
    size_t index;
    json_t *entry;
    json_array_foreach (array, index, entry) {
        if (str_equal(json_string_value(entry), text))
            return true;
    }
    return false;
}

json_t *application_types(const json_t *application)
{
    json_t *types = json_array();
    size_t index;
    json_t *component;
    json_array_foreach (json_at(application, "/spec/components"), index, component) {
        const char *type = json_string_at(component, "/type");
        if (type && !array_has(types, type))
            json_array_append_new(types, json_string(type));
    }
    return types;
}

json_t *application_rolling_components(const json_t *application)
{
    json_t *names = json_array();
    const json_t *annotations = json_at(application, "/metadata/annotations");
    const char *at = json_string_value(json_object_get(annotations, ANNOTATION_COMPONENTS));
    while (at && *at) {
        at += strspn(at, ", \t\n");
        size_t length = strcspn(at, ", \t\n");
        if (length)
            json_array_append_new(names, json_stringn(at, length));
        at += length;
    }
    return names;
}

char *names_text(const json_t *names)
{
    struct text text = {0};
    size_t count = json_array_size(names);
    for (size_t i = 0; i < count; i++) {
        const char *before = i == 0 ? "" : i + 1 == count ? " and " : ", ";
        text_addf(&text, "%s%s", before, json_string_value(json_array_get(names, i)));
    }
    return count ? text_steal(&text) : str_copy("none");
}

/* null, "", [] and {} say nothing, so they may stand in any field. */
static bool says_nothing(const json_t *value)
{
    return json_is_null(value) || (json_is_string(value) && json_string_length(value) == 0) ||
           (json_is_array(value) && json_array_size(value) == 0) ||
           (json_is_object(value) && json_object_size(value) == 0);
}

/* Every member beside `known` (NULL-terminated) is something that can't be rolled. */
static int check_members(const json_t *object, const char *path, const char *const *known,
                         struct error *err)
{
    for (void *at = json_object_iter((json_t *)(uintptr_t)object); at;
         at = json_object_iter_next((json_t *)(uintptr_t)object, at)) {
        const char *name = json_object_iter_key(at);
        const char *const *match = known;
        while (*match && strcmp(*match, name) != 0)
            match++;
        if (*match || says_nothing(json_object_iter_value(at)))
            continue;
        char *where AUTO_FREE = str_format("%s.%s", path, name);
        return error_at(err, ERR_INVALID, where,
                        "%s is not supported in an Application that is rolled; expected only %s",
                        name,
                        strcmp(path, "spec") == 0 ? "components" : "name, type and properties");
    }
    return OK;
}

static bool is_label_text(const char *text)
{
    size_t length = strlen(text);
    if (length == 0 || length > LABEL_VALUE_MAX || text[0] == '-' || text[length - 1] == '-')
        return false;
    for (; *text; text++)
        if (!islower((unsigned char)*text) && !isdigit((unsigned char)*text) && *text != '-')
            return false;
    return true;
}

static int check_component_name(const json_t *components, size_t index, struct error *err)
{
    char path[64];
    snprintf(path, sizeof path, "spec.components[%zu].name", index);
    const char *name = json_string_at(json_array_get(components, index), "/name");
    if (!name || !is_label_text(name))
        return error_at(err, ERR_INVALID, path,
                        "expected up to 63 lower-case letters, digits and -, found \"%.80s\"",
                        name ? name : "");
    for (size_t i = 0; i < index; i++)
        if (str_equal(name, json_string_at(json_array_get(components, i), "/name")))
            return error_at(err, ERR_INVALID, path,
                            "spec.components[%zu] is called %s too; each needs a name of its own",
                            i, name);
    return OK;
}

/* It becomes part of a path to the API server, so nothing but a name may stand in it. */
static bool is_object_name(const char *text)
{
    if (!isalnum((unsigned char)*text))
        return false;
    for (; *text; text++)
        if (!islower((unsigned char)*text) && !isdigit((unsigned char)*text) && *text != '-' &&
            *text != '.')
            return false;
    return true;
}

static int check_component_type(const char *type, const char *path, struct error *err)
{
    char field[96];
    snprintf(field, sizeof field, "%s.type", path);
    if (!type || !*type)
        return error_at(err, ERR_INVALID, field,
                        "is missing; expected the name of a ComponentDefinition");
    if (!is_object_name(type))
        return error_at(err, ERR_INVALID, field,
                        "expected the name of a ComponentDefinition (lower-case letters, digits, "
                        "- and .), found \"%.80s\"",
                        type);
    return OK;
}

static int check_component(const json_t *components, size_t index, struct error *err)
{
    static const char *const known[] = {"name", "type", "properties", NULL};
    char path[64], field[96];
    const json_t *component = json_array_get(components, index);
    const char *type = json_string_at(component, "/type");
    const json_t *properties = json_object_get(component, "properties");
    snprintf(path, sizeof path, "spec.components[%zu]", index);
    int code = check_component_name(components, index, err);
    if (code < 0)
        return code;
    if ((code = check_component_type(type, path, err)) < 0)
        return code;
    if (properties && !json_is_object(properties) && !json_is_null(properties)) {
        snprintf(field, sizeof field, "%s.properties", path);
        return error_at(err, ERR_INVALID, field, "expected an object");
    }
    return check_members(component, path, known, err);
}

static int check_rolling_components(const json_t *application, struct error *err)
{
    json_t *names AUTO_JSON = application_rolling_components(application);
    size_t index;
    json_t *name;
    json_array_foreach (names, index, name) {
        if (!application_component(application, json_string_value(name)))
            return error_at(err, ERR_INVALID, "metadata.annotations[" ANNOTATION_COMPONENTS "]",
                            "names %s, but spec.components has no component of that name",
                            json_string_value(name));
    }
    return OK;
}

int application_check(const json_t *application, struct error *err)
{
    static const char *const known[] = {"components", NULL};
    const char *name = json_string_at(application, "/metadata/name");
    const json_t *components = json_at(application, "/spec/components");
    if (name && strlen(name) > APPLICATION_NAME_MAX)
        return error_at(err, ERR_INVALID, "metadata.name",
                        "is %zu characters long; at most %d leave room for \"-v<number>\" in a "
                        "label",
                        strlen(name), APPLICATION_NAME_MAX);
    if (json_array_size(components) == 0)
        return error_at(err, ERR_INVALID, "spec.components", "expected at least one component");
    for (size_t i = 0; i < json_array_size(components); i++) {
        int code = check_component(components, i, err);
        if (code < 0)
            return code;
    }
    int code = check_members(json_at(application, "/spec"), "spec", known, err);
    return code < 0 ? code : check_rolling_components(application, err);
}
