// SPDX-License-Identifier: Apache-2.0
/*
 * A memory of limited size: things found by a key, of which the least recently used is forgotten
 * when there are too many. A struct recent_item is the first member of each thing.
 * Private to core/cluster.
 */
#ifndef CLUSTER_RECENT_H
#define CLUSTER_RECENT_H

#include "base/list.h"
#include "base/map.h"

#include <stdbool.h>
#include <stdint.h>

enum { RECENT_KEY_SIZE = 33 };

struct recent_item {
    struct list link;
    char key[RECENT_KEY_SIZE];
    bool pinned; /* not to be forgotten now */
    int64_t used_ms;
};

struct recent {
    struct list order; /* the least recently used first */
    struct map items;
    size_t item_size, most;
};

void recent_init(struct recent *recent, size_t item_size, size_t most);
void recent_done(struct recent *recent);

/* Makes a key of some strings (the last one NULL). */
void recent_key(char ret_key[RECENT_KEY_SIZE], const char *const *strings, size_t count);

/* The item with that key, a zeroed one when there was none (*ret_new), used now. Borrowed until the
 * next call of a function here, or longer while it is pinned. */
void *recent_use(struct recent *recent, const char *key, int64_t now_ms, bool *ret_new);

/* Forgets what hasn't been used since then. */
void recent_forget(struct recent *recent, int64_t before_ms);

#endif
