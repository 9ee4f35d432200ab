// SPDX-License-Identifier: Apache-2.0
/* Requests from within the process (loop/carrier.h), answered as those over HTTP are. */
#ifndef SANDBOX_INSIDE_H
#define SANDBOX_INSIDE_H

#include "loop/carrier.h"
#include "loop/loop.h"
#include "request.h"

struct inside;

struct inside *inside_new(struct loop *loop, request_fn *handle, void *data);

/* Those who have asked must have stopped. NULL is fine. */
void inside_free(struct inside *inside);

struct carrier inside_carrier(struct inside *inside);

#endif
