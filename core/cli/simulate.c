// SPDX-License-Identifier: Apache-2.0
/* `sluice simulate`: what files lead to, in virtual time. */
#include "base/alloc.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/cli.h"
#include "cli/fleet.h"
#include "cli/manifest.h"
#include "cli/number.h"
#include "cli/output.h"
#include "cli/own_config.h"
#include "cli/rollout_kinds.h"
#include "cli/session.h"
#include "cli/simulation.h"
#include "config/document.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Copies in a wave: many enough that what a simulation costs by itself doesn't count, few enough
 * that its objects stay near the processor. */
enum { WAVE = 100 };

enum { READY_AFTER_MS = 10 * 1000, LIMIT_MS = 24 * 3600 * 1000 };

static const struct flag flag_ready_after = {
    .name = "ready-after",
    .value = "TIME",
    .text = "what a pod takes to get ready: 0s, 90s, 15m (default: 10s)",
};
static const struct flag flag_stuck_pod = {
    .name = "stuck-pod",
    .value = "N",
    .text = "the Nth pod that starts in the last step never gets ready",
};
static const struct flag flag_faults = {
    .name = "faults",
    .value = "FILE",
    .text = "what goes wrong in the last step: rules as sluice-sandbox takes them, in YAML or JSON",
};
static const struct flag flag_reject = {
    .name = "reject",
    .value = "HOOK",
    .text = "the webhook of this name says no",
};
static const struct flag flag_approve = {
    .name = "approve",
    .text = "go through what waits for a person: batchPartition and paused",
};
static const struct flag flag_limit = {
    .name = "timeout",
    .value = "TIME",
    .text = "how much virtual time each step may take: 90s, 15m, 2h (default: 24h)",
};
static const struct flag flag_fleet = {
    .name = "fleet",
    .value = "N",
    .text = "N copies at once, each in namespaces of its own, and what they ask of the API",
};
static const struct flag flag_every = {
    .name = "every",
    .text = "with --fleet: play each copy, however many there are",
};
static const struct flag flag_wave = {
    .name = "wave",
    .value = "N",
    .text = "with --fleet: how many copies are played together (default: 100)",
};
static const struct flag flag_own_config = {
    .name = "config",
    .letter = 'f',
    .value = "FILE",
    .text = "settings and adapters (default: all that come with Sluice)",
};
static const struct flag flag_own_namespace = {
    .name = "namespace",
    .letter = 'n',
    .value = "NAME",
    .text = "the namespace of objects that name none (default: default)",
};
static const struct flag flag_timeline_output = {
    .name = "output",
    .letter = 'o',
    .value = "FORMAT",
    .text = "json or yaml",
    .choices = (const char *const[]){"json", "yaml", NULL},
};

/* The files, object by object. */
struct input {
    struct manifests *files;
    json_t *objects; /* array */
    char **places;   /* "file:12:1", of each */
    size_t rollouts;
};

struct run {
    const struct arguments *arguments;
    struct simulation simulation;
    const struct input *input;
    int copies;   /* of all; 0: it isn't a fleet */
    int wave;     /* of which so many are played together */
    size_t shown; /* steps */
};

/* ---- the files ---- */

static void input_done(struct input *input, int file_count)
{
    for (size_t i = 0; i < json_array_size(input->objects); i++)
        free(input->places[i]);
    free(input->places);
    json_decref(input->objects);
    for (int i = 0; i < file_count; i++)
        manifests_done(&input->files[i]);
    free(input->files);
}

static int input_add(struct input *input, struct manifest *manifest, struct error *err)
{
    json_t *object = NULL;
    int code = manifest_object(manifest, &object, err);
    if (code < 0)
        return code;
    size_t count = json_array_size(input->objects);
    input->places = mem_grow(input->places, (count + 1) * sizeof *input->places);
    input->places[count] = manifest_place(manifest, "");
    json_array_append_new(input->objects, object);
    input->rollouts += rollout_kind_of(manifest->api_version, manifest->kind) != NULL;
    return OK;
}

static int input_read_file(struct input *input, const char *file, struct manifests *manifests,
                           struct error *err)
{
    int code = manifests_read(file, manifests, err);
    for (size_t i = 0; i < manifests->count && code == OK; i++)
        code = input_add(input, &manifests->items[i], err);
    return code;
}

/* Without a rollout there is nothing to see. */
static int input_check(const struct input *input, const struct arguments *arguments,
                       struct error *err)
{
    if (input->rollouts)
        return OK;
    char *expected AUTO_FREE = rollout_kinds_words();
    int last = arguments->operand_count - 1;
    char *words AUTO_FREE =
        manifests_unfit(arguments->operands[last], &input->files[last], expected);
    return error_set(err, ERR_INVALID, "%s", words);
}

static int input_read(struct input *input, const struct arguments *arguments, struct error *err)
{
    int code = OK;
    *input =
        (struct input){.files = mem_alloc((size_t)arguments->operand_count * sizeof *input->files),
                       .objects = json_array()};
    for (int i = 0; i < arguments->operand_count && code == OK; i++)
        code = input_read_file(input, arguments->operands[i], &input->files[i], err);
    return code < 0 ? code : input_check(input, arguments, err);
}

/* ---- the steps ---- */

static bool is_for_people(const struct run *run)
{
    return !flag_value(run->arguments, &flag_timeline_output);
}

/* What has happened since the last time. */
static void show(struct run *run)
{
    const json_t *steps = run->simulation.timeline.steps;
    for (; is_for_people(run) && run->shown < json_array_size(steps); run->shown++) {
        struct text page AUTO(text_done) = {0};
        timeline_page(json_array_get(steps, run->shown), output_width(), &page);
        printf("%s%s", run->shown ? "\n" : "", page.at);
        fflush(stdout);
    }
}

static int approve_all(struct run *run, struct error *err)
{
    bool more = flag_value(run->arguments, &flag_approve) != NULL;
    int code = OK;
    while (more && code == OK) {
        code = simulation_approve(&run->simulation, &more, err);
        show(run);
    }
    return code;
}

/* A kind that the sandbox doesn't have can't be what is rolled. */
static int apply(struct run *run, size_t index, struct error *err)
{
    int code = simulation_apply(&run->simulation, json_array_get(run->input->objects, index), err);
    if (code == ERR_MISSING) {
        fprintf(stderr, "%s: left out: %s\n", run->input->places[index], err->text);
        return OK;
    }
    if (code < 0 && code != ERR_LIMIT)
        error_prefix(err, "%s", run->input->places[index]);
    show(run);
    return code < 0 ? code : approve_all(run, err);
}

static bool is_untouched(const struct run *run, const struct found *found)
{
    char *label AUTO_FREE = str_format("%s %s/%s", found->kind->info.kind,
                                       json_string_at(found->object, "/metadata/namespace"),
                                       json_string_at(found->object, "/metadata/name"));
    return found->kind->follows && !timeline_has_rolled(&run->simulation.timeline, label);
}

/* Rollouts whose workloads no file has changed would have nothing to do. */
static int restart_untouched(struct run *run, struct error *err)
{
    struct found_list list = {0};
    int code = simulation_rollouts(&run->simulation, &list, err);
    for (size_t i = 0; i < list.count && code == OK; i++) {
        if (!is_untouched(run, &list.items[i]))
            continue;
        simulation_spoil(&run->simulation);
        code = simulation_restart(&run->simulation, list.items[i].object, err);
        show(run);
        if (code == ERR_MISSING)
            code = OK; /* its workload isn't there, as it has said */
        if (code == OK)
            code = approve_all(run, err);
    }
    found_list_done(&list);
    return code;
}

static int play_all(struct run *run, struct error *err)
{
    size_t count = json_array_size(run->input->objects);
    int code = OK;
    for (size_t i = 0; i < count && code == OK; i++) {
        if (i + 1 == count)
            simulation_spoil(&run->simulation);
        code = apply(run, i, err);
    }
    return code < 0 ? code : restart_untouched(run, err);
}

/* ---- the end ---- */

static int verdict_of(const struct found *found)
{
    static const int verdicts[] = {[END_SUCCEEDED] = STATUS_DONE,
                                   [END_WAITING] = STATUS_DONE,
                                   [END_FAILED] = STATUS_FAILED,
                                   [END_STOPPED] = STATUS_TIMEOUT};
    return verdicts[simulation_end(found->object)];
}

/* The worst: one that has failed counts more than one that doesn't come to its end. */
static int verdict(struct run *run)
{
    struct found_list list = {0};
    struct error err = {0};
    int worst = STATUS_DONE;
    if (simulation_rollouts(&run->simulation, &list, &err) < 0)
        return verb_refused(run->arguments->verb, &err);
    for (size_t i = 0; i < list.count; i++) {
        int status = verdict_of(&list.items[i]);
        if (worst == STATUS_DONE || status == STATUS_FAILED)
            worst = status;
    }
    found_list_done(&list);
    return worst;
}

static void output(struct run *run)
{
    const char *format = flag_value(run->arguments, &flag_timeline_output);
    if (!format)
        return;
    json_t *whole AUTO_JSON = json_pack("{s:O}", "steps", run->simulation.timeline.steps);
    output_json(whole, format);
}

static int simulate(struct run *run, const struct simulation_options *options)
{
    struct error err = {0};
    int code = simulation_open(options, &run->simulation, &err);
    if (code == OK)
        code = play_all(run, &err);
    int status = code < 0 && code != ERR_LIMIT ? STATUS_REFUSED
                 : code == ERR_LIMIT           ? STATUS_TIMEOUT
                                               : verdict(run);
    if (code < 0)
        verb_refused(run->arguments->verb, &err);
    if (status != STATUS_REFUSED)
        output(run);
    simulation_close(&run->simulation);
    return status;
}

/* ---- many at once ---- */

static int fleet_verdict(const struct fleet *fleet)
{
    if (fleet->ends[END_FAILED])
        return STATUS_FAILED;
    return fleet->ends[END_STOPPED] || fleet->limit ? STATUS_TIMEOUT : STATUS_DONE;
}

static void fleet_output(const struct run *run, const struct fleet *fleet)
{
    const char *format = flag_value(run->arguments, &flag_timeline_output);
    size_t i;
    json_t *words;
    json_array_foreach (fleet->left_out, i, words)
        fprintf(stderr, "%s\n", json_string_value(words));
    if (format) {
        json_t *whole AUTO_JSON = fleet_json(fleet, run->copies);
        output_json(whole, format);
    } else {
        struct text page AUTO(text_done) = {0};
        fleet_page(fleet, run->copies, output_width(), &page);
        fputs(page.at, stdout);
    }
}

static int simulate_fleet(const struct run *run, const struct simulation_options *options)
{
    const struct fleet_spec spec = {.simulation = *options,
                                    .objects = run->input->objects,
                                    .places = (const char *const *)run->input->places,
                                    .approves = flag_value(run->arguments, &flag_approve),
                                    .every = flag_value(run->arguments, &flag_every),
                                    .copies = run->copies,
                                    .wave = run->wave};
    struct error err = {0};
    struct fleet fleet;
    int code = fleet_play(&spec, &fleet, &err);
    int status = code < 0 && code != ERR_LIMIT ? STATUS_REFUSED : fleet_verdict(&fleet);
    if (code < 0)
        verb_refused(run->arguments->verb, &err);
    if (status != STATUS_REFUSED)
        fleet_output(run, &fleet);
    fleet_done(&fleet);
    return status;
}

static int with_config(struct run *run, struct simulation_options *options)
{
    const char *file = flag_value(run->arguments, &flag_own_config);
    struct config config = {0};
    struct error err = {0};
    if (!file)
        own_config(&config);
    else if (config_load(file, &config, &err) < 0)
        return verb_refused(run->arguments->verb, &err);
    options->config = &config;
    log_set_level(LOG_ERROR);
    int status = run->copies ? simulate_fleet(run, options) : simulate(run, options);
    config_done(&config);
    return status;
}

static int read_counts(const struct arguments *arguments, struct run *run)
{
    const char *fleet = flag_value(arguments, &flag_fleet);
    const char *wave = flag_value(arguments, &flag_wave);
    if (!number_read(fleet, 1, &run->copies))
        return usage_error(arguments->verb,
                           "--fleet: expected a number from 1 to 1000000, found \"%s\"", fleet);
    if (!number_read(wave, 1, &run->wave))
        return usage_error(arguments->verb, "--wave: expected a number from 1, found \"%s\"", wave);
    if (flag_value(arguments, &flag_stuck_pod) && fleet)
        return usage_error(arguments->verb, "--stuck-pod and --fleet: one of them only");
    return STATUS_DONE;
}

static int read_faults(const char *file, json_t **ret_faults, struct error *err)
{
    struct document document;
    if (!file)
        return OK;
    int code = document_open(file, &document, err);
    if (code < 0)
        return code;
    yaml_node_t *root = document_root(&document);
    code = root ? document_json(&document, root, ret_faults, err)
                : error_set(err, ERR_INVALID,
                            "%s: expected rules of what is to go wrong, found an empty file", file);
    document_done(&document);
    if (code < 0)
        return code;
    code = sandbox_check_faults(*ret_faults, err);
    if (code < 0)
        error_prefix(err, "%s", file);
    return code;
}

static int read_flags(const struct arguments *arguments, struct simulation_options *options)
{
    const char *ready = flag_value(arguments, &flag_ready_after);
    const char *limit = flag_value(arguments, &flag_limit);
    const char *stuck = flag_value(arguments, &flag_stuck_pod);
    const char *ns = flag_value(arguments, &flag_own_namespace);
    options->ns = ns ? ns : "default";
    options->rejecting = flag_value(arguments, &flag_reject);
    if (!duration_read(ready, &options->ready_after_ms))
        return usage_error(arguments->verb, "--ready-after: expected 90s, 15m or 2h, found \"%s\"",
                           ready);
    if (!number_read(stuck, 1, &options->stuck_pod))
        return usage_error(arguments->verb, "--stuck-pod: expected a number from 1, found \"%s\"",
                           stuck);
    if (!duration_read(limit, &options->limit_ms))
        return usage_error(arguments->verb, "--timeout: expected 90s, 15m or 2h, found \"%s\"",
                           limit);
    return STATUS_DONE;
}

static int run_simulate(const struct arguments *arguments)
{
    struct simulation_options options = {.ready_after_ms = READY_AFTER_MS, .limit_ms = LIMIT_MS};
    struct input input;
    struct run run = {.arguments = arguments, .input = &input, .wave = WAVE};
    json_t *faults AUTO_JSON = NULL;
    struct error err = {0};
    int status = read_flags(arguments, &options);
    if (status == STATUS_DONE)
        status = read_counts(arguments, &run);
    if (status != STATUS_DONE)
        return status;
    if (input_read(&input, arguments, &err) < 0 ||
        read_faults(flag_value(arguments, &flag_faults), &faults, &err) < 0) {
        status = verb_refused(arguments->verb, &err);
    } else {
        options.faults = faults;
        status = with_config(&run, &options);
    }
    input_done(&input, arguments->operand_count);
    return status;
}

const struct verb verb_simulate = {
    .name = "simulate",
    .summary = "play what files lead to, in virtual time",
    .operands = "FILE…",
    .least = 1,
    .most = OPERANDS_MAX,
    .flags = (const struct flag *const[]){&flag_ready_after, &flag_stuck_pod, &flag_faults,
                                          &flag_reject, &flag_approve, &flag_fleet, &flag_every,
                                          &flag_wave, &flag_limit, &flag_own_namespace,
                                          &flag_own_config, &flag_timeline_output, NULL},
    .text =
        "Applies the objects of the files, one after the other, to a cluster within this program, "
        "and after each plays all that follows from it to its end: the real controller with the "
        "real "
        "adapters, on the API of sluice-sandbox, by a clock that doesn't wait. No cluster is "
        "asked, "
        "and no webhook is called: each passes, unless --reject names it.\n"
        "\n"
        "The objects are those that a cluster would need: the workload and its Rollout, or the "
        "definitions, the Application and its AppRollout. To roll an Application from one version "
        "to "
        "another, give both:\n"
        "\n"
        "  sluice simulate kind.yaml app-v1.yaml to-v1.yaml app-v2.yaml to-v2.yaml\n"
        "\n"
        "A Rollout whose workload no file changes is shown with a restart of it. Where a plan "
        "waits for a person the simulation goes on with the next object, or ends there.\n"
        "\n"
        "With --faults something goes wrong in the last step, when the restart or the last of the "
        "files is played: requests of the controller are answered late, with a failure or not at "
        "all, watches break off, pods never get ready. A file has one rule or `faults:` with a "
        "list of them; sluice-sandbox(1) names the fields. At the end it is told how often each "
        "rule struck. In a fleet each wave has the rules for itself.\n"
        "\n"
        "With --fleet N copies begin at the same moment, each in namespaces of its own (default-1, "
        "default-2, …; the namespace of definitions and what has no namespace are shared), and "
        "what "
        "they ask of the API is told instead of the course of each: requests that read and that "
        "write, events of watches, and the most of them within a second of virtual time. Whatever "
        "the controller does for itself, such as keeping its watches open, isn't counted. The "
        "copies "
        "are played in waves; of a large fleet the first four, and if those came to the same end "
        "with the same load, the others are counted like them, which the output says. Counters, "
        "which many rolls write less often, are counted as those of a wave write them.\n"
        "\n"
        "The exit status tells the end: 0 all has succeeded or waits for a person, 3 a rollout has "
        "failed, 5 one has come neither to its end nor to a gate.",
    .run = run_simulate,
};
