// SPDX-License-Identifier: Apache-2.0
/* `sluice adapters`: what a running controller has loaded, or what a config would load. */
#include "adapter/adapter.h"
#include "base/alloc.h"
#include "base/json.h"
#include "cli/adapters_text.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "cli/server.h"
#include "config/config.h"

#include <stdio.h>
#include <string.h>

static const struct flag flag_output = {
    .name = "output",
    .letter = 'o',
    .value = "FORMAT",
    .text = "wide, name, json or yaml",
    .choices = (const char *const[]){"wide", "name", "json", "yaml", NULL},
};
static const struct flag flag_would = {
    .name = "config",
    .letter = 'f',
    .value = "FILE",
    .text = "load what this config names, as a controller would, and list that; ends with 1 if "
            "anything is refused",
};

/* ── Where it comes from ──────────────────────────────────────────────────────────────────── */

/* In the form of /adapters. */
static int load_config(const char *file, json_t **ret_about, struct error *err)
{
    struct config config = {0};
    int code = config_load(file, &config, err);
    if (code < 0)
        return code;
    json_t *list = json_array();
    struct adapters *adapters =
        adapters_load(config.adapter_directory, config.adapters, config.adapter_count);
    for (size_t i = 0; i < adapters_count(adapters); i++)
        json_array_append_new(list, adapter_about(adapters_nth(adapters, i)));
    adapters_free(adapters);
    config_done(&config);
    *ret_about = json_pack("{s:{s:s}, s:o}", "config", "file", file, "adapters", list);
    return OK;
}

static int ask_controller(const char *server, json_t **ret_about, struct error *err)
{
    int code = server_get(server ? server : SERVER_DEFAULT, "/adapters", ret_about, err);
    if (code == ERR_RETRY)
        error_prefix(err, "no controller answers");
    return code;
}

static void complain(const struct error *err)
{
    fprintf(stderr, "sluice adapters: %s\n", err->text);
    if (err->code == ERR_RETRY)
        fputs("--server ADDRESS asks one elsewhere; --config FILE shows what a config would "
              "load.\n",
              stderr);
}

/* ── What is shown ────────────────────────────────────────────────────────────────────────── */

/* Reduces the list to the one that is asked for. */
static int choose(json_t *about, const char *name, struct error *err)
{
    json_t *adapters = json_object_get(about, "adapters");
    struct text names AUTO(text_done) = {0};
    for (size_t i = 0; i < json_array_size(adapters); i++) {
        json_t *adapter = json_array_get(adapters, i);
        const char *found = json_string_at(adapter, "/name");
        if (str_equal(found, name)) {
            json_object_set_new(about, "adapters", json_pack("[O]", adapter));
            return OK;
        }
        text_addf(&names, "%s%s", i ? ", " : "", found);
    }
    return error_set(err, ERR_MISSING, "there is no adapter \"%s\"; there are: %s", name,
                     names.len ? names.at : "none");
}

static void print_table(const json_t *adapters, enum adapters_view view)
{
    struct text out AUTO(text_done) = {0};
    if (!json_array_size(adapters)) {
        fputs("No adapters are enabled.\n", stderr);
        return;
    }
    adapters_table(adapters, view, view == ADAPTERS_WIDE ? 0 : output_width(), &out);
    fputs(out.at, stdout);
}

static void print_details(const json_t *adapter)
{
    struct text out AUTO(text_done) = {0};
    adapter_details(adapter, &out);
    fputs(out.at, stdout);
}

static void print_notes(const json_t *about)
{
    struct text notes AUTO(text_done) = {0};
    const char *refusal = json_string_at(about, "/config/refusal/message");
    if (refusal)
        text_addf(&notes, "the config has changed and is refused, the former one is in force: %s\n",
                  refusal);
    adapters_notes(json_object_get(about, "adapters"), &notes);
    if (!notes.len)
        return;
    fflush(stdout);
    fprintf(stderr, "\n%s", notes.at);
}

static void print_names(const json_t *adapters)
{
    for (size_t i = 0; i < json_array_size(adapters); i++)
        puts(json_string_at(json_array_get(adapters, i), "/name"));
}

/* One that is asked for by its name stands alone; a list comes with what is said of the config. */
static void show(const json_t *about, const struct arguments *arguments)
{
    const json_t *adapters = json_object_get(about, "adapters");
    const char *format = flag_value(arguments, &flag_output);
    bool alone = arguments->operand_count > 0;
    bool running = !flag_value(arguments, &flag_would);
    if (!format && alone) {
        print_details(json_array_get(adapters, 0));
    } else if (!format || str_equal(format, "wide")) {
        enum adapters_view narrow = running ? ADAPTERS_RUNNING : ADAPTERS_LOADED;
        print_table(adapters, format ? ADAPTERS_WIDE : narrow);
        print_notes(about);
    } else if (str_equal(format, "name")) {
        print_names(adapters);
    } else {
        output_json(alone ? json_array_get(adapters, 0) : about, format);
    }
}

static bool any_refused(const json_t *adapters)
{
    for (size_t i = 0; i < json_array_size(adapters); i++)
        if (json_string_at(json_array_get(adapters, i), "/refusal"))
            return true;
    return false;
}

static int run_adapters(const struct arguments *arguments)
{
    const char *server = flag_value(arguments, &flag_server);
    const char *config = flag_value(arguments, &flag_would);
    struct error err = {0};
    json_t *about AUTO_JSON = NULL;
    if (server && config)
        return usage_error(arguments->verb, "expected --server or --config, found both");
    int code = config ? load_config(config, &about, &err) : ask_controller(server, &about, &err);
    if (code == OK && arguments->operand_count)
        code = choose(about, arguments->operands[0], &err);
    if (code < 0) {
        complain(&err);
        return STATUS_REFUSED;
    }
    show(about, arguments);
    return config && any_refused(json_object_get(about, "adapters")) ? STATUS_REFUSED : STATUS_DONE;
}

const struct verb verb_adapters = {
    .name = "adapters",
    .summary = "list what the running controller has loaded",
    .operands = "[NAME]",
    .most = 1,
    .flags = (const struct flag *const[]){&flag_output, &flag_server, &flag_would, NULL},
    .text = "Asks the controller which adapters it has: their state, how many rollouts use them, "
            "how often they have been called, and within what time 99 of 100 calls ended. With "
            "NAME it tells everything about one. What is refused, and why, is said on standard "
            "error.\n"
            "\n"
            "  InUse        it handles its kinds\n"
            "  Refused      it doesn't, and its rollouts wait\n"
            "  NextWaits    a new version isn't in force yet, and the present one goes on\n"
            "  NextRefused  the present version goes on: the one asked for is refused\n"
            "\n"
            "A controller in a cluster is reached through a port that is forwarded to its Pod:\n"
            "\n"
            "  kubectl -n sluice-system port-forward POD 8474",
    .run = run_adapters,
};
