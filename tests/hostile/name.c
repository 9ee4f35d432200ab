// SPDX-License-Identifier: Apache-2.0
/* Calls itself something else than the config does. */
#include "hostile.h"

SLUICE_ADAPTER(.name = "friendly", .version = "1.0.0", .manifest = GOOD_MANIFEST,
               .observe = good_observe, .begin = good_action, .advance = good_action,
               .finish = good_action)
