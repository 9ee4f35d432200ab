// SPDX-License-Identifier: Apache-2.0
/*
 * Several controllers, each of which knows when it may act: `sluice controller --leader-elect`. One
 * does, by a Lease, and the others watch, with all they need listed already, and wait for theirs.
 * Or, with --shards, each acts in its share of the namespaces.
 */
#ifndef CLI_LEADING_H
#define CLI_LEADING_H

#include "cli/cli.h"
#include "cluster/lease.h"
#include "reconcile/controller.h"

#define LEASE_NAME      "sluice-controller"
#define LEASE_NAMESPACE "sluice-system"

extern const struct flag flag_leader_elect, flag_lease_name, flag_lease_namespace,
    flag_lease_duration, flag_renew_deadline, flag_retry_period, flag_shards;

struct leading_options {
    bool on;
    const char *ns, *name;
    struct lease_terms terms;
    int shards; /* 0: one acts for all */
};

/* STATUS_DONE; or STATUS_USAGE, and that is said. */
int leading_options_read(const struct arguments *arguments, struct leading_options *ret_options);

struct leading;

/* Holds the controller until the Lease is ours, or back from namespaces that aren't. When that is
 * lost the loop is stopped. Borrows both; NULL when the options say that there is no election. */
struct leading *leading_new(struct cluster *cluster, struct controller *controller,
                            const struct leading_options *options);

bool leading_lost(const struct leading *leading); /* NULL is fine, here and below */

/* True also without an election. */
bool leading_acts(const struct leading *leading);

/* How many shards it acts in; -1: they aren't spread. */
int leading_shards(const struct leading *leading);

/* From here on nothing is written. Turns the loop until what had been sent is answered. */
void leading_settle(struct leading *leading);

/* Gives the Lease to the others. The controller must have ended. */
void leading_free(struct leading *leading);

#endif
