// SPDX-License-Identifier: Apache-2.0
/* The pictures of `sluice watch`. Pure. */
#ifndef CLI_WATCH_PAGE_H
#define CLI_WATCH_PAGE_H

#include "base/text.h"
#include "cli/find.h"

#include <stdint.h>

struct watch_room {
    int columns, rows;
};

/* One rollout: the page of `sluice status`, with as many of its batches as there are rows for; with
 * less room than for one, a line that says where it stands, and why. */
void watch_page_one(const struct found *found, int64_t now_ms, struct watch_room room,
                    struct text *to);

/* All: a line that counts them and a table of as many as there are rows for. Left out are those at
 * rest first, and then it says how many. `ns` is NULL for all namespaces. */
void watch_page_all(const struct found_list *list, const char *ns, int64_t now_ms,
                    struct watch_room room, struct text *to);

#endif
