// SPDX-License-Identifier: Apache-2.0
#include "cli/workload.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/json_patch.h"
#include "cli/resource.h"

#include <stdlib.h>
#include <string.h>

static const char *const template_at[] = {"/spec/template"};

static int find_path(struct session *session, const json_t *rollout, char **ret_path,
                     struct error *err)
{
    const char *ns = json_string_at(rollout, "/metadata/namespace");
    const struct resource resource = {
        .api_version = json_string_at(rollout, "/spec/workloadRef/apiVersion"),
        .kind = json_string_at(rollout, "/spec/workloadRef/kind"),
        .ns = ns ? ns : session->ns,
        .name = json_string_at(rollout, "/spec/workloadRef/name"),
    };
    return resource_path(session, &resource, ret_path, err);
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
