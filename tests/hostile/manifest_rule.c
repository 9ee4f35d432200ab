// SPDX-License-Identifier: Apache-2.0
/* A right that is meant for one object only, which the host would widen to all. */
#include "hostile.h"

/* clang-format off */
static const char manifest[] = SLUICE_JSON({
    "kinds": [{"apiVersion": "x.io/v1", "kind": "X", "keep": []}],
    "rights": [{"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["x"],
                "verbs": ["get"]}]
});
/* clang-format on */

SLUICE_ADAPTER(.name = "hostile", .version = "1.0.0", .manifest = manifest, .observe = good_observe,
               .begin = good_action, .advance = good_action, .finish = good_action)
