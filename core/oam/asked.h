// SPDX-License-Identifier: Apache-2.0
/*
 * What people have asked of a rollout, as its annotations tell it. Pure.
 *
 *     rollout.sluice.dev/asked: abort by jo at 2026-01-31T12:00:00Z
 *     rollout.sluice.dev/wish:  abort shop-v2 4711
 *
 * The first says who has asked for something last. The second is for the controller: abort or retry
 * the roll to that target, once for each word that stands at the end.
 */
#ifndef OAM_ASKED_H
#define OAM_ASKED_H

#include "rollout/machine.h"

#include <jansson.h>

#define MARK_ASKED "rollout.sluice.dev/asked"
#define MARK_WISH  "rollout.sluice.dev/wish"

struct asked {
    char verb[16];
    char by[128];
    int64_t at_ms;
};

/* False: nobody has asked, or it can't be understood; *ret_asked is empty then. */
bool asked_read(const json_t *object, struct asked *ret_asked);

/* As it stands in the annotation. The caller frees it. */
char *asked_text(const struct asked *asked);

/* The verb is WISH_NONE when there is no wish, or none that can be understood. */
void wish_read(const json_t *object, struct wish *ret_wish);

/* As it stands in the annotation. The caller frees it. */
char *wish_text(const struct wish *wish);

#endif
