// SPDX-License-Identifier: Apache-2.0
#include "adapter/manifest.h"

#include "adapter/members.h"
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

/* An object inside the manifest, without a member that nobody knows; `known` may be NULL: any. */
static int inner_members_check(const json_t *json, const char *path, const char *const *known,
                               struct error *err)
{
    const struct members members = {.object = json, .what = path, .err = err};
    if (!json_is_object(json))
        return wrong_type(path, "an object", json, err);
    if (!known || members_known(&members, known) == OK)
        return OK;
    return err->code = ERR_INVALID;
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

/* What a kind and what it owns have in common: apiVersion, kind and keep. */
static int identity_check(const json_t *kind, const char *path, const char *const *known,
                          struct error *err)
{
    static const char *const names[] = {"apiVersion", "kind"};
    int result = inner_members_check(kind, path, known, err);
    if (result < 0)
        return result;
    for (size_t i = 0; i < 2; i++) {
        const json_t *value = json_object_get(kind, names[i]);
        char *inner AUTO_FREE = str_format("%s.%s", path, names[i]);
        if (!json_is_string(value) || !json_string_length(value))
            return wrong_type(inner, "a text", value, err);
    }
    char *inner AUTO_FREE = str_format("%s.keep", path);
    return strings_check(json_object_get(kind, "keep"), inner, "/", err);
}

static int owned_check(const json_t *owned, const char *path, bool newer, struct error *err)
{
    static const char *const known[] = {"apiVersion", "kind", "keep", NULL};
    size_t i;
    const json_t *item;
    if (!json_is_array(owned))
        return wrong_type(path, "an array of kinds", owned, err);
    json_array_foreach (owned, i, item) {
        char *inner AUTO_FREE = str_format("%s[%zu]", path, i);
        int result = identity_check(item, inner, newer ? NULL : known, err);
        if (result < 0)
            return result;
    }
    return OK;
}

static int kind_check(const json_t *kind, const char *path, bool newer, struct error *err)
{
    static const char *const known[] = {"apiVersion", "kind", "keep", "owned", "template", NULL};
    const json_t *owned = json_object_get(kind, "owned");
    const json_t *template = json_object_get(kind, "template");
    char *of_owned AUTO_FREE = str_format("%s.owned", path);
    char *of_template AUTO_FREE = str_format("%s.template", path);
    int result = identity_check(kind, path, newer ? NULL : known, err);
    if (result == OK && template)
        result = strings_check(template, of_template, "/", err);
    return result == OK && owned ? owned_check(owned, of_owned, newer, err) : result;
}

static int kinds_check(const json_t *kinds, bool newer, struct error *err)
{
    size_t i;
    const json_t *kind;
    if (!json_array_size(kinds))
        return error_at(err, ERR_INVALID, "kinds", "kinds: expected at least one kind, found %s",
                        json_is_array(kinds) ? "an empty array" : json_type_name(kinds));
    json_array_foreach (kinds, i, kind) {
        char *path AUTO_FREE = str_format("kinds[%zu]", i);
        int result = kind_check(kind, path, newer, err);
        if (result < 0)
            return result;
    }
    return OK;
}

/* A member that is ignored here would mean larger rights than were asked for. */
static int rule_check(const json_t *rule, const char *path, struct error *err)
{
    static const char *const names[] = {"apiGroups", "resources", "verbs", NULL};
    int result = inner_members_check(rule, path, names, err);
    for (size_t i = 0; result == OK && names[i]; i++) {
        const json_t *list = json_object_get(rule, names[i]);
        char *inner AUTO_FREE = str_format("%s.%s", path, names[i]);
        result = strings_check(list, inner, "", err);
        if (result == OK && !json_array_size(list))
            result = error_at(err, ERR_INVALID, inner,
                              "%s: expected at least one text, found an empty array", inner);
    }
    return result;
}

static int rights_check(const json_t *rights, struct error *err)
{
    size_t i;
    const json_t *rule;
    if (!json_is_array(rights))
        return wrong_type("rights", "an array of rules", rights, err);
    json_array_foreach (rights, i, rule) {
        char *path AUTO_FREE = str_format("rights[%zu]", i);
        int result = rule_check(rule, path, err);
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

/* `describes`: what the options decide may be missing still. */
static int manifest_check(const json_t *json, bool newer, bool describes, struct error *err)
{
    const json_t *kinds = json_object_get(json, "kinds");
    const json_t *rights = json_object_get(json, "rights");
    const json_t *options = json_object_get(json, "options");
    const json_t *smoke = json_object_get(json, "smoke");
    if (!json_is_object(json))
        return error_set(err, ERR_INVALID, "expected an object, found %s", json_type_name(json));
    int result = members_check(json, newer, err);
    if (result == OK && (kinds || !describes))
        result = kinds_check(kinds, newer, err);
    if (result == OK && (rights || !describes))
        result = rights_check(rights, err);
    if (result == OK && options)
        result = schema_check(options, "options", err);
    if (result == OK && smoke && !json_is_object(smoke))
        result = wrong_type("smoke", "an object", smoke, err);
    return result;
}

/* The caller frees the array, not the strings. */
static const char **pointers_read(const json_t *list)
{
    const char **pointers = mem_alloc(json_array_size(list) * sizeof *pointers);
    for (size_t i = 0; i < json_array_size(list); i++)
        pointers[i] = json_string_value(json_array_get(list, i));
    return pointers;
}

/* Where almost every kind has it, unless the manifest says something else. */
static void template_read(const json_t *kind, struct adapter_kind *ret_kind)
{
    static const char *const usual = "/spec/template";
    const json_t *template = json_object_get(kind, "template");
    const char **pointers = template ? pointers_read(template) : mem_alloc(sizeof *pointers);
    if (!template)
        pointers[0] = usual;
    ret_kind->template = pointers;
    ret_kind->template_count = template ? json_array_size(template) : 1;
}

static struct adapter_owned *owned_read(const json_t *json)
{
    struct adapter_owned *owned = mem_alloc(json_array_size(json) * sizeof *owned);
    for (size_t i = 0; i < json_array_size(json); i++) {
        const json_t *item = json_array_get(json, i);
        const json_t *keep = json_object_get(item, "keep");
        owned[i] = (struct adapter_owned){
            .api_version = json_string_at(item, "/apiVersion"),
            .kind = json_string_at(item, "/kind"),
            .keep = pointers_read(keep),
            .keep_count = json_array_size(keep),
        };
    }
    return owned;
}

static struct adapter_kind kind_read(const json_t *json)
{
    const json_t *keep = json_object_get(json, "keep");
    const json_t *owned = json_object_get(json, "owned");
    struct adapter_kind kind = {
        .api_version = json_string_at(json, "/apiVersion"),
        .kind = json_string_at(json, "/kind"),
        .keep = pointers_read(keep),
        .keep_count = json_array_size(keep),
        .owned = owned_read(owned),
        .owned_count = json_array_size(owned),
    };
    template_read(json, &kind);
    return kind;
}

static void kind_done(const struct adapter_kind *kind)
{
    for (size_t i = 0; i < kind->owned_count; i++)
        free((void *)(uintptr_t)kind->owned[i].keep);
    free((void *)(uintptr_t)kind->owned);
    free((void *)(uintptr_t)kind->template);
    free((void *)(uintptr_t)kind->keep);
}

/* Owns `json`, which has been checked. */
static struct manifest manifest_read_take(json_t *json)
{
    const json_t *kinds = json_object_get(json, "kinds");
    struct manifest manifest = {
        .json = json,
        .kind_count = json_array_size(kinds),
        .rights = json_object_get(json, "rights"),
        .options = json_object_get(json, "options"),
        .smoke = json_object_get(json, "smoke"),
    };
    manifest.kinds = mem_alloc(manifest.kind_count * sizeof *manifest.kinds);
    for (size_t i = 0; i < manifest.kind_count; i++)
        manifest.kinds[i] = kind_read(json_array_get(kinds, i));
    return manifest;
}

int manifest_parse(const struct manifest_source *source, struct manifest *ret_manifest,
                   struct error *err)
{
    json_t *json;
    int result = json_parse(source->text, strlen(source->text), &json, err);
    if (result == OK && (result = manifest_check(json, source->newer, source->describes, err)) < 0)
        json_decref(json);
    if (result < 0)
        error_prefix(err, "manifest");
    else
        *ret_manifest = manifest_read_take(json);
    return result;
}

int manifest_describe(struct manifest *manifest, const json_t *described, bool newer,
                      struct error *err)
{
    json_t *json = json_deep_copy(manifest->json);
    int result = json_object_get(described, "options")
                     ? error_at(err, ERR_INVALID, "options",
                                "options: expected in the table only, found here")
                     : OK;
    json_object_update(json, (json_t *)(uintptr_t)described);
    if (result == OK)
        result = manifest_check(json, newer, false, err);
    if (result < 0) {
        json_decref(json);
        error_prefix(err, "describe: manifest");
        return result;
    }
    manifest_done(manifest);
    *manifest = manifest_read_take(json);
    return OK;
}

void manifest_done(struct manifest *manifest)
{
    for (size_t i = 0; i < manifest->kind_count; i++)
        kind_done(&manifest->kinds[i]);
    free(manifest->kinds);
    json_decref(manifest->json);
    *manifest = (struct manifest){0};
}
