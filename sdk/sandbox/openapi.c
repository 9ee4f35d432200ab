// SPDX-License-Identifier: Apache-2.0
#include "openapi.h"

#include "base/alloc.h"
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

static char *version_path(const struct kind *kind)
{
    return str_format("%s/%s", *kind->group ? "apis" : "api", kind->api_version);
}

/* {"paths": {"apis/apps/v1": {"serverRelativeURL": …}, …}} */
static json_t *make_index(const struct registry *kinds)
{
    json_t *paths = json_object();
    for (size_t i = 0; i < registry_count(kinds); i++) {
        char *path AUTO_FREE = version_path(registry_at(kinds, i));
        json_object_set_new(
            paths, path,
            json_pack("{so}", "serverRelativeURL", json_sprintf("/openapi/v3/%s", path)));
    }
    return json_pack("{so}", "paths", paths);
}

/* As Kubernetes names them: io.example.v1.Kind for group example.io; built-in ones have a name. */
static char *schema_name(const struct kind *kind)
{
    char *name = str_format("%s.%s", kind->version, kind->name);
    char *group AUTO_FREE = str_copy(kind->group), *rest = group;
    for (char *part; (part = strsep(&rest, "."));) {
        char *longer = str_format("%s.%s", part, name);
        free(name);
        name = longer;
    }
    return name;
}

/* A patch of this kind: what kubectl looks for is which bodies and which parameters it takes. */
static json_t *patch_of(const struct kind *kind)
{
    json_t *content = json_object();
    static const char *const types[] = {
        "application/apply-patch+yaml",
        "application/json-patch+json",
        "application/merge-patch+json",
        "application/strategic-merge-patch+json",
    };
    size_t count = sizeof types / sizeof *types - (kind->custom ? 1 : 0);
    for (size_t i = 0; i < count; i++)
        json_object_set_new(content, types[i], json_pack("{s{ss}}", "schema", "type", "object"));
    return json_pack("{s[{ss ss s{ss}}{ss ss s{ss}}] s{so} s{ss ss ss} ss}", "parameters", "name",
                     "fieldValidation", "in", "query", "schema", "type", "string", "name", "dryRun",
                     "in", "query", "schema", "type", "string", "requestBody", "content", content,
                     "x-kubernetes-group-version-kind", "group", kind->group, "version",
                     kind->version, "kind", kind->name, "x-kubernetes-action", "patch");
}

char *openapi_path(const struct kind *kind)
{
    char *version AUTO_FREE = version_path(kind);
    return str_format("/%s/%s%s/{name}", version, kind->namespaced ? "namespaces/{namespace}/" : "",
                      kind->plural);
}

static void add_path(const struct kind *kind, json_t *paths)
{
    char *path AUTO_FREE = openapi_path(kind);
    json_object_set_new(paths, path, json_pack("{so}", "patch", patch_of(kind)));
}

/* All of a group version; NULL: there is none of that path. */
static json_t *make_document(const struct registry *kinds, const char *path)
{
    json_t *paths = json_object();
    json_t *schemas AUTO_JSON = json_copy(registry_schemas(kinds));
    for (size_t i = 0; i < registry_count(kinds); i++) {
        const struct kind *kind = registry_at(kinds, i);
        char *own AUTO_FREE = version_path(kind), *name AUTO_FREE = schema_name(kind);
        if (strcmp(own, path) != 0)
            continue;
        add_path(kind, paths);
        if (kind->custom)
            json_object_set(schemas, name, kind->rules);
    }
    if (!json_object_size(paths)) {
        json_decref(paths);
        return NULL;
    }
    return json_pack("{ss s{ss ss} so s{sO}}", "openapi", "3.0.0", "info", "title", "Kubernetes",
                     "version", KUBERNETES, "paths", paths, "components", "schemas", schemas);
}

bool openapi_answer(const struct registry *kinds, const struct request *request,
                    struct answer *answer)
{
    static const char root[] = "/openapi/v3";
    const char *rest = request->path + sizeof root - 1;
    if (strncmp(request->path, root, sizeof root - 1) != 0 || (*rest && *rest != '/'))
        return false;
    json_t *document AUTO_JSON = *rest ? make_document(kinds, rest + 1) : make_index(kinds);
    if (!document)
        return false;
    char *text AUTO_FREE = json_text(document);
    text_puts(&answer->body, text);
    return true;
}
