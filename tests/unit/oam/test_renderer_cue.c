// SPDX-License-Identifier: Apache-2.0
/* From a recorded Application to the workload to apply, through the real CUE engine. SLUICE_CUE is
 * the helper, TEMPLATES a folder of templates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"
#include "oam/renderer.h"
#include "oam/revision.h"
#include "samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

enum { SOON_MS = 30000, TIMEOUT_MS = 3000 };

static struct loop *loop;
static struct renderer *renderer;

static int setup(void **state)
{
    struct error err = {0};
    int code = loop_new(&loop, &err);
    struct renderer_options options = {getenv("SLUICE_CUE"), TIMEOUT_MS, SOON_MS, 256 << 20};
    if (code == OK)
        renderer = renderer_new(loop, &options);
    return code;
}

static int teardown(void **state)
{
    renderer_free(renderer);
    loop_free(loop);
    return 0;
}

struct outcome {
    bool done;
    json_t *output;
    struct error err;
};

static void on_rendered(void *data, const struct render_result *result)
{
    struct outcome *outcome = data;
    outcome->done = true;
    outcome->output = json_deep_copy(result->output);
    outcome->err = *result->err;
}

static void render(const json_t *revision, const char *component, struct outcome *outcome)
{
    struct render_input input;
    struct error err = {0};
    *outcome = (struct outcome){0};
    if (revision_component(revision, component, &input, &err) < 0)
        fail_msg("%s", err.text);
    renderer_render(renderer, input.template, input.context, input.parameter, on_rendered, outcome);
    render_input_done(&input);
    if (loop_run_until(loop, &outcome->done, SOON_MS, &err) < 0)
        fail_msg("%s", err.text);
}

static json_t *template_from(const char *name)
{
    char *path AUTO_FREE = str_format("%s/%s", getenv("TEMPLATES"), name);
    struct text AUTO(text_done) text = {0};
    char piece[4096];
    size_t count;
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while ((count = fread(piece, 1, sizeof piece, file)) > 0)
        text_add(&text, piece, count);
    fclose(file);
    return json_string(text.at);
}

/* The sample's revision with another template. */
static json_t *revision_with(json_t *template_taken)
{
    json_t *revision = sample_revision(2);
    json_put_take(revision,
                  "/spec/componentDefinitions/clonesetservice/spec/schematic/cue/template",
                  template_taken);
    return revision;
}

static void assert_fails(json_t *template_taken, int code, const char *words)
{
    json_t *revision AUTO_JSON = revision_with(template_taken);
    struct outcome outcome;
    render(revision, "web", &outcome);
    assert_null(outcome.output);
    assert_int_equal(outcome.err.code, code);
    if (!strstr(outcome.err.text, words))
        fail_msg("\"%s\" lacks \"%s\"", outcome.err.text, words);
}

static void test_from_application_to_workload(void **state)
{
    json_t *revision AUTO_JSON = revision_with(template_from("clonesetservice.cue"));
    json_t *workload AUTO_JSON = NULL;
    struct outcome outcome;
    struct error err = {0};
    render(revision, "web", &outcome);
    if (outcome.err.code)
        fail_msg("%s", outcome.err.text);
    assert_int_equal(
        workload_finish(revision, "web", outcome.output, "prod/roll u", &workload, &err), OK);
    json_decref(outcome.output);
    assert_string_equal(json_string_at(workload, "/kind"), "CloneSet");
    assert_string_equal(json_string_at(workload, "/metadata/name"), "web");
    assert_int_equal(json_int_at(workload, "/spec/replicas", 0), 5);
    assert_string_equal(json_string_at(workload, "/spec/template/spec/containers/0/image"),
                        "web:1");
    assert_int_equal(
        json_int_at(workload, "/spec/template/spec/containers/0/ports/0/containerPort", 0), 80);
    assert_null(json_at(workload, "/spec/template/metadata/labels/app.oam.dev~1appRevision"));
}

/* The names that KubeVela gives, as a template sees them. */
static void test_context(void **state)
{
    json_t *revision AUTO_JSON = revision_with(
        json_string("output: {apiVersion: \"v1\", kind: \"X\", metadata: annotations: {"
                    "n: context.name, ns: context.namespace, a: context.appName, "
                    "r: context.appRevision, i: \"\\(context.appRevisionNum)\", "
                    "c: context.revision, t: context.appLabels.team}}"));
    struct outcome outcome;
    render(revision, "web", &outcome);
    json_t *wanted AUTO_JSON = sample_json("{'n':'web','ns':'prod','a':'shop','r':'shop-v2',"
                                           "'i':'2','c':'web-v2','t':'blue'}");
    assert_true(json_equal(json_at(outcome.output, "/metadata/annotations"), wanted));
    json_decref(outcome.output);
}

static void test_nul_in_a_text(void **state)
{
    json_t *revision AUTO_JSON =
        revision_with(json_string("output: {apiVersion: \"v1\", kind: \"X\", a: \"x\\u0000y\"}"));
    struct outcome outcome;
    render(revision, "web", &outcome);
    assert_int_equal(outcome.err.code, OK);
    assert_int_equal(json_string_length(json_at(outcome.output, "/a")), 3);
    json_decref(outcome.output);
}

static void test_bad_templates(void **state)
{
    assert_fails(json_string("output: {"), ERR_INVALID, "template line 1");
    assert_fails(json_string("other: {}"), ERR_INVALID, "output");
    assert_fails(json_string("output: {a: 1} & {a: 2}"), ERR_INVALID, "conflicting values");
    assert_fails(json_string("parameter: {image: int}\noutput: {apiVersion: \"v1\", kind: \"X\", "
                             "a: parameter.image}"),
                 ERR_INVALID, "parameter \"image\": expected int, found \"web:1\"");
    assert_fails(json_string("parameter: {cpu: string}\noutput: {apiVersion: \"v1\", kind: \"X\", "
                             "a: parameter.cpu}"),
                 ERR_INVALID, "parameter \"cpu\": required");
}

/* The next request finds a renderer again, whatever the one before did to it. */
static void test_templates_that_explode(void **state)
{
    assert_fails(template_from("explodes-in-memory.cue"), ERR_INVALID, "memory");
    test_context(state);
    assert_fails(template_from("explodes-in-time.cue"), ERR_INVALID,
                 "rendering took longer than 3 s");
    test_context(state);
}

enum { SKIPPED = 77 };

int main(void)
{
    /* valgrind knows no pidfds. */
    int pidfd = pidfd_open(getpid(), 0);
    if (pidfd < 0)
        return SKIPPED;
    close(pidfd);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_from_application_to_workload, setup, teardown),
        cmocka_unit_test_setup_teardown(test_context, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nul_in_a_text, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_templates, setup, teardown),
        cmocka_unit_test_setup_teardown(test_templates_that_explode, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
