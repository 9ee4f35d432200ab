// SPDX-License-Identifier: Apache-2.0
/* A schema with a keyword that would not be checked. */
#include "hostile.h"

/* clang-format off */
static const char manifest[] = SLUICE_JSON({
    "kinds": [{"apiVersion": "x.io/v1", "kind": "X", "keep": []}],
    "rights": [],
    "options": {"type": "object", "properties": {"a": {"type": "string", "pattern": "x*"}}}
});
/* clang-format on */

SLUICE_ADAPTER(.name = "hostile", .version = "1.0.0", .manifest = manifest, .observe = good_observe,
               .begin = good_action, .advance = good_action, .finish = good_action)
