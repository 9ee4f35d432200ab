// SPDX-License-Identifier: Apache-2.0
#include "write.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/json_patch.h"
#include "change.h"
#include "managed.h"
#include "object.h"
#include "read.h"
#include "scale.h"
#include "strategic.h"
#include "view.h"

#include <stdlib.h>
#include <string.h>

/* ── Bodies and answers ───────────────────────────────────────────────────────────────────── */

static int body_of(const struct request *request, json_t **ret_json, struct failure *failure)
{
    json_error_t where;
    json_t *json = json_loadb(request->body, request->body_length, 0, &where);
    if (!json)
        return fail(failure, 400, "BadRequest",
                    "couldn't get version/kind; json parse error: line %d, column %d: %s",
                    where.line, where.column, where.text);
    *ret_json = json;
    return 0;
}

static void answer_object(struct answer *answer, const struct request *request,
                          const struct target *target, unsigned status, json_t *object)
{
    struct view view;
    if (!view_read(request, &view))
        view = (struct view){.form = VIEW_WHOLE};
    json_t *kept AUTO_JSON = json_copy(object);
    json_object_del(kept, "kind");
    json_object_del(kept, "apiVersion");
    char *text AUTO_FREE = json_text(kept);
    answer->status = status;
    answer->type = view_type(view, false);
    view_object(view, target->kind, text + 1, &answer->body);
}

static bool is_dry(const struct request *request)
{
    return str_equal(request_query(request, "dryRun"), "All");
}

enum { MANAGER_MAX = 128 };

/* As the client says, or its program's name. */
static char *manager_of(const struct request *request)
{
    const char *said = request_query(request, "fieldManager");
    const char *agent = request_header(request, "User-Agent");
    size_t length = agent ? strcspn(agent, "/") : 0;
    if (said && *said)
        return str_copy(said);
    return str_format("%.*s", length < MANAGER_MAX ? (int)length : MANAGER_MAX,
                      length ? agent : "");
}

/* ── Creating and replacing ───────────────────────────────────────────────────────────────── */

/* Typed clients speak protobuf unless told otherwise. */
static int check_json(const struct request *request, struct failure *failure)
{
    const char *type = request_header(request, "Content-Type");
    if (!type || strncmp(type, "application/vnd.kubernetes.protobuf", 35) != 0)
        return 0;
    return fail(failure, 415, "UnsupportedMediaType",
                "the body of the request was in an unknown format - accepted media types include: "
                "application/json");
}

static int take_body(const struct target *target, const struct request *request,
                     json_t **ret_object, struct answer *answer, struct failure *failure)
{
    enum strictness strictness;
    if (strictness_of(request, &strictness, failure) < 0 || check_json(request, failure) < 0 ||
        body_of(request, ret_object, failure) < 0)
        return -1;
    return object_take(target->kind, *ret_object, strictness, &answer->warnings, failure);
}

int write_create(struct sandbox *sandbox, const struct target *target,
                 const struct request *request, struct answer *answer, struct failure *failure)
{
    json_t *object AUTO_JSON = NULL;
    char *manager AUTO_FREE = manager_of(request);
    struct change_options options = {.manager = manager, .dry_run = is_dry(request)};
    if (target->kind->namespaced && !target->ns)
        return fail_method(failure);
    if (take_body(target, request, &object, answer, failure) < 0 ||
        change_create(sandbox, target, object, &options, failure) < 0)
        return -1;
    answer_object(answer, request, target, 201, object);
    return 0;
}

/* Bodies are of the object's kind, or a Scale. */
static struct target shape_of(const struct sandbox *sandbox, const struct target *target)
{
    struct target shape = *target;
    if (str_equal(target->subresource, "scale"))
        shape.kind = registry_scale(sandbox->kinds);
    return shape;
}

/* *object becomes what was written, in the shape in which it came. */
static int change(struct sandbox *sandbox, const struct target *target, json_t **object,
                  const struct change_options *options, struct failure *failure)
{
    const struct kind *kind = target->kind;
    const struct version *version = collection_get(kind->collection, target->key);
    struct change_options unversioned = *options;
    if (!str_equal(target->subresource, "scale"))
        return change_replace(sandbox, target, *object, options, failure);
    if (!version)
        return fail_not_found(failure, kind, target->name);
    json_t *scaled AUTO_JSON = object_of(kind, version);
    unversioned.patch = true;
    if (scale_put(sandbox, kind, scaled, *object, failure) < 0 ||
        change_replace(sandbox, target, scaled, &unversioned, failure) < 0)
        return -1;
    json_decref(*object);
    *object = scale_of(kind, scaled, failure);
    return *object ? 0 : -1;
}

static int check_name(const struct target *target, const json_t *object, struct failure *failure)
{
    const char *name = json_string_at(object, "/metadata/name");
    if (name && strcmp(name, target->name) != 0)
        return fail(failure, 400, "BadRequest",
                    "the name of the object (%s) does not match the name on the URL (%s)", name,
                    target->name);
    if (!name)
        return fail(failure, 400, "BadRequest",
                    "the name of the object (%s based on URL) was undeterminable: name must be "
                    "provided",
                    target->name);
    return 0;
}

int write_replace(struct sandbox *sandbox, const struct target *target,
                  const struct request *request, struct answer *answer, struct failure *failure)
{
    json_t *object AUTO_JSON = NULL;
    char *manager AUTO_FREE = manager_of(request);
    struct change_options options = {
        .subresource = target->subresource, .manager = manager, .dry_run = is_dry(request)};
    struct target shape = shape_of(sandbox, target);
    if (take_body(&shape, request, &object, answer, failure) < 0 ||
        check_name(target, object, failure) < 0 ||
        change(sandbox, target, &object, &options, failure) < 0)
        return -1;
    answer_object(answer, request, &shape, 200, object);
    return 0;
}

/* ── Patching ─────────────────────────────────────────────────────────────────────────────── */

static int patch_json(json_t **object, const json_t *patch, struct failure *failure)
{
    struct error err = {0};
    if (!json_is_array(patch))
        return fail(failure, 400, "BadRequest",
                    "json: cannot unmarshal object into Go value of "
                    "type jsonpatch.Patch");
    if (json_patch(object, patch, &err) == OK)
        return 0;
    fail(failure, 422, "Invalid", "the server rejected our request due to an error in our request");
    failure->details = json_object();
    return -1;
}

static int carry_out(const struct target *target, const char *type, const json_t *patch,
                     json_t **object, struct failure *failure)
{
    if (strcmp(type, "application/json-patch+json") == 0)
        return patch_json(object, patch, failure);
    if (!json_is_object(patch))
        return fail(failure, 400, "BadRequest", "the patch isn't an object");
    if (strcmp(type, "application/merge-patch+json") == 0)
        json_merge(*object, patch);
    else
        return strategic_merge(target->kind->schema, *object, patch, failure);
    return 0;
}

/* A type that is a patch's is told otherwise than one that is none. */
static int fail_media_type(const struct target *target, bool is_patch, struct failure *failure)
{
    if (is_patch)
        return fail(failure, 415, "UnsupportedMediaType",
                    "the body of the request was in an unknown format - accepted media types "
                    "include: application/json-patch+json, application/merge-patch+json, "
                    "application/apply-patch+yaml");
    fail(failure, 415, "UnsupportedMediaType", "415: Unsupported Media Type");
    failure->details = json_object();
    return -1;
}

static int check_type(const struct target *target, const char *type, struct failure *failure)
{
    bool strategic = str_equal(type, "application/strategic-merge-patch+json");
    if (str_equal(type, "application/json-patch+json") ||
        str_equal(type, "application/merge-patch+json") || (strategic && !target->kind->custom))
        return 0;
    return fail_media_type(target, strategic, failure);
}

/* What is wrong with the object that a patch makes is wrong with the patch. */
static int take_patched(const struct target *target, json_t *object, enum strictness strictness,
                        struct answer *answer, struct failure *failure)
{
    struct failure own = {0};
    char *text AUTO_FREE = json_text(object);
    if (object_take(target->kind, object, strictness, &answer->warnings, &own) == 0)
        return 0;
    const char *words = own.message, *strict = strstr(words, "strict decoding error");
    const char *decoding = strstr(words, "json: ");
    words = strict ? strict : decoding ? decoding : words;
    json_t *causes = json_array(), *value AUTO_JSON = json_string(text);
    char *quoted AUTO_FREE = json_text(value);
    cause_add(causes, "FieldValueInvalid", "patch", "Invalid value: %s: %s", quoted, words);
    fail(failure, 422, "Invalid", " \"\" is invalid: patch: Invalid value: %s: %s", quoted, words);
    failure->details = json_pack("{so}", "causes", causes);
    failure_done(&own);
    return -1;
}

/* What is patched: the object, or its Scale. */
static json_t *shown(const struct target *target, const struct version *version,
                     struct failure *failure)
{
    json_t *object = object_of(target->kind, version);
    if (!str_equal(target->subresource, "scale"))
        return object;
    json_t *scale = scale_of(target->kind, object, failure);
    json_decref(object);
    return scale;
}

static int patch(struct sandbox *sandbox, const struct target *target,
                 const struct request *request, struct answer *answer, struct failure *failure)
{
    const char *type = request_header(request, "Content-Type");
    const struct version *version = collection_get(target->kind->collection, target->key);
    json_t *patch AUTO_JSON = NULL, *object AUTO_JSON = NULL;
    char *manager AUTO_FREE = manager_of(request);
    struct change_options options = {.subresource = target->subresource,
                                     .manager = manager,
                                     .patch = true,
                                     .dry_run = is_dry(request)};
    struct target shape = shape_of(sandbox, target);
    enum strictness strictness;
    if (check_type(target, type, failure) < 0 || strictness_of(request, &strictness, failure) < 0 ||
        body_of(request, &patch, failure) < 0)
        return -1;
    if (!version)
        return fail_not_found(failure, target->kind, target->name);
    object = shown(target, version, failure);
    if (!object || carry_out(&shape, type, patch, &object, failure) < 0 ||
        take_patched(&shape, object, strictness, answer, failure) < 0 ||
        check_name(target, object, failure) < 0 ||
        change(sandbox, target, &object, &options, failure) < 0)
        return -1;
    answer_object(answer, request, &shape, 200, object);
    return 0;
}

/* ── Applying ─────────────────────────────────────────────────────────────────────────────── */

static int fail_option(struct failure *failure, const char *reason, const char *option,
                       const char *words)
{
    json_t *causes = json_array();
    cause_add(causes, reason, option, "%s", words);
    fail(failure, 422, "Invalid", "PatchOptions.meta.k8s.io \"\" is invalid: %s: %s", option,
         words);
    failure->details =
        json_pack("{ss ss so}", "group", "meta.k8s.io", "kind", "PatchOptions", "causes", causes);
    return -1;
}

static int check_apply(const struct request *request, const json_t *wanted, struct failure *failure)
{
    const char *manager = request_query(request, "fieldManager");
    if (!manager || !*manager)
        return fail_option(failure, "FieldValueRequired", "fieldManager",
                           "Required value: is required for apply patch");
    if (json_at(wanted, "/metadata/managedFields"))
        return fail(failure, 400, "BadRequest", "metadata.managedFields must be nil");
    return 0;
}

/* What isn't in the schema can't be owned. */
static int check_fields(const struct target *target, const json_t *wanted, struct failure *failure)
{
    json_t *copy AUTO_JSON = json_deep_copy(wanted), *unknown AUTO_JSON = json_array();
    schema_prune(target->kind->schema, copy, unknown);
    if (!json_array_size(unknown))
        return 0;
    const char *ns = json_string_at(wanted, "/metadata/namespace");
    return fail(failure, 500, "",
                "failed to create typed patch object (%s/%s; %s/%s, Kind=%s): .%s: field not "
                "declared in schema",
                ns ? ns : "", target->name, target->kind->group, target->kind->version,
                target->kind->name, json_string_at(unknown, "/0"));
}

/* Who names the uid means an object that is there. */
static int check_absent(const struct target *target, const json_t *wanted, struct failure *failure)
{
    const char *uid = json_string_at(wanted, "/metadata/uid");
    if (target->subresource)
        return fail_not_found(failure, target->kind, target->name);
    if (!uid)
        return 0;
    char *why AUTO_FREE = str_format("uid mismatch: the provided object specified uid %s, and no "
                                     "existing object was found",
                                     uid);
    return fail_conflict(failure, target->kind, target->name, why);
}

static int take_applied(const struct target *target, const struct request *request,
                        json_t **ret_wanted, struct failure *failure)
{
    if (body_of(request, ret_wanted, failure) < 0 ||
        check_apply(request, *ret_wanted, failure) < 0 ||
        check_fields(target, *ret_wanted, failure) < 0)
        return -1;
    if (!json_at(*ret_wanted, "/metadata/name"))
        json_put_take(*ret_wanted, "/metadata/name", json_string(target->name));
    if (target->ns && !json_at(*ret_wanted, "/metadata/namespace"))
        json_put_take(*ret_wanted, "/metadata/namespace", json_string(target->ns));
    return check_name(target, *ret_wanted, failure);
}

/* Server-side apply: the object is made if it isn't there. */
static int apply(struct sandbox *sandbox, const struct target *target,
                 const struct request *request, struct answer *answer, struct failure *failure)
{
    const struct version *version = collection_get(target->kind->collection, target->key);
    json_t *live AUTO_JSON = version ? object_of(target->kind, version) : NULL;
    json_t *wanted AUTO_JSON = NULL, *object AUTO_JSON = NULL;
    struct manager manager = {request_query(request, "fieldManager"), target->subresource};
    struct change_options options = {
        .subresource = target->subresource, .patch = true, .dry_run = is_dry(request)};
    bool force = str_equal(request_query(request, "force"), "true");
    if (take_applied(target, request, &wanted, failure) < 0)
        return -1;
    if (!live && check_absent(target, wanted, failure) < 0)
        return -1;
    if (managed_apply(target->kind, manager, live, wanted, force, &object, failure) < 0 ||
        object_take(target->kind, object, STRICT_IGNORE, &answer->warnings, failure) < 0)
        return -1;
    if (live ? change_replace(sandbox, target, object, &options, failure) < 0
             : change_create(sandbox, target, object, &options, failure) < 0)
        return -1;
    answer_object(answer, request, target, live ? 200 : 201, object);
    return 0;
}

int write_patch(struct sandbox *sandbox, const struct target *target, const struct request *request,
                struct answer *answer, struct failure *failure)
{
    const char *type = request_header(request, "Content-Type");
    if (str_equal(type, "application/apply-patch+yaml"))
        return apply(sandbox, target, request, answer, failure);
    if (request_query(request, "force"))
        return fail_option(failure, "FieldValueForbidden", "force",
                           "Forbidden: may not be specified for non-apply patch");
    return patch(sandbox, target, request, answer, failure);
}

/* ── Deleting ─────────────────────────────────────────────────────────────────────────────── */

static enum propagation propagation_of(const char *policy)
{
    if (str_equal(policy, "Foreground"))
        return PROPAGATE_FOREGROUND;
    return str_equal(policy, "Orphan") ? PROPAGATE_ORPHAN : PROPAGATE_BACKGROUND;
}

/* From the body, which may be absent, and the query. `body` lends its strings. */
static struct delete_options options_of(const struct request *request, const json_t *body)
{
    const char *policy = json_string_at(body, "/propagationPolicy");
    const char *grace = request_query(request, "gracePeriodSeconds");
    int64_t usual = grace ? strtoll(grace, NULL, 10) : -1;
    if (!policy)
        policy = request_query(request, "propagationPolicy");
    return (struct delete_options){
        .uid = json_string_at(body, "/preconditions/uid"),
        .revision = json_string_at(body, "/preconditions/resourceVersion"),
        .propagation = propagation_of(policy),
        .grace_s = json_int_at(body, "/gracePeriodSeconds", usual),
        .dry_run = is_dry(request) || str_equal(json_string_at(body, "/dryRun/0"), "All"),
    };
}

/* Some kinds answer with what was deleted, most with its name. */
static bool tells_deleted(const struct kind *kind)
{
    static const char *const kinds[] = {"Pod", "Service", "ServiceAccount"};
    for (size_t i = 0; !kind->custom && i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i], kind->name) == 0)
            return true;
    return false;
}

static void answer_deleted(struct answer *answer, const struct target *target, const json_t *object)
{
    const struct kind *kind = target->kind;
    json_t *details = json_pack("{ss ss* ss ss}", "name", target->name, "group",
                                *kind->group ? kind->group : NULL, "kind", kind->plural, "uid",
                                json_string_at(object, "/metadata/uid"));
    json_t *status AUTO_JSON = json_pack("{ss ss s{} ss so}", "kind", "Status", "apiVersion", "v1",
                                         "metadata", "status", "Success", "details", details);
    char *text AUTO_FREE = json_text(status);
    text_puts(&answer->body, text);
}

int write_delete(struct sandbox *sandbox, const struct target *target,
                 const struct request *request, struct answer *answer, struct failure *failure)
{
    json_t *body AUTO_JSON = NULL, *object AUTO_JSON = NULL;
    bool gone;
    if (request->body_length &&
        (check_json(request, failure) < 0 || body_of(request, &body, failure) < 0))
        return -1;
    struct delete_options options = options_of(request, body);
    if (change_delete(sandbox, target, &options, &object, &gone, failure) < 0)
        return -1;
    if (gone && !tells_deleted(target->kind))
        answer_deleted(answer, target, object);
    else
        answer_object(answer, request, target, 200, object);
    return 0;
}

/* Deletes what a list of the same query tells, and answers with it, as it is asked for. */
int write_delete_all(struct sandbox *sandbox, const struct target *target,
                     const struct request *request, struct answer *answer, struct failure *failure)
{
    json_t *body AUTO_JSON = NULL, *item;
    size_t i;
    if (request->body_length &&
        (check_json(request, failure) < 0 || body_of(request, &body, failure) < 0))
        return -1;
    struct delete_options options = options_of(request, body);
    struct text names AUTO(text_done) = {0};
    if (read_list(sandbox, target, request, answer, failure) < 0 ||
        read_metadata(sandbox, target, request, &names, failure) < 0)
        return -1;
    json_t *list AUTO_JSON = json_loads(names.at, 0, NULL);
    json_array_foreach (json_object_get(list, "items"), i, item) {
        json_t *ended AUTO_JSON = NULL;
        bool gone;
        const char *name = json_string_at(item, "/metadata/name");
        struct target each = {.kind = target->kind, .name = str_copy(name)};
        each.ns = str_copy(json_string_at(item, "/metadata/namespace"));
        each.key = object_key(each.ns, name);
        change_delete(sandbox, &each, &options, &ended, &gone, failure);
        target_done(&each);
        failure_done(failure);
    }
    return 0;
}
