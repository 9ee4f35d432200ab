// SPDX-License-Identifier: Apache-2.0
/*
 * Runs something that may crash or hang, in a child process, and tells how it ended in words.
 */
#ifndef CHECK_TRIAL_H
#define CHECK_TRIAL_H

#include "base/error.h"

/* Runs `body` in a child for at most `seconds` of its own time, and four times that in all. What
 * the body returns and writes into its error comes back; a crash or a hang comes back as ERR_BUG
 * with words that name it. */
int trial_run(int (*body)(void *user, struct error *err), void *user, unsigned seconds,
              struct error *err);

/* Zeroed memory that this process and its trials have in common, until it ends. */
void *trial_shared(unsigned long size);

/* A copy of `text` in memory that can't be written, and whose end is followed by memory that
 * can't be read. Not NUL-terminated. Lives until the process ends: it is for trials. */
const char *trial_guarded(const char *text, unsigned long length);

#endif
