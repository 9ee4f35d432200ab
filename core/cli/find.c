// SPDX-License-Identifier: Apache-2.0
#include "cli/find.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/nearest.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int get(struct session *session, const struct rollout_kind *kind, const char *name,
               json_t **ret_body, struct error *err)
{
    char *path AUTO_FREE = object_path(&kind->info, session->ns, name, NULL);
    struct call_spec spec = {.method = "GET", .path = path};
    return session_call(session, &spec, ret_body, err);
}

/* ---- all ---- */

static void list_take(struct found_list *list, const struct rollout_kind *kind, json_t *items)
{
    size_t index;
    json_t *item;
    list->items =
        mem_grow(list->items, (list->count + json_array_size(items) + 1) * sizeof *list->items);
    json_array_foreach (items, index, item) {
        /* Items of a list don't say what they are. */
        json_object_set_new(item, "apiVersion", json_string(kind->info.api_version));
        json_object_set_new(item, "kind", json_string(kind->info.kind));
        list->items[list->count++] = (struct found){kind, json_incref(item)};
    }
}

static int by_name(const void *a, const void *b)
{
    static const char *const keys[] = {"/metadata/namespace", "/metadata/name"};
    const struct found *left = a, *right = b;
    int order = 0;
    for (size_t i = 0; i < sizeof keys / sizeof *keys && !order; i++) {
        const char *l = json_string_at(left->object, keys[i]);
        const char *r = json_string_at(right->object, keys[i]);
        order = strcmp(l ? l : "", r ? r : "");
    }
    return order ? order : strcmp(left->kind->info.kind, right->kind->info.kind);
}

static int none_installed(const struct session *session, struct error *err)
{
    return error_set(
        err, ERR_MISSING,
        "%s has no AppRollouts and no Rollouts: Sluice's resource definitions are not installed",
        access_server(cluster_access(session->cluster)));
}

/* A kind that isn't there has no rollouts, and what isn't to be read is noted. */
static int list_add(struct session *session, const struct rollout_kind *kind,
                    struct found_list *list, bool *ret_read, struct error *err)
{
    json_t *body AUTO_JSON = NULL;
    int code = get(session, kind, NULL, &body, err);
    if (code == OK) {
        *ret_read = true;
        list_take(list, kind, json_object_get(body, "items"));
    } else if (code == ERR_DENIED && !list->unread) {
        list->unread = kind;
        list->why = *err;
    }
    return code == ERR_MISSING || code == ERR_DENIED ? OK : code;
}

static int none_read(const struct session *session, const struct found_list *list,
                     struct error *err)
{
    if (!list->unread)
        return none_installed(session, err);
    *err = list->why;
    return err->code;
}

int rollouts_list(struct session *session, struct found_list *ret_list, struct error *err)
{
    struct found_list list = {0};
    bool read = false;
    int code = OK;
    for (const struct rollout_kind *kind = rollout_kinds; kind->info.kind && code == OK; kind++)
        code = list_add(session, kind, &list, &read, err);
    if (code == OK && !read)
        code = none_read(session, &list, err);
    if (code < 0) {
        found_list_done(&list);
        return code;
    }
    if (list.count)
        qsort(list.items, list.count, sizeof *list.items, by_name);
    *ret_list = list;
    return OK;
}

/* Where it stands, or belongs. */
static size_t place_of(const struct found_list *list, const struct found *wanted, bool *ret_there)
{
    size_t low = 0, high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (by_name(&list->items[middle], wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_there = low < list->count && by_name(&list->items[low], wanted) == 0;
    return low;
}

void rollouts_say_unread(const struct found_list *list)
{
    if (list->unread)
        fprintf(stderr, "%ss are left out: %s\n", list->unread->info.kind, list->why.text);
}

void rollouts_say_none(const struct session *session)
{
    fprintf(stderr, "there are no rollouts%s%s\n", session->ns ? " in namespace " : "",
            session->ns ? session->ns : "");
}

void found_list_put(struct found_list *list, const struct rollout_kind *kind, json_t *object)
{
    const struct found found = {kind, json_incref(object)};
    bool there;
    size_t at = place_of(list, &found, &there);
    if (there) {
        json_decref(list->items[at].object);
    } else {
        list->items = mem_grow(list->items, (list->count + 1) * sizeof *list->items);
        memmove(&list->items[at + 1], &list->items[at], (list->count - at) * sizeof *list->items);
        list->count++;
    }
    list->items[at] = found;
}

void found_list_remove(struct found_list *list, const struct rollout_kind *kind,
                       const json_t *object)
{
    const struct found found = {kind, (json_t *)(uintptr_t)object};
    bool there;
    size_t at = place_of(list, &found, &there);
    if (!there)
        return;
    json_decref(list->items[at].object);
    list->count--;
    memmove(&list->items[at], &list->items[at + 1], (list->count - at) * sizeof *list->items);
}

void found_list_done(struct found_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        json_decref(list->items[i].object);
    free(list->items);
    *list = (struct found_list){0};
}

/* ---- one ---- */

static int not_found(struct session *session, const char *name, struct error *err)
{
    struct found_list list;
    if (rollouts_list(session, &list, err) < 0)
        return err->code;
    const char **names AUTO_FREE = mem_alloc((list.count + 1) * sizeof *names);
    for (size_t i = 0; i < list.count; i++)
        names[i] = json_string_at(list.items[i].object, "/metadata/name");
    char *hint AUTO_FREE = nearest_hint(name, names);
    error_set(err, ERR_MISSING, "there is no rollout \"%s\" in namespace %s%s", name, session->ns,
              hint);
    found_list_done(&list);
    return ERR_MISSING;
}

/* "rollouts", "rollout" or "rollout.sluice.dev", as kubectl takes them; NULL means every kind. */
static bool is_kind(const struct rollout_kind *kind, const char *word, size_t length)
{
    size_t whole = strcspn(word, "./");
    bool group = word[whole] != '.' ||
                 strncmp(word + whole + 1, kind->info.api_version, length - whole - 1) == 0;
    bool plural = strlen(kind->info.plural) == whole;
    bool singular = strlen(kind->info.kind) == whole;
    return group && (plural || singular) && strncasecmp(word, kind->info.plural, whole) == 0;
}

static bool kind_known(const char *word, size_t length)
{
    for (const struct rollout_kind *kind = rollout_kinds; kind->info.kind; kind++)
        if (is_kind(kind, word, length))
            return true;
    return false;
}

static int unknown_kind(const char *word, size_t length, struct error *err)
{
    return error_set(err, ERR_INVALID, "expected %s/NAME or %s/NAME, found \"%.*s/\"",
                     rollout_kinds[0].info.plural, rollout_kinds[1].info.plural, (int)length, word);
}

static int ambiguous(const struct rollout_kind *a, const struct rollout_kind *b, const char *name,
                     struct error *err)
{
    return error_set(err, ERR_INVALID, "there are two rollouts \"%s\"; say %s/%s or %s/%s", name,
                     a->info.plural, name, b->info.plural, name);
}

/* Among the kinds that the word before the slash means. A right that is missing for one is told
 * only if no other kind has it: whoever uses one kind needs no rights for the other. */
static int find_among(struct session *session, const char *operand, const char *slash,
                      struct found *ret_found, struct error *err)
{
    const char *name = slash ? slash + 1 : operand;
    struct error denied = {0};
    int code = OK;
    for (const struct rollout_kind *kind = rollout_kinds; kind->info.kind && code == OK; kind++) {
        json_t *object AUTO_JSON = NULL;
        if (slash && !is_kind(kind, operand, (size_t)(slash - operand)))
            continue;
        code = get(session, kind, name, &object, err);
        if (code == OK && ret_found->object)
            code = ambiguous(ret_found->kind, kind, name, err);
        else if (code == OK)
            *ret_found = (struct found){kind, json_incref(object)};
        else if (code == ERR_DENIED && !denied.code)
            denied = *err;
        if (code == ERR_MISSING || code == ERR_DENIED)
            code = OK; /* it may be one of the next kind */
    }
    if (code < 0 || ret_found->object)
        return code;
    if (!denied.code)
        return not_found(session, name, err);
    *err = denied;
    return denied.code;
}

int rollout_find(struct session *session, const char *operand, struct found *ret_found,
                 struct error *err)
{
    struct found found = {0};
    const char *slash = strchr(operand, '/');
    if (slash && !kind_known(operand, (size_t)(slash - operand)))
        return unknown_kind(operand, (size_t)(slash - operand), err);
    int code = find_among(session, operand, slash, &found, err);
    if (code < 0)
        json_decref(found.object);
    else
        *ret_found = found;
    return code;
}
