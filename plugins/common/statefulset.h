/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Kubernetes' StatefulSets and OpenKruise's have in common: pods with a place each, of which
 * those below a partition stay at the old revision. What is ready of which revision is read from
 * the pods themselves. See workload.h for who owns what.
 */
#ifndef COMMON_STATEFULSET_H
#define COMMON_STATEFULSET_H

#include "common/pods.h"
#include "common/workload.h"

#define STRATEGY       "/spec/updateStrategy"
#define ROLLING_UPDATE STRATEGY "/rollingUpdate"
#define PARTITION      ROLLING_UPDATE "/partition"
#define UNORDERED      ROLLING_UPDATE "/unorderedUpdate" /* OpenKruise's alone */

/* Has its controller seen the last change, and given the template a name? */
bool statefulset_settled(json_t *workload);

/* The partition, at most the size. */
int statefulset_partition(json_t *workload);

/* The highest partition with which `goal` pods come to the new revision. Those that have it
 * already, when a roll goes back halfway, count. */
int statefulset_partition_for_goal(const struct sluice_request *request, json_t *workload);

/* The lowest partition from the present one on with which no more than `goal` pods come to the new
 * revision: another than the present one if that was lowered by somebody else. */
int statefulset_partition_to_hold(const struct sluice_request *request, json_t *workload);

/* The lowest partition from the present one on with which no further pod is replaced. */
int statefulset_partition_at_rest(const struct sluice_request *request, json_t *workload);

int32_t statefulset_observe(const struct sluice_request *request);
int32_t statefulset_validate(const struct sluice_request *request);

/* validate: a pod can't come before its predecessor, of the same name, has gone. */
int32_t statefulset_check_order(const struct sluice_request *request);

/* Keeps all pods of `object`, a target that is to take the workload's place, where they are. */
void statefulset_hold(const struct sluice_request *request, json_t *workload, json_t *object);

/* Deletes pods that will never be ready and hold up all others, also those that are to replace
 * them, and says so. */
int32_t statefulset_delete_stuck_pods(const struct sluice_request *request, json_t *workload);

/* Gives the partition back: as the owner has it after success, otherwise so that nothing moves. */
void statefulset_give_back(const struct sluice_request *request, json_t *workload, json_t *after);

/* Puts the partition of `after` back, and says so. */
int32_t statefulset_hold_again(const struct sluice_request *request, json_t *after, int partition);

/* Fails, because its controller hasn't seen the last change. */
int32_t statefulset_behind(const struct sluice_request *request);

#endif
