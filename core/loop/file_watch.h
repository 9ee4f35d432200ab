// SPDX-License-Identifier: Apache-2.0
/*
 * Told when a file has new content: written and closed, replaced by a rename, or reached through
 * symbolic links of which one has changed, which is how Kubernetes updates a mounted ConfigMap. A
 * file that is being written isn't told of before it is closed, and one that has gone isn't at all.
 *
 * It watches folders, those of the path and of the file at the end of its links. What changes
 * further away (a folder that is renamed) is told when next something happens near.
 */
#ifndef LOOP_FILE_WATCH_H
#define LOOP_FILE_WATCH_H

#include "loop/loop.h"

struct file_watch;

/* The file need not be there, its folder must. `path` is copied. The caller owns *ret_watch.
 * ERR_MISSING, ERR_DENIED, or ERR_RETRY when the system has no room for a watch. */
int file_watch_open(struct loop *loop, const char *path, void (*on_change)(void *data), void *data,
                    struct file_watch **ret_watch, struct error *err);
void file_watch_close(struct file_watch *watch); /* NULL is fine */

#endif
