// SPDX-License-Identifier: Apache-2.0
/*
 * A program run beside the loop: what it prints is collected, its end is waited for without
 * blocking, and when it takes too long or prints too much it is killed with all its children.
 * Private to core/cluster.
 */
#ifndef CLUSTER_CHILD_H
#define CLUSTER_CHILD_H

#include "loop/loop.h"

#include <stddef.h>

struct child;

struct child_spec {
    char *const *command;     /* the program (searched for in PATH) and its arguments, then NULL */
    char *const *environment; /* "NAME=value", added to ours, then NULL */
    int64_t limit_ms;
};

/* Borrowed during the callback. */
struct child_end {
    const char *trouble; /* NULL: it ended with status 0; otherwise what happened, in words */
    const char *out;     /* its standard output, NUL-terminated */
    size_t out_length;
    const char *err; /* the end of its standard error, on one line */
};

/* on_end is called exactly once and never before child_start() returns; then the child is gone.
 * The program gets no standard input and none of our descriptors. spec is not kept. */
typedef void child_fn(void *data, const struct child_end *end);
struct child *child_start(struct loop *loop, const struct child_spec *spec, child_fn *on_end,
                          void *data);

/* Kills it; on_end is not called any more. NULL is fine. */
void child_free(struct child *child);

#endif
