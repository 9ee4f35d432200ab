// SPDX-License-Identifier: Apache-2.0
#include "cli/resource.h"

#include "base/alloc.h"
#include "base/json.h"

#include <string.h>

/* "/api/v1", "/apis/apps/v1" */
static char *group_path(const char *api_version)
{
    return str_format("%s/%s", strchr(api_version, '/') ? "/apis" : "/api", api_version);
}

/* The kind itself, not one of its subresources. */
static const json_t *entry_in(const json_t *listed, const char *kind)
{
    size_t i;
    json_t *entry;
    json_array_foreach (json_object_get(listed, "resources"), i, entry) {
        const char *name = json_string_at(entry, "/name");
        if (str_equal(json_string_at(entry, "/kind"), kind) && name && !strchr(name, '/'))
            return entry;
    }
    return NULL;
}

int resource_kind(struct session *session, const struct resource *resource,
                  struct kind_info *ret_info, char **ret_plural, struct error *err)
{
    const char *api_version = resource->api_version ? resource->api_version : "";
    char *group AUTO_FREE = group_path(api_version);
    struct call_spec spec = {.method = "GET", .path = group};
    json_t *listed AUTO_JSON = NULL;
    int code = session_call(session, &spec, &listed, err);
    if (code < 0 && code != ERR_MISSING)
        return code;
    const json_t *entry = entry_in(listed, resource->kind);
    if (!entry)
        return error_set(err, ERR_MISSING, "the cluster doesn't serve %s (%s)",
                         resource->kind ? resource->kind : "what has no kind", api_version);
    *ret_plural = str_copy(json_string_at(entry, "/name"));
    *ret_info = (struct kind_info){.api_version = api_version,
                                   .kind = resource->kind,
                                   .plural = *ret_plural,
                                   .namespaced = json_bool_at(entry, "/namespaced", true)};
    return OK;
}

int resource_path(struct session *session, const struct resource *resource, char **ret_path,
                  struct error *err)
{
    char *plural AUTO_FREE = NULL;
    struct kind_info info;
    int code = resource_kind(session, resource, &info, &plural, err);
    if (code == OK)
        *ret_path = object_path(&info, info.namespaced ? resource->ns : NULL, resource->name, NULL);
    return code;
}
