// SPDX-License-Identifier: Apache-2.0
/* Can observe, but not act. */
#include "hostile.h"

SLUICE_ADAPTER(.name = "hostile", .version = "1.0.0", .manifest = GOOD_MANIFEST,
               .observe = good_observe, .begin = good_action, .finish = good_action)
