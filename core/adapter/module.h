// SPDX-License-Identifier: Apache-2.0
/*
 * A shared object that has become part of this process, and the check of the table it offers.
 * It is never unloaded. The check of the file comes before; see file.h.
 */
#ifndef ADAPTER_MODULE_H
#define ADAPTER_MODULE_H

#include "base/error.h"

#include <sluice/abi.h>

/* Loads what `fd` is open on and finds its table. *ret_table is borrowed for ever. Takes `fd`,
 * also on failure. ERR_INVALID. */
int module_load_take(int fd, const sluice_adapter **ret_table, struct error *err);

/* Size, version, needs, calls, texts, and that its name is the one expected. ERR_INVALID. */
int module_check(const sluice_adapter *table, const char *name, struct error *err);

#endif
