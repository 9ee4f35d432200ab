// SPDX-License-Identifier: Apache-2.0
/* One rollout or all, kept as they are now: by one watch per kind. */
#ifndef CLI_FEED_H
#define CLI_FEED_H

#include "cli/find.h"

struct feed;

/* What is told is borrowed. */
struct feed_events {
    void (*on_put)(void *data, const struct found *found); /* new, changed, or as it was */
    void (*on_delete)(void *data, const struct found *found);
    void (*on_trouble)(void *data); /* feed_trouble() says something else than before */
};

/* Begins with what is in *list, which it takes, and watches the one that stands there, or all of
 * the session's namespace. The session and the events must outlive it. */
struct feed *feed_open_take(struct session *session, struct found_list *list, bool one,
                            const struct feed_events *events, void *data);
void feed_close(struct feed *feed);

/* All that there are now, by namespace and name. Borrowed until the next turn of the loop. */
const struct found_list *feed_list(const struct feed *feed);

/* Why news don't come: ERR_RETRY at the moment, ERR_DENIED for want of a right; NULL: they do.
 * Borrowed. */
const struct error *feed_trouble(const struct feed *feed);

#endif
