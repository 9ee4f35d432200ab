// SPDX-License-Identifier: Apache-2.0
/*
 * Follows owners: what is owned goes when none of its owners is there any more; an owner that is
 * deleted in the foreground waits for those that block it, and one whose dependents are to be left
 * lets go of them first.
 */
#include "base/alloc.h"
#include "base/json.h"
#include "base/map.h"
#include "change.h"
#include "controllers.h"
#include "owners.h"

#include <stdlib.h>
#include <string.h>

#define FOREGROUND "foregroundDeletion"
#define ORPHAN     "orphan"

/* An object of our own, to be changed. */
struct member {
    struct target target;
    json_t *object; /* NULL: it isn't there */
};

static struct member member_take(const struct kind *kind, const char *key, json_t *object)
{
    const char *slash = strchr(key, '/');
    struct member member = {.target.kind = kind, .target.key = str_copy(key), .object = object};
    if (slash)
        member.target.ns = str_copy_n(key, (size_t)(slash - key));
    member.target.name = str_copy(slash ? slash + 1 : key);
    return member;
}

static struct member member_of(const struct kind *kind, const char *key)
{
    const struct version *version = kind ? collection_get(kind->collection, key) : NULL;
    return member_take(kind, key, version ? object_of(kind, version) : NULL);
}

static void member_done(struct member *member)
{
    json_decref(member->object);
    target_done(&member->target);
}

static const char *uid_of(const json_t *object)
{
    const char *uid = json_string_at(object, "/metadata/uid");
    return uid ? uid : "";
}

static json_t *references_of(const json_t *object)
{
    return json_at(object, "/metadata/ownerReferences");
}

/* Its place among the finalizers; SIZE_MAX: it isn't there. */
static size_t finalizer_at(const json_t *object, const char *name)
{
    const json_t *finalizers = json_at(object, "/metadata/finalizers");
    for (size_t i = 0; i < json_array_size(finalizers); i++)
        if (str_equal(json_string_value(json_array_get(finalizers, i)), name))
            return i;
    return SIZE_MAX;
}

static bool waits_with(const json_t *object, const char *finalizer)
{
    return json_at(object, "/metadata/deletionTimestamp") &&
           finalizer_at(object, finalizer) != SIZE_MAX;
}

/* ── Who owns whom ────────────────────────────────────────────────────────────────────────── */

struct owners {
    struct map dependents; /* uid → object with a member "resource key" for each */
};

struct owners *owners_new(void)
{
    return mem_alloc(sizeof(struct owners));
}

static void free_set(void *set)
{
    json_decref(set);
}

void owners_free(struct owners *owners)
{
    if (!owners)
        return;
    map_done(&owners->dependents, free_set);
    free(owners);
}

void owners_note(struct owners *owners, const char *uid, const struct kind *kind, const char *key)
{
    json_t *set = map_get(&owners->dependents, uid);
    char *name AUTO_FREE = str_format("%s %s", kind->resource, key);
    if (!set) {
        set = json_object();
        map_put(&owners->dependents, uid, set);
    }
    json_object_set_new(
        set, name,
        json_pack("{ss ss ss}", "group", kind->group, "plural", kind->plural, "key", key));
}

json_t *owners_keys(const struct owners *owners, const char *uid, const struct kind *kind)
{
    json_t *set = map_get(&owners->dependents, uid), *each, *keys = json_array();
    const char *name;
    json_object_foreach (set, name, each)
        if (str_equal(json_string_at(each, "/group"), kind->group) &&
            str_equal(json_string_at(each, "/plural"), kind->plural))
            json_array_append(keys, json_object_get(each, "key"));
    return keys;
}

static void forget(struct owners *owners, const char *uid, const struct member *member)
{
    json_t *set = map_get(&owners->dependents, uid);
    char *name AUTO_FREE = str_format("%s %s", member->target.kind->resource, member->target.key);
    json_object_del(set, name);
    if (set && !json_object_size(set))
        json_decref(map_remove(&owners->dependents, uid));
}

/* Those that name the owner. The caller owns the array, of what owners_note() has put
 * there. */
static json_t *dependents_of(const struct owners *owners, const char *uid)
{
    json_t *set = map_get(&owners->dependents, uid), *each, *list = json_array();
    const char *name;
    json_object_foreach (set, name, each)
        json_array_append(list, each);
    return list;
}

/* The stored version is of no matter: each has the same metadata. */
static const struct kind *kind_of_resource(const struct registry *kinds, const char *group,
                                           const char *plural)
{
    for (size_t i = 0; i < registry_count(kinds); i++) {
        const struct kind *kind = registry_at(kinds, i);
        if (str_equal(kind->group, group) && str_equal(kind->plural, plural))
            return kind;
    }
    return NULL;
}

static struct member dependent_of(struct sandbox *sandbox, const json_t *listed)
{
    const struct kind *kind = kind_of_resource(sandbox->kinds, json_string_at(listed, "/group"),
                                               json_string_at(listed, "/plural"));
    return member_of(kind, json_string_at(listed, "/key"));
}

/* The member's reference to the owner; NULL: it has none, or no longer. */
static const json_t *reference_to(const struct member *member, const char *uid)
{
    const json_t *references = references_of(member->object);
    for (size_t i = 0; i < json_array_size(references); i++) {
        const json_t *reference = json_array_get(references, i);
        if (str_equal(json_string_at(reference, "/uid"), uid))
            return reference;
    }
    return NULL;
}

/* ── Writing ──────────────────────────────────────────────────────────────────────────────── */

static void replace(struct sandbox *sandbox, struct member *member)
{
    struct change_options options = {.patch = true};
    struct failure failure = {0};
    change_replace(sandbox, &member->target, member->object, &options, &failure);
    failure_done(&failure);
}

static void drop_finalizer(struct sandbox *sandbox, struct member *member, const char *name)
{
    json_array_remove(json_at(member->object, "/metadata/finalizers"),
                      finalizer_at(member->object, name));
    replace(sandbox, member);
}

static void delete(struct sandbox *sandbox, struct member *member, enum propagation propagation)
{
    struct delete_options options = {
        .uid = uid_of(member->object), .propagation = propagation, .grace_s = -1};
    struct failure failure = {0};
    json_t *object AUTO_JSON = NULL;
    bool gone;
    change_delete(sandbox, &member->target, &options, &object, &gone, &failure);
    failure_done(&failure);
}

/* ── One that is owned ────────────────────────────────────────────────────────────────────── */

enum owner { OWNER_SOLID, OWNER_ABSENT, OWNER_WAITING };

/* An owner of a kind that isn't served may be there. */
static enum owner owner_of(struct sandbox *sandbox, const struct member *member,
                           const json_t *reference)
{
    const struct kind *kind = registry_of(sandbox->kinds, json_string_at(reference, "/apiVersion"),
                                          json_string_at(reference, "/kind"));
    const char *name = json_string_at(reference, "/name");
    if (!kind || !name)
        return OWNER_SOLID;
    char *key AUTO_FREE = object_key(kind->namespaced ? member->target.ns : NULL, name);
    struct member owner AUTO(member_done) = member_of(kind, key);
    if (!owner.object || !str_equal(uid_of(owner.object), json_string_at(reference, "/uid")))
        return OWNER_ABSENT;
    return waits_with(owner.object, FOREGROUND) ? OWNER_WAITING : OWNER_SOLID;
}

/* What was asked for when it was deleted, or made, goes for its own dependents. */
static enum propagation propagation_of(const json_t *object)
{
    if (finalizer_at(object, ORPHAN) != SIZE_MAX)
        return PROPAGATE_ORPHAN;
    return finalizer_at(object, FOREGROUND) != SIZE_MAX ? PROPAGATE_FOREGROUND
                                                        : PROPAGATE_BACKGROUND;
}

static void keep_solid(struct sandbox *sandbox, struct member *member, json_t *solid)
{
    if (json_array_size(solid) == json_array_size(references_of(member->object)))
        return;
    json_put_take(member->object, "/metadata/ownerReferences", json_incref(solid));
    replace(sandbox, member);
}

/* Deletes it, if none of its owners keeps it. */
static void judge(struct sandbox *sandbox, struct member *member)
{
    json_t *solid AUTO_JSON = json_array(), *reference;
    bool waiting = false;
    size_t i;
    if (!json_array_size(references_of(member->object)) ||
        json_at(member->object, "/metadata/deletionTimestamp"))
        return;
    json_array_foreach (references_of(member->object), i, reference) {
        enum owner owner = owner_of(sandbox, member, reference);
        waiting = waiting || owner == OWNER_WAITING;
        if (owner == OWNER_SOLID)
            json_array_append(solid, reference);
    }
    bool has_own = map_get(&sandbox->owners->dependents, uid_of(member->object));
    if (json_array_size(solid))
        keep_solid(sandbox, member, solid);
    else
        delete (sandbox, member,
                waiting && has_own ? PROPAGATE_FOREGROUND : propagation_of(member->object));
}

/* ── One that owns ────────────────────────────────────────────────────────────────────────── */

static void judge_dependents(struct sandbox *sandbox, const char *uid)
{
    json_t *list AUTO_JSON = dependents_of(sandbox->owners, uid), *listed;
    size_t i;
    json_array_foreach (list, i, listed) {
        struct member member AUTO(member_done) = dependent_of(sandbox, listed);
        if (reference_to(&member, uid))
            judge(sandbox, &member);
    }
}

static bool is_blocked(struct sandbox *sandbox, const char *uid)
{
    json_t *list AUTO_JSON = dependents_of(sandbox->owners, uid), *listed;
    size_t i;
    json_array_foreach (list, i, listed) {
        struct member member AUTO(member_done) = dependent_of(sandbox, listed);
        if (json_bool_at(reference_to(&member, uid), "/blockOwnerDeletion", false))
            return true;
    }
    return false;
}

static void let_dependents_be(struct sandbox *sandbox, const char *uid)
{
    json_t *list AUTO_JSON = dependents_of(sandbox->owners, uid), *listed;
    size_t i;
    json_array_foreach (list, i, listed) {
        struct member member AUTO(member_done) = dependent_of(sandbox, listed);
        const json_t *reference = reference_to(&member, uid);
        json_t *references = references_of(member.object);
        for (size_t at = json_array_size(references); reference && at-- > 0;) {
            if (json_array_get(references, at) == reference) {
                json_array_remove(references, at);
                replace(sandbox, &member);
                break;
            }
        }
    }
}

/* An owner that is deleted and waits, for its dependents or for being rid of them. */
static void go_on(struct sandbox *sandbox, struct member *member)
{
    const char *uid = uid_of(member->object);
    if (waits_with(member->object, ORPHAN)) {
        let_dependents_be(sandbox, uid);
        drop_finalizer(sandbox, member, ORPHAN);
    } else if (waits_with(member->object, FOREGROUND) && is_blocked(sandbox, uid)) {
        judge_dependents(sandbox, uid);
    } else if (waits_with(member->object, FOREGROUND)) {
        drop_finalizer(sandbox, member, FOREGROUND);
    }
}

/* ── Versions ─────────────────────────────────────────────────────────────────────────────── */

static void on_gone(struct sandbox *sandbox, const struct member *last)
{
    json_t *reference;
    size_t i;
    json_array_foreach (references_of(last->object), i, reference) {
        const struct kind *kind =
            registry_of(sandbox->kinds, json_string_at(reference, "/apiVersion"),
                        json_string_at(reference, "/kind"));
        const char *uid = json_string_at(reference, "/uid");
        const char *name = json_string_at(reference, "/name");
        if (!uid || !name)
            continue;
        forget(sandbox->owners, uid, last);
        char *key AUTO_FREE = object_key(kind && kind->namespaced ? last->target.ns : NULL, name);
        struct member owner AUTO(member_done) = member_of(kind, key);
        if (owner.object)
            go_on(sandbox, &owner);
    }
    judge_dependents(sandbox, uid_of(last->object));
}

static void on_there(struct sandbox *sandbox, struct member *member)
{
    json_t *reference;
    size_t i;
    json_array_foreach (references_of(member->object), i, reference)
        if (json_string_at(reference, "/uid"))
            owners_note(sandbox->owners, json_string_at(reference, "/uid"), member->target.kind,
                        member->target.key);
    judge(sandbox, member);
    go_on(sandbox, member);
}

/* Most objects own nothing and are owned by nobody. */
static bool is_about_owners(const json_t *object)
{
    return references_of(object) || waits_with(object, FOREGROUND) || waits_with(object, ORPHAN);
}

void owner_controller(struct sandbox *sandbox, const struct news *news)
{
    const struct version *version = news->version;
    bool gone = version->change == CHANGE_DELETED;
    if (!news->kind || (!gone && version->entry->newest != version) ||
        (!gone && !is_about_owners(news->object)))
        return;
    struct member member AUTO(member_done) =
        member_take(news->kind, version->entry->key, json_deep_copy(news->object));
    if (gone)
        on_gone(sandbox, &member);
    else
        on_there(sandbox, &member);
}
