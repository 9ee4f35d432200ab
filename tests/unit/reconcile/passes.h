// SPDX-License-Identifier: Apache-2.0
/* A queue on a real loop whose passes are noted, and end when and how the test says. */
#ifndef TEST_PASSES_H
#define TEST_PASSES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "reconcile/queue.h"

#include <stdbool.h>

enum { PASSES_MAX = 512 };

/* How a pass ends when it is started. */
enum ending { STAY, END_WELL, END_IN_TROUBLE };

struct passes {
    struct loop *loop;
    struct queue *queue;
    enum ending ending;
    int running, running_most;
    size_t count, awaited;
    char *keys[PASSES_MAX]; /* in the order of their starts */
    bool arrived;
    struct timer look;
};

void passes_init(struct passes *passes, unsigned running_max);
void passes_done(struct passes *passes);

/* Turns the loop until so many passes have been started in all; fails the test after 10 s. */
void passes_await(struct passes *passes, size_t count);

/* How many passes have been started in all when so much time has passed. It is the order of the
 * timers that decides, not their punctuality: a busy machine changes nothing. */
size_t passes_after(struct passes *passes, int64_t ms);

/* Ends a pass that stayed. */
void pass_end(struct passes *passes, const char *key, enum ending ending);

/* How many passes of this key were started. */
size_t passes_of(const struct passes *passes, const char *key);

#endif
