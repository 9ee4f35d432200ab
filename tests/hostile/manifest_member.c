// SPDX-License-Identifier: Apache-2.0
/* Declares something that nobody reads. */
#include "hostile.h"

/* clang-format off */
static const char manifest[] = SLUICE_JSON({
    "kinds": [{"apiVersion": "x.io/v1", "kind": "X", "keep": []}],
    "rights": [],
    "wishes": 3
});
/* clang-format on */

SLUICE_ADAPTER(.name = "hostile", .version = "1.0.0", .manifest = manifest, .observe = good_observe,
               .begin = good_action, .advance = good_action, .finish = good_action)
