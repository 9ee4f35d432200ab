// SPDX-License-Identifier: Apache-2.0
// One header of the contract, alone, in the strictest C++.
#include HEADER

int header_compiles_alone();

int header_compiles_alone()
{
    return SLUICE_ABI_MAJOR;
}
