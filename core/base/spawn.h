// SPDX-License-Identifier: Apache-2.0
/*
 * Starting a helper process: with the descriptors that it is given and no others, an empty signal
 * mask, no new privileges, no core dumps, a limit of memory, in a process group of its own, so that
 * it can be killed with all that it starts and Ctrl-C at a terminal isn't for it. It ends with the
 * thread that started it.
 */
#ifndef BASE_SPAWN_H
#define BASE_SPAWN_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct spawn_spec {
    const char *program;      /* a path */
    char *const *arguments;   /* end in NULL; the first is the program's name */
    char *const *environment; /* ends in NULL */
    const int *fds;           /* become 0, 1, … of the process; stay the caller's here */
    size_t fd_count;          /* at most 8 */
    uint64_t memory_limit;    /* bytes of data; 0: none */
};

/* The caller reaps *ret_pid. Returns when the process has become the program.
 * ERR_RETRY: it couldn't be started, the words name the program. */
int spawn(const struct spawn_spec *spec, pid_t *ret_pid, struct error *err);

/* Ends the process and all of its group, and waits the moment until it is gone. The status is
 * waitpid()'s: what had happened before, if it was gone already. */
int spawn_end(pid_t pid);

#endif
