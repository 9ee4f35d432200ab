// SPDX-License-Identifier: Apache-2.0
/* The right symbol, but a table that says another major. */
#include "hostile.h"

const sluice_adapter *sluice_adapter_v1(void)
{
    static const sluice_adapter table = {.size = sizeof table, .major = 2, GOOD_TABLE};
    return &table;
}
