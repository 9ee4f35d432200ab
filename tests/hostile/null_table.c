// SPDX-License-Identifier: Apache-2.0
/* Has the symbol and nothing behind it. */
#include <sluice/abi.h>

const sluice_adapter *sluice_adapter_v1(void)
{
    return NULL;
}
