// SPDX-License-Identifier: Apache-2.0
/*
 * Which objects belong to which workload: those of one kind that are owned, packed, found by the
 * UID of the workload that controls them. Knows nothing of watches or adapters. Private to
 * reconcile/.
 */
#ifndef RECONCILE_FAMILIES_H
#define RECONCILE_FAMILIES_H

#include "base/map.h"
#include "base/pack.h"

#include <jansson.h>

/* Zeroed, it is empty. */
struct families {
    struct map by_uid;    /* UID of the workload → its objects: "namespace/name" → packed text */
    struct map owner_uid; /* "namespace/name" → that UID */
    struct pack pack;
};
void families_done(struct families *families);

/* The object with this key belongs to that workload now, and to no other. */
void families_put(struct families *families, const char *uid, const char *key,
                  const json_t *object);
void families_remove(struct families *families, const char *key);

/* Appends all that belongs to the workload. */
void families_list(const struct families *families, const char *uid, json_t *array);

/* The object with this key, whoever has it; NULL: there is none. The caller owns it. */
json_t *families_get(const struct families *families, const char *key);

/* Keeps this instead of what is there, if anything is. */
void families_replace(struct families *families, const char *key, const json_t *object);

#endif
