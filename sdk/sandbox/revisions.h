// SPDX-License-Identifier: Apache-2.0
/* What a workload's template has been, as its ControllerRevisions remember it. */
#ifndef SANDBOX_REVISIONS_H
#define SANDBOX_REVISIONS_H

#include "workload.h"

struct revisions {
    json_t *all;    /* ControllerRevisions, the newest last */
    json_t *update; /* of the template as it is now, from `all`; NULL: it was refused */
};

/* Finds an owner's revisions. A template that has none yet gets one, with its hash in that label;
 * one that comes back is the newest again. The caller ends `ret_revisions` with
 * revisions_done(). */
void revisions_find(struct sandbox *sandbox, const json_t *owner, const char *hash_label,
                    struct revisions *ret_revisions);
void revisions_done(struct revisions *revisions);

/* The one of that name; NULL: there is none. Borrowed from `revisions`. */
json_t *revisions_named(const struct revisions *revisions, const char *name);

/* The template that a revision remembers. The caller owns it. */
json_t *revision_template(const json_t *revision);

/* Forgets the oldest, as far as the owner wants no more history. What its status names, or one of
 * its pods is of by the label controller-revision-hash, stays, and doesn't count. */
void revisions_forget(struct sandbox *sandbox, const struct revisions *revisions,
                      const json_t *owner, const json_t *pods);

/* Deletes the oldest `count` of those whose names aren't members of `live`, or as many as there
 * are. */
void revisions_trim(struct sandbox *sandbox, const struct revisions *revisions, const json_t *live,
                    int64_t count);

#endif
