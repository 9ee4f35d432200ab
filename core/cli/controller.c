// SPDX-License-Identifier: Apache-2.0
/* `sluice controller`: runs until it is told to stop. */
#include "reconcile/controller.h"
#include "adapter/watchdog.h"
#include "base/log.h"
#include "cli/cli.h"
#include "cli/serving.h"
#include "cluster/cluster.h"
#include "config/config.h"
#include "reconcile/reload.h"

#include <signal.h>
#include <stdio.h>

static void on_stop(void *data, int signal)
{
    struct log_about about = {.topic = "main"};
    log_write(LOG_INFO, about, "stopping on signal %d", signal);
    loop_stop(data);
}

static int stop_on_signals(struct loop *loop, struct error *err)
{
    int code = loop_on_signal(loop, SIGTERM, on_stop, loop, err);
    return code < 0 ? code : loop_on_signal(loop, SIGINT, on_stop, loop, err);
}

/* Called by the watchdog's thread while ours is stuck in the adapter. */
static void on_slow_call(const char *adapter, const char *call, int64_t running_ms)
{
    struct log_about about = {.topic = "adapter", .object = adapter};
    log_write(LOG_ERROR, about,
              "%s has been running for %lld ms in this process, and everything waits for it; "
              "\"isolation: process\" would end it",
              call, (long long)running_ms);
}

static void watch_calls(void)
{
    struct log_about about = {.topic = "adapter"};
    struct error err = {0};
    if (watchdog_start(on_slow_call, &err) < 0)
        log_write(LOG_WARN, about, "%s", err.text);
}

static int run_on(struct cluster *cluster, const char *file, struct config *config,
                  struct error *err)
{
    struct loop *loop = cluster_loop(cluster);
    watch_calls();
    struct adapters *adapters =
        adapters_load(config->adapter_directory, config->adapters, config->adapter_count);
    struct log_about about = {.topic = "main", .object = access_server(cluster_access(cluster))};
    struct reload *reload = NULL;
    log_adapters(NULL, adapters);
    struct controller *controller = controller_new_take(cluster, adapters, config);
    int code = reload_new(controller, file, config, &reload, err);
    if (code == OK) {
        log_write(LOG_INFO, about, "sluice " SLUICE_VERSION " is working");
        struct serving *serving = serving_new(config->serve_listen, controller, reload);
        code = loop_run(loop, err);
        serving_free(serving);
    }
    reload_free(reload);
    controller_free(controller);
    watchdog_stop();
    return code;
}

static int run(const struct access_options *where, const char *file, struct config *config,
               struct error *err)
{
    struct loop *loop = NULL;
    struct access *access = NULL;
    struct cluster *cluster = NULL;
    const struct cluster_options settings = {.user_agent = "sluice/" SLUICE_VERSION};
    int code;
    if ((code = loop_new(&loop, err)) < 0 || (code = stop_on_signals(loop, err)) < 0 ||
        (code = access_open(where, &access, err)) < 0)
        goto out;
    if ((code = cluster_new_take(loop, access, &settings, &cluster, err)) == OK)
        code = run_on(cluster, file, config, err);
out:
    cluster_free(cluster);
    loop_free(loop);
    return code;
}

static int run_controller(const struct arguments *arguments)
{
    const char *given = flag_value(arguments, &flag_config);
    const char *file = given ? given : CONFIG_FILE;
    const struct access_options where = {.kubeconfig = flag_value(arguments, &flag_kubeconfig),
                                         .context = flag_value(arguments, &flag_context)};
    struct config config = {0};
    struct error err = {0};
    int code = config_load(file, &config, &err);
    if (code == OK) {
        log_set_level((enum log_level)config.log_level);
        code = run(&where, file, &config, &err);
        config_done(&config);
    }
    if (code < 0)
        fprintf(stderr, "sluice controller: %s\n", err.text);
    return code < 0 ? STATUS_REFUSED : STATUS_DONE;
}

const struct verb verb_controller = {
    .name = "controller",
    .summary = "run in or beside a cluster and roll out what is asked for",
    .flags = (const struct flag *const[]){&flag_config, &flag_kubeconfig, &flag_context, NULL},
    .text = "Logs one JSON object a line to standard error. SIGTERM and SIGINT end it, and leave "
            "every workload as it is.",
    .run = run_controller,
};
