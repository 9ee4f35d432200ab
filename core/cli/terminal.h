// SPDX-License-Identifier: Apache-2.0
/*
 * The terminal that a live view has to itself: another screen than the shell's, no cursor, and keys
 * that arrive as they are struck and aren't shown. It is given back as it was when the view is
 * closed, and for as long as the program is stopped (^Z).
 */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include "cli/screen.h"
#include "loop/loop.h"

struct terminal;

struct terminal_events {
    void (*on_resize)(void *data); /* another picture may be wanted now */
    void (*on_end)(void *data);    /* q, ^C, or a signal that ends programs: close it */
};

/* Can standard output show a live view? It is a terminal then, and not a dumb one. */
bool terminal_there(void);

/* Takes the terminal of standard input and output; `events` is copied. The caller owns
 * *ret_terminal. ERR_RETRY when the system has no descriptors left. */
int terminal_open(struct loop *loop, const struct terminal_events *events, void *data,
                  struct terminal **ret_terminal, struct error *err);

/* How large it is now, and whether colours are wanted there (NO_COLOR). Borrowed. */
const struct screen_look *terminal_look(const struct terminal *terminal);

/* Shows the lines; nothing is written when they are there already. */
void terminal_show(struct terminal *terminal, const char *lines);

/* Gives the terminal back and leaves the lines on it, where the shell goes on. */
void terminal_close(struct terminal *terminal, const char *lines);

#endif
