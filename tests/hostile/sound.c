// SPDX-License-Identifier: Apache-2.0
/* Nothing is wrong with it; what replaces and is replaced in the tests. READS says what it wants to
 * read of its workloads, which are of the kind KIND: KEEP_NOTHING, KEEP_SPEC or OWN_PODS. */
#include "hostile.h"

#define KEEP_NOTHING "\"keep\": []"
#define KEEP_SPEC    "\"keep\": [\"/spec\"]"
#define OWN_PODS                                                                                   \
    KEEP_NOTHING ", \"owned\": [{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"keep\": []}]"

static const char manifest[] = "{\"kinds\": [{\"apiVersion\": \"x.io/v1\", \"kind\": \"" KIND
                               "\", " READS "}], \"rights\": []}";

SLUICE_ADAPTER(.name = "hostile", .version = VERSION, .manifest = manifest, .observe = good_observe,
               .begin = good_action, .advance = good_action, .finish = good_action)
