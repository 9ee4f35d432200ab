/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pods as an adapter reads them that asks for those that its workload owns: of which revision they
 * are, whether they are ready, and letting one go. See workload.h for who owns what.
 */
#ifndef COMMON_PODS_H
#define COMMON_PODS_H

#include <sluice/json.h>

/* On every pod of a StatefulSet or DaemonSet: its revision. */
#define POD_REVISION "controller-revision-hash"

/* The pods of the request, in no order. */
json_t *owned_pods(const struct sluice_request *request);

/* Does its label say the revision whose name stands at the pointer in the workload? */
bool pod_of_revision(json_t *pod, json_t *workload, const char *pointer);

/* A pod that is on its way out is never ready. */
bool pod_leaving(json_t *pod);
bool pod_ready(json_t *pod);

/* Why it isn't, in the words of the kubelet or the scheduler; "" if neither says. */
const char *pod_unready_message(json_t *pod);

/* validate: the pods that the rollout names are there. */
int32_t check_pod_names(const struct sluice_request *request);

/* Emits the deletion of exactly this pod; the second one after an Event that says why. Owns the
 * message. */
int32_t delete_pod(const struct sluice_request *request, json_t *pod);
int32_t delete_pod_take(const struct sluice_request *request, json_t *pod, const char *reason,
                        json_t *message);

#endif
