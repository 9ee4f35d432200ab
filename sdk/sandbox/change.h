// SPDX-License-Identifier: Apache-2.0
/*
 * Creating, changing and deleting objects, as the API server's registry does: what a client may not
 * say is put right, versions are compared, generations counted, finalizers waited for.
 */
#ifndef SANDBOX_CHANGE_H
#define SANDBOX_CHANGE_H

#include "object.h"

struct change_options {
    const char *subresource; /* NULL: the object itself */
    const char *manager;     /* who becomes the owner of what changes; NULL: managers are as said */
    bool patch;              /* a patch need not name the version that it changes */
    bool dry_run;            /* all but the write */
};

/* `object` has been taken (object_take()) and is completed in place; afterwards it is what was
 * written. */
int change_create(struct sandbox *sandbox, const struct target *target, json_t *object,
                  const struct change_options *options, struct failure *failure);

/* Makes `object`, which has been taken, the next version of the one that is there. The write is
 * left out when nothing changes. An object whose last finalizer goes is deleted. */
int change_replace(struct sandbox *sandbox, const struct target *target, json_t *object,
                   const struct change_options *options, struct failure *failure);

/* What names that are generated end with: letters of chance. */
enum { NAME_TAIL_SIZE = 6 };
void name_tail(char ret_tail[NAME_TAIL_SIZE]);

enum propagation { PROPAGATE_BACKGROUND, PROPAGATE_FOREGROUND, PROPAGATE_ORPHAN };

struct delete_options {
    const char *uid, *revision; /* preconditions; NULL: none */
    enum propagation propagation;
    int64_t grace_s; /* -1: the kind's own */
    bool dry_run;
};

/* Deletes, or begins to. *ret_object is what it was last, or how it waits now, and the caller's;
 * *ret_gone says which. */
int change_delete(struct sandbox *sandbox, const struct target *target,
                  const struct delete_options *options, json_t **ret_object, bool *ret_gone,
                  struct failure *failure);

#endif
