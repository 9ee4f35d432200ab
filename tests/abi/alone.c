/* SPDX-License-Identifier: Apache-2.0 */
/* The contract, alone, in the strictest C. */
#include <sluice/abi.h>

int abi_compiles_alone(void);

int abi_compiles_alone(void)
{
    return SLUICE_ABI_MAJOR;
}
