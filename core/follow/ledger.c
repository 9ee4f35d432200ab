// SPDX-License-Identifier: Apache-2.0
#include "follow/ledger.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/json_patch.h"
#include "base/text.h"
#include "oam/revision.h"

#include <sluice/json.h>
#include <string.h>

#define ANNOTATIONS "/metadata/annotations"

/* MARK_TEMPLATE is an AppRollout's, which has had the workload before. */
static const char *const our_marks[] = {MARK_HOLDER, MARK_APPLIED, MARK_TEMPLATE,
                                        MARK_REST,   MARK_BEFORE,  MARK_TEMPLATES};

static void remove_marks(json_t *object)
{
    for (size_t i = 0; i < sizeof our_marks / sizeof *our_marks; i++)
        object_put_mark(object, our_marks[i], NULL);
}

static bool equal(const json_t *a, const json_t *b)
{
    return a && b ? json_equal(a, b) : a == b;
}

/* ── Reading ──────────────────────────────────────────────────────────────────────────────── */

/* The caller owns it; empty when nothing is noted. */
static json_t *ledger_read(const json_t *live)
{
    const char *text = object_mark(live, MARK_BEFORE);
    json_t *entries = NULL;
    if (text && json_parse(text, strlen(text), &entries, NULL) == OK && json_is_object(entries))
        return entries;
    json_decref(entries);
    return json_object();
}

static void undo_entry(json_t *object, const char *pointer, const json_t *entry, bool rests)
{
    json_t *was = json_object_get(entry, "was");
    if (rests && !equal(json_at(object, pointer), json_object_get(entry, "put")))
        return;
    if (was)
        json_put_take(object, pointer, json_deep_copy(was));
    else
        json_remove_at(object, pointer);
}

/* Puts back what the owner had. */
static void undo(json_t *object)
{
    json_t *entries AUTO_JSON = ledger_read(object);
    bool rests = object_mark(object, MARK_REST);
    const char *pointer;
    json_t *entry;
    json_object_foreach (entries, pointer, entry)
        undo_entry(object, pointer, entry, rests);
}

/* Leaves what an owner writes. */
static void strip(json_t *object)
{
    json_remove_at(object, "/status");
    json_remove_at(object, "/metadata/managedFields");
    remove_marks(object);
}

json_t *ledger_owners_view(const json_t *live)
{
    json_t *view = json_deep_copy(live);
    undo(view);
    strip(view);
    return view;
}

/* ── Turning a patch ──────────────────────────────────────────────────────────────────────── */

/* Of the metadata only labels and annotations are anybody's to change. */
static json_t *body_changeable(const json_t *body)
{
    json_t *changeable = json_copy((json_t *)(uintptr_t)body);
    json_t *metadata = json_object();
    json_t *labels = json_at(body, "/metadata/labels"), *notes = json_at(body, ANNOTATIONS);
    if (labels)
        json_object_set(metadata, "labels", labels);
    if (notes)
        json_object_set(metadata, "annotations", notes);
    json_object_set_new(changeable, "metadata", metadata);
    json_object_del(changeable, "status");
    return changeable;
}

/* What an earlier patch has put in, and this whole object doesn't have, is taken out again. */
static void remove_left_out(json_t *wanted, const json_t *body)
{
    json_t *entries AUTO_JSON = ledger_read(wanted);
    const char *pointer;
    json_t *entry;
    json_object_foreach (entries, pointer, entry)
        if (!json_at(body, pointer))
            json_remove_at(wanted, pointer);
}

/* Of the template, nothing stays of what was there. */
static void want_whole(json_t *wanted, const struct template_place *place, const json_t *body)
{
    json_t *template AUTO_JSON = template_pick(place, body);
    remove_left_out(wanted, body);
    if (template)
        template_put(wanted, template);
}

static void want_body(json_t *wanted, const struct ledger *ledger, const struct action *action)
{
    json_t *body AUTO_JSON = body_changeable(action->body);
    if (action->patch == PATCH_KIND_MERGE) {
        json_merge(wanted, body);
        return;
    }
    want_whole(wanted, &ledger->place, action->body);
    json_object_update_recursive(wanted, body);
}

static bool in_array(const json_t *object, const char *pointer)
{
    char *parent AUTO_FREE = str_copy_n(pointer, (size_t)(strrchr(pointer, '/') - pointer));
    return json_is_array(json_at(object, parent));
}

static int want_operation(json_t *wanted, const json_t *operation, struct error *err)
{
    const char *op = json_string_at(operation, "/op"), *path = json_string_at(operation, "/path");
    bool put = str_equal(op, "add") || str_equal(op, "replace");
    if (!path || path[0] != '/' || in_array(wanted, path) || !(put || str_equal(op, "remove")))
        return error_set(err, ERR_BUG,
                         "the adapter's patch has the operation %s at %s; of a workload that a "
                         "Rollout holds, members of objects can be added, replaced and removed",
                         op ? op : "(none)", path ? path : "(none)");
    if (!put)
        json_remove_at(wanted, path);
    else
        json_put_take(wanted, path, json_deep_copy(json_object_get(operation, "value")));
    return OK;
}

/* The operations are carried out; the tests are kept for the patch to come. */
static int want_operations(json_t *wanted, const json_t *operations, json_t *tests,
                           struct error *err)
{
    size_t i;
    json_t *operation;
    json_array_foreach (operations, i, operation) {
        int code = OK;
        if (str_equal(json_string_at(operation, "/op"), "test"))
            json_array_append(tests, operation);
        else
            code = want_operation(wanted, operation, err);
        if (code < 0)
            return code;
    }
    return OK;
}

/* A template that was put back is meant to stay. */
static bool is_noted(const struct ledger *ledger, const char *pointer)
{
    bool metadata = strncmp(pointer, "/metadata/", 10) == 0 &&
                    strncmp(pointer, ANNOTATIONS "/", sizeof ANNOTATIONS) != 0;
    return !metadata && !template_covers(&ledger->place, pointer);
}

static void note(json_t *entries, const char *pointer, const json_t *view, const json_t *wanted)
{
    json_object_set_new(
        entries, pointer,
        json_pack("{s:O*, s:O*}", "was", json_at(view, pointer), "put", json_at(wanted, pointer)));
}

/* All in which the object that is wanted differs from its owner's; the caller owns it. */
static json_t *entries_of(const struct ledger *ledger, const json_t *wanted)
{
    json_t *entries = json_object(), *left AUTO_JSON = json_deep_copy(ledger->view);
    json_t *right AUTO_JSON = json_deep_copy(wanted), *changes AUTO_JSON = json_array();
    bool added = false;
    size_t i;
    json_t *operation;
    strip(right);
    json_put_take(left, ANNOTATIONS "/-", json_null()); /* so that each one is told by itself */
    json_put_take(right, ANNOTATIONS "/-", json_null());
    sluice_diff(changes, "", left, right, &added);
    json_array_foreach (changes, i, operation) {
        const char *pointer = json_string_at(operation, "/path");
        if (!str_equal(json_string_at(operation, "/op"), "test") && is_noted(ledger, pointer))
            note(entries, pointer, ledger->view, wanted);
    }
    return entries;
}

/* All pods have the template that is on the workload. */
static void put_rolled(const struct ledger *ledger, json_t *wanted)
{
    json_t *template AUTO_JSON = template_pick(&ledger->place, wanted);
    char *text AUTO_FREE = history_text(ledger->live, template);
    char name[TEMPLATE_NAME_SIZE];
    template_name(template, name);
    object_put_mark(wanted, MARK_TEMPLATES, text);
    object_put_mark(wanted, MARK_REST, name);
}

/* What was so at rest is so as long as it was held all the time. */
static void put_rest(const struct ledger *ledger, json_t *wanted)
{
    bool held = str_equal(object_mark(ledger->live, MARK_HOLDER), object_mark(wanted, MARK_HOLDER));
    const char *rests = held ? object_mark(ledger->live, MARK_REST) : NULL;
    if (ledger->rolled)
        put_rolled(ledger, wanted);
    else
        object_put_mark(wanted, MARK_REST, rests ? rests : REST_MIXED);
}

static void put_ledger(const struct ledger *ledger, json_t *wanted)
{
    json_t *entries AUTO_JSON = entries_of(ledger, wanted);
    char *text AUTO_FREE = json_canonical(entries);
    object_put_mark(wanted, MARK_TEMPLATE, NULL);
    object_put_mark(wanted, MARK_BEFORE, json_object_size(entries) > 0 ? text : NULL);
    if (ledger->rests)
        put_rest(ledger, wanted);
    else
        object_put_mark(wanted, MARK_REST, NULL);
}

/* JSON patch with `tests` in front; the caller owns it. */
static json_t *patch_between(const json_t *live, json_t *wanted, const json_t *tests)
{
    json_t *patch = json_array();
    bool added = false;
    sluice_diff(patch, "", (json_t *)(uintptr_t)live, wanted, &added);
    for (size_t i = json_array_size(tests); json_array_size(patch) > 0 && i-- > 0;)
        json_array_insert(patch, 0, json_array_get(tests, i));
    return patch;
}

static void test_that(json_t *tests, const json_t *live, const char *pointer)
{
    json_t *value = json_at(live, pointer);
    if (value)
        json_array_append_new(tests, json_patch_step_take("test", pointer, json_incref(value)));
}

int ledger_turn(const struct ledger *ledger, struct action *action, struct error *err)
{
    json_t *wanted AUTO_JSON = json_deep_copy(ledger->live), *tests AUTO_JSON = json_array();
    bool operations = action->patch == PATCH_KIND_JSON;
    int code = OK;
    if (operations)
        code = want_operations(wanted, action->body, tests, err);
    else
        want_body(wanted, ledger, action);
    if (code < 0)
        return code;
    test_that(tests, ledger->live,
              operations ? "/metadata/generation" : "/metadata/resourceVersion");
    if (ledger->gives_back)
        remove_marks(wanted);
    else if (!ledger->scales)
        put_ledger(ledger, wanted);
    json_decref(action->body);
    action->body = patch_between(ledger->live, wanted, tests);
    action->patch = PATCH_KIND_JSON;
    return OK;
}

json_t *ledger_give_back(const json_t *live)
{
    json_t *wanted AUTO_JSON = json_deep_copy(live), *tests AUTO_JSON = json_array();
    undo(wanted);
    remove_marks(wanted);
    test_that(tests, live, "/metadata/resourceVersion");
    return patch_between(live, wanted, tests);
}
