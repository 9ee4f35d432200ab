// SPDX-License-Identifier: Apache-2.0
/*
 * What an adapter emitted, from bytes to types. Everything is checked: the kind of emission that
 * the call may emit, JSON, every member's presence, type and range. The words of a refusal name
 * the emission, the member, what was expected and what was found.
 */
#ifndef ADAPTER_EMISSIONS_H
#define ADAPTER_EMISSIONS_H

#include "adapter/adapter.h"
#include "adapter/call.h"

/* How to read emissions. */
struct reading {
    const json_t *object;       /* what an apply patch must be of: the workload or the target */
    const json_t *owned, *pods; /* of the request: no other pod may be touched; NULL: none */
    bool newer; /* built for a newer minor: members that we don't know are ignored */
};

/* Exactly one STATUS. ERR_BUG. */
int emissions_status(const struct answer *answer, const struct reading *reading,
                     struct workload_status *ret_status, struct error *err);

/* Exactly one MANIFEST; what is in it is for manifest.h to check. The caller owns *ret_json.
 * ERR_BUG. */
int emissions_manifest(const struct answer *answer, json_t **ret_json, struct error *err);

/* Any number of actions. The caller releases *ret_actions with actions_done(). ERR_BUG. */
int emissions_actions(const struct answer *answer, const struct reading *reading,
                      struct actions *ret_actions, struct error *err);

/* Nothing at all. ERR_BUG. */
int emissions_none(const struct answer *answer, struct error *err);

#endif
