// SPDX-License-Identifier: Apache-2.0
/* A misspelt member of a kind. */
#include "hostile.h"

/* clang-format off */
static const char manifest[] = SLUICE_JSON({
    "kinds": [{"apiVersion": "x.io/v1", "kind": "X", "keep": [], "owns": []}],
    "rights": []
});
/* clang-format on */

SLUICE_ADAPTER(.name = "hostile", .version = "1.0.0", .manifest = manifest, .observe = good_observe,
               .begin = good_action, .advance = good_action, .finish = good_action)
