// SPDX-License-Identifier: Apache-2.0
/* What several fuzz targets do with their bytes. */
#ifndef TESTS_FUZZ_BYTES_H
#define TESTS_FUZZ_BYTES_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

/* A file of these bytes that is nowhere on a disk, for what reads files. */
enum { PATH_SIZE = 32 };
struct bytes_file {
    int fd;
    char path[PATH_SIZE];
};
struct bytes_file bytes_file(const uint8_t *bytes, size_t count);
void bytes_file_done(struct bytes_file *file);

/* The bytes as a text that ends where they do, or at a NUL in them. The caller frees it. */
char *bytes_text(const uint8_t *bytes, size_t count);

/* A result and its error say the same, and a refusal has words. */
void bytes_judge(int code, const struct error *err);

#endif
