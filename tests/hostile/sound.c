// SPDX-License-Identifier: Apache-2.0
/* Nothing is wrong with it; what replaces and is replaced in the tests. */
#include "hostile.h"

SLUICE_ADAPTER(.name = "hostile", .version = VERSION, .manifest = GOOD_MANIFEST,
               .observe = good_observe, .begin = good_action, .advance = good_action,
               .finish = good_action)
