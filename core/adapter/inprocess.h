// SPDX-License-Identifier: Apache-2.0
/*
 * The transport that calls an adapter's table in this process. It copies the table, so that one
 * that is shorter or longer than ours is read safely. The adapter must stay loaded.
 */
#ifndef ADAPTER_INPROCESS_H
#define ADAPTER_INPROCESS_H

#include "adapter/call.h"

#include <sluice/abi.h>

/* The table with what lies inside its size; the rest is zero. */
sluice_adapter table_copy(const sluice_adapter *table);

/* The services that calls get. */
extern const sluice_host inprocess_host;

/* `host` is normally &inprocess_host; a longer table with the same beginning serves to try what
 * an adapter does with a newer host. Borrowed. The caller owns the result: transport->free(). */
struct transport *inprocess_new(const sluice_adapter *table, const struct call_limits *limits,
                                const sluice_host *host);

#endif
