// SPDX-License-Identifier: Apache-2.0
/* A library that is no adapter. */
#include <sluice/abi.h>

SLUICE_EXPORT int widgets(void);

int widgets(void)
{
    return 7;
}
