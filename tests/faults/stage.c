// SPDX-License-Identifier: Apache-2.0
#include "stage.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "cli/own_kinds.h"
#include "config/document.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { QUIET_MS = 10 * 60 * 1000, BUSY_MS = 60 * 60 * 1000, READY_AFTER_MS = 5000 };

static const int64_t START_MS = 1700000000000;

#define DEFINITIONS "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"

void give_up(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    _exit(3);
}

static void must(int code, const struct error *err)
{
    if (code < 0)
        give_up("%s", err->text);
}

/* ── Making it ────────────────────────────────────────────────────────────────────────────── */

static void choose_adapters(struct config *config, const char *plugins)
{
    static const char *const names[] = {"cloneset", "daemonset", "deployment", "statefulset"};
    enum { NAMES = sizeof names / sizeof *names };
    *config = config_defaults();
    config->adapters = mem_alloc(NAMES * sizeof *config->adapters);
    config->adapter_count = NAMES;
    for (size_t i = 0; i < NAMES; i++)
        config->adapters[i] =
            (struct adapter_entry){.name = str_copy(names[i]),
                                   .file = str_format("%s/%s/%s.so", plugins, names[i], names[i]),
                                   .isolation = ISOLATION_IN_PROCESS};
}

static void connect_as(struct stage *stage, const char *agent, struct carrier carrier,
                       struct cluster **ret_cluster)
{
    const struct cluster_options options = {.user_agent = agent, .carrier = carrier};
    struct error err = {0};
    must(cluster_new_take(stage->loop, access_inside(), &options, ret_cluster, &err), &err);
}

int stage_ask(struct stage *stage, const char *method, const char *path, const char *content_type,
              const json_t *body, json_t **ret_answer)
{
    char *text AUTO_FREE = body ? json_text(body) : NULL;
    json_t *answer = NULL;
    struct error err = {0};
    const struct call_spec spec = {
        .method = method, .path = path, .content_type = content_type, .body = text};
    int code = session_call(&stage->person, &spec, &answer, &err);
    if (ret_answer)
        *ret_answer = answer;
    else
        json_decref(answer);
    return code;
}

static void define_own_kinds(struct stage *stage)
{
    struct document_stream stream;
    struct document document;
    struct error err = {0};
    document_stream_of("deploy/crds", own_kinds, &stream);
    int code;
    while ((code = document_stream_next(&stream, &document, &err)) == OK) {
        json_t *definition AUTO_JSON = NULL;
        must(document_json(&document, document_root(&document), &definition, &err), &err);
        document_done(&document);
        if (stage_ask(stage, "POST", DEFINITIONS, NULL, definition, NULL) < 0)
            give_up("a definition is refused");
    }
    document_stream_close(&stream);
    if (code != ERR_MISSING)
        give_up("%s", err.text);
}

static void on_decision(void *data, const struct witnessed *what)
{
    struct stage *stage = data;
    if (what->decision->wake_at_ms > stage->wake_at_ms)
        stage->wake_at_ms = what->decision->wake_at_ms;
}

/* The stage's witness answers hooks by whom it was given; both get what they need by this. */
static int (*answer_hook)(void *data, const char *kind, const struct hook_spec *spec);
static void *answer_data;

static int on_hook(void *data, const char *kind, const struct hook_spec *spec)
{
    (void)data;
    return answer_hook ? answer_hook(answer_data, kind, spec) : HOOK_PASSED;
}

void stage_start(struct stage *stage)
{
    const struct config *config = &stage->config;
    connect_as(stage, "sluice/" SLUICE_VERSION, unreliable_carrier(&stage->unreliable),
               &stage->cluster);
    stage->unreliable.dead = false;
    stage->controller = controller_new_take(
        stage->cluster,
        adapters_load(config->adapter_directory, config->adapters, config->adapter_count), config);
    controller_tell(stage->controller, &stage->witness);
    stage->starts++;
}

void stage_stop(struct stage *stage)
{
    stage->unreliable.dead = true;
    controller_free(stage->controller);
    cluster_free(stage->cluster);
    stage->controller = NULL;
    stage->cluster = NULL;
}

void stage_open(struct stage *stage, const char *plugins, struct random *random,
                int (*hook)(void *data, const char *kind, const struct hook_spec *spec), void *data)
{
    static const char *const people = "kubectl/sluice";
    const struct sandbox_options options = {
        .runs_pods = true, .ready_after_ms = READY_AFTER_MS, .openkruise = true};
    struct error err = {0};
    *stage = (struct stage){0};
    stage->witness = (struct witness){on_decision, on_hook, stage};
    answer_hook = hook;
    answer_data = data;
    choose_adapters(&stage->config, plugins);
    clock_make_virtual(START_MS);
    must(loop_new(&stage->loop, &err), &err);
    must(sandbox_new(stage->loop, &options, &stage->sandbox, &err), &err);
    unreliable_init(&stage->unreliable, stage->loop, sandbox_carrier(stage->sandbox), random);
    connect_as(stage, people, sandbox_carrier(stage->sandbox), &stage->person.cluster);
    stage->person.loop = stage->loop;
    stage->person.ns = "default";
    define_own_kinds(stage);
    json_t *ns AUTO_JSON = json_pack("{s:s, s:s, s:{s:s}}", "apiVersion", "v1", "kind", "Namespace",
                                     "metadata", "name", stage->config.definition_namespace);
    stage_ask(stage, "POST", "/api/v1/namespaces", NULL, ns, NULL);
    stage_start(stage);
}

void stage_close(struct stage *stage)
{
    if (stage->controller)
        stage_stop(stage);
    unreliable_done(&stage->unreliable);
    cluster_free(stage->person.cluster);
    sandbox_free(stage->sandbox);
    loop_free(stage->loop);
    config_done(&stage->config);
}

/* ── Playing ──────────────────────────────────────────────────────────────────────────────── */

void stage_play(struct stage *stage, const bool *done, int64_t ms)
{
    struct error err = {0};
    int code = loop_run_until(stage->loop, done, ms, &err);
    if (code < 0 && code != ERR_RETRY)
        give_up("%s", err.text);
}

static bool is_busy(const struct stage *stage)
{
    int64_t wake_in_ms = stage->wake_at_ms - clock_wall_ms();
    return sandbox_is_busy(stage->sandbox, clock_monotonic_ms() + BUSY_MS) ||
           (wake_in_ms >= 0 && wake_in_ms < BUSY_MS);
}

bool stage_rest(struct stage *stage, int64_t limit_ms)
{
    static const bool never;
    int64_t revision, deadline = clock_monotonic_ms() + limit_ms;
    do {
        if (clock_monotonic_ms() > deadline)
            return false;
        revision = sandbox_revision(stage->sandbox);
        stage_play(stage, &never, QUIET_MS);
    } while (sandbox_revision(stage->sandbox) != revision || is_busy(stage));
    return true;
}
