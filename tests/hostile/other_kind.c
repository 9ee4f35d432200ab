// SPDX-License-Identifier: Apache-2.0
/* The same kind as its neighbours have. */
#include "hostile.h"

/* clang-format off */
static const char manifest[] = SLUICE_JSON({
    "kinds": [
        {"apiVersion": "y.io/v1", "kind": "Y", "keep": []},
        {"apiVersion": "x.io/v1", "kind": "X", "keep": []}
    ],
    "rights": []
});
/* clang-format on */

SLUICE_ADAPTER(.name = "neighbour", .version = "1.0.0", .manifest = manifest,
               .observe = good_observe, .begin = good_action, .advance = good_action,
               .finish = good_action)
