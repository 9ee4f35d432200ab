// SPDX-License-Identifier: Apache-2.0
#include "cli/simulation.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "cli/own_kinds.h"
#include "cli/resource.h"
#include "cli/restart.h"
#include "cli/workload.h"
#include "config/document.h"

#include <stdlib.h>
#include <string.h>

/* So long nothing must have happened. The longest that a controller waits without a plan's saying
 * so is a minute. */
enum { QUIET_MS = 10 * 60 * 1000, SECOND_MS = 1000 };

#define PERSON      "kubectl/sluice"
#define DEFINITIONS "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"

/* ── Playing ──────────────────────────────────────────────────────────────────────────────── */

static int play(struct simulation *simulation, int64_t ms, struct error *err)
{
    static const bool never;
    int code = loop_run_until(simulation->loop, &never, ms, err);
    return code == ERR_RETRY ? OK : code;
}

/* Without what watches need to stay open: that is one controller's, whatever it has to do. */
static struct load_share share_now(const struct simulation *simulation)
{
    struct cluster_counts counts = cluster_counts(simulation->cluster);
    return (struct load_share){counts.reads - counts.watch_reads, counts.writes,
                               counts.watch_events - counts.bookmarks};
}

/* The same, with what the controller asked for in each second. */
static int play_counted(struct simulation *simulation, int64_t ms, struct error *err)
{
    int code = OK;
    for (int64_t played = 0; played < ms && code == OK; played += SECOND_MS) {
        int64_t left = ms - played;
        code = play(simulation, left < SECOND_MS ? left : SECOND_MS, err);
        struct load_share now = share_now(simulation), *was = &simulation->share;
        load_add(simulation->load, simulation->second++,
                 (struct load_share){now.reads - was->reads, now.writes - was->writes,
                                     now.events - was->events});
        *was = now;
    }
    return code;
}

void simulation_count(struct simulation *simulation, struct load *load)
{
    simulation->load = load;
    simulation->second = 0;
    simulation->share = share_now(simulation);
}

/* Is something going to happen before that, by the cluster's controllers or by a plan's times? */
static bool is_busy(const struct simulation *simulation, int64_t deadline_ms)
{
    int64_t wake_in_ms = simulation->wake_at_ms - clock_wall_ms();
    return sandbox_is_busy(simulation->sandbox, deadline_ms) ||
           (wake_in_ms >= 0 && clock_monotonic_ms() + wake_in_ms < deadline_ms);
}

int simulation_rest(struct simulation *simulation, struct error *err)
{
    int64_t revision, left, deadline = clock_monotonic_ms() + simulation->options.limit_ms;
    do {
        revision = sandbox_revision(simulation->sandbox);
        left = deadline - clock_monotonic_ms();
        if (left <= 0)
            return error_set(err, ERR_LIMIT, "after %lld s it hasn't come to rest",
                             (long long)(simulation->options.limit_ms / 1000));
        left = left < simulation->quiet_ms ? left : simulation->quiet_ms;
        int code =
            simulation->load ? play_counted(simulation, left, err) : play(simulation, left, err);
        if (code < 0)
            return code;
    } while (sandbox_revision(simulation->sandbox) != revision || is_busy(simulation, deadline));
    return OK;
}

/* ── The witness ──────────────────────────────────────────────────────────────────────────── */

static void on_decision(void *data, const struct witnessed *what)
{
    struct simulation *simulation = data;
    if (what->decision->wake_at_ms > simulation->wake_at_ms)
        simulation->wake_at_ms = what->decision->wake_at_ms;
    if (simulation->options.on_decision)
        simulation->options.on_decision(simulation->options.data, what);
    else
        timeline_decision(&simulation->timeline, what);
}

static int on_hook(void *data, const char *kind, const struct hook_spec *spec)
{
    struct simulation *simulation = data;
    bool passes = !str_equal(simulation->options.rejecting, spec->hook->name);
    if (!simulation->options.on_decision)
        timeline_hook(&simulation->timeline, kind, spec, passes);
    return passes ? HOOK_PASSED : HOOK_REJECTED;
}

/* ── Opening ──────────────────────────────────────────────────────────────────────────────── */

/* What is late by a rule is waited for as well. */
static int64_t longest_delay_ms(const json_t *faults)
{
    const json_t *rules = json_object_get(faults, "faults");
    double longest = json_number_value(json_object_get(faults, "seconds"));
    size_t i;
    json_t *rule;
    json_array_foreach (rules, i, rule) {
        double seconds = json_number_value(json_object_get(rule, "seconds"));
        longest = seconds > longest ? seconds : longest;
    }
    return (int64_t)(longest * SECOND_MS);
}

void simulation_spoil(struct simulation *simulation)
{
    struct error never;
    sandbox_spare(simulation->sandbox, PERSON);
    sandbox_set_faults(simulation->sandbox, simulation->options.faults, &never);
    sandbox_stick(simulation->sandbox, simulation->options.stuck_pod);
    simulation->spoilt = simulation->options.faults;
}

/* Who writes is told apart by the managers of fields, and those by the agent. */
static int connect_as(struct simulation *simulation, const char *agent,
                      struct cluster **ret_cluster, struct error *err)
{
    const struct cluster_options options = {.user_agent = agent,
                                            .carrier = sandbox_carrier(simulation->sandbox)};
    return cluster_new_take(simulation->loop, access_inside(), &options, ret_cluster, err);
}

static int open_cluster(struct simulation *simulation, struct error *err)
{
    const struct sandbox_options options = {.runs_pods = true,
                                            .ready_after_ms = simulation->options.ready_after_ms,
                                            .openkruise = true,
                                            .history = simulation->options.history};
    int code = loop_new(&simulation->loop, err);
    if (code == OK)
        code = sandbox_new(simulation->loop, &options, &simulation->sandbox, err);
    if (code == OK)
        code = connect_as(simulation, PERSON, &simulation->person.cluster, err);
    if (code == OK)
        code = connect_as(simulation, "sluice/" SLUICE_VERSION, &simulation->cluster, err);
    simulation->person.loop = simulation->loop;
    simulation->person.ns = simulation->options.ns;
    return code;
}

int simulation_ask(struct simulation *simulation, const char *method, const char *path,
                   const char *content_type, const json_t *body, struct error *err)
{
    char *text AUTO_FREE = json_text(body);
    json_t *answer AUTO_JSON = NULL;
    const struct call_spec spec = {
        .method = method, .path = path, .content_type = content_type, .body = text};
    return session_call(&simulation->person, &spec, &answer, err);
}

int simulation_make_namespace(struct simulation *simulation, const char *name, struct error *err)
{
    json_t *object AUTO_JSON = json_pack("{s:s, s:s, s:{s:s}}", "apiVersion", "v1", "kind",
                                         "Namespace", "metadata", "name", name);
    int code = simulation_ask(simulation, "POST", "/api/v1/namespaces", NULL, object, err);
    return code == ERR_CONFLICT ? OK : code;
}

/* Sluice's own definitions, as deploy/crds has them. */
static int define_own_kinds(struct simulation *simulation, struct error *err)
{
    struct document_stream stream;
    struct document document;
    document_stream_of("deploy/crds", own_kinds, &stream);
    int code;
    while ((code = document_stream_next(&stream, &document, err)) == OK) {
        json_t *definition AUTO_JSON = NULL;
        code = document_json(&document, document_root(&document), &definition, err);
        document_done(&document);
        if (code == OK)
            code = simulation_ask(simulation, "POST", DEFINITIONS, NULL, definition, err);
        if (code < 0)
            break;
    }
    document_stream_close(&stream);
    return code == ERR_MISSING ? OK : code;
}

static void open_controller(struct simulation *simulation)
{
    const struct config *config = simulation->options.config;
    const struct witness witness = {on_decision, on_hook, simulation};
    simulation->controller = controller_new_take(
        simulation->cluster,
        adapters_load(config->adapter_directory, config->adapters, config->adapter_count), config);
    controller_tell(simulation->controller, &witness);
}

int simulation_open(const struct simulation_options *options, struct simulation *ret_simulation,
                    struct error *err)
{
    struct simulation *simulation = ret_simulation;
    *simulation = (struct simulation){.options = *options,
                                      .quiet_ms = QUIET_MS + longest_delay_ms(options->faults)};
    timeline_init(&simulation->timeline);
    clock_make_virtual(clock_wall_ms());
    int code = open_cluster(simulation, err);
    if (code == OK)
        code = define_own_kinds(simulation, err);
    if (code == OK)
        code = simulation_make_namespace(simulation, options->config->definition_namespace, err);
    if (code < 0)
        return code;
    open_controller(simulation);
    return simulation_rest(simulation, err);
}

void simulation_close(struct simulation *simulation)
{
    controller_free(simulation->controller);
    cluster_free(simulation->cluster);
    cluster_free(simulation->person.cluster);
    sandbox_free(simulation->sandbox);
    loop_free(simulation->loop);
    timeline_done(&simulation->timeline);
}

/* ── Steps ────────────────────────────────────────────────────────────────────────────────── */

int simulation_rollouts(struct simulation *simulation, struct found_list *ret_list,
                        struct error *err)
{
    struct session everywhere = simulation->person;
    everywhere.ns = NULL;
    return rollouts_list(&everywhere, ret_list, err);
}

/* "Deployment default/web"; the caller frees it. */
static char *label_of(const struct simulation *simulation, const json_t *object)
{
    const char *ns = json_string_at(object, "/metadata/namespace");
    return str_format("%s %s/%s", json_string_at(object, "/kind"), ns ? ns : simulation->options.ns,
                      json_string_at(object, "/metadata/name"));
}

static void step_begin(struct simulation *simulation, const char *did, const json_t *object,
                       const char *words)
{
    char *label AUTO_FREE = label_of(simulation, object);
    simulation->writes = cluster_counts(simulation->cluster).writes;
    timeline_step(&simulation->timeline, did, label, words);
}

static int tell_stands(struct simulation *simulation, struct error *err)
{
    struct found_list list = {0};
    int code = simulation_rollouts(simulation, &list, err);
    for (size_t i = 0; i < list.count; i++) {
        struct rollout_view view;
        rollout_view_open(list.items[i].kind, list.items[i].object, clock_wall_ms(), &view);
        timeline_stand(&simulation->timeline, &view);
        rollout_view_done(&view);
    }
    found_list_done(&list);
    return code;
}

/* All that follows, whether it comes to an end or not. */
static int step_play(struct simulation *simulation, struct error *err)
{
    struct error ignored;
    int code = simulation_rest(simulation, err);
    timeline_end(&simulation->timeline,
                 cluster_counts(simulation->cluster).writes - simulation->writes);
    if (simulation->spoilt)
        timeline_faults_take(&simulation->timeline, sandbox_faults(simulation->sandbox));
    int told = tell_stands(simulation, code < 0 ? &ignored : err);
    return code < 0 ? code : told;
}

int simulation_put(struct simulation *simulation, const char *path, const json_t *object,
                   struct error *err)
{
    char *address AUTO_FREE = str_format("%s?fieldManager=kubectl&force=true", path);
    return simulation_ask(simulation, "PATCH", address, PATCH_APPLY, object, err);
}

int simulation_apply(struct simulation *simulation, const json_t *object, struct error *err)
{
    const char *ns = json_string_at(object, "/metadata/namespace");
    const struct resource resource = {.api_version = json_string_at(object, "/apiVersion"),
                                      .kind = json_string_at(object, "/kind"),
                                      .ns = ns ? ns : simulation->options.ns,
                                      .name = json_string_at(object, "/metadata/name")};
    char *path AUTO_FREE = NULL;
    if (!resource.name)
        return error_set(err, ERR_INVALID, "metadata.name: expected a name, found nothing");
    int code = resource_path(&simulation->person, &resource, &path, err);
    if (code == OK)
        code = simulation_make_namespace(simulation, resource.ns, err);
    if (code < 0)
        return code;
    step_begin(simulation, "applied", object, NULL);
    code = simulation_put(simulation, path, object, err);
    if (code < 0)
        timeline_undo(&simulation->timeline);
    return code < 0 ? code : step_play(simulation, err);
}

/* NULL: it waits for nobody. */
static prepare_fn *way_of(const struct rollout_view *view, const char **ret_did)
{
    for (size_t i = 0; i < view->part_count; i++) {
        enum reason_code code = view->parts[i].status.reason.code;
        *ret_did = code == REASON_PAUSED ? "resumed" : "approved";
        if (code == REASON_PAUSED)
            return prepare_resume;
        if (code == REASON_PARTITION_REACHED)
            return prepare_approve;
    }
    return NULL;
}

int simulation_way_on(const struct found *found, struct way_on *ret_way, struct error *err)
{
    struct rollout_view view;
    const char *did;
    int code = OK;
    *ret_way = (struct way_on){.patch = json_array()};
    rollout_view_open(found->kind, found->object, clock_wall_ms(), &view);
    prepare_fn *prepare = way_of(&view, &did);
    if (prepare)
        code = prepare(&view, ret_way->patch, &ret_way->words, err);
    if (prepare && code == OK) {
        ret_way->did = did;
        ret_way->path = object_path(&found->kind->info, view.rollout.ns, view.rollout.name, NULL);
    }
    rollout_view_done(&view);
    return code;
}

void way_on_done(struct way_on *way)
{
    text_done(&way->words);
    json_decref(way->patch);
    free(way->path);
}

static int approve_one(struct simulation *simulation, const struct found *found, bool *ret_done,
                       struct error *err)
{
    struct way_on way;
    int code = simulation_way_on(found, &way, err);
    if (way.did) {
        step_begin(simulation, way.did, found->object, way.words.at);
        code = simulation_ask(simulation, "PATCH", way.path, PATCH_JSON, way.patch, err);
        *ret_done = true;
    }
    way_on_done(&way);
    return code;
}

/* One after the other, so that each is a step of its own. */
int simulation_approve(struct simulation *simulation, bool *ret_done, struct error *err)
{
    struct found_list list = {0};
    int code = simulation_rollouts(simulation, &list, err);
    *ret_done = false;
    for (size_t i = 0; i < list.count && code == OK && !*ret_done; i++)
        code = approve_one(simulation, &list.items[i], ret_done, err);
    found_list_done(&list);
    return code == OK && *ret_done ? step_play(simulation, err) : code;
}

static int restart(struct simulation *simulation, const struct rollout_view *view,
                   const struct workload *workload, struct error *err)
{
    struct text words AUTO(text_done) = {0};
    json_t *patch AUTO_JSON = json_array();
    int code = restart_prepare(view, workload->object, patch, &words, err);
    if (code < 0)
        return code;
    step_begin(simulation, "restarted", view->object, words.at);
    code = simulation_ask(simulation, "PATCH", workload->path, PATCH_JSON, patch, err);
    return code < 0 ? code : step_play(simulation, err);
}

int simulation_restart(struct simulation *simulation, const json_t *rollout, struct error *err)
{
    const struct rollout_kind *kind =
        rollout_kind_of(json_string_at(rollout, "/apiVersion"), json_string_at(rollout, "/kind"));
    struct rollout_view view;
    struct workload workload = {0};
    rollout_view_open(kind, rollout, clock_wall_ms(), &view);
    int code = workload_read(&simulation->person, rollout, &workload, err);
    if (code == OK)
        code = restart(simulation, &view, &workload, err);
    workload_done(&workload);
    rollout_view_done(&view);
    return code;
}

/* ── Ends ─────────────────────────────────────────────────────────────────────────────────── */

static bool waits_for_person(const struct rollout_status *status)
{
    return status->reason.code == REASON_PARTITION_REACHED || status->reason.code == REASON_PAUSED;
}

enum end simulation_end(const json_t *rollout)
{
    struct rollout_status status;
    approllout_status_read(rollout, NULL, &status);
    if (status.rolling == ROLLING_FAILED)
        return END_FAILED;
    if (status.rolling == ROLLING_SUCCEEDED)
        return END_SUCCEEDED;
    return waits_for_person(&status) ? END_WAITING : END_STOPPED;
}
