// SPDX-License-Identifier: Apache-2.0
#include "cli/leading.h"

#include "base/alloc.h"
#include "base/log.h"
#include "cli/number.h"
#include "cluster/shards.h"
#include "cluster/spread.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    SETTLE_MS = 1000,  /* for what is under way when it is told to end, and … */
    RELEASE_MS = 2000, /* … to give the Lease away: short of what a kubelet has patience for */
};

/* ── Options ──────────────────────────────────────────────────────────────────────────────── */

const struct flag flag_leader_elect = {
    .name = "leader-elect",
    .text = "act only while a Lease is held that all controllers of the cluster share",
};
const struct flag flag_lease_name = {
    .name = "leader-elect-resource-name",
    .value = "NAME",
    .text = "of the Lease (default: " LEASE_NAME ")",
};
const struct flag flag_lease_namespace = {
    .name = "leader-elect-resource-namespace",
    .value = "NAMESPACE",
    .text = "of the Lease (default: " LEASE_NAMESPACE ")",
};
const struct flag flag_lease_duration = {
    .name = "leader-elect-lease-duration",
    .value = "DURATION",
    .text = "others take over when it wasn't renewed for so long (default: 15s)",
};
const struct flag flag_renew_deadline = {
    .name = "leader-elect-renew-deadline",
    .value = "DURATION",
    .text = "a leader that couldn't renew it for so long ends (default: 10s)",
};
const struct flag flag_retry_period = {
    .name = "leader-elect-retry-period",
    .value = "DURATION",
    .text = "between two renewals (default: 2s)",
};

const struct flag flag_shards = {
    .name = "shards",
    .value = "N",
    .text = "all controllers act, each in its share of the namespaces, which are put into N shards",
};

static const struct flag *const lease_flags[] = {&flag_lease_name,
                                                 &flag_lease_namespace,
                                                 &flag_lease_duration,
                                                 &flag_renew_deadline,
                                                 &flag_retry_period,
                                                 &flag_shards,
                                                 NULL};

static int read_terms(const struct arguments *arguments, struct lease_terms *terms)
{
    const struct {
        const struct flag *flag;
        int64_t *ms;
    } times[] = {{&flag_lease_duration, &terms->duration_ms},
                 {&flag_renew_deadline, &terms->renew_ms},
                 {&flag_retry_period, &terms->retry_ms}};
    *terms = (struct lease_terms){.duration_ms = 15000, .renew_ms = 10000, .retry_ms = 2000};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        const char *value = flag_value(arguments, times[i].flag);
        if (!duration_read(value, times[i].ms) || *times[i].ms <= 0)
            return usage_error(arguments->verb, "--%s: expected a time such as 15s, found \"%s\"",
                               times[i].flag->name, value);
    }
    return STATUS_DONE;
}

/* Each has to be longer than the next, by so much that what is to fit in does fit in. */
static int check_terms(const struct arguments *arguments, const struct lease_terms *terms)
{
    if (terms->renew_ms >= terms->duration_ms)
        return usage_error(arguments->verb, "--%s: expected less than --%s (%llds), found %llds",
                           flag_renew_deadline.name, flag_lease_duration.name,
                           (long long)terms->duration_ms / 1000, (long long)terms->renew_ms / 1000);
    if (terms->retry_ms >= terms->renew_ms)
        return usage_error(arguments->verb, "--%s: expected less than --%s (%llds), found %llds",
                           flag_retry_period.name, flag_renew_deadline.name,
                           (long long)terms->renew_ms / 1000, (long long)terms->retry_ms / 1000);
    return STATUS_DONE;
}

static int read_shards(const struct arguments *arguments, int *ret_shards)
{
    const char *value = flag_value(arguments, &flag_shards);
    if (!number_read(value, 2, ret_shards) || *ret_shards > SHARDS_MAX)
        return usage_error(arguments->verb,
                           "--%s: expected a whole number from 2 to %d, found \"%s\"",
                           flag_shards.name, SHARDS_MAX, value);
    return STATUS_DONE;
}

int leading_options_read(const struct arguments *arguments, struct leading_options *ret_options)
{
    struct leading_options options = {.on = flag_value(arguments, &flag_leader_elect),
                                      .ns = flag_value(arguments, &flag_lease_namespace),
                                      .name = flag_value(arguments, &flag_lease_name)};
    for (size_t i = 0; !options.on && lease_flags[i]; i++)
        if (flag_value(arguments, lease_flags[i]))
            return usage_error(arguments->verb, "--%s: expected --%s beside it",
                               lease_flags[i]->name, flag_leader_elect.name);
    options.ns = options.ns ? options.ns : LEASE_NAMESPACE;
    options.name = options.name ? options.name : LEASE_NAME;
    int status = read_terms(arguments, &options.terms);
    if (status == STATUS_DONE)
        status = check_terms(arguments, &options.terms);
    if (status == STATUS_DONE)
        status = read_shards(arguments, &options.shards);
    if (status == STATUS_DONE)
        *ret_options = options;
    return status;
}

/* ── Leading ──────────────────────────────────────────────────────────────────────────────── */

struct leading {
    struct cluster *cluster;
    struct controller *controller;
    struct lease *lease;   /* NULL: there are shards */
    struct spread *spread; /* NULL: there is one Lease */
    char *label;           /* "Lease namespace/name" */
    bool lost;
};

static struct log_about about(const struct leading *leading)
{
    return (struct log_about){.topic = "lease", .object = leading->label};
}

static void on_held(void *data)
{
    struct leading *leading = data;
    log_write(LOG_INFO, about(leading), "leading");
    controller_release(leading->controller);
}

static void on_other(void *data, const char *holder)
{
    log_write(LOG_INFO, about(data), "waiting: held by \"%s\"", holder);
}

static void on_state(void *data, const struct error *err)
{
    if (err->code == OK)
        log_write(LOG_INFO, about(data), "reached");
    else
        log_write(LOG_WARN, about(data), "%s", err->text);
}

static void on_lost(void *data, const struct error *why)
{
    struct leading *leading = data;
    leading->lost = true;
    log_write(LOG_ERROR, about(leading), "not leading any more, and so ending: %s", why->text);
    loop_stop(cluster_loop(leading->cluster));
}

static void on_take(void *data, unsigned shard)
{
    struct leading *leading = data;
    log_write(LOG_INFO, about(leading), "shard %u taken", shard);
    controller_take(leading->controller, shard);
}

static void on_leave(void *data, unsigned shard)
{
    struct leading *leading = data;
    controller_leave(leading->controller, shard);
    log_write(LOG_INFO, about(leading), "shard %u left to another", shard);
}

/* "host_uuid", as client-go's users have it. Without /proc the process is told apart by its
 * number. */
static char *identity_new(void)
{
    char host[HOST_NAME_MAX + 1] = "sluice", uuid[37] = "";
    gethostname(host, sizeof host - 1);
    int fd = open("/proc/sys/kernel/random/uuid", O_RDONLY | O_CLOEXEC);
    ssize_t count = fd < 0 ? -1 : read(fd, uuid, sizeof uuid - 1);
    if (fd >= 0)
        close(fd);
    return count == sizeof uuid - 1 ? str_format("%s_%s", host, uuid)
                                    : str_format("%s_%ld", host, (long)getpid());
}

static void open_lease(struct leading *leading, const struct lease_spec *spec)
{
    static const struct lease_events events = {
        .on_held = on_held, .on_lost = on_lost, .on_other = on_other, .on_state = on_state};
    controller_hold(leading->controller);
    leading->lease = lease_open(leading->cluster, spec, &events, leading);
}

static void open_spread(struct leading *leading, const struct lease_spec *lease, unsigned shards)
{
    static const struct spread_events events = {
        .on_take = on_take, .on_leave = on_leave, .on_lost = on_lost, .on_state = on_state};
    const struct spread_spec spec = {.lease = *lease, .shards = shards};
    controller_spread(leading->controller, shards);
    leading->spread = spread_open(leading->cluster, &spec, &events, leading);
}

struct leading *leading_new(struct cluster *cluster, struct controller *controller,
                            const struct leading_options *options)
{
    if (!options->on)
        return NULL;
    char *identity AUTO_FREE = identity_new();
    const struct lease_spec spec = {
        .ns = options->ns, .name = options->name, .identity = identity, .terms = options->terms};
    struct leading *leading = mem_alloc(sizeof *leading);
    leading->cluster = cluster;
    leading->controller = controller;
    leading->label = str_format("Lease %s/%s", options->ns, options->name);
    log_write(LOG_INFO, about(leading), "a candidate, as \"%s\"", identity);
    if (options->shards)
        open_spread(leading, &spec, (unsigned)options->shards);
    else
        open_lease(leading, &spec);
    return leading;
}

bool leading_lost(const struct leading *leading)
{
    return leading && leading->lost;
}

bool leading_acts(const struct leading *leading)
{
    if (!leading)
        return true;
    return leading->spread ? leading_shards(leading) > 0 : lease_is_held(leading->lease);
}

int leading_shards(const struct leading *leading)
{
    return leading && leading->spread ? (int)spread_shards_held(leading->spread) : -1;
}

void leading_settle(struct leading *leading)
{
    if (!leading || leading->lost)
        return;
    cluster_fence(leading->cluster, 0, 0);
    cluster_settle(leading->cluster, SETTLE_MS);
}

static int release(struct leading *leading, struct error *err)
{
    return leading->spread ? spread_release(leading->spread, RELEASE_MS, err)
                           : lease_release(leading->lease, RELEASE_MS, err);
}

void leading_free(struct leading *leading)
{
    struct error err = {0};
    if (!leading)
        return;
    bool held = leading_acts(leading);
    if (release(leading, &err) < 0)
        log_write(LOG_WARN, about(leading), "not given to the others, who wait for its end: %s",
                  err.text);
    else if (held)
        log_write(LOG_INFO, about(leading), "given to the others");
    lease_close(leading->lease);
    spread_close(leading->spread);
    free(leading->label);
    free(leading);
}
