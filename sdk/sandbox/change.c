// SPDX-License-Identifier: Apache-2.0
#include "change.h"

#include "base/alloc.h"
#include "base/json.h"
#include "managed.h"
#include "rules.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define CHANGED_MEANWHILE                                                                          \
    "the object has been modified; please apply your changes to the latest version and try again"

static const char *text_at(const json_t *object, const char *pointer)
{
    const char *text = json_string_at(object, pointer);
    return text ? text : "";
}

/* ── Creating ─────────────────────────────────────────────────────────────────────────────── */

static int check_namespace(struct sandbox *sandbox, const struct target *target, json_t *object,
                           struct failure *failure)
{
    const char *said = text_at(object, "/metadata/namespace");
    const struct kind *kind = target->kind, *namespaces;
    if (!kind->namespaced) {
        json_remove_at(object, "/metadata/namespace");
        return 0;
    }
    if (*said && strcmp(said, target->ns) != 0)
        return fail(failure, 400, "BadRequest",
                    "the namespace of the provided object does not match the namespace sent on the "
                    "request");
    json_put_take(object, "/metadata/namespace", json_string(target->ns));
    namespaces = registry_find(sandbox->kinds, "", "v1", "namespaces");
    const struct version *version = collection_get(namespaces->collection, target->ns);
    if (!version)
        return fail_not_found(failure, namespaces, target->ns);
    json_t *ns AUTO_JSON = object_of(namespaces, version);
    const char *name = text_at(object, "/metadata/name");
    if (!json_at(ns, "/metadata/deletionTimestamp"))
        return 0;
    fail_about(failure, 403, "Forbidden", kind, name,
               "%s \"%s\" is forbidden: unable to create new content in namespace %s because it is "
               "being terminated",
               kind->resource, name, target->ns);
    json_t *causes = json_array();
    cause_add(causes, "NamespaceTerminating", "metadata.namespace",
              "namespace %s is being terminated", target->ns);
    json_object_set_new(failure->details, "causes", causes);
    return -1;
}

void name_tail(char ret_tail[NAME_TAIL_SIZE])
{
    static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";
    for (size_t i = 0; i < NAME_TAIL_SIZE - 1; i++)
        ret_tail[i] = letters[(size_t)random() % (sizeof letters - 1)];
    ret_tail[NAME_TAIL_SIZE - 1] = '\0';
}

static void make_name(json_t *object)
{
    const char *start = text_at(object, "/metadata/generateName");
    char tail[NAME_TAIL_SIZE];
    if (*text_at(object, "/metadata/name") || !*start)
        return;
    name_tail(tail);
    json_put_take(object, "/metadata/name", json_sprintf("%s%s", start, tail));
}

/* A random UUID, version 4. */
static json_t *make_uid(void)
{
    struct {
        uint32_t a;
        uint16_t b, c, d, e;
        uint32_t f;
    } uid = {0};
    if (getrandom(&uid, sizeof uid, 0) < 0)
        abort();
    return json_sprintf("%08x-%04x-%04x-%04x-%04x%08x", uid.a, uid.b, (uid.c & 0x0fffu) | 0x4000u,
                        (uid.d & 0x3fffu) | 0x8000u, uid.e, uid.f);
}

static void mark_new(const struct kind *kind, json_t *object)
{
    json_put_take(object, "/metadata/uid", make_uid());
    json_put_take(object, "/metadata/creationTimestamp", time_now());
    static const char *const none[] = {"/metadata/deletionTimestamp", "/metadata/selfLink",
                                       "/metadata/deletionGracePeriodSeconds",
                                       "/metadata/generation"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        json_remove_at(object, none[i]);
    if (kind->counts)
        json_put_take(object, "/metadata/generation", json_integer(1));
    if (kind->has_status)
        json_object_del(object, "status");
}

static void note_manager(const struct kind *kind, const struct change_options *options,
                         const json_t *old, json_t *object)
{
    struct manager manager = {options->manager, options->subresource};
    if (options->manager)
        managed_update(kind, manager, old, object);
}

int change_create(struct sandbox *sandbox, const struct target *target, json_t *object,
                  const struct change_options *options, struct failure *failure)
{
    const struct kind *kind = target->kind;
    if (*text_at(object, "/metadata/resourceVersion"))
        return fail(failure, 500, "", "resourceVersion should not be set on objects to be created");
    if (check_namespace(sandbox, target, object, failure) < 0)
        return -1;
    make_name(object);
    mark_new(kind, object);
    object_complete(kind, object);
    rules_create(kind, object);
    note_manager(kind, options, NULL, object);
    rules_admit(kind, object);
    if (object_check(kind, object, NULL, failure) < 0)
        return -1;
    const char *name = text_at(object, "/metadata/name");
    char *key AUTO_FREE = object_key(kind->namespaced ? target->ns : NULL, name);
    if (collection_get(kind->collection, key))
        return fail_exists(failure, kind, name);
    if (!options->dry_run)
        object_write(sandbox, kind, object);
    return 0;
}

/* ── Changing ─────────────────────────────────────────────────────────────────────────────── */

/* Where etcd would have it, which is in the words of one answer. */
static char *registry_key(const struct target *target)
{
    return str_format("/registry/%s%s%s/%s", target->kind->custom ? target->kind->group : "",
                      target->kind->custom ? "/" : "", target->kind->plural, target->key);
}

static int fail_unversioned(struct failure *failure, const struct kind *kind, const char *name)
{
    fail_about(failure, 422, "Invalid", kind, name,
               "%s \"%s\" is invalid: metadata.resourceVersion: Invalid value: 0: must be "
               "specified for an update",
               kind->resource, name);
    json_t *causes = json_array();
    cause_add(causes, "FieldValueInvalid", "metadata.resourceVersion",
              "Invalid value: 0: must be specified for an update");
    json_object_set_new(failure->details, "causes", causes);
    return -1;
}

static int fail_other_uid(const struct target *target, const char *uid, struct failure *failure)
{
    json_t *causes = json_array();
    cause_add(causes, "FieldValueInvalid", "metadata.uid",
              "Invalid value: \"%s\": field is immutable", uid);
    fail_invalid_take(failure, target->kind, target->name, causes);
    json_t *told = json_object_get(failure->details, "causes");
    if (target->kind->custom) /* which is looked at twice, and said once */
        json_array_append(told, json_array_get(told, 0));
    return -1;
}

static int check_identity(const struct target *target, const json_t *object, const json_t *old,
                          const struct change_options *options, struct failure *failure)
{
    const struct kind *kind = target->kind;
    const char *uid = text_at(object, "/metadata/uid"), *old_uid = text_at(old, "/metadata/uid");
    const char *version = text_at(object, "/metadata/resourceVersion");
    if (*uid && strcmp(uid, old_uid) != 0) {
        if (options->patch && !str_equal(options->subresource, "scale"))
            return fail_other_uid(target, uid, failure);
        char *key AUTO_FREE = registry_key(target);
        char *why AUTO_FREE =
            str_format("StorageError: invalid object, Code: 4, Key: %s, ResourceVersion: 0, "
                       "AdditionalErrorMsg: Precondition failed: UID in precondition: %s, UID in "
                       "object meta: %s",
                       key, uid, old_uid);
        return fail_conflict(failure, kind, target->name, why);
    }
    if (*version && strcmp(version, text_at(old, "/metadata/resourceVersion")) != 0)
        return fail_conflict(failure, kind, target->name, CHANGED_MEANWHILE);
    if (*version || options->patch || !kind->custom)
        return 0;
    return fail_unversioned(failure, kind, target->name);
}

static void keep(json_t *object, const json_t *old, const char *pointer)
{
    json_t *value = json_at(old, pointer);
    if (value)
        json_put_take(object, pointer, json_incref(value));
    else
        json_remove_at(object, pointer);
}

/* What no client changes. */
static void keep_system_fields(json_t *object, const json_t *old)
{
    static const char *const kept[] = {
        "/metadata/namespace",
        "/metadata/uid",
        "/metadata/creationTimestamp",
        "/metadata/deletionTimestamp",
        "/metadata/deletionGracePeriodSeconds",
        "/metadata/generation",
        "/metadata/generateName",
        "/metadata/selfLink",
        "/metadata/resourceVersion",
    };
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        keep(object, old, kept[i]);
}

/* Through the status subresource a custom object's status changes and nothing else; of a built-in
 * one its annotations too. */
static void keep_all_but_status(const struct kind *kind, json_t *object, const json_t *old)
{
    json_t *status AUTO_JSON = json_incref(json_object_get(object, "status"));
    json_t *notes AUTO_JSON = json_incref(json_at(object, "/metadata/annotations"));
    json_t *managers AUTO_JSON = json_incref(json_at(object, "/metadata/managedFields"));
    json_t *before AUTO_JSON = json_deep_copy(old);
    json_object_clear(object);
    json_object_update(object, before);
    if (status)
        json_object_set(object, "status", status);
    else
        json_object_del(object, "status");
    if (!kind->custom && notes)
        json_put_take(object, "/metadata/annotations", json_incref(notes));
    if (managers)
        json_put_take(object, "/metadata/managedFields", json_incref(managers));
}

/* What is wanted of the object: all but metadata and, where that has its own door, status. */
static bool wants_the_same(const struct kind *kind, const json_t *a, const json_t *b)
{
    json_t *left AUTO_JSON = json_copy((json_t *)(uintptr_t)a);
    json_t *right AUTO_JSON = json_copy((json_t *)(uintptr_t)b);
    json_object_del(left, "metadata");
    json_object_del(right, "metadata");
    if (kind->has_status || !kind->custom) {
        json_object_del(left, "status");
        json_object_del(right, "status");
    }
    return json_equal(left, right);
}

static bool is_namespace(const struct kind *kind)
{
    return !kind->custom && strcmp(kind->name, "Namespace") == 0;
}

static bool waits_for_finalizers(const json_t *object)
{
    return json_array_size(json_at(object, "/metadata/finalizers")) ||
           json_array_size(json_at(object, "/spec/finalizers"));
}

static void drop_empty_metadata(json_t *object)
{
    static const char *const lists[] = {"/metadata/finalizers", "/metadata/ownerReferences",
                                        "/metadata/labels", "/metadata/annotations",
                                        "/metadata/managedFields"};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        const json_t *value = json_at(object, lists[i]);
        if (value && !json_array_size(value) && !json_object_size(value))
            json_remove_at(object, lists[i]);
    }
}

/* After all is checked. An object that ends is answered as the version that it was. */
static void commit(struct sandbox *sandbox, const struct kind *kind, json_t *object,
                   const json_t *old, const struct change_options *options)
{
    if (options->dry_run || json_equal(object, (json_t *)(uintptr_t)old))
        return;
    if (!json_at(object, "/metadata/deletionTimestamp") || waits_for_finalizers(object)) {
        object_write(sandbox, kind, object);
        return;
    }
    object_end(sandbox, kind, object);
    keep(object, old, "/metadata/resourceVersion");
}

int change_replace(struct sandbox *sandbox, const struct target *target, json_t *object,
                   const struct change_options *options, struct failure *failure)
{
    const struct kind *kind = target->kind;
    const struct version *version = collection_get(kind->collection, target->key);
    if (!version)
        return fail_not_found(failure, kind, target->name);
    json_t *old AUTO_JSON = object_of(kind, version);
    if (check_identity(target, object, old, options, failure) < 0)
        return -1;
    object_complete(kind, object);
    note_manager(kind, options, old, object);
    rules_admit(kind, object);
    if (str_equal(options->subresource, "status"))
        keep_all_but_status(kind, object, old);
    else if (kind->has_status)
        keep(object, old, "/status");
    if (is_namespace(kind) && !str_equal(options->subresource, "finalize"))
        keep(object, old, "/spec");
    keep_system_fields(object, old);
    drop_empty_metadata(object);
    if (object_check(kind, object, old, failure) < 0)
        return -1;
    if (kind->counts && !wants_the_same(kind, object, old))
        json_put_take(object, "/metadata/generation",
                      json_integer(json_int_at(old, "/metadata/generation", 0) + 1));
    commit(sandbox, kind, object, old, options);
    return 0;
}

/* ── Deleting ─────────────────────────────────────────────────────────────────────────────── */

static int fail_precondition(struct failure *failure, const struct target *target, const char *what,
                             const char *wanted, const char *found, const char *happened)
{
    const char *kind = target->kind->name;
    fail_about(failure, 409, "Conflict", target->kind, target->name,
               "Operation cannot be fulfilled on %s \"%s\": the %s in the precondition (%s) does "
               "not match the %s in record (%s). The object might have been %s",
               kind, target->name, what, wanted, what, found, happened);
    json_object_set_new(failure->details, "kind", json_string(kind));
    return -1;
}

static int check_preconditions(const struct target *target, const json_t *object,
                               const struct delete_options *options, struct failure *failure)
{
    const char *uid = text_at(object, "/metadata/uid");
    const char *revision = text_at(object, "/metadata/resourceVersion");
    if (options->uid && strcmp(options->uid, uid) != 0)
        return fail_precondition(failure, target, "UID", options->uid, uid,
                                 "deleted and then recreated");
    if (options->revision && strcmp(options->revision, revision) != 0)
        return fail_precondition(failure, target, "ResourceVersion", options->revision, revision,
                                 "modified");
    return 0;
}

static void add_finalizer(json_t *object, const char *name)
{
    if (!json_at(object, "/metadata/finalizers"))
        json_put_take(object, "/metadata/finalizers", json_array());
    json_array_append_new(json_at(object, "/metadata/finalizers"), json_string(name));
}

/* From now on the object waits for its finalizers. */
static void mark_deleted(const struct kind *kind, json_t *object)
{
    json_put_take(object, "/metadata/deletionTimestamp", time_now());
    json_put_take(object, "/metadata/deletionGracePeriodSeconds", json_integer(0));
    if (kind->counts)
        json_put_take(object, "/metadata/generation",
                      json_integer(json_int_at(object, "/metadata/generation", 0) + 1));
    if (is_namespace(kind)) {
        json_remove_at(object, "/metadata/deletionGracePeriodSeconds");
        json_put_take(object, "/status/phase", json_string("Terminating"));
    }
}

int change_delete(struct sandbox *sandbox, const struct target *target,
                  const struct delete_options *options, json_t **ret_object, bool *ret_gone,
                  struct failure *failure)
{
    const struct kind *kind = target->kind;
    const struct version *version = collection_get(kind->collection, target->key);
    if (!version)
        return fail_not_found(failure, kind, target->name);
    if (rules_keep(kind, target->name))
        return fail_about(failure, 403, "Forbidden", kind, target->name,
                          "%s \"%s\" is forbidden: this namespace may not be deleted",
                          kind->resource, target->name);
    json_t *object AUTO_JSON = object_of(kind, version);
    if (check_preconditions(target, object, options, failure) < 0)
        return -1;
    bool waits_already = json_at(object, "/metadata/deletionTimestamp");
    if (!waits_already && options->propagation == PROPAGATE_FOREGROUND)
        add_finalizer(object, "foregroundDeletion");
    if (!waits_already && options->propagation == PROPAGATE_ORPHAN)
        add_finalizer(object, "orphan");
    if (!waits_already)
        rules_delete(kind, object);
    *ret_gone = !waits_for_finalizers(object);
    if (!waits_already && !*ret_gone)
        mark_deleted(kind, object);
    if (!options->dry_run && *ret_gone)
        object_end(sandbox, kind, object);
    else if (!options->dry_run && !waits_already)
        object_write(sandbox, kind, object);
    *ret_object = json_incref(object);
    return 0;
}
