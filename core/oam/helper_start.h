// SPDX-License-Identifier: Apache-2.0
/* Making the helper's process. Private to core/oam. */
#ifndef OAM_HELPER_START_H
#define OAM_HELPER_START_H

#include "base/error.h"

#include <stdint.h>
#include <sys/types.h>

/* Our ends are non-blocking and close on exec. */
struct helper_process {
    pid_t pid;
    int pidfd;
    int in; /* a socket, so that writing to a helper that has gone raises no signal */
    int out;
    int err;
};

/* The caller owns the descriptors and reaps the process. ERR_RETRY: the words name the program. */
int helper_process_start(const char *program, uint64_t memory_limit,
                         struct helper_process *ret_process, struct error *err);

#endif
