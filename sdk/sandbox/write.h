// SPDX-License-Identifier: Apache-2.0
/* Requests that write: their bodies and options, and their answers. */
#ifndef SANDBOX_WRITE_H
#define SANDBOX_WRITE_H

#include "failure.h"
#include "sandbox_private.h"
#include "target.h"

int write_create(struct sandbox *sandbox, const struct target *target,
                 const struct request *request, struct answer *answer, struct failure *failure);
int write_replace(struct sandbox *sandbox, const struct target *target,
                  const struct request *request, struct answer *answer, struct failure *failure);
int write_patch(struct sandbox *sandbox, const struct target *target, const struct request *request,
                struct answer *answer, struct failure *failure);
int write_delete(struct sandbox *sandbox, const struct target *target,
                 const struct request *request, struct answer *answer, struct failure *failure);
int write_delete_all(struct sandbox *sandbox, const struct target *target,
                     const struct request *request, struct answer *answer, struct failure *failure);

#endif
