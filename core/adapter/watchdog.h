// SPDX-License-Identifier: Apache-2.0
/*
 * Tells when a call in this process takes longer than it may. Nothing can end such a call without
 * ending the process, and this thread is stuck in it; a thread of the watchdog's own says who it
 * is, at the deadline and each time twice as long has passed. It sleeps while nothing is called.
 *
 * One for the process; watchdog_enter() and _leave() are for the one thread that calls adapters,
 * and cost next to nothing while no watchdog was started.
 */
#ifndef ADAPTER_WATCHDOG_H
#define ADAPTER_WATCHDOG_H

#include "adapter/call.h"

/* Runs in the watchdog's thread. */
typedef void watchdog_fn(const char *adapter, const char *call, int64_t running_ms);

/* ERR_RETRY: there was no thread to be had. */
int watchdog_start(watchdog_fn *report, struct error *err);
void watchdog_stop(void);

/* `adapter` is borrowed until watchdog_leave(). */
void watchdog_enter(const char *adapter, enum call_kind kind, int64_t deadline_ms);
void watchdog_leave(void);

#endif
