/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the two kinds of DaemonSets share: workloads with one pod on every node that fits, counted
 * by their status and their pods. See workload.h for who owns what.
 */
#ifndef COMMON_DAEMONS_H
#define COMMON_DAEMONS_H

#include <sluice/json.h>

struct daemons {
    int size;      /* nodes that are to have a pod */
    int elsewhere; /* nodes that have one and aren't to, tainted since it came: it stays, but nobody
                      makes it again */
    int old;       /* pods of another revision, without those on their way out */
    int updated, updated_ready;
    int ready; /* of any revision */
};

/* `revision` is what the pods of the present template carry as their revision; "" if it isn't
 * known: then all are old. */
struct daemons count_daemons(const struct sluice_request *request, json_t *workload,
                             const char *revision);

/* Is it a pod of another revision, and not on its way out? */
bool daemon_is_old(json_t *object, const char *revision);

/* Where it runs; "" while it isn't scheduled. */
const char *daemon_node(json_t *pod);

/* observe, with a reason that tells the first node whose pod isn't ready. */
int32_t observe_daemons(const struct sluice_request *request, json_t *workload,
                        const char *revision, bool settled);

/* validate: the type is one of the two that there are. */
int32_t check_strategy_type(const struct sluice_request *request, json_t *target);

/* validate: an amount of the owner's strategy is a number from 0 on or a percentage. While the roll
 * is on its way the API server doesn't look at it. */
int32_t check_amount(const struct sluice_request *request, const char *pointer);

#endif
