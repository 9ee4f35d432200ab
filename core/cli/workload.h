// SPDX-License-Identifier: Apache-2.0
/* The workload that a Rollout follows, as the cluster has it. */
#ifndef CLI_WORKLOAD_H
#define CLI_WORKLOAD_H

#include "cli/session.h"
#include "follow/history.h"

#include <jansson.h>

struct workload {
    char *path; /* of the API */
    json_t *object;
};

/* ERR_MISSING: it, or its kind, isn't there. Release with workload_done(). */
int workload_read(struct session *session, const json_t *rollout, struct workload *ret_workload,
                  struct error *err);
void workload_done(struct workload *workload);

/* The name of the template that is on it; false: it has none where workloads use to have it. */
bool workload_template(const json_t *object, char ret_name[TEMPLATE_NAME_SIZE]);

/* The steps of a JSON patch that put a template in the place of the one that is on it. */
void workload_put_template(json_t *patch, const json_t *object, const json_t *template);

#endif
