// SPDX-License-Identifier: Apache-2.0
/*
 * The config file (YAML): read at the start and whenever it has changed, checked completely. An
 * unknown key, a wrong type or a value out of range is refused with file, line and column.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "adapter/adapter.h"
#include "base/error.h"
#include "config/allow.h"
#include "config/windows.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct config {
    char *adapter_directory;        /* adapters.directory */
    struct adapter_entry *adapters; /* adapters.enabled[] */
    size_t adapter_count;
    char *namespace;             /* namespace: only this one; NULL: all */
    char *definition_namespace;  /* definitionNamespace: vela-system */
    char *renderer;              /* renderer.program: absolute path of sluice-cue */
    int64_t renderer_timeout_ms; /* renderer.timeoutSeconds: 5 */
    int64_t renderer_idle_ms;    /* renderer.idleSeconds: 60 */
    uint64_t renderer_memory;    /* renderer.memoryMiB: 256, in bytes */
    int64_t hook_timeout_ms;     /* hooks.timeoutSeconds: 10 */
    struct allow *hook_allow;    /* hooks.allow; NULL: not given */
    int64_t rolls_at_once;       /* rolls.atOnce; 0: any number */
    int64_t rolls_at_once_in_ns; /* rolls.atOncePerNamespace; likewise */
    struct windows *windows;     /* rolls.windows; NULL: not given */
    char *serve_listen;          /* serve.listen: 127.0.0.1:8474; empty: nothing is served */
    bool rollout_metrics;        /* serve.rolloutMetrics: false */
    char *admission_listen;      /* admission.listen; empty, as by default: nothing is served */
    char *admission_service;     /* admission.service: sluice-admission */
    char *admission_namespace;   /* admission.namespace: sluice-system */
    char *admission_webhooks;    /* admission.configuration: sluice */
    int64_t admission_term_ms;   /* admission.certificateSeconds: 604800 */
    int log_level;               /* logLevel: debug, info, warn, error */
};

/* Fills every member, with defaults where the file is silent. The caller releases it with
 * config_done(). ERR_MISSING, ERR_DENIED or ERR_INVALID. */
int config_load(const char *file, struct config *ret_config, struct error *err);
void config_done(struct config *config);

/* As an empty file says it; likewise the caller's. */
struct config config_defaults(void);

/* The config as it counts, defaults included, by the names that the file has for it. The caller
 * owns it. */
json_t *config_about(const struct config *config);

/* A key, such as "hooks.timeoutSeconds", whose value is another one; whether that counts from now
 * on, or only after a restart. */
typedef void config_change_fn(void *data, const char *key, bool applied);

/* Takes over from `next`, which it owns, what can change while running; the list of adapters
 * always. Everything else stays as it is. */
void config_renew_take(struct config *config, struct config *next, config_change_fn *on_change,
                       void *data);

#endif
