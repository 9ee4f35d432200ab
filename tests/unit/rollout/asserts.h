// SPDX-License-Identifier: Apache-2.0
/* What tests in a world ask. */
#ifndef TESTS_ASSERTS_H
#define TESTS_ASSERTS_H

#include "world.h"

/* What has happened since the last time this was asked. */
void assert_happened(struct world *world, const char *journal);

/* It has come to this end, the workload is free, and its pods are ready, `updated` of them at the
 * revision of the template. */
void assert_ended(const struct world *world, enum rolling_state end, int updated, int size);

/* It comes to rest in this state, saying this. */
void assert_waits(struct world *world, enum rolling_state state, enum reason_code why,
                  const char *message);
void assert_reason(const struct world *world, const char *field, const char *expected,
                   const char *found);

/* A plan of three batches, for 5 pods, with a hook of this type and name. */
#define HOOKED(type, name)                                                                         \
    "{'rolloutBatches':[{'replicas':1},{'replicas':2},{'replicas':2}],"                            \
    "'rolloutWebhooks':[{'type':'" type "','name':'" name "','url':'http://h'}]}"

#define THREE   "{'rolloutBatches':[{'replicas':1},{'replicas':2},{'replicas':2}]}"
#define PERCENT "{'rolloutBatches':[{'replicas':'10%'},{'replicas':'40%'},{'replicas':'50%'}]}"

#endif
