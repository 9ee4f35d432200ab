// SPDX-License-Identifier: Apache-2.0
#include "cluster/managed_fields.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* A place in the fields of one manager, and what stands there in both objects. */
struct place {
    const json_t *fields; /* what the manager owns below it; an empty object: the place itself */
    const json_t *live, *wanted;
    struct text path; /* ".spec.template" */
};

/* ── Steps: f:<member>, k:{<members of an item>}, v:<value of a set>, i:<index> ───────────── */

static bool item_matches(const json_t *item, const json_t *members)
{
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)members, name, value) {
        if (!json_equal(json_object_get(item, name), value))
            return false;
    }
    return true;
}

static const json_t *item_find(const json_t *array, const json_t *wanted, bool by_members)
{
    size_t i;
    json_t *item;
    json_array_foreach (array, i, item) {
        if (by_members ? item_matches(item, wanted) : json_equal(item, wanted))
            return item;
    }
    return NULL;
}

static const json_t *step_into(const json_t *from, const char *step)
{
    const char *rest = step + 2;
    if (step[0] == 'f')
        return json_object_get(from, rest);
    if (step[0] == 'i')
        return json_array_get(from, strtoul(rest, NULL, 10));
    json_t *key AUTO_JSON = json_loads(rest, JSON_DECODE_ANY, NULL);
    return key ? item_find(from, key, step[0] == 'k') : NULL;
}

static void path_add_key(struct text *path, const char *rest)
{
    json_t *key AUTO_JSON = json_loads(rest, 0, NULL);
    const char *name, *separator = "[";
    json_t *value;
    json_object_foreach (key, name, value) {
        char *text AUTO_FREE =
            json_is_string(value) ? str_copy(json_string_value(value)) : json_text(value);
        text_addf(path, "%s%s=%s", separator, name, text);
        separator = ",";
    }
    text_puts(path, "]");
}

static void path_add(struct text *path, const char *step)
{
    if (step[0] == 'f')
        text_addf(path, ".%s", step + 2);
    else if (step[0] == 'k')
        path_add_key(path, step + 2);
    else
        text_addf(path, "[%s]", step + 2);
}

static bool is_step(const char *step)
{
    return strchr("fkvi", step[0]) && step[0] && step[1] == ':';
}

/* ── What differs ─────────────────────────────────────────────────────────────────────────── */

static bool same(const json_t *a, const json_t *b)
{
    return a == b || (a && b && json_equal(a, b));
}

static bool is_leaf(const json_t *fields)
{
    size_t own = json_object_get(fields, ".") ? 1 : 0;
    return json_object_size(fields) == own;
}

/* Goes down to the first field that differs. */
static bool find_difference(struct place *place, bool added_too)
{
    const char *step;
    json_t *inner;
    if (is_leaf(place->fields))
        return !same(place->live, place->wanted) && (added_too || place->wanted);
    struct place here = *place;
    json_object_foreach ((json_t *)(uintptr_t)here.fields, step, inner) {
        if (!is_step(step))
            continue;
        text_cut(&place->path, here.path.len);
        path_add(&place->path, step);
        place->fields = inner;
        place->live = step_into(here.live, step);
        place->wanted = step_into(here.wanted, step);
        if (find_difference(place, added_too))
            return true;
    }
    return false;
}

/* ── Managers ─────────────────────────────────────────────────────────────────────────────── */

/* What the manager owns at the pointer, whose steps are members of objects. NULL: nothing. */
static const json_t *fields_at(const json_t *entry, const char *pointer)
{
    const json_t *fields = json_object_get(entry, "fieldsV1");
    while (fields && *pointer) {
        size_t length = strcspn(pointer + 1, "/");
        char *step AUTO_FREE = str_format("f:%.*s", (int)length, pointer + 1);
        json_step_unescape(step);
        fields = json_object_get(fields, step);
        pointer += 1 + length;
    }
    return fields;
}

static char *pointer_text(const char *pointer)
{
    char *text = str_copy(pointer + 1);
    for (char *slash; (slash = strchr(text, '/'));)
        *slash = '.';
    json_step_unescape(text);
    return text;
}

static const char *text_or(const char *text, const char *fallback)
{
    return text ? text : fallback;
}

static void write_fill(const json_t *entry, struct foreign_write *ret_write)
{
    *ret_write = (struct foreign_write){
        .manager = text_or(json_string_at(entry, "/manager"), "somebody"),
        .operation = text_or(json_string_at(entry, "/operation"), ""),
        .time = text_or(json_string_at(entry, "/time"), ""),
    };
}

struct question {
    const json_t *live, *wanted;
    const char *pointer, *us;
};

static bool is_foreign(const struct question *question, const json_t *entry)
{
    const char *subresource = json_string_at(entry, "/subresource");
    return (!subresource || !*subresource) &&
           !str_equal(json_string_at(entry, "/manager"), question->us) &&
           fields_at(entry, question->pointer);
}

static bool entry_differs(const struct question *question, const json_t *entry, bool added_too,
                          struct foreign_write *ret_write)
{
    struct place place = {
        .fields = fields_at(entry, question->pointer),
        .live = json_at(question->live, question->pointer),
        .wanted = json_at(question->wanted, question->pointer),
    };
    char *start AUTO_FREE = pointer_text(question->pointer);
    text_puts(&place.path, start);
    bool differs = find_difference(&place, added_too);
    if (differs) {
        write_fill(entry, ret_write);
        ret_write->field = str_copy(place.path.at);
        ret_write->found = place.live;
        ret_write->wanted = place.wanted;
    }
    text_done(&place.path);
    return differs;
}

static const char *time_of(const json_t *entry)
{
    return text_or(json_string_at(entry, "/time"), "");
}

/* The latest of the entries that differ; false when none does. */
static bool latest_difference(const struct question *question, bool added_too,
                              struct foreign_write *ret_write)
{
    struct foreign_write found = {0}, next;
    size_t i;
    json_t *entry;
    json_array_foreach (json_at(question->live, "/metadata/managedFields"), i, entry) {
        bool later = !found.field || strcmp(time_of(entry), found.time) > 0;
        if (!later || !is_foreign(question, entry) ||
            !entry_differs(question, entry, added_too, &next))
            continue;
        free(found.field);
        found = next;
    }
    if (found.field)
        *ret_write = found;
    return found.field != NULL;
}

/* The latest at or below a place; the field that is told is that of the question. */
static bool latest_write(const struct question *question, const char *place,
                         struct foreign_write *ret_write)
{
    struct question there = *question;
    there.pointer = place;
    const json_t *latest = NULL;
    size_t i;
    json_t *entry;
    json_array_foreach (json_at(question->live, "/metadata/managedFields"), i, entry) {
        if (is_foreign(&there, entry) && (!latest || strcmp(time_of(entry), time_of(latest)) > 0))
            latest = entry;
    }
    if (!latest)
        return false;
    write_fill(latest, ret_write);
    ret_write->field = pointer_text(question->pointer);
    ret_write->found = json_at(question->live, question->pointer);
    ret_write->wanted = json_at(question->wanted, question->pointer);
    return true;
}

bool managed_foreign_write(const json_t *live, const json_t *wanted, const char *pointer,
                           const char *us, struct foreign_write *ret_write)
{
    const struct question question = {live, wanted, pointer, us};
    return latest_difference(&question, false, ret_write) ||
           latest_difference(&question, true, ret_write) ||
           latest_write(&question, pointer, ret_write);
}

static bool is_ours(const struct question *question)
{
    size_t i;
    json_t *entry;
    json_array_foreach (json_at(question->live, "/metadata/managedFields"), i, entry) {
        if (str_equal(json_string_at(entry, "/manager"), question->us) &&
            fields_at(entry, question->pointer))
            return true;
    }
    return false;
}

bool managed_taken(const json_t *live, const json_t *wanted, const char *pointer, const char *us,
                   struct foreign_write *ret_write)
{
    const struct question question = {live, wanted, pointer, us};
    return latest_difference(&question, false, ret_write) ||
           latest_difference(&question, true, ret_write) ||
           (!is_ours(&question) && latest_write(&question, "/spec", ret_write));
}
