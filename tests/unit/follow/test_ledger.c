// SPDX-License-Identifier: Apache-2.0
/* The ledger: whatever is done to a workload that is held, its owner's object can be told from it,
 * and given back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/json_patch.h"
#include "base/text.h"
#include "follow/ledger.h"
#include "oam/revision.h"

#include <stdlib.h>
#include <string.h>

#define PARTITION "/spec/updateStrategy/partition"
#define PAUSED    "/spec/paused"
#define IMAGE     "/spec/template/spec/image"

static const char *const template_at[] = {"/spec/template"};
static const struct template_place place = {template_at, 1};

static json_t *quoted(const char *text)
{
    char *copy = strdup(text);
    for (char *at = copy; *at; at++)
        *at = *at == '\'' ? '"' : *at;
    json_t *json = NULL;
    struct error err = {0};
    if (json_parse(copy, strlen(copy), &json, &err) < 0)
        fail_msg("%s", err.text);
    free(copy);
    return json;
}

/* As its owner has it. */
static json_t *owners(void)
{
    return quoted("{'apiVersion':'apps/v1','kind':'Web','metadata':{'name':'web','namespace':'ns',"
                  "'uid':'u','resourceVersion':'7','generation':3,'labels':{'a':'b'},"
                  "'annotations':{'owner':'me'}},"
                  "'spec':{'replicas':5,'updateStrategy':{'partition':1},"
                  "'template':{'spec':{'image':'v1','args':['x']}}},'status':{'replicas':5}}");
}

static void put_text(json_t *object, const char *pointer, const char *text)
{
    json_put_take(object, pointer, json_string(text));
}

static const char *mark(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(json_at(object, "/metadata/annotations"), name));
}

/* What the server makes of the patch. */
static void patched(json_t **live, const json_t *patch)
{
    struct error err = {0};
    if (json_patch(live, patch, &err) < 0)
        fail_msg("%s", err.text);
}

/* Turns what an adapter has emitted, and carries it out. Returns how many operations that took. */
static size_t turn_take(json_t **live, struct ledger ledger, enum patch_kind kind, json_t *body)
{
    json_t *view AUTO_JSON = ledger_owners_view(*live);
    struct action action = {.kind = ACTION_PATCH, .patch = kind, .body = body};
    struct error err = {0};
    ledger.live = *live;
    ledger.view = view;
    ledger.place = place;
    if (ledger_turn(&ledger, &action, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(action.patch, PATCH_KIND_JSON);
    patched(live, action.body);
    size_t operations = json_array_size(action.body);
    json_decref(action.body);
    return operations;
}

/* The whole object as an adapter puts it in the workload's place: the owner's, with the marks of
 * the roll, and what holds it. */
static json_t *taken(const json_t *live, int partition)
{
    json_t *body = ledger_owners_view(live);
    json_put_take(body, "/metadata/annotations/rollout.sluice.dev~1holder", json_string("ns/r u"));
    json_put_take(body, "/metadata/annotations/rollout.sluice.dev~1applied", json_string("t"));
    json_put_take(body, PARTITION, json_integer(partition));
    json_put_take(body, PAUSED, json_true());
    return body;
}

static void hold(json_t **live)
{
    turn_take(live, (struct ledger){.rests = true}, PATCH_KIND_APPLY, taken(*live, 5));
}

/* Everything but the status, which is nobody's to write. */
static void assert_same(const json_t *a, const json_t *b)
{
    json_t *left AUTO_JSON = json_deep_copy(a), *right AUTO_JSON = json_deep_copy(b);
    json_object_del(left, "status");
    json_object_del(right, "status");
    char *x AUTO_FREE = json_canonical(left), *y AUTO_FREE = json_canonical(right);
    assert_string_equal(x, y);
}

static void give_back(json_t **live)
{
    json_t *patch AUTO_JSON = ledger_give_back(*live);
    patched(live, patch);
}

static void test_taken_and_given_back(void **state)
{
    json_t *before AUTO_JSON = owners(), *live AUTO_JSON = owners();
    hold(&live);
    assert_int_equal(json_int_at(live, PARTITION, 0), 5);
    assert_true(json_bool_at(live, PAUSED, false));
    assert_string_equal(mark(live, MARK_HOLDER), "ns/r u");
    assert_string_equal(mark(live, MARK_REST), REST_MIXED);
    assert_string_equal(mark(live, "owner"), "me");
    json_t *view AUTO_JSON = ledger_owners_view(live);
    assert_same(view, before);
    give_back(&live);
    assert_same(live, before);
}

static void test_what_is_there_takes_no_write(void **state)
{
    json_t *live AUTO_JSON = owners();
    hold(&live);
    assert_int_equal(
        turn_take(&live, (struct ledger){.rests = true}, PATCH_KIND_APPLY, taken(live, 5)), 0);
    give_back(&live);
    json_t *patch AUTO_JSON = ledger_give_back(live);
    assert_int_equal(json_array_size(patch), 0);
}

static void move_partition(json_t **live, int from, int to)
{
    json_t *body = json_array();
    json_array_append_new(
        body, json_pack("{s:s, s:s, s:i}", "op", "test", "path", PARTITION, "value", from));
    json_array_append_new(
        body, json_pack("{s:s, s:s, s:i}", "op", "replace", "path", PARTITION, "value", to));
    turn_take(live, (struct ledger){0}, PATCH_KIND_JSON, body);
}

static void test_a_batch(void **state)
{
    json_t *before AUTO_JSON = owners(), *live AUTO_JSON = owners();
    hold(&live);
    move_partition(&live, 5, 3);
    assert_int_equal(json_int_at(live, PARTITION, 0), 3);
    assert_null(mark(live, MARK_REST));
    give_back(&live);
    assert_same(live, before);
}

/* Nobody but the owner changes a field of a hold while nothing is rolled. */
static void test_at_rest_the_owner_has_the_last_word(void **state)
{
    json_t *live AUTO_JSON = owners();
    hold(&live);
    json_put_take(live, PARTITION, json_integer(2));
    json_t *view AUTO_JSON = ledger_owners_view(live);
    assert_int_equal(json_int_at(view, PARTITION, 0), 2);
    hold(&live);
    assert_int_equal(json_int_at(live, PARTITION, 0), 5);
    give_back(&live);
    assert_int_equal(json_int_at(live, PARTITION, 0), 2);
}

static void test_in_a_roll_it_is_the_rolls(void **state)
{
    json_t *before AUTO_JSON = owners(), *live AUTO_JSON = owners();
    hold(&live);
    move_partition(&live, 5, 3);
    json_put_take(live, PARTITION, json_integer(0));
    give_back(&live);
    assert_same(live, before);
}

static void test_what_else_the_owner_writes_is_kept(void **state)
{
    json_t *live AUTO_JSON = owners();
    hold(&live);
    put_text(live, IMAGE, "v2");
    put_text(live, "/metadata/annotations/owner", "you");
    put_text(live, "/metadata/labels/new", "yes");
    json_put_take(live, "/spec/replicas", json_integer(9));
    json_t *after AUTO_JSON = ledger_owners_view(live);
    move_partition(&live, 5, 3);
    hold(&live);
    give_back(&live);
    assert_same(live, after);
    assert_string_equal(json_string_at(live, IMAGE), "v2");
    assert_int_equal(json_int_at(live, "/spec/replicas", 0), 9);
}

static void test_an_annotation_of_the_adapters_goes_too(void **state)
{
    json_t *before AUTO_JSON = owners(), *live AUTO_JSON = owners();
    json_t *body = taken(live, 5);
    put_text(body, "/metadata/annotations/adapters-own", "…");
    turn_take(&live, (struct ledger){0}, PATCH_KIND_APPLY, body);
    assert_string_equal(mark(live, "adapters-own"), "…");
    hold(&live);
    assert_null(mark(live, "adapters-own"));
    give_back(&live);
    assert_same(live, before);
}

static void test_without_any_annotations(void **state)
{
    json_t *live AUTO_JSON = owners();
    json_remove_at(live, "/metadata/annotations");
    hold(&live);
    assert_string_equal(mark(live, MARK_REST), REST_MIXED);
    give_back(&live);
    assert_int_equal(json_object_size(json_at(live, "/metadata/annotations")), 0);
}

/* A merge patch says what it changes and nothing else; null takes away. */
static void test_a_merge_patch(void **state)
{
    json_t *before AUTO_JSON = owners(), *live AUTO_JSON = owners();
    json_t *body = quoted("{'metadata':{'uid':'u','annotations':{'rollout.sluice.dev/holder':"
                          "'ns/r u'}},'spec':{'updateStrategy':null,'paused':true}}");
    turn_take(&live, (struct ledger){.rests = true}, PATCH_KIND_MERGE, body);
    assert_null(json_at(live, "/spec/updateStrategy"));
    assert_int_equal(json_int_at(live, "/spec/replicas", 0), 5);
    give_back(&live);
    assert_same(live, before);
}

static void test_a_size_that_was_stepped_stays(void **state)
{
    json_t *live AUTO_JSON = owners();
    hold(&live);
    json_t *body = quoted("[{'op':'replace','path':'/spec/replicas','value':8}]");
    turn_take(&live, (struct ledger){.scales = true}, PATCH_KIND_JSON, body);
    hold(&live);
    give_back(&live);
    assert_int_equal(json_int_at(live, "/spec/replicas", 0), 8);
    assert_int_equal(json_int_at(live, PARTITION, 0), 1);
}

/* Nothing of the template that it replaces is left in the one that is put back. */
static void test_a_template_that_is_put_back(void **state)
{
    json_t *before AUTO_JSON = owners(), *live AUTO_JSON = owners();
    hold(&live);
    put_text(live, IMAGE, "v2");
    put_text(live, "/spec/template/spec/more", "than before");
    json_t *body = taken(live, 5);
    json_put_take(body, "/spec/template", json_deep_copy(json_at(before, "/spec/template")));
    turn_take(&live, (struct ledger){0}, PATCH_KIND_APPLY, body);
    give_back(&live);
    assert_same(live, before);
}

/* Meanwhile pods may have gone anywhere. */
static void test_rest_that_was_broken(void **state)
{
    json_t *live AUTO_JSON = owners();
    turn_take(&live, (struct ledger){.rests = true, .rolled = true}, PATCH_KIND_APPLY,
              taken(live, 5));
    assert_string_not_equal(mark(live, MARK_REST), REST_MIXED);
    json_remove_at(live, "/metadata/annotations/rollout.sluice.dev~1holder");
    hold(&live);
    assert_string_equal(mark(live, MARK_REST), REST_MIXED);
}

static void test_an_approllouts_template_mark_goes(void **state)
{
    json_t *live AUTO_JSON = owners();
    put_text(live, "/metadata/annotations/rollout.sluice.dev~1template", "0123");
    hold(&live);
    assert_null(mark(live, MARK_TEMPLATE));
}

/* Such a patch would be carried out on another object than the adapter has thought of. */
static void test_patches_rely_on_what_was_read(void **state)
{
    json_t *live AUTO_JSON = owners(), *later AUTO_JSON = owners();
    json_t *view AUTO_JSON = ledger_owners_view(live);
    struct ledger ledger = {.live = live, .view = view, .place = place, .rests = true};
    struct action action = {.patch = PATCH_KIND_APPLY, .body = taken(live, 5)};
    assert_int_equal(ledger_turn(&ledger, &action, NULL), OK);
    put_text(later, "/metadata/resourceVersion", "8");
    assert_int_equal(json_patch(&later, action.body, NULL), ERR_CONFLICT);
    json_decref(action.body);
}

static void assert_refused(const char *operations, const char *words)
{
    json_t *live AUTO_JSON = owners(), *view AUTO_JSON = ledger_owners_view(live);
    struct ledger ledger = {.live = live, .view = view, .place = place};
    struct action action = {.patch = PATCH_KIND_JSON, .body = quoted(operations)};
    struct error err = {0};
    assert_int_equal(ledger_turn(&ledger, &action, &err), ERR_BUG);
    assert_non_null(strstr(err.text, words));
    json_decref(action.body);
}

static void test_what_cant_be_understood(void **state)
{
    assert_refused("[{'op':'move','from':'/spec/a','path':'/spec/b'}]", "move at /spec/b");
    assert_refused("[{'op':'replace','path':'/spec/template/spec/args/0','value':1}]", "args/0");
    assert_refused("[{'op':'replace','value':1}]", "(none)");
}

static void test_a_spoilt_ledger_is_none(void **state)
{
    json_t *live AUTO_JSON = owners();
    hold(&live);
    put_text(live, "/metadata/annotations/rollout.sluice.dev~1before", "{");
    json_t *view AUTO_JSON = ledger_owners_view(live);
    assert_int_equal(json_int_at(view, PARTITION, 0), 5);
    give_back(&live);
    assert_null(mark(live, MARK_HOLDER));
}

/* ---- the templates that it has had ---- */

static void rolled(json_t **live)
{
    turn_take(live, (struct ledger){.rests = true, .rolled = true}, PATCH_KIND_APPLY,
              taken(*live, 5));
}

static void assert_image(json_t *template_take, const char *image)
{
    assert_string_equal(
        json_string_at(json_object_get(template_take, "/spec/template"), "/spec/image"), image);
    json_decref(template_take);
}

static void test_history(void **state)
{
    json_t *live AUTO_JSON = owners();
    rolled(&live);
    assert_image(history_rolled(live), "v1");
    assert_null(history_before(live));
    put_text(live, IMAGE, "v2");
    hold(&live); /* not yet */
    assert_image(history_rolled(live), "v1");
    rolled(&live);
    rolled(&live);
    assert_image(history_rolled(live), "v2");
    assert_image(history_before(live), "v1");
    put_text(live, IMAGE, "v1");
    rolled(&live);
    assert_image(history_before(live), "v2");
    give_back(&live);
    assert_null(mark(live, MARK_TEMPLATES));
}

static void test_a_template_too_large_for_an_annotation(void **state)
{
    json_t *live AUTO_JSON = owners();
    char *large AUTO_FREE = malloc(100001);
    memset(large, 'x', 100000);
    large[100000] = '\0';
    rolled(&live);
    put_text(live, IMAGE, large);
    rolled(&live);
    assert_null(mark(live, MARK_TEMPLATES));
    assert_null(history_rolled(live));
}

static void test_names(void **state)
{
    json_t *one AUTO_JSON = quoted("{'/spec/template':{'a':1,'b':2}}");
    json_t *same AUTO_JSON = quoted("{'/spec/template':{'b':2,'a':1}}");
    json_t *other AUTO_JSON = quoted("{'/spec/template':{'a':1,'b':3}}");
    char a[TEMPLATE_NAME_SIZE], b[TEMPLATE_NAME_SIZE], c[TEMPLATE_NAME_SIZE];
    template_name(one, a);
    template_name(same, b);
    template_name(other, c);
    assert_int_equal(strlen(a), TEMPLATE_NAME_SIZE - 1);
    assert_string_equal(a, b);
    assert_string_not_equal(a, c);
}

static void test_places(void **state)
{
    static const char *const two[] = {"/spec/template", "/spec/volumes"};
    const struct template_place places = {two, 2};
    json_t *object AUTO_JSON = quoted("{'spec':{'volumes':[1],'templates':2}}");
    json_t *none AUTO_JSON = quoted("{'spec':{}}");
    json_t *picked AUTO_JSON = template_pick(&places, object);
    assert_int_equal(json_object_size(picked), 1);
    assert_null(template_pick(&places, none));
    assert_true(template_covers(&places, "/spec/volumes"));
    assert_true(template_covers(&places, "/spec/template/spec"));
    assert_false(template_covers(&places, "/spec/templates"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taken_and_given_back),
        cmocka_unit_test(test_what_is_there_takes_no_write),
        cmocka_unit_test(test_a_batch),
        cmocka_unit_test(test_at_rest_the_owner_has_the_last_word),
        cmocka_unit_test(test_in_a_roll_it_is_the_rolls),
        cmocka_unit_test(test_what_else_the_owner_writes_is_kept),
        cmocka_unit_test(test_an_annotation_of_the_adapters_goes_too),
        cmocka_unit_test(test_without_any_annotations),
        cmocka_unit_test(test_a_merge_patch),
        cmocka_unit_test(test_a_size_that_was_stepped_stays),
        cmocka_unit_test(test_a_template_that_is_put_back),
        cmocka_unit_test(test_rest_that_was_broken),
        cmocka_unit_test(test_an_approllouts_template_mark_goes),
        cmocka_unit_test(test_patches_rely_on_what_was_read),
        cmocka_unit_test(test_what_cant_be_understood),
        cmocka_unit_test(test_a_spoilt_ledger_is_none),
        cmocka_unit_test(test_history),
        cmocka_unit_test(test_a_template_too_large_for_an_annotation),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
