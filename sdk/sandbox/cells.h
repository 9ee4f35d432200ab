// SPDX-License-Identifier: Apache-2.0
/* What single columns of built-in kinds show. The caller owns each cell. */
#ifndef SANDBOX_CELLS_H
#define SANDBOX_CELLS_H

#include <jansson.h>

typedef json_t *cell_fn(const json_t *object);

cell_fn cell_age, cell_none, cell_data_count, cell_secret_count, cell_controller;
cell_fn cell_cluster_ip, cell_ports, cell_service_selector;
cell_fn cell_node_status, cell_node_roles, cell_node_selector;
cell_fn cell_pod_ready, cell_pod_status, cell_pod_restarts, cell_pod_ip, cell_pod_node,
    cell_pod_gates;
cell_fn cell_ready_of_wanted, cell_containers, cell_images, cell_selector;
cell_fn cell_last_seen, cell_first_seen, cell_event_object, cell_event_count;

/* How long ago a time was, in the two largest units that matter: "4m12s". */
json_t *cell_since(const char *time);

#endif
