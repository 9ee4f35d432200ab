// SPDX-License-Identifier: Apache-2.0
/* Which pods may run on which nodes, as far as the controllers of workloads ask. */
#ifndef SANDBOX_NODES_H
#define SANDBOX_NODES_H

#include "sandbox_private.h"

#include <jansson.h>

enum fit {
    FIT_NOT,   /* doesn't belong there */
    FIT_STAYS, /* isn't put there any more, but isn't driven away either */
    FIT_RUNS,
};

/* By the node's labels and taints, and the pod's nodeName, nodeSelector and tolerations. */
enum fit node_fit(const json_t *node, const json_t *pod_spec);

/* Makes a pod one for that node only, as its affinity. */
void pod_put_node(json_t *pod, const char *node);

/* Where it is, or is meant to be; NULL: anywhere. Borrowed. */
const char *pod_node(const json_t *pod);

/* Makes so many nodes, "node-1" and so on; from then on pods go to nodes. */
void nodes_create(struct sandbox *sandbox, int count);

/* A node that runs pods and can take this one, each in turn. The caller frees it; NULL: none. */
char *node_for(struct sandbox *sandbox, const json_t *pod);

/* Whether its kubelet says nothing any more. False also where there is no such node. */
bool node_is_dead(const struct sandbox *sandbox, const char *name);

/* Nodes die, or come back, as faults want it now. */
void nodes_look(struct sandbox *sandbox);

#endif
