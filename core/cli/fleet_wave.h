// SPDX-License-Identifier: Apache-2.0
/* Some copies of what files lead to, all at once, in a simulation of their own. */
#ifndef CLI_FLEET_WAVE_H
#define CLI_FLEET_WAVE_H

#include "cli/simulation.h"

struct fleet_spec {
    struct simulation_options simulation;
    const json_t *objects;     /* array */
    const char *const *places; /* where each stands in its file */
    bool approves;
    int copies; /* in all waves together */
    int wave;   /* in one */
    bool every; /* each is played */
};

/* What came of one, as JSON:
 *
 *     {"steps": [{"did": "applied", "object": "Rollout web", "copies": 200, "seconds": 30.0,
 *                 "load": [[second, reads, writes, events], …]}],
 *      "left out": ["file:1:1: the cluster doesn't serve …"],
 *      "ends": {"succeeded": 200, "waiting": 0, "failed": 0, "stopped": 0},
 *      "refused": "why it ended before its end", "limit": false}
 *
 * An object in a namespace, other than that of definitions, is there once for each copy, in a
 * namespace of the copy's own: "default-17". All others are shared. The caller owns what is
 * returned. */
json_t *fleet_wave(const struct fleet_spec *spec, int first, int count);

#endif
