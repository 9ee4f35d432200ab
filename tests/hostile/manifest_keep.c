// SPDX-License-Identifier: Apache-2.0
/* Wants to keep something that is no JSON pointer. */
#include "hostile.h"

/* clang-format off */
static const char manifest[] = SLUICE_JSON({
    "kinds": [{"apiVersion": "x.io/v1", "kind": "X", "keep": ["/spec", "status.ready"]}],
    "rights": []
});
/* clang-format on */

SLUICE_ADAPTER(.name = "hostile", .version = "1.0.0", .manifest = manifest, .observe = good_observe,
               .begin = good_action, .advance = good_action, .finish = good_action)
