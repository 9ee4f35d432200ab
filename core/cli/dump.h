// SPDX-License-Identifier: Apache-2.0
/*
 * What a bug report has of a cluster and of a controller, each section read if it can be. What
 * can't is told in the report, and on standard error with all that was said.
 *
 * Sections are gathered as they are; redact() decides what of them leaves this process.
 */
#ifndef CLI_DUMP_H
#define CLI_DUMP_H

#include "cli/find.h"
#include "cli/session.h"

struct dump {
    struct session *session; /* borrowed */
    bool deaf;               /* the API server doesn't answer: it isn't asked again */
    json_t *unread;          /* of {"what": …, "why": …}; borrowed from the report */
};

/* A section couldn't be read. */
void dump_unread(struct dump *dump, const char *what, const struct error *err);

/* The server's version, and the Lease of controllers. The caller owns them; NULL: unread. */
json_t *dump_cluster(struct dump *dump);
json_t *dump_lease(struct dump *dump, const char *ns, const char *name);

/* A rollout with why it stands where it does, its history, its workloads, and their pods and
 * Events. The caller owns it. */
json_t *dump_rollout(struct dump *dump, const struct found *found);

/* The controller that answers at the address: whether it is ready, its adapters and its metrics.
 * The caller owns it. */
json_t *dump_controller(struct dump *dump, const char *server);

/* The last lines of a log. The caller owns it; NULL with `err`: ERR_MISSING or ERR_DENIED. */
json_t *dump_log(const char *file, struct error *err);

#endif
