// SPDX-License-Identifier: Apache-2.0
#include "reconcile/reload.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "loop/file_watch.h"

#include <signal.h>
#include <stdlib.h>

enum {
    RETRY_MS = 1000, /* doubled each time */
    RETRIES_MAX = 5,
};

struct reload {
    struct controller *controller;
    struct config *config;
    char *file;
    struct file_watch *watch; /* NULL: it can't be watched */
    int64_t read_at_ms;       /* what is in force */
    struct timer again;       /* for adapters that may have had a bad moment */
    unsigned retries;         /* since the config was read */
    bool look_at_files;       /* as it was then */
    struct error refusal;     /* of what is in the file now; code 0: it is in force */
    int64_t refused_at_ms;
};

/* ── Adapters ─────────────────────────────────────────────────────────────────────────────── */

static struct adapter *named(const struct adapters *adapters, const char *name)
{
    for (size_t i = 0; adapters && i < adapters_count(adapters); i++)
        if (str_equal(adapter_name(adapters_nth(adapters, i)), name))
            return adapters_nth(adapters, i);
    return NULL;
}

static void log_adapter(const struct adapter *before, const struct adapter *now)
{
    struct log_about about = {.topic = "adapter", .object = adapter_name(now)};
    const struct error *refusal = adapter_refusal(now);
    if (refusal)
        log_write(LOG_ERROR, about, "refused: %s", refusal->text);
    else
        log_write(LOG_INFO, about, "%sversion %s from %s, sha256 %.12s…",
                  before && !adapter_refusal(before) ? "to be replaced by " : "",
                  adapter_version(now), adapter_file(now), adapter_digest(now));
}

void log_adapters(const struct adapters *before, const struct adapters *now)
{
    for (size_t i = 0; i < adapters_count(now); i++) {
        const struct adapter *adapter = adapters_nth(now, i);
        const struct adapter *old = named(before, adapter_name(adapter));
        if (old != adapter)
            log_adapter(old, adapter);
    }
    for (size_t i = 0; before && i < adapters_count(before); i++) {
        struct log_about about = {.topic = "adapter",
                                  .object = adapter_name(adapters_nth(before, i))};
        if (!named(now, about.object))
            log_write(LOG_INFO, about, "not in the config any more");
    }
}

/* Those whose new version was refused just now. */
static void log_kept(const struct adapters *adapters, int64_t since_ms)
{
    for (size_t i = 0; i < adapters_count(adapters); i++) {
        const struct adapter *adapter = adapters_nth(adapters, i);
        struct log_about about = {.topic = "adapter", .object = adapter_name(adapter)};
        int64_t at_ms;
        const struct error *refusal = adapter_kept_refusal(adapter, &at_ms);
        if (refusal && at_ms >= since_ms)
            log_write(LOG_ERROR, about, "refused: %s; version %s goes on", refusal->text,
                      adapter_version(adapter));
    }
}

static void on_again(void *data);

/* Loading holds everything up, so it isn't tried for ever. */
static void retry_later(struct reload *reload)
{
    struct loop *loop = controller_loop(reload->controller);
    if (reload->retries < RETRIES_MAX)
        timer_start(loop, &reload->again, (int64_t)RETRY_MS << reload->retries++, on_again, reload);
}

static void renew_adapters(struct reload *reload)
{
    const struct config *config = reload->config;
    const struct adapters *before = controller_adapters(reload->controller);
    const struct adapters_wish wish = {.directory = config->adapter_directory,
                                       .entries = config->adapters,
                                       .count = config->adapter_count,
                                       .look_at_files = reload->look_at_files};
    int64_t began_ms = clock_wall_ms();
    struct adapters *now = adapters_renew(before, &wish);
    log_adapters(before, now);
    log_kept(now, began_ms);
    if (adapters_worth_retrying(now))
        retry_later(reload);
    controller_renew_take(reload->controller, now);
}

static void on_again(void *data)
{
    renew_adapters(data);
}

/* ── The whole ────────────────────────────────────────────────────────────────────────────── */

static void on_key(void *data, const char *key, bool applied)
{
    struct log_about about = {.topic = "config", .object = key};
    (void)data;
    if (applied)
        log_write(LOG_INFO, about, "changed");
    else
        log_write(LOG_WARN, about, "changed in the file, which takes a restart to count");
}

static void refuse(struct reload *reload, const struct error *err)
{
    struct log_about about = {.topic = "config", .object = reload->file};
    reload->refusal = *err;
    reload->refused_at_ms = clock_wall_ms();
    log_write(LOG_ERROR, about, "refused, the former one stays in force: %s", err->text);
}

static void reload_now(struct reload *reload, bool look_at_files)
{
    struct log_about about = {.topic = "config", .object = reload->file};
    struct config next = {0};
    struct error err = {0};
    if (config_load(reload->file, &next, &err) < 0) {
        refuse(reload, &err);
        return;
    }
    log_write(LOG_INFO, about, "read again");
    reload->refusal = (struct error){0};
    reload->retries = 0;
    reload->look_at_files = look_at_files;
    reload->read_at_ms = clock_wall_ms();
    config_renew_take(reload->config, &next, on_key, NULL);
    log_set_level((enum log_level)reload->config->log_level);
    controller_rules_changed(reload->controller);
    renew_adapters(reload);
}

static void on_file(void *data)
{
    reload_now(data, false);
}

static void on_hangup(void *data, int signal)
{
    (void)signal;
    reload_now(data, true);
}

int reload_new(struct controller *controller, const char *file, struct config *config,
               struct reload **ret_reload, struct error *err)
{
    struct loop *loop = controller_loop(controller);
    struct log_about about = {.topic = "config", .object = file};
    struct error trouble = {0};
    struct reload *reload = mem_alloc(sizeof *reload);
    reload->controller = controller;
    reload->config = config;
    reload->file = str_copy(file);
    reload->read_at_ms = clock_wall_ms();
    int code = loop_on_signal(loop, SIGHUP, on_hangup, reload, err);
    if (code < 0) {
        reload_free(reload);
        return code;
    }
    if (file_watch_open(loop, file, on_file, reload, &reload->watch, &trouble) < 0)
        log_write(LOG_WARN, about, "%s; it is read again on SIGHUP only", trouble.text);
    *ret_reload = reload;
    return OK;
}

void reload_free(struct reload *reload)
{
    if (!reload)
        return;
    file_watch_close(reload->watch);
    timer_stop(controller_loop(reload->controller), &reload->again);
    free(reload->file);
    free(reload);
}

static json_t *time_json(int64_t wall_ms)
{
    char text[CLOCK_TEXT_SIZE];
    clock_format(wall_ms, text);
    return json_string(text);
}

json_t *reload_about(const struct reload *reload)
{
    json_t *about =
        json_pack("{s:s, s:o}", "file", reload->file, "readAt", time_json(reload->read_at_ms));
    if (reload->refusal.code)
        json_object_set_new(about, "refusal",
                            json_pack("{s:o, s:s}", "at", time_json(reload->refused_at_ms),
                                      "message", reload->refusal.text));
    return about;
}
