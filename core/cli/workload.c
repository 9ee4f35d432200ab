// SPDX-License-Identifier: Apache-2.0
#include "cli/workload.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/json_patch.h"

#include <stdlib.h>
#include <string.h>

static const char *const template_at[] = {"/spec/template"};

/* "/api/v1", "/apis/apps/v1" */
static char *group_path(const char *api_version)
{
    return str_format("%s/%s", strchr(api_version, '/') ? "/apis" : "/api", api_version);
}

static const char *plural_in(const json_t *listed, const char *kind)
{
    size_t i;
    json_t *entry;
    json_array_foreach (json_object_get(listed, "resources"), i, entry) {
        const char *name = json_string_at(entry, "/name");
        if (str_equal(json_string_at(entry, "/kind"), kind) && name && !strchr(name, '/'))
            return name;
    }
    return NULL;
}

static int find_path(struct session *session, const json_t *rollout, char **ret_path,
                     struct error *err)
{
    const char *api_version = json_string_at(rollout, "/spec/workloadRef/apiVersion");
    const char *kind = json_string_at(rollout, "/spec/workloadRef/kind");
    const char *name = json_string_at(rollout, "/spec/workloadRef/name");
    const char *ns = json_string_at(rollout, "/metadata/namespace");
    char *group AUTO_FREE = group_path(api_version ? api_version : "");
    struct call_spec spec = {.method = "GET", .path = group};
    json_t *listed AUTO_JSON = NULL;
    int code = session_call(session, &spec, &listed, err);
    if (code < 0 && code != ERR_MISSING)
        return code;
    const char *plural = plural_in(listed, kind);
    if (!plural)
        return error_set(err, ERR_MISSING, "the cluster doesn't serve %s (%s)", kind, api_version);
    *ret_path = str_format("%s/namespaces/%s/%s/%s", group, ns ? ns : session->ns, plural, name);
    return OK;
}

int workload_read(struct session *session, const json_t *rollout, struct workload *ret_workload,
                  struct error *err)
{
    struct workload workload = {0};
    int code = find_path(session, rollout, &workload.path, err);
    struct call_spec spec = {.method = "GET", .path = workload.path};
    if (code == OK)
        code = session_call(session, &spec, &workload.object, err);
    if (code < 0) {
        workload_done(&workload);
        return code;
    }
    *ret_workload = workload;
    return OK;
}

void workload_done(struct workload *workload)
{
    free(workload->path);
    json_decref(workload->object);
    *workload = (struct workload){0};
}

bool workload_template(const json_t *object, char ret_name[TEMPLATE_NAME_SIZE])
{
    const struct template_place usual = {template_at, 1};
    json_t *template AUTO_JSON = template_pick(&usual, object);
    if (template)
        template_name(template, ret_name);
    return template;
}

void workload_put_template(json_t *patch, const json_t *object, const json_t *template)
{
    const char *pointer;
    json_t *part;
    json_object_foreach ((json_t *)(uintptr_t)template, pointer, part)
        json_array_append_new(patch,
                              json_patch_step_take(json_at(object, pointer) ? "replace" : "add",
                                                   pointer, json_incref(part)));
}
