// SPDX-License-Identifier: Apache-2.0
/*
 * Reading the config again while the controller is running: when the file has changed, and on
 * SIGHUP, which also looks whether the adapters' files have. A config that is wrong changes
 * nothing; an adapter that is wrong changes nothing but what is said about it.
 */
#ifndef RECONCILE_RELOAD_H
#define RECONCILE_RELOAD_H

#include "reconcile/controller.h"

struct reload;

/* `config` is what was read from the file; it is kept up to date, and borrowed like the
 * controller. A file that can't be watched is logged, and read again on SIGHUP only. The caller
 * owns *ret_reload. ERR_RETRY: the system has no descriptors left. */
int reload_new(struct controller *controller, const char *file, struct config *config,
               struct reload **ret_reload, struct error *err);
void reload_free(struct reload *reload); /* after the loop has ended; NULL is fine */

/* {"file", "readAt"}, and while the file as it is now is refused: {"refusal": {"at", "message"}}.
 * The caller owns it. */
json_t *reload_about(const struct reload *reload);

/* A line of the log for each adapter that isn't what it was; `before` NULL: for all. */
void log_adapters(const struct adapters *before, const struct adapters *now);

#endif
