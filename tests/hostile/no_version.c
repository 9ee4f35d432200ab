// SPDX-License-Identifier: Apache-2.0
/* Doesn't say which version of itself it is. */
#include "hostile.h"

SLUICE_ADAPTER(.name = "hostile", .manifest = GOOD_MANIFEST, .observe = good_observe,
               .begin = good_action, .advance = good_action, .finish = good_action)
