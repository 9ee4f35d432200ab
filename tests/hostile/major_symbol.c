// SPDX-License-Identifier: Apache-2.0
/* Built for the next major version of the contract: another symbol. */
#include <sluice/abi.h>

SLUICE_EXPORT const void *sluice_adapter_v2(void);

const void *sluice_adapter_v2(void)
{
    return NULL;
}
