// SPDX-License-Identifier: Apache-2.0
#include "managed.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"
#include "fields.h"
#include "object.h"

#include <stdlib.h>
#include <string.h>

#define MANAGERS "/metadata/managedFields"

/* ── Entries ──────────────────────────────────────────────────────────────────────────────── */

/* Entries as they are worked with: their sets are those of fields.h. The caller owns them. */
static json_t *entries_of(const json_t *object)
{
    json_t *entries = json_deep_copy(json_at(object, MANAGERS)), *entry;
    size_t i;
    json_array_foreach (entries, i, entry)
        json_object_set_new(entry, "fieldsV1", fields_read(json_object_get(entry, "fieldsV1")));
    return entries ? entries : json_array();
}

static const char *word_of(const json_t *entry, const char *name)
{
    const char *word = json_string_value(json_object_get(entry, name));
    return word ? word : "";
}

static int compare_entries(const void *a, const void *b)
{
    static const char *const order[] = {"operation", "time", "manager", "apiVersion",
                                        "subresource"};
    const json_t *left = *(json_t *const *)a, *right = *(json_t *const *)b;
    int difference = 0;
    for (size_t i = 0; !difference && i < sizeof order / sizeof *order; i++)
        difference = strcmp(word_of(left, order[i]), word_of(right, order[i]));
    return difference;
}

static void put_entries(json_t *object, const json_t *entries)
{
    size_t count = 0, i;
    json_t **sorted = mem_alloc((json_array_size(entries) + 1) * sizeof *sorted);
    json_t *written = json_array(), *entry;
    json_array_foreach (entries, i, entry)
        if (json_object_size(json_object_get(entry, "fieldsV1")))
            sorted[count++] = entry;
    qsort(sorted, count, sizeof *sorted, compare_entries);
    for (i = 0; i < count; i++) {
        entry = json_copy(sorted[i]);
        json_object_set_new(entry, "fieldsV1", fields_write(json_object_get(entry, "fieldsV1")));
        json_array_append_new(written, entry);
    }
    free(sorted);
    if (count)
        json_put_take(object, MANAGERS, json_incref(written));
    else
        json_remove_at(object, MANAGERS);
    json_decref(written);
}

static bool is_of(const json_t *entry, const struct kind *kind, struct manager manager,
                  const char *operation)
{
    return strcmp(word_of(entry, "manager"), manager.name) == 0 &&
           strcmp(word_of(entry, "operation"), operation) == 0 &&
           strcmp(word_of(entry, "apiVersion"), kind->api_version) == 0 &&
           strcmp(word_of(entry, "subresource"), manager.subresource ? manager.subresource : "") ==
               0;
}

/* The manager's entry, an empty one if it has none yet. */
static json_t *entry_of(json_t *entries, const struct kind *kind, struct manager manager,
                        const char *operation)
{
    json_t *entry;
    size_t i;
    json_array_foreach (entries, i, entry)
        if (is_of(entry, kind, manager, operation))
            return entry;
    entry = json_pack("{ss ss ss ss s{} ss*}", "manager", manager.name, "operation", operation,
                      "apiVersion", kind->api_version, "fieldsType", "FieldsV1", "fieldsV1",
                      "subresource", manager.subresource);
    json_array_append_new(entries, entry);
    return entry;
}

/* ── What nobody owns ─────────────────────────────────────────────────────────────────────── */

static void drop_system_fields(json_t *set)
{
    static const char *const owned_by_none[] = {
        "apiVersion",
        "kind",
        "metadata/name",
        "metadata/namespace",
        "metadata/creationTimestamp",
        "metadata/selfLink",
        "metadata/uid",
        "metadata/generation",
        "metadata/managedFields",
        "metadata/resourceVersion",
    };
    for (size_t i = 0; i < sizeof owned_by_none / sizeof *owned_by_none; i++)
        fields_drop(set, owned_by_none[i]);
    fields_drop_one(set, "metadata");
}

/* Nobody owns what the request can't write: status through the object, the rest through status. */
static void drop_unwritten(const struct kind *kind, struct manager manager, json_t *set)
{
    drop_system_fields(set);
    if (!manager.subresource && kind->has_status)
        fields_drop(set, "status");
    if (str_equal(manager.subresource, "status"))
        fields_drop(set, "spec");
    if (str_equal(manager.subresource, "status") && !kind->custom)
        fields_drop(set, "metadata/labels");
}

/* ── Updates ──────────────────────────────────────────────────────────────────────────────── */

/* What Go's types have before anything is said: their structs, and lists that are always written.
 */
static json_t *nothing_of(struct schema schema)
{
    json_t *nothing = json_object(), *rules;
    const char *name;
    json_object_foreach (json_object_get(schema.rules, "properties"), name, rules) {
        const json_t *usual = json_object_get(rules, "default");
        struct schema member = schema_member(schema, name);
        bool is_struct = json_is_object(usual) && !json_object_get(rules, "x-pointer");
        if (json_object_get(member.rules, "properties") && is_struct)
            json_object_set_new(nothing, name, nothing_of(member));
    }
    size_t i;
    json_array_foreach (json_object_get(schema.rules, "required"), i, rules)
        if (str_equal(schema_word(schema_member(schema, json_string_value(rules)), "type"),
                      "array"))
            json_object_set_new(nothing, json_string_value(rules), json_null());
    return nothing;
}

/* Clients that know nothing of managers don't delete them; one empty entry does. */
static json_t *entries_for_update(const json_t *old, const json_t *object, struct manager manager)
{
    const json_t *sent = json_at(object, MANAGERS);
    bool reset = json_array_size(sent) == 1 && !json_object_size(json_array_get(sent, 0));
    if (reset && !manager.subresource)
        return json_array();
    return entries_of(json_array_size(sent) && !manager.subresource ? object : old);
}

/* All lose what is another's now. */
static void disown(json_t *entries, const json_t *set, const json_t *but)
{
    json_t *entry;
    size_t i;
    json_array_foreach (entries, i, entry)
        if (entry != but)
            fields_subtract(json_object_get(entry, "fieldsV1"), set);
}

void managed_update(const struct kind *kind, struct manager manager, const json_t *old,
                    json_t *object)
{
    json_t *entries AUTO_JSON = entries_for_update(old, object, manager);
    json_t *nothing AUTO_JSON = kind->custom ? json_object() : nothing_of(kind->schema);
    json_t *changed AUTO_JSON = json_object(), *removed AUTO_JSON = json_object();
    fields_compare(kind->schema, old ? old : nothing, object, changed, removed);
    drop_unwritten(kind, manager, changed);
    drop_unwritten(kind, manager, removed);
    json_t *own = entry_of(entries, kind, manager, "Update");
    json_t *set = json_object_get(own, "fieldsV1"), *before AUTO_JSON = json_deep_copy(set);
    disown(entries, changed, own);
    disown(entries, removed, NULL);
    fields_add(set, changed);
    if (!json_equal(set, before))
        json_object_set_new(own, "time", time_now());
    put_entries(object, entries);
}

/* ── Applying ─────────────────────────────────────────────────────────────────────────────── */

static char *name_manager(const json_t *entry)
{
    const char *subresource = word_of(entry, "subresource");
    bool updates = strcmp(word_of(entry, "operation"), "Update") == 0;
    return str_format("\"%s\"%s%s%s%s%s", word_of(entry, "manager"),
                      *subresource ? " with subresource \"" : "", subresource,
                      *subresource ? "\"" : "", updates ? " using " : "",
                      updates ? word_of(entry, "apiVersion") : "");
}

/* Adds a cause for each field, and a list of them. */
static void add_conflicts(const json_t *entry, const json_t *set, json_t *causes,
                          struct text *words)
{
    char *manager AUTO_FREE = name_manager(entry);
    json_t *paths AUTO_JSON = fields_paths(set), *path;
    size_t i;
    if (json_array_size(paths))
        text_addf(words, "%sconflicts with %s:", words->len ? "\n" : "", manager);
    json_array_foreach (paths, i, path) {
        cause_add(causes, "FieldManagerConflict", json_string_value(path), "conflict with %s",
                  manager);
        text_addf(words, "\n- %s", json_string_value(path));
    }
}

static int fail_conflicts_take(struct failure *failure, json_t *causes, const char *words)
{
    size_t count = json_array_size(causes);
    if (count == 1)
        fail(failure, 409, "Conflict", "Apply failed with 1 conflict: %s: %s",
             json_string_at(causes, "/0/message"), json_string_at(causes, "/0/field"));
    else
        fail(failure, 409, "Conflict", "Apply failed with %zu conflicts: %s", count, words);
    failure->details = json_pack("{so}", "causes", causes);
    return -1;
}

static int check_conflicts(const json_t *entries, const json_t *own, const json_t *changed,
                           struct failure *failure)
{
    json_t *causes = json_array(), *entry;
    struct text words AUTO(text_done) = {0};
    size_t i;
    json_array_foreach (entries, i, entry) {
        json_t *common AUTO_JSON = fields_common(json_object_get(entry, "fieldsV1"), changed);
        if (entry != own)
            add_conflicts(entry, common, causes, &words);
    }
    if (json_array_size(causes))
        return fail_conflicts_take(failure, causes, words.at);
    json_decref(causes);
    return 0;
}

static json_t *all_owned(const json_t *entries)
{
    json_t *owned = json_object(), *entry;
    size_t i;
    json_array_foreach (entries, i, entry)
        fields_add(owned, json_object_get(entry, "fieldsV1"));
    return owned;
}

int managed_apply(const struct kind *kind, struct manager manager, const json_t *live,
                  const json_t *wanted, bool force, json_t **ret_object, struct failure *failure)
{
    json_t *entries AUTO_JSON = entries_of(live);
    json_t *own = entry_of(entries, kind, manager, "Apply");
    json_t *before AUTO_JSON = json_incref(json_object_get(own, "fieldsV1"));
    json_t *set = fields_of(kind->schema, wanted);
    json_t *changed AUTO_JSON = json_object(), *removed AUTO_JSON = json_object();
    drop_unwritten(kind, manager, set);
    json_object_set_new(own, "fieldsV1", set);
    json_t *copy AUTO_JSON = json_deep_copy(live), *owned AUTO_JSON = all_owned(entries);
    json_t *merged AUTO_JSON = fields_merge(kind->schema, copy, wanted);
    fields_remove(kind->schema, merged, before, owned);
    fields_compare(kind->schema, live, merged, changed, removed);
    drop_unwritten(kind, manager, changed);
    drop_unwritten(kind, manager, removed);
    if (!force && check_conflicts(entries, own, changed, failure) < 0)
        return -1;
    disown(entries, changed, own);
    disown(entries, removed, own);
    /* An apply that changes nothing but who owns it has no time. */
    if (json_object_size(changed) || json_object_size(removed))
        json_object_set_new(own, "time", time_now());
    put_entries(merged, entries);
    *ret_object = json_incref(merged);
    return 0;
}
