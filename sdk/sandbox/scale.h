// SPDX-License-Identifier: Apache-2.0
/* The subresource scale: how many there are to be and how many there are, of any kind that says
 * where its objects have it. */
#ifndef SANDBOX_SCALE_H
#define SANDBOX_SCALE_H

#include "failure.h"
#include "sandbox_private.h"
#include "target.h"

/* The Scale of an object. The caller owns it; NULL and a failure where there is no size. */
json_t *scale_of(const struct kind *kind, const json_t *object, struct failure *failure);

/* Puts what a Scale says into the object that it is of. */
int scale_put(const struct sandbox *sandbox, const struct kind *kind, json_t *object,
              const json_t *scale, struct failure *failure);

/* A label selector as text, as a Scale has it. The caller owns it. */
json_t *scale_selector(const json_t *selector);

int scale_read(struct sandbox *sandbox, const struct target *target, const struct request *request,
               struct answer *answer, struct failure *failure);

#endif
