// SPDX-License-Identifier: Apache-2.0
#include "adapter/manifest.h"

#include "adapter/schema.h"
#include "base/alloc.h"
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

static int wrong_type(const char *path, const char *expected, const json_t *found,
                      struct error *err)
{
    return error_at(err, ERR_INVALID, path, "%s: expected %s, found %s", path, expected,
                    json_type_name(found));
}

/* An array of strings, each beginning with `start`. */
static int strings_check(const json_t *array, const char *path, const char *start,
                         struct error *err)
{
    size_t i;
    const json_t *item;
    if (!json_is_array(array))
        return wrong_type(path, "an array of strings", array, err);
    json_array_foreach (array, i, item) {
        char *inner AUTO_FREE = str_format("%s[%zu]", path, i);
        const char *string = json_string_value(item);
        if (!string)
            return wrong_type(inner, "a string", item, err);
        if (strncmp(string, start, strlen(start)) != 0)
            return error_at(err, ERR_INVALID, inner,
                            "%s: expected a text that begins with %s, "
                            "found \"%s\"",
                            inner, start, string);
    }
    return OK;
}

static int kind_check(const json_t *kind, const char *path, struct error *err)
{
    static const char *const names[] = {"apiVersion", "kind"};
    if (!json_is_object(kind))
        return wrong_type(path, "an object", kind, err);
    for (size_t i = 0; i < 2; i++) {
        const json_t *value = json_object_get(kind, names[i]);
        char *inner AUTO_FREE = str_format("%s.%s", path, names[i]);
        if (!json_is_string(value) || !json_string_length(value))
            return wrong_type(inner, "a text", value, err);
    }
    char *inner AUTO_FREE = str_format("%s.keep", path);
    return strings_check(json_object_get(kind, "keep"), inner, "/", err);
}

static int kinds_check(const json_t *kinds, struct error *err)
{
    size_t i;
    const json_t *kind;
    if (!json_array_size(kinds))
        return error_at(err, ERR_INVALID, "kinds", "kinds: expected at least one kind, found %s",
                        json_is_array(kinds) ? "an empty array" : json_type_name(kinds));
    json_array_foreach (kinds, i, kind) {
        char *path AUTO_FREE = str_format("kinds[%zu]", i);
        int result = kind_check(kind, path, err);
        if (result < 0)
            return result;
    }
    return OK;
}

static int rights_check(const json_t *rights, struct error *err)
{
    static const char *const names[] = {"apiGroups", "resources", "verbs"};
    size_t i;
    const json_t *rule;
    if (!json_is_array(rights))
        return wrong_type("rights", "an array of rules", rights, err);
    json_array_foreach (rights, i, rule)
        for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
            char *path AUTO_FREE = str_format("rights[%zu].%s", i, names[n]);
            int result = strings_check(json_object_get(rule, names[n]), path, "", err);
            if (result < 0)
                return result;
        }
    return OK;
}

static int members_check(const json_t *json, bool newer, struct error *err)
{
    static const char *const known[] = {"kinds", "rights", "options", "smoke"};
    json_t *object = (json_t *)(uintptr_t)json; /* iterating doesn't change it */
    const char *name;
    json_t *value;
    json_object_foreach (object, name, value) {
        bool found = newer;
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            found = found || strcmp(name, known[i]) == 0;
        if (!found)
            return error_at(err, ERR_INVALID, name,
                            "%s: unknown member; known are kinds, rights, options, smoke", name);
    }
    return OK;
}

static int manifest_check(const json_t *json, bool newer, struct error *err)
{
    const json_t *options = json_object_get(json, "options");
    const json_t *smoke = json_object_get(json, "smoke");
    if (!json_is_object(json))
        return error_set(err, ERR_INVALID, "expected an object, found %s", json_type_name(json));
    int result = members_check(json, newer, err);
    if (result == OK)
        result = kinds_check(json_object_get(json, "kinds"), err);
    if (result == OK)
        result = rights_check(json_object_get(json, "rights"), err);
    if (result == OK && options)
        result = schema_check(options, "options", err);
    if (result == OK && smoke && !json_is_object(smoke))
        result = wrong_type("smoke", "an object", smoke, err);
    return result;
}

static struct adapter_kind kind_read(const json_t *json)
{
    const json_t *keep = json_object_get(json, "keep");
    size_t count = json_array_size(keep);
    const char **pointers = mem_alloc(count * sizeof *pointers);
    for (size_t i = 0; i < count; i++)
        pointers[i] = json_string_value(json_array_get(keep, i));
    return (struct adapter_kind){
        .api_version = json_string_at(json, "/apiVersion"),
        .kind = json_string_at(json, "/kind"),
        .keep = pointers,
        .keep_count = count,
    };
}

int manifest_parse(const char *text, bool newer, struct manifest *ret_manifest, struct error *err)
{
    json_t *json AUTO_JSON = NULL;
    int result = json_parse(text, strlen(text), &json, err);
    if (result == OK)
        result = manifest_check(json, newer, err);
    if (result < 0) {
        error_prefix(err, "manifest");
        return result;
    }
    const json_t *kinds = json_object_get(json, "kinds");
    struct manifest manifest = {
        .json = json_incref(json),
        .kind_count = json_array_size(kinds),
        .rights = json_object_get(json, "rights"),
        .options = json_object_get(json, "options"),
        .smoke = json_object_get(json, "smoke"),
    };
    manifest.kinds = mem_alloc(manifest.kind_count * sizeof *manifest.kinds);
    for (size_t i = 0; i < manifest.kind_count; i++)
        manifest.kinds[i] = kind_read(json_array_get(kinds, i));
    *ret_manifest = manifest;
    return OK;
}

void manifest_done(struct manifest *manifest)
{
    for (size_t i = 0; i < manifest->kind_count; i++)
        free((void *)(uintptr_t)manifest->kinds[i].keep);
    free(manifest->kinds);
    json_decref(manifest->json);
    *manifest = (struct manifest){0};
}
