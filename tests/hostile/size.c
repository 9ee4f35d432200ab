// SPDX-License-Identifier: Apache-2.0
/* A table that ends before the mandatory calls. */
#include "hostile.h"

const sluice_adapter *sluice_adapter_v1(void)
{
    static const sluice_adapter table = {
        .size = offsetof(sluice_adapter, begin), .major = SLUICE_ABI_MAJOR, GOOD_TABLE};
    return &table;
}
