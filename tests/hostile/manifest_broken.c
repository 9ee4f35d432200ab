// SPDX-License-Identifier: Apache-2.0
/* A manifest that isn't JSON. */
#include "hostile.h"

/* clang-format off */
static const char manifest[] = "{\"kinds\": [";
/* clang-format on */

SLUICE_ADAPTER(.name = "hostile", .version = "1.0.0", .manifest = manifest, .observe = good_observe,
               .begin = good_action, .advance = good_action, .finish = good_action)
