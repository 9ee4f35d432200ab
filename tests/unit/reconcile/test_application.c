// SPDX-License-Identifier: Apache-2.0
/* The pass of an Application, against an API server that remembers: what is recorded, what people
 * are told, and that it ends right wherever it is interrupted. */
#include "small_server.h"

#include "fake_renderer.h"
#include "oam/revision.h"
#include "reconcile/key.h"
#include "reconcile/reconcile.h"

#include <stdlib.h>
#include <string.h>

#define OAM         "/apis/core.oam.dev/v1beta1"
#define SHOP        OAM "/namespaces/shop"
#define APPLICATION SHOP "/applications/web"
#define STATUS      "PATCH " APPLICATION "/status"
#define REVISIONS   SHOP "/applicationrevisions"
#define DEFINITION  SHOP "/componentdefinitions/service"
#define SHARED      OAM "/namespaces/vela-system/componentdefinitions/service"

/* A server, and as much of a controller as records Applications. */
struct site {
    struct small_server server;
    struct config config;
    struct controller controller;
    json_t *output;
    size_t passes, wanted_passes;
    size_t wanted_requests, wanted_events;
    const char *request;
};

static void on_application(void *data, const char *ns, const char *name, const json_t *object,
                           bool deleted)
{
    struct site *site = data;
    char *key AUTO_FREE = key_join(ns, name);
    queue_add(site->controller.application_queue, key);
}

static void on_pass(void *data, const char *key)
{
    struct site *site = data;
    site->passes++;
    application_pass(&site->controller, key);
}

static void controller_open(struct site *site)
{
    static const struct store_events events = {.on_change = on_application};
    static const struct renderer_options options = {.program = "/unused"};
    struct controller *controller = &site->controller;
    struct watch_spec spec = {.path = OAM "/applications"};
    struct world *world = site->server.world;
    *controller = (struct controller){.cluster = world->cluster, .config = &site->config};
    controller->recorder = recorder_new(world->cluster, "sluice");
    controller->renderer = renderer_new(world->loop, &options);
    controller->application_queue = queue_new(world->loop, 16, on_pass, site);
    controller->applications = store_open(world->cluster, &spec, &events, site);
}

static void controller_close(struct site *site)
{
    struct controller *controller = &site->controller;
    store_close(controller->applications);
    application_passes_drop(controller);
    queue_free(controller->application_queue);
    waiters_done(&controller->application_waiters);
    renderer_free(controller->renderer);
    recorder_free(controller->recorder);
    site->server.stream = NULL;
}

static json_t *definition(const char *kind)
{
    return json_pack("{s:s, s:s, s:{s:s, s:s}, s:{s:{s:{s:s, s:s}}, s:{s:{s:s}}}}", "apiVersion",
                     "core.oam.dev/v1beta1", "kind", "ComponentDefinition", "metadata", "name",
                     "service", "uid", "d1", "spec", "workload", "definition", "apiVersion",
                     "apps/v1", "kind", kind, "schematic", "cue", "template", "output: {}");
}

static json_t *component(const char *name, const char *type, const char *image)
{
    return json_pack("{s:s, s:s, s:{s:s}}", "name", name, "type", type, "properties", "image",
                     image);
}

static json_t *application(const char *uid, json_t *components)
{
    return json_pack("{s:s, s:s, s:{s:s, s:s, s:s, s:i, s:{s:s}}, s:{s:o}}", "apiVersion",
                     "core.oam.dev/v1beta1", "kind", "Application", "metadata", "name", "web",
                     "namespace", "shop", "uid", uid, "generation", 1, "annotations",
                     ANNOTATION_TEMPLATE, "true", "spec", "components", components);
}

/* As applying a file again does: a new spec, with everything else as it was. */
static void apply_take(struct site *site, json_t *components)
{
    json_t *before = small_get(&site->server, APPLICATION);
    json_t *object = before ? json_deep_copy(before) : application("u1", json_array());
    if (before)
        json_put_take(object, "/metadata/generation",
                      json_integer(json_int_at(before, "/metadata/generation", 0) + 1));
    json_put_take(object, "/spec/components", components);
    small_put_take(&site->server, APPLICATION, object);
}

static void apply(struct site *site, const char *image)
{
    apply_take(site, json_pack("[o]", component("frontend", "service", image)));
}

static int setup(void **state)
{
    struct site *site = mem_alloc(sizeof *site);
    static char shared[] = "vela-system";
    small_server_init(&site->server, OAM "/applications");
    site->config.definition_namespace = shared;
    site->output = json_pack("{s:s, s:s}", "apiVersion", "apps/v1", "kind", "Deployment");
    fake_render = (struct fake_render){.output = site->output};
    small_put_take(&site->server, DEFINITION, definition("Deployment"));
    controller_open(site);
    *state = site;
    return 0;
}

static int teardown(void **state)
{
    struct site *site = *state;
    controller_close(site);
    small_server_done(&site->server);
    json_decref(site->output);
    free(site);
    return 0;
}

/* ── Waiting ──────────────────────────────────────────────────────────────────────────────── */

static bool at_rest(void *data)
{
    const struct site *site = data;
    return site->passes >= site->wanted_passes &&
           queue_length(site->controller.application_queue) == 0;
}

/* Until a pass has been made since the last time and none is left to do; a moment more for what
 * must not happen, and for Events. */
static void settle(struct site *site)
{
    site->wanted_passes = site->passes + 1;
    world_until(site->server.world, at_rest, site);
    world_rest(site->server.world, 30);
    assert_int_equal(site->controller.recordings.count, 0);
}

static bool was_requested(void *data)
{
    const struct site *site = data;
    return small_count(&site->server, site->request) >= site->wanted_requests;
}

static void await_requests(struct site *site, const char *part, size_t count)
{
    site->request = part;
    site->wanted_requests = count;
    world_until(site->server.world, was_requested, site);
}

/* ── Looking ──────────────────────────────────────────────────────────────────────────────── */

static size_t writes(const struct site *site)
{
    return small_count(&site->server, "POST " REVISIONS) + small_count(&site->server, STATUS);
}

static const json_t *condition(const struct site *site, const char *type)
{
    const json_t *object = small_get(&site->server, APPLICATION);
    size_t index;
    json_t *entry;
    json_array_foreach (json_at(object, "/status/conditions"), index, entry) {
        if (str_equal(json_string_at(entry, "/type"), type))
            return entry;
    }
    return NULL;
}

static void expect_condition(const struct site *site, const char *type, const char *status,
                             const char *reason)
{
    const json_t *found = condition(site, type);
    if (!found)
        fail_msg("there is no condition %s", type);
    assert_string_equal(json_string_at(found, "/status"), status);
    assert_string_equal(json_string_at(found, "/reason"), reason);
    assert_non_null(json_string_at(found, "/lastTransitionTime"));
}

static void expect_message(const struct site *site, const char *type, const char *message)
{
    assert_string_equal(json_string_at(condition(site, type), "/message"), message);
}

static json_t *revision(const struct site *site, int number)
{
    char *path AUTO_FREE = str_format(REVISIONS "/web-v%d", number);
    return small_get(&site->server, path);
}

static const char *image_in(const json_t *revision)
{
    return json_string_at(revision, "/spec/application/spec/components/0/properties/image");
}

static void expect_latest(const struct site *site, int number)
{
    const json_t *object = small_get(&site->server, APPLICATION);
    const json_t *latest = json_at(object, "/status/latestRevision");
    char *name AUTO_FREE = str_format("web-v%d", number);
    char hash[HASH_HEX_SIZE];
    application_hash(object, hash);
    assert_string_equal(json_string_at(latest, "/name"), name);
    assert_int_equal(json_int_at(latest, "/revision", 0), number);
    assert_string_equal(json_string_at(latest, "/revisionHash"), hash);
    assert_string_equal(revision_hash(revision(site, number)), hash);
    assert_int_equal(json_int_at(object, "/status/observedGeneration", 0),
                     json_int_at(object, "/metadata/generation", -1));
    expect_condition(site, "Ready", "True", "Recorded");
}

static bool were_told(void *data)
{
    const struct site *site = data;
    return json_array_size(site->server.events) >= site->wanted_events;
}

/* So many Events in all, which take their own way and time. */
static void expect_events(struct site *site, size_t count)
{
    site->wanted_events = count;
    world_until(site->server.world, were_told, site);
    assert_int_equal(json_array_size(site->server.events), count);
}

/* One of them begins like this. */
static void expect_event(const struct site *site, const char *begin)
{
    size_t index;
    json_t *event;
    json_array_foreach (site->server.events, index, event) {
        if (strncmp(json_string_value(event), begin, strlen(begin)) == 0)
            return;
    }
    fail_msg("there is no Event %s", begin);
}

/* ── Recording ────────────────────────────────────────────────────────────────────────────── */

static void test_records(void **state)
{
    struct site *site = *state;
    apply(site, "app:1");
    settle(site);
    expect_latest(site, 1);
    expect_condition(site, "Rendered", "True", "Rendered");
    expect_message(site, "Ready", "recorded as web-v1");
    assert_string_equal(image_in(revision(site, 1)), "app:1");
    assert_non_null(json_at(revision(site, 1), "/spec/componentDefinitions/service/spec"));
    assert_int_equal(writes(site), 2);
    expect_events(site, 1);
    expect_event(site, "Normal RevisionRecorded: recorded as web-v1");
}

static void test_numbers_go_on(void **state)
{
    struct site *site = *state;
    static const char *const images[] = {"app:1", "app:2", "app:1"};
    for (int i = 0; i < 3; i++) {
        apply(site, images[i]);
        settle(site);
        expect_latest(site, i + 1);
        assert_string_equal(image_in(revision(site, i + 1)), images[i]);
    }
    assert_int_equal(writes(site), 6);
    expect_events(site, 3);
}

static void touch(struct site *site)
{
    json_t *object = json_deep_copy(small_get(&site->server, APPLICATION));
    json_put_take(object, "/metadata/labels/touched", json_sprintf("%d", site->server.version));
    small_put_take(&site->server, APPLICATION, object);
}

static void test_nothing_new_writes_nothing(void **state)
{
    struct site *site = *state;
    apply(site, "app:1");
    settle(site);
    touch(site);
    settle(site);
    controller_close(site);
    controller_open(site);
    settle(site);
    assert_int_equal(writes(site), 2);
    expect_events(site, 1);
    assert_int_equal(fake_render.asked, 1);
    assert_int_equal(small_count(&site->server, "GET " DEFINITION), 1);
}

/* Applying the same content again raises the generation at most. */
static void test_same_content_again(void **state)
{
    struct site *site = *state;
    apply(site, "app:1");
    settle(site);
    apply(site, "app:1");
    settle(site);
    expect_latest(site, 1);
    assert_null(revision(site, 2));
    assert_int_equal(small_count(&site->server, "POST " REVISIONS), 1);
    assert_int_equal(small_count(&site->server, "/events"), 1);
}

static void test_leaves_others_alone(void **state)
{
    struct site *site = *state;
    json_t *object = application("u1", json_pack("[o]", component("a", "service", "app:1")));
    json_remove_at(object, "/metadata/annotations");
    small_put_take(&site->server, APPLICATION, object);
    settle(site);
    object = json_deep_copy(small_get(&site->server, APPLICATION));
    json_put_take(object, "/metadata/annotations/app.oam.dev~1rollout-template",
                  json_string("false"));
    small_put_take(&site->server, APPLICATION, object);
    settle(site);
    object = json_deep_copy(small_get(&site->server, APPLICATION));
    json_put_take(object, "/metadata/annotations/app.oam.dev~1rollout-template",
                  json_string("true"));
    json_put_take(object, "/metadata/deletionTimestamp", json_string("2026-01-01T00:00:00Z"));
    small_put_take(&site->server, APPLICATION, object);
    settle(site);
    small_remove(&site->server, APPLICATION);
    settle(site);
    assert_int_equal(writes(site), 0);
    assert_int_equal(small_count(&site->server, SHOP), 0); /* not even a question */
}

/* What others have written into the status stays there. */
static void test_keeps_foreign_status(void **state)
{
    struct site *site = *state;
    json_t *object = application("u1", json_pack("[o]", component("a", "service", "app:1")));
    json_object_set_new(object, "status",
                        json_pack("{s:s, s:[{s:s, s:s}]}", "phase", "theirs", "conditions", "type",
                                  "Parsed", "status", "True"));
    small_put_take(&site->server, APPLICATION, object);
    settle(site);
    assert_string_equal(json_string_at(small_get(&site->server, APPLICATION), "/status/phase"),
                        "theirs");
    assert_non_null(condition(site, "Parsed"));
    expect_latest(site, 1);
}

static void test_several_components(void **state)
{
    struct site *site = *state;
    json_t *other = definition("Deployment");
    json_put_take(other, "/metadata/name", json_string("worker"));
    small_put_take(&site->server, OAM "/namespaces/vela-system/componentdefinitions/worker", other);
    apply_take(site,
               json_pack("[o, o, o]", component("a", "worker", "app:1"),
                         component("b", "service", "app:1"), component("c", "worker", "app:1")));
    settle(site);
    expect_latest(site, 1);
    assert_int_equal(json_object_size(json_at(revision(site, 1), "/spec/componentDefinitions")), 2);
    assert_int_equal(small_count(&site->server, "componentdefinitions/worker"), 2);
    assert_int_equal(small_count(&site->server, "componentdefinitions/service"), 1);
    assert_int_equal(fake_render.asked, 3);
}

/* ── Trouble that is the author's ─────────────────────────────────────────────────────────── */

static void test_invalid(void **state)
{
    struct site *site = *state;
    json_t *bad = component("frontend", "service", "app:1");
    json_object_set_new(bad, "traits", json_pack("[{s:s}]", "type", "scaler"));
    apply_take(site, json_pack("[o]", bad));
    settle(site);
    expect_condition(site, "Ready", "False", "InvalidApplication");
    expect_events(site, 1);
    expect_event(site, "Warning InvalidApplication: spec.components[0].traits: ");
    touch(site);
    settle(site);
    assert_int_equal(writes(site), 1);
    expect_events(site, 1);

    apply(site, "app:1");
    settle(site);
    expect_latest(site, 1);
    assert_int_equal(
        json_array_size(json_at(small_get(&site->server, APPLICATION), "/status/conditions")),
        2); /* Ready has turned, none was added beside it */
}

/* From bad back to what is recorded: nothing to record, but the trouble is over. */
static void test_invalid_and_back(void **state)
{
    struct site *site = *state;
    apply(site, "app:1");
    settle(site);
    apply_take(site, json_pack("[o, o]", component("a", "service", "app:1"),
                               component("a", "service", "app:1")));
    settle(site);
    expect_condition(site, "Ready", "False", "InvalidApplication");
    expect_condition(site, "Rendered", "True", "Rendered");
    apply(site, "app:1");
    settle(site);
    expect_latest(site, 1);
    assert_null(revision(site, 2));
    assert_int_equal(writes(site), 4);
}

/* A type becomes part of a path; it must not lead to anything but a definition. */
static void test_type_that_is_a_path(void **state)
{
    struct site *site = *state;
    apply_take(site, json_pack("[o]", component("a", "../../../../api/v1/secrets", "app:1")));
    settle(site);
    expect_condition(site, "Ready", "False", "InvalidApplication");
    assert_int_equal(small_count(&site->server, "GET " SHOP), 0);
    assert_int_equal(small_count(&site->server, "secrets"), 0);
}

static void test_missing_definition(void **state)
{
    struct site *site = *state;
    small_remove(&site->server, DEFINITION);
    apply(site, "app:1");
    settle(site);
    expect_condition(site, "Ready", "False", "DefinitionMissing");
    expect_message(site, "Ready",
                   "there is no ComponentDefinition service in namespace shop or vela-system; it "
                   "is waited for");
    expect_events(site, 1);
    expect_event(site, "Warning DefinitionMissing: ");
    touch(site);
    settle(site);
    assert_int_equal(writes(site), 1);

    small_put_take(&site->server, SHARED, definition("Deployment"));
    waiters_wake(&site->controller.application_waiters, "definition service",
                 site->controller.application_queue);
    settle(site);
    expect_latest(site, 1);
    assert_int_equal(site->controller.application_waiters.topics.count, 0);
}

/* It appears after we have looked, and before we have said so. */
static void test_definition_in_the_last_moment(void **state)
{
    struct site *site = *state;
    small_remove(&site->server, DEFINITION);
    site->server.fault = (struct fault){.part = "GET " SHARED, .times = 1};
    apply(site, "app:1");
    await_requests(site, "GET " SHARED, 1);
    small_put_take(&site->server, DEFINITION, definition("Deployment"));
    waiters_wake(&site->controller.application_waiters, "definition service",
                 site->controller.application_queue);
    fake_api_stop(site->server.world->api); /* the answer that never came: asked again */
    fake_api_start(site->server.world->api);
    settle(site);
    expect_latest(site, 1);
}

static void test_definition_gone_with_its_waiter(void **state)
{
    struct site *site = *state;
    small_remove(&site->server, DEFINITION);
    apply(site, "app:1");
    settle(site);
    assert_int_equal(site->controller.application_waiters.topics.count, 1);
    small_remove(&site->server, APPLICATION);
    settle(site);
    assert_int_equal(site->controller.application_waiters.topics.count, 0);
}

static void test_one_namespace_is_enough(void **state)
{
    struct site *site = *state;
    static char shop[] = "shop";
    site->config.definition_namespace = shop;
    small_remove(&site->server, DEFINITION);
    apply(site, "app:1");
    settle(site);
    expect_message(site, "Ready",
                   "there is no ComponentDefinition service in namespace shop; it is waited for");
}

/* A template that fails is told, and recorded all the same. */
static void test_render_failure(void **state)
{
    struct site *site = *state;
    error_at(&fake_render.err, ERR_INVALID, "parameter.image", "expected a text, found 3");
    apply(site, "app:1");
    settle(site);
    expect_latest(site, 1);
    expect_condition(site, "Rendered", "False", "RenderFailed");
    expect_message(site, "Rendered",
                   "component frontend: parameter.image: expected a text, found 3");
    expect_events(site, 2);
    expect_event(site, "Warning RenderFailed: component frontend: ");
    expect_event(site, "Normal RevisionRecorded");

    fake_render.err = (struct error){0};
    apply(site, "app:2");
    settle(site);
    expect_latest(site, 2);
    expect_condition(site, "Rendered", "True", "Rendered");
}

static void test_renderer_that_cannot_run(void **state)
{
    struct site *site = *state;
    error_set(&fake_render.err, ERR_RETRY, "the helper could not be started");
    apply(site, "app:1");
    settle(site);
    expect_latest(site, 1);
    expect_condition(site, "Rendered", "Unknown", "RendererUnavailable");
}

static void test_wrong_kind(void **state)
{
    struct site *site = *state;
    small_put_take(&site->server, DEFINITION, definition("StatefulSet"));
    apply(site, "app:1");
    settle(site);
    expect_latest(site, 1);
    expect_condition(site, "Rendered", "False", "RenderFailed");
}

/* ── Names that are taken ─────────────────────────────────────────────────────────────────── */

static json_t *earlier_revision(const char *image, const char *uid, int number)
{
    json_t *app AUTO_JSON =
        application(uid, json_pack("[o]", component("frontend", "service", image)));
    json_t *definitions AUTO_JSON = json_pack("{s:o}", "service", definition("Deployment"));
    return revision_build(app, definitions, number);
}

static void test_adopts_its_own_recording(void **state)
{
    struct site *site = *state;
    small_put_take(&site->server, REVISIONS "/web-v1", earlier_revision("app:0", "u1", 1));
    small_put_take(&site->server, REVISIONS "/web-v2", earlier_revision("app:1", "u1", 2));
    apply(site, "app:1");
    settle(site);
    expect_latest(site, 2);
    assert_null(revision(site, 3));
}

static void test_passes_by_what_is_taken(void **state)
{
    struct site *site = *state;
    small_put_take(&site->server, REVISIONS "/web-v1", earlier_revision("app:0", "u1", 1));
    apply(site, "app:1");
    settle(site);
    expect_latest(site, 2);
    assert_string_equal(image_in(revision(site, 1)), "app:0");
}

/* Deleted and made anew: the garbage collector is about to remove what the former one left. */
static void test_waits_for_the_end_of_former_revisions(void **state)
{
    struct site *site = *state;
    small_put_take(&site->server, REVISIONS "/web-v1", earlier_revision("app:1", "u0", 1));
    apply(site, "app:1");
    await_requests(site, "GET " REVISIONS "/web-v1", 2);
    assert_null(json_at(small_get(&site->server, APPLICATION), "/status/latestRevision"));
    small_remove(&site->server, REVISIONS "/web-v1");
    settle(site);
    expect_latest(site, 1);
    assert_string_equal(json_string_at(revision(site, 1), "/metadata/ownerReferences/0/uid"), "u1");
}

/* ── Interruptions ────────────────────────────────────────────────────────────────────────── */

/* Ends the controller in the middle of a request, carried out or not, and starts another. */
static void interrupt(struct site *site, const char *request, bool carried)
{
    site->server.fault = (struct fault){.part = request, .times = 1, .carried = carried};
    size_t before = small_count(&site->server, request);
    apply(site, "app:1");
    await_requests(site, request, before + 1);
    world_rest(site->server.world, 5);
    controller_close(site);
    fake_api_stop(site->server.world->api); /* what hangs ends, and nobody must be told */
    fake_api_start(site->server.world->api);
    world_rest(site->server.world, 5);
    controller_open(site);
    settle(site);
}

static void test_killed_anywhere(void **state)
{
    static const char *const steps[] = {"GET " DEFINITION, "POST " REVISIONS, STATUS};
    for (size_t i = 0; i < 3; i++) {
        for (int carried = 0; carried < 2; carried++) {
            void *own;
            setup(&own);
            struct site *site = own;
            interrupt(site, steps[i], carried);
            expect_latest(site, 1);
            assert_non_null(revision(site, 1));
            assert_null(revision(site, 2));
            teardown(&own);
        }
    }
}

static bool is_rendering(void *data)
{
    return fake_render.asked > 0;
}

static void test_killed_while_rendering(void **state)
{
    struct site *site = *state;
    fake_render.silent = true;
    apply(site, "app:1");
    world_until(site->server.world, is_rendering, site);
    controller_close(site);
    fake_render.silent = false;
    controller_open(site);
    settle(site);
    expect_latest(site, 1);
}

/* What others write while a pass goes on isn't overwritten with what it saw at its beginning. */
static void test_written_meanwhile(void **state)
{
    struct site *site = *state;
    fake_render.silent = true;
    apply(site, "app:1");
    world_until(site->server.world, is_rendering, site);
    json_t *object = json_deep_copy(small_get(&site->server, APPLICATION));
    json_object_set_new(
        object, "status",
        json_pack("{s:[{s:s, s:s}]}", "conditions", "type", "Parsed", "status", "True"));
    small_put_take(&site->server, APPLICATION, object);
    fake_render.silent = false;
    fake_render_answer(site->controller.renderer);
    settle(site);
    expect_latest(site, 1);
    assert_non_null(condition(site, "Parsed"));
    assert_null(revision(site, 2));
}

/* The answer is lost: nobody knows whether it was carried out. */
static void test_fate_unknown(void **state)
{
    struct site *site = *state;
    site->server.fault =
        (struct fault){.part = "POST " REVISIONS, .times = 1, .status = 500, .carried = true};
    apply(site, "app:1");
    settle(site);
    expect_latest(site, 1);
    assert_null(revision(site, 2));
}

static void test_conflict(void **state)
{
    struct site *site = *state;
    site->server.fault = (struct fault){.part = STATUS, .times = 1, .status = 409};
    apply(site, "app:1");
    settle(site);
    expect_latest(site, 1);
    assert_null(revision(site, 2));
    expect_events(site, 1);
}

static void test_deleted_meanwhile(void **state)
{
    struct site *site = *state;
    site->server.fault = (struct fault){.part = STATUS, .times = 1, .status = 404};
    apply(site, "app:1");
    settle(site);
    assert_int_equal(small_count(&site->server, STATUS), 1);
    expect_events(site, 0);
}

/* A right that is missing is told once, and tried again until it is there. */
static void test_denied(void **state)
{
    struct site *site = *state;
    site->server.fault = (struct fault){.part = "POST " REVISIONS, .times = 3, .status = 403};
    apply(site, "app:1");
    await_requests(site, "POST " REVISIONS, 3);
    expect_condition(site, "Ready", "False", "RecordingFailed");
    assert_int_equal(small_count(&site->server, STATUS), 1);
    settle(site);
    expect_latest(site, 1);
    expect_events(site, 2);
    expect_event(site, "Warning RecordingFailed: POST ");
    assert_int_equal(small_count(&site->server, STATUS), 2);
}

#define SITE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SITE(test_records),
        SITE(test_numbers_go_on),
        SITE(test_nothing_new_writes_nothing),
        SITE(test_same_content_again),
        SITE(test_leaves_others_alone),
        SITE(test_keeps_foreign_status),
        SITE(test_several_components),
        SITE(test_invalid),
        SITE(test_invalid_and_back),
        SITE(test_type_that_is_a_path),
        SITE(test_missing_definition),
        SITE(test_definition_in_the_last_moment),
        SITE(test_definition_gone_with_its_waiter),
        SITE(test_one_namespace_is_enough),
        SITE(test_render_failure),
        SITE(test_renderer_that_cannot_run),
        SITE(test_wrong_kind),
        SITE(test_adopts_its_own_recording),
        SITE(test_passes_by_what_is_taken),
        SITE(test_waits_for_the_end_of_former_revisions),
        cmocka_unit_test(test_killed_anywhere),
        SITE(test_killed_while_rendering),
        SITE(test_written_meanwhile),
        SITE(test_fate_unknown),
        SITE(test_conflict),
        SITE(test_deleted_meanwhile),
        SITE(test_denied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
