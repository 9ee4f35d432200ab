// SPDX-License-Identifier: Apache-2.0
/*
 * The process in which an adapter lives by itself (sluice-adapter-host), and the socket that leads
 * there. Frames go out and come in whole; nothing waits. What they mean is isolated.h's business.
 * For this folder only.
 */
#ifndef ADAPTER_HOME_H
#define ADAPTER_HOME_H

#include "adapter/frame.h"
#include "adapter/native.h"
#include "base/error.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct home {
    pid_t pid; /* 0: there is no process, and nothing below counts */
    int fd;
    struct text out; /* what the socket didn't take yet */
    struct text in;
};

struct home_spec {
    const char *program;           /* sluice-adapter-host */
    const char *object;            /* what the shared object must call itself */
    int file;                      /* open on the shared object */
    uint64_t memory;               /* bytes of data that the process may have */
    const struct natives *natives; /* that it is to call; NULL: none */
};

/* Zero the struct before. ERR_RETRY: it couldn't be started. */
int home_open(struct home *home, const struct home_spec *spec, struct error *err);

/* Ends the process, if there is one, and waits the moment until it is gone. The words say how it
 * had ended, if it had by itself. */
void home_close(struct home *home, struct error *ret_how);

/* Has it died, or said something, although it wasn't asked? */
bool home_restless(const struct home *home);

/* Sends a frame, as much of it as goes. Trouble comes up when the answer is waited for. */
void home_send(struct home *home, uint32_t what, const char *bytes, size_t length);

/* Moves what can be moved now. *ret_there: a whole frame stands at the beginning of `in`; it is
 * valid until home_drop(). ERR_GONE: the other end was closed; ERR_BUG: what it says is no frame of
 * this kind and size. */
int home_turn(struct home *home, enum frame_kind kind, size_t max, bool *ret_there,
              struct error *err);
const char *home_frame(const struct home *home, size_t *ret_length);
void home_drop(struct home *home);

/* What to wait for, as poll() has it. */
short home_events(const struct home *home);

#endif
