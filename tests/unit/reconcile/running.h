// SPDX-License-Identifier: Apache-2.0
/* A whole controller as `sluice controller` sets it up, with a config file of its own, on an API
 * server that has every kind and no objects. */
#ifndef TEST_RUNNING_H
#define TEST_RUNNING_H

#include "world.h"

#include "reconcile/controller.h"
#include "reconcile/reload.h"

struct running {
    struct world *world;
    struct config config;
    char *file; /* the config's */
    struct controller *controller;
    struct reload *reload;
};

/* `text` is the config. The caller ends and frees it with running_free(). */
struct running *running_new(const char *text);
void running_free(struct running *running);

/* Replaces the config file in one step. */
void running_write(struct running *running, const char *text);

/* A config with one adapter of tests/hostile, and maybe further keys of its entry ("" for none).
 * The caller frees it. */
char *config_with(const char *file, const char *more);

/* A file of tests/hostile, to be replaced in place: its path in the folder, which the caller frees.
 */
char *running_copy(const struct running *running, const char *from, const char *name);

#endif
