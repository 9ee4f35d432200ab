// SPDX-License-Identifier: Apache-2.0
/* Needs something of the host that this one has never heard of. */
#include "hostile.h"

SLUICE_ADAPTER(GOOD_TABLE, .needs = (uint64_t)1 << 63)
