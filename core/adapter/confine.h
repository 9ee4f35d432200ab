// SPDX-License-Identifier: Apache-2.0
/*
 * What the process of an isolated adapter gives up, for ever, in two steps. Only for
 * sluice-adapter-host.
 *
 * While it loads the adapter it may read files, because the dynamic linker must; it can't write or
 * make any, start a process, open a socket, or touch another process.
 * From then on it may use the memory it has, run threads, read and write the one socket that is
 * open, and end. Looking for files fails; anything else ends it with SIGSYS.
 */
#ifndef ADAPTER_CONFINE_H
#define ADAPTER_CONFINE_H

#include "base/error.h"

/* ERR_BUG: the system didn't take it, and nothing may be loaded or called. */
int confine_loading(struct error *err);
int confine_computing(struct error *err);

#endif
