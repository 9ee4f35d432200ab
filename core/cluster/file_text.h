// SPDX-License-Identifier: Apache-2.0
/*
 * A text that is fixed, or that stands in a file and may change there: certificates, keys and
 * tokens. A file is looked at on every use (one stat) and read again when it is another one; while
 * it can't be read, for instance in the middle of a rotation, the last content still holds.
 * Private to core/cluster.
 */
#ifndef CLUSTER_FILE_TEXT_H
#define CLUSTER_FILE_TEXT_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

struct file_text {
    char *path; /* NULL: the text is fixed */
    char *text; /* NULL: nothing there (yet) */
    size_t length;
    struct stat seen;
};

/* `struct file_text t = {0};` has no text at all. With a path, a text that was set before stands
 * in until the file can be read. */
void file_text_set_take(struct file_text *file, char *text, size_t length);
void file_text_set_path(struct file_text *file, const char *path);
/* Read the file again next time, even if it looks the same. */
void file_text_refresh(struct file_text *file);
void file_text_done(struct file_text *file);

/* Whether there is something to be had. */
bool file_text_given(const struct file_text *file);

/* The text, borrowed until the next call. ERR_MISSING when the file can't be read and never could,
 * ERR_LIMIT when it is larger than a mebibyte. */
int file_text_get(struct file_text *file, const char **ret_text, size_t *ret_length,
                  struct error *err);

/* The whole content of a file, which the caller frees. The same errors. */
int file_read(const char *path, char **ret_text, size_t *ret_length, struct error *err);

bool file_is_there(const char *path);

#endif
