// SPDX-License-Identifier: Apache-2.0
/* `sluice controller`: runs until it is told to stop. */
#include "reconcile/controller.h"
#include "adapter/watchdog.h"
#include "base/log.h"
#include "cli/admission.h"
#include "cli/cli.h"
#include "cli/leading.h"
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

/* What it was started with. */
struct start {
    const char *file; /* the config's */
    struct config config;
    struct access_options where;
    struct leading_options leading;
};

/* Ends in the order that leaves nothing half done to whoever takes over: what was sent is answered,
 * then passes and hooks end, then the Lease is given away. */
static int work(struct controller *controller, struct leading *leading,
                const struct serving_about *about, const char *listen, struct error *err)
{
    struct serving *serving = serving_new(listen, about);
    int code = loop_run(controller_loop(controller), err);
    leading_settle(leading);
    serving_free(serving);
    return code;
}

static int run_on(struct cluster *cluster, struct start *start, bool *ret_lost, struct error *err)
{
    struct config *config = &start->config;
    watch_calls();
    struct adapters *adapters =
        adapters_load(config->adapter_directory, config->adapters, config->adapter_count);
    struct log_about about = {.topic = "main", .object = access_server(cluster_access(cluster))};
    struct reload *reload = NULL;
    struct leading *leading = NULL;
    struct admission *admission = NULL;
    log_adapters(NULL, adapters);
    struct controller *controller = controller_new_take(cluster, adapters, config);
    int code = reload_new(controller, start->file, config, &reload, err);
    if (code == OK) {
        log_write(LOG_INFO, about, "sluice " SLUICE_VERSION " is working, by %s",
                  access_source(cluster_access(cluster)));
        leading = leading_new(cluster, controller, &start->leading);
        admission = admission_new(cluster, controller, config);
        const struct serving_about told = {controller, reload, leading, admission};
        code = work(controller, leading, &told, config->serve_listen, err);
    }
    *ret_lost = leading_lost(leading);
    admission_free(admission);
    reload_free(reload);
    controller_free(controller);
    leading_free(leading);
    watchdog_stop();
    return code;
}

static int run(struct start *start, bool *ret_lost, struct error *err)
{
    struct loop *loop = NULL;
    struct access *access = NULL;
    struct cluster *cluster = NULL;
    const struct cluster_options settings = {.user_agent = "sluice/" SLUICE_VERSION};
    int code;
    if ((code = loop_new(&loop, err)) < 0 || (code = stop_on_signals(loop, err)) < 0 ||
        (code = access_open(&start->where, &access, err)) < 0)
        goto out;
    if ((code = cluster_new_take(loop, access, &settings, &cluster, err)) == OK)
        code = run_on(cluster, start, ret_lost, err);
out:
    cluster_free(cluster);
    loop_free(loop);
    return code;
}

static int run_controller(const struct arguments *arguments)
{
    const char *given = flag_value(arguments, &flag_config);
    struct start start = {.file = given ? given : CONFIG_FILE,
                          .where = {.kubeconfig = flag_value(arguments, &flag_kubeconfig),
                                    .context = flag_value(arguments, &flag_context)}};
    bool lost = false;
    struct error err = {0};
    int status = leading_options_read(arguments, &start.leading);
    if (status != STATUS_DONE)
        return status;
    int code = config_load(start.file, &start.config, &err);
    if (code == OK) {
        log_set_level((enum log_level)start.config.log_level);
        code = run(&start, &lost, &err);
        config_done(&start.config);
    }
    if (code < 0)
        return verb_refused(arguments->verb, &err);
    return lost ? STATUS_NO_LEASE : STATUS_DONE;
}

const struct verb verb_controller = {
    .name = "controller",
    .summary = "run in or beside a cluster and roll out what is asked for",
    .flags =
        (const struct flag *const[]){&flag_config, &flag_kubeconfig, &flag_context,
                                     &flag_leader_elect, &flag_lease_name, &flag_lease_namespace,
                                     &flag_lease_duration, &flag_renew_deadline, &flag_retry_period,
                                     &flag_shards, NULL},
    .text = "Logs one JSON object a line to standard error. SIGTERM and SIGINT end it, and leave "
            "every workload as it is.\n"
            "\n"
            "With --leader-elect several may run: one acts, and the others wait for its Lease. One "
            "that doesn't hold it any more ends with 6. With --shards beside it all of them act, "
            "each in its share of the namespaces.",
    .run = run_controller,
};
