// SPDX-License-Identifier: Apache-2.0
/* Rollouts in a cluster, of all the kinds that there are. */
#ifndef CLI_FIND_H
#define CLI_FIND_H

#include "cli/rollout_kinds.h"
#include "cli/session.h"

struct found {
    const struct rollout_kind *kind;
    json_t *object;
};

/* The one of that name, or of that kind and name ("rollouts/web"). The caller releases *ret_found's
 * object. ERR_MISSING: there is none; the words offer names that are like it. ERR_INVALID: there
 * are two. */
int rollout_find(struct session *session, const char *operand, struct found *ret_found,
                 struct error *err);

struct found_list {
    struct found *items;
    size_t count;
    const struct rollout_kind *unread; /* may not be listed, while others may; NULL: none */
    struct error why;                  /* of that */
};

/* All in the session's namespace, by namespace and name: of the kinds that may be listed, for
 * whoever uses one kind needs no rights for the other. ERR_DENIED: of none. The caller releases the
 * list. */
int rollouts_list(struct session *session, struct found_list *ret_list, struct error *err);

/* Tells on stderr what is left out. */
void rollouts_say_unread(const struct found_list *list);

/* Tells on stderr that there are none. */
void rollouts_say_none(const struct session *session);

/* Puts the object in its place, instead of an earlier state of it; takes it out. */
void found_list_put(struct found_list *list, const struct rollout_kind *kind, json_t *object);
void found_list_remove(struct found_list *list, const struct rollout_kind *kind,
                       const json_t *object);

void found_list_done(struct found_list *list);

#endif
