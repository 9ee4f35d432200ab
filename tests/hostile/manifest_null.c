// SPDX-License-Identifier: Apache-2.0
/* A manifest that is JSON, but no object. */
#include "hostile.h"

/* clang-format off */
static const char manifest[] = "null";
/* clang-format on */

SLUICE_ADAPTER(.name = "hostile", .version = "1.0.0", .manifest = manifest, .observe = good_observe,
               .begin = good_action, .advance = good_action, .finish = good_action)
