// SPDX-License-Identifier: Apache-2.0
/* Takes one number as its option. */
#include "hostile.h"

/* clang-format off */
static const char manifest[] = SLUICE_JSON({
    "kinds": [{"apiVersion": "x.io/v1", "kind": "X", "keep": []}],
    "rights": [],
    "options": {
        "type": "object",
        "properties": {
            "pods": {"type": "integer", "minimum": 1, "maximum": 9},
            "mode": {"enum": ["slow", "fast"]},
            "tags": {"type": "array", "items": {"type": "string"}}
        },
        "required": ["pods"],
        "additionalProperties": false
    }
});
/* clang-format on */

SLUICE_ADAPTER(.name = "hostile", .version = "1.0.0", .manifest = manifest, .observe = good_observe,
               .begin = good_action, .advance = good_action, .finish = good_action)
