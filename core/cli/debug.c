// SPDX-License-Identifier: Apache-2.0
/* `sluice debug dump`: what a maintainer asks for first, on standard output. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/dump.h"
#include "cli/find.h"
#include "cli/leading.h"
#include "cli/redact.h"
#include "cli/server.h"
#include "cli/yaml_text.h"
#include "config/config.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

enum { ROLLOUTS_MAX = 20 };

static const struct flag flag_told_config = {
    .name = "config",
    .letter = 'f',
    .value = "FILE",
    .text = "tell this config, the controller's, too",
};
static const struct flag flag_log = {
    .name = "log",
    .value = "FILE",
    .text = "tell the last 256 KiB of this log, the controller's, too",
};

static const char head[] =
    "# A report about Sluice, made by `sluice debug dump`. It has no Secret, no value of an\n"
    "# environment or an argument, no annotation but Sluice's, and of URLs only the host. Look\n"
    "# through it nevertheless before you attach it: it names your workloads, nodes and images.\n";

/* ---- this program ---- */

static json_t *about_program(void)
{
    struct utsname system = {0};
    uname(&system);
    return json_pack("{s:s, s:s, s:[s,s], s:o}", "version", SLUICE_VERSION, "compiler", __VERSION__,
                     "libraries", curl_version(), "jansson/" JANSSON_VERSION, "system",
                     json_sprintf("%s %s %s", system.sysname, system.release, system.machine));
}

static json_t *about_access(const struct session *session)
{
    const struct access *access = cluster_access(session->cluster);
    return json_pack("{s:s, s:s}", "access", access_source(access), "server",
                     access_server(access));
}

/* ---- rollouts ---- */

static void rollouts_take(struct dump *dump, struct found_list *list, json_t *report)
{
    json_t *rollouts = json_array();
    for (size_t i = 0; i < list->count && i < ROLLOUTS_MAX; i++)
        json_array_append_new(rollouts, dump_rollout(dump, &list->items[i]));
    json_object_set_new(report, "rollouts", rollouts);
    if (list->count > ROLLOUTS_MAX)
        json_object_set_new(report, "rolloutsLeftOut",
                            json_integer((json_int_t)list->count - ROLLOUTS_MAX));
}

/* One that isn't there is a slip of whoever asks; one that can't be read is told in the report. */
static int rollouts_add(struct dump *dump, const char *name, json_t *report, struct error *err)
{
    struct found_list list = {0};
    struct found one = {0};
    if (dump->deaf)
        return OK;
    int code = name ? rollout_find(dump->session, name, &one, err)
                    : rollouts_list(dump->session, &list, err);
    if (code == OK && name)
        found_list_put(&list, one.kind, one.object);
    json_decref(one.object);
    if (code == OK)
        rollouts_take(dump, &list, report);
    if (list.unread)
        dump_unread(dump, "rollouts", &list.why);
    found_list_done(&list);
    if (code == OK || code == ERR_MISSING || code == ERR_INVALID)
        return code;
    dump_unread(dump, "rollouts", err);
    return OK;
}

/* ---- the report ---- */

static json_t *config_read(const char *file, struct error *err)
{
    struct config config = {0};
    if (config_load(file, &config, err) < 0)
        return NULL;
    json_t *about = config_about(&config);
    config_done(&config);
    return about;
}

static int cluster_add(const struct arguments *arguments, struct dump *dump, json_t *report,
                       struct error *err)
{
    const char *ns = flag_value(arguments, &flag_lease_namespace);
    const char *lease = flag_value(arguments, &flag_lease_name);
    const char *server = flag_value(arguments, &flag_server);
    json_t *about = about_access(dump->session), *told AUTO_JSON = dump_cluster(dump);
    if (told)
        json_object_update(about, told);
    json_object_set_new(report, "cluster", about);
    int code = rollouts_add(dump, arguments->operand_count > 1 ? arguments->operands[1] : NULL,
                            report, err);
    if (code < 0)
        return code;
    json_t *held = dump_lease(dump, ns ? ns : LEASE_NAMESPACE, lease ? lease : LEASE_NAME);
    if (held)
        json_object_set_new(report, "lease", held);
    json_t *controller = dump_controller(dump, server ? server : SERVER_DEFAULT);
    if (controller)
        json_object_set_new(report, "controller", controller);
    return OK;
}

static void print(const json_t *report)
{
    struct text page AUTO(text_done) = {0};
    json_t *safe AUTO_JSON = redact(report);
    text_puts(&page, head);
    yaml_text(safe, &page);
    fputs(page.at, stdout);
}

static json_t *report_new(void)
{
    char now[CLOCK_TEXT_SIZE];
    clock_format(clock_wall_ms(), now);
    return json_pack("{s:s, s:o, s:[]}", "made", now, "sluice", about_program(), "unread");
}

/* What is read first, for a file that somebody has mistyped; the log stands last, nevertheless.
 * NULL for what wasn't asked for. */
struct files {
    json_t *config, *log;
};

static int files_read(const struct arguments *arguments, struct files *files, struct error *err)
{
    const char *config = flag_value(arguments, &flag_told_config);
    const char *log = flag_value(arguments, &flag_log);
    if (config && !(files->config = config_read(config, err)))
        return err->code;
    if (log && !(files->log = dump_log(log, err)))
        return err->code;
    return OK;
}

static int report_fill(const struct arguments *arguments, const struct files *files, json_t *report,
                       struct error *err)
{
    struct session session;
    struct dump dump = {.session = &session, .unread = json_object_get(report, "unread")};
    int code = session_open(arguments, &session, err);
    if (code < 0)
        return code;
    if (files->config)
        json_object_set(report, "config", files->config);
    code = cluster_add(arguments, &dump, report, err);
    if (files->log)
        json_object_set(report, "log", files->log);
    session_close(&session);
    return code;
}

static int run_debug(const struct arguments *arguments)
{
    struct files files = {0};
    struct error err = {0};
    if (arguments->operand_count > 1 && flag_value(arguments, &flag_all_namespaces))
        return usage_error(arguments->verb, "a name and --all-namespaces exclude each other");
    json_t *report AUTO_JSON = report_new();
    int code = files_read(arguments, &files, &err);
    if (code == OK)
        code = report_fill(arguments, &files, report, &err);
    json_decref(files.config);
    json_decref(files.log);
    if (code < 0)
        return verb_refused(arguments->verb, &err);
    print(report);
    return STATUS_DONE;
}

static const char *const things[] = {"dump", NULL};

const struct verb verb_debug = {
    .name = "debug",
    .summary = "gather what a report about a bug needs, without secrets",
    .operands = "dump [NAME]",
    .operand_choices = things,
    .least = 1,
    .most = 2,
    .flags = (const struct flag *const[]){&flag_told_config, &flag_log, &flag_server, SESSION_FLAGS,
                                          &flag_all_namespaces, &flag_lease_name,
                                          &flag_lease_namespace, NULL},
    .text =
        "Prints one text, for a file that is attached to the report:\n"
        "\n"
        "  sluice debug dump web >report.yaml\n"
        "\n"
        "In it are the versions of Sluice and of the API server, the rollout NAME or the first 20 "
        "of the namespace, why each stands where it does, its history, its workload, its pods and "
        "Events, the controller's Lease, and what the controller tells at --server: its adapters "
        "and metrics. The config and the log are files that you name.\n"
        "\n"
        "Not in it are Secrets and ConfigMaps, which are never asked for, values of environments, "
        "arguments, annotations that aren't Sluice's, what hooks are handed, and of URLs anything "
        "but scheme, host and port. Of a text whose field isn't known it says that it was left "
        "out. What was left out somewhere is taken out of messages of Events and of the log "
        "too.\n"
        "\n"
        "What can't be read, because a right is missing or nobody answers, is said on standard "
        "error and under `unread`; the rest is there nevertheless.",
    .run = run_debug,
};
