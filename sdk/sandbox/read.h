// SPDX-License-Identifier: Apache-2.0
/* GET: one object, or a list of them. */
#ifndef SANDBOX_READ_H
#define SANDBOX_READ_H

#include "failure.h"
#include "sandbox_private.h"
#include "target.h"

int read_object(struct sandbox *sandbox, const struct target *target, const struct request *request,
                struct answer *answer, struct failure *failure);
int read_list(struct sandbox *sandbox, const struct target *target, const struct request *request,
              struct answer *answer, struct failure *failure);

/* The same list, as metadata, whatever the client wants to see of it. */
int read_metadata(struct sandbox *sandbox, const struct target *target,
                  const struct request *request, struct text *out, struct failure *failure);

/* A resourceVersion as a number; -1 and a failure when it is none. NULL and "" are 0. */
int64_t revision_read(const char *text, struct failure *failure);

#endif
