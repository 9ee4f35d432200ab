// SPDX-License-Identifier: Apache-2.0
/* Whose doing it is that a template isn't the one that was marked: somebody else's, or only that of
 * a server which completes the same template in another way than it did before. */
#include "world.h"

#include "oam/revision.h"
#include "reconcile/other_writer.h"

#include <stdlib.h>
#include <string.h>

#define WEBS "/apis/x.io/v1/namespaces/shop/webs"

#define OURS      "{\"image\":\"web:2\"}"
#define COMPLETED "{\"image\":\"web:2\",\"pull\":\"Always\"}"
#define THEIRS    "{\"image\":\"web:1\",\"pull\":\"Always\"}"
#define EXTENDED  "{\"image\":\"web:2\",\"pull\":\"Always\",\"shell\":\"ash\"}"

/* A rollout's workload, on a server that answers as it is told. */
struct stand {
    struct world *world;
    struct controller controller;
    struct adapter_kind declared;
    struct workload_kind kind;
    struct located_component located;
    struct location location;
    struct pass pass;
    struct task task;
    struct component component;
    const char *uid, *holder; /* of the live one */
    const char *live;         /* its template */
    const char *completed;    /* what the server makes of ours */
    int refused;              /* the status of a dry run; 0: it is done */
    int marking;              /* the status of the write that marks; 0: it is done */
    char *rehearsed, *marked; /* what was asked for */
    int answers;
    struct error err;
};

static char *web_text(const struct stand *stand, const char *template)
{
    return str_format("{\"apiVersion\":\"x.io/v1\",\"kind\":\"Web\",\"metadata\":{\"name\":\"web\","
                      "\"namespace\":\"shop\",\"uid\":\"%s\",\"resourceVersion\":\"7\","
                      "\"annotations\":{\"rollout.sluice.dev/holder\":\"%s\"},\"managedFields\":["
                      "{\"manager\":\"flux\",\"operation\":\"Apply\",\"time\":\"then\","
                      "\"fieldsV1\":{\"f:spec\":{\"f:template\":{\"f:image\":{}}}}}]},"
                      "\"spec\":{\"template\":%s}}",
                      stand->uid, stand->holder, template);
}

static void answer_web(const struct stand *stand, const struct fake_request *request, int refused,
                       const char *template)
{
    char *web AUTO_FREE = web_text(stand, template);
    if (refused)
        fake_answer(request->connection, refused, "", "{\"message\":\"no\"}");
    else
        fake_answer(request->connection, 200, "", web);
}

static void on_request(void *data, const struct fake_request *request)
{
    struct stand *stand = data;
    if (strstr(request->target, "dryRun=All")) {
        stand->rehearsed = str_copy(request->body);
        answer_web(stand, request, stand->refused, stand->completed);
    } else if (str_equal(request->method, "PATCH")) {
        stand->marked = str_copy(request->body);
        answer_web(stand, request, stand->marking, stand->live);
    } else if (strstr(request->target, "watch=")) {
        fake_begin(request->connection);
    } else {
        char *web AUTO_FREE = web_text(stand, stand->live);
        char *list AUTO_FREE =
            str_format("{\"kind\":\"WebList\",\"apiVersion\":\"x.io/v1\",\"metadata\":{"
                       "\"resourceVersion\":\"7\"},\"items\":[%s]}",
                       web);
        fake_answer(request->connection, 200, "", list);
    }
}

static void on_change(void *data, const char *ns, const char *name, const json_t *object,
                      bool deleted)
{
    (void)data, (void)ns, (void)name, (void)object, (void)deleted;
}

static json_t *web(const struct stand *stand, const char *template)
{
    char *text AUTO_FREE = web_text(stand, template);
    return json_loads(text, 0, NULL);
}

static int setup(void **state)
{
    static const char *const template[] = {"/spec/template"};
    static char name[] = "web", ns[] = "shop", kind[] = "Web", api[] = "x.io/v1", plural[] = "webs",
                holder[] = "shop/roll 1";
    struct stand *stand = mem_alloc(sizeof *stand);
    stand->uid = "u", stand->holder = holder;
    stand->live = stand->completed = COMPLETED;
    stand->world = world_new("{token: t}", NULL);
    stand->world->on_request = on_request;
    stand->world->data = stand;
    stand->controller.cluster = stand->world->cluster;
    stand->declared = (struct adapter_kind){.template = template, .template_count = 1};
    stand->kind.kind = &stand->declared;
    stand->kind.info = (struct kind_info){api, kind, plural, true};
    const struct watch_spec spec = {.path = "/apis/x.io/v1/webs"};
    const struct store_events events = {.on_change = on_change};
    stand->kind.store = store_open(stand->world->cluster, &spec, &events, NULL);
    stand->located = (struct located_component){.name = name, .workload = web(stand, OURS)};
    stand->location = (struct location){.components = &stand->located, .count = 1};
    stand->task.controller = &stand->controller;
    stand->task.location = &stand->location;
    stand->pass.holder = holder;
    stand->pass.rollout.ns = ns;
    stand->task.pass = &stand->pass;
    stand->component.task = &stand->task;
    stand->component.name = name;
    stand->component.kind = &stand->kind;
    stand->component.workload = web(stand, OURS);
    stand->component.observation.template_changed = true;
    *state = stand;
    return 0;
}

static int teardown(void **state)
{
    struct stand *stand = *state;
    component_forget(&stand->component);
    json_decref(stand->located.workload);
    store_close(stand->kind.store);
    world_free(stand->world);
    free(stand->rehearsed);
    free(stand->marked);
    free(stand);
    return 0;
}

static struct stand *asking; /* the callback gets a component and no more */

static void on_known(struct component *component, const struct error *err)
{
    assert_ptr_equal(component, &asking->component);
    asking->err = *err;
    asking->answers++;
}

static bool answered(void *data)
{
    return ((const struct stand *)data)->answers > 0;
}

static void ask(struct stand *stand)
{
    asking = stand;
    other_writer_ask(&stand->component, on_known);
    world_until(stand->world, answered, stand);
    assert_int_equal(stand->answers, 1);
    assert_null(stand->pass.call);
}

static void assert_theirs(struct stand *stand, const char *who)
{
    ask(stand);
    assert_int_equal(stand->err.code, OK);
    assert_true(stand->component.observation.template_changed);
    assert_string_equal(stand->component.observation.template_write.who, who);
    assert_null(stand->marked);
}

static void what_the_server_makes_of_ours_is_ours(void **state)
{
    struct stand *stand = *state;
    ask(stand);
    assert_int_equal(stand->err.code, OK);
    assert_false(stand->component.observation.template_changed);
    assert_string_equal(stand->rehearsed,
                        "[{\"op\":\"add\",\"path\":\"/spec/template\",\"value\":" OURS "}]");
}

/* So that the next look finds nothing; and never on another version than the one that was judged.
 */
static void what_is_ours_is_marked_as_it_is_now(void **state)
{
    struct stand *stand = *state;
    json_t *template AUTO_JSON = json_loads("[" COMPLETED "]", 0, NULL);
    char hash[HASH_HEX_SIZE];
    json_hash(template, hash);
    char *patch AUTO_FREE = str_format(
        "[{\"op\":\"replace\",\"path\":\"/metadata/resourceVersion\",\"value\":\"7\"},"
        "{\"op\":\"add\",\"path\":\"/metadata/annotations/rollout.sluice.dev~1template\","
        "\"value\":\"%s\"}]",
        hash);
    ask(stand);
    assert_string_equal(stand->marked, patch);
    json_t *stored AUTO_JSON = store_get(stand->kind.store, "shop", "web");
    assert_non_null(stored);
}

static void another_image_is_somebody_elses(void **state)
{
    struct stand *stand = *state;
    stand->live = THEIRS;
    assert_theirs(stand, "flux");
    assert_string_equal(stand->component.observation.template_write.field, "spec.template.image");
    assert_string_equal(stand->component.observation.template_write.found, "web:1");
}

static void so_is_what_was_added_to_ours(void **state)
{
    struct stand *stand = *state;
    stand->live = EXTENDED;
    assert_theirs(stand, "flux");
}

/* A webhook may refuse to rehearse. Then nobody knows, and it is better to stop. */
static void so_is_what_cannot_be_judged(void **state)
{
    struct stand *stand = *state;
    stand->refused = 400;
    assert_theirs(stand, "flux");
}

static void who_marks_too_late_looks_again(void **state)
{
    struct stand *stand = *state;
    stand->marking = 409;
    ask(stand);
    assert_int_equal(stand->err.code, ERR_CONFLICT);
}

static void what_is_held_no_longer_is_left_alone(void **state)
{
    struct stand *stand = *state;
    stand->holder = "shop/other 2";
    ask(stand);
    assert_int_equal(stand->err.code, ERR_CONFLICT);
    assert_null(stand->rehearsed);
}

static void another_object_is_left_alone(void **state)
{
    struct stand *stand = *state;
    stand->uid = "v";
    ask(stand);
    assert_int_equal(stand->err.code, ERR_CONFLICT);
    assert_null(stand->rehearsed);
}

#define WITH_STAND(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STAND(what_the_server_makes_of_ours_is_ours),
        WITH_STAND(what_is_ours_is_marked_as_it_is_now),
        WITH_STAND(another_image_is_somebody_elses),
        WITH_STAND(so_is_what_was_added_to_ours),
        WITH_STAND(so_is_what_cannot_be_judged),
        WITH_STAND(who_marks_too_late_looks_again),
        WITH_STAND(what_is_held_no_longer_is_left_alone),
        WITH_STAND(another_object_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
