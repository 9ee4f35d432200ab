// SPDX-License-Identifier: Apache-2.0
/*
 * The transport that calls an adapter in a process of its own, so that whatever it does concerns
 * nobody else. The process may compute and answer, and nothing beyond (see confine.h). A call has a
 * deadline; a process that misses it, dies, or says what makes no sense is ended, and the next one
 * is started after a while that doubles from a quarter of a second to about four minutes.
 *
 * transport->call waits. Who must not wait uses isolated_send() and isolated_turn() instead; see
 * line.h. One call at a time in either way. For this folder and the programs of the SDK.
 */
#ifndef ADAPTER_ISOLATED_H
#define ADAPTER_ISOLATED_H

#include "adapter/adapter.h"
#include "adapter/call.h"
#include "adapter/frame.h"

struct isolated;

struct isolated_spec {
    int file;           /* open on the checked shared object */
    const char *object; /* what it must call itself */
    const char *program;
    int64_t deadline_ms;
    int64_t load_ms; /* for all that comes before isolated_loaded() */
    uint64_t memory;
    const struct natives *natives;   /* borrowed for as long as it lives; NULL: none */
    struct adapter_figures *figures; /* borrowed; NULL: nobody counts */
};

/* The program that becomes the process: beside this one, or where it was installed. The caller
 * frees it. */
char *isolated_program(void);

/* Starts the process and waits for it to load the adapter. Takes the file, also on failure, and
 * keeps it for later processes. ERR_INVALID: the adapter is refused; ERR_RETRY: no process could be
 * started; ERR_BUG: it failed over loading the adapter. */
int isolated_open_take(const struct isolated_spec *spec, struct isolated **ret_isolated,
                       struct error *err);

/* It is in use: calls have their own deadline from now on. */
void isolated_loaded(struct isolated *isolated);

/* The caller owns it by this: transport->free(). */
struct transport *isolated_transport(struct isolated *isolated);

/* What the adapter's table says. Borrowed. */
const struct hello *isolated_hello(const struct isolated *isolated);

/* Asks, starting a process if there is none. ERR_BUG: it has failed and it isn't time yet to try
 * again; ERR_RETRY: no process could be started; ERR_LIMIT: the question is too large. */
int isolated_send(struct isolated *isolated, const struct question *question, struct error *err);

/* Goes on as far as that is possible now. True: the call is over. */
bool isolated_turn(struct isolated *isolated, struct call_outcome *ret_outcome);

/* The deadline has passed: ends the process and the call. */
void isolated_expire(struct isolated *isolated, struct call_outcome *ret_outcome);

/* Milliseconds until the deadline of the call under way; 0 when it has passed. */
int64_t isolated_left_ms(const struct isolated *isolated);

/* The descriptor to wait for, and for what; -1: there is no process. */
int isolated_fd(const struct isolated *isolated, short *ret_events);

/* `closing` is called whenever the descriptor is about to be closed, and the process with it. */
void isolated_on_close(struct isolated *isolated, void (*closing)(void *data), void *data);

/* Has it answered since it last failed? While it hasn't, one caller at a time tries. */
bool isolated_proven(const struct isolated *isolated);

/* Why it isn't. Empty: it never failed. */
const char *isolated_trouble(const struct isolated *isolated);

/* Something came although nothing was asked: most of the time, its end. */
void isolated_unasked(struct isolated *isolated);

#endif
