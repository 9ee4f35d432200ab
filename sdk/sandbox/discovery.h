// SPDX-License-Identifier: Apache-2.0
/* What a client asks about the API itself: its version, its groups and kinds, its health. */
#ifndef SANDBOX_DISCOVERY_H
#define SANDBOX_DISCOVERY_H

#include "sandbox_private.h"

/* False: the path is about something else. */
bool discovery_answer(struct sandbox *sandbox, const struct request *request,
                      struct answer *answer);

#endif
