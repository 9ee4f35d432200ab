// SPDX-License-Identifier: Apache-2.0
#include "bytes.h"

#include "base/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct bytes_file bytes_file(const uint8_t *bytes, size_t count)
{
    struct bytes_file file = {.fd = memfd_create("fuzz", MFD_CLOEXEC)};
    if (file.fd < 0 || write(file.fd, bytes, count) != (ssize_t)count)
        abort();
    snprintf(file.path, sizeof file.path, "/proc/self/fd/%d", file.fd);
    return file;
}

void bytes_file_done(struct bytes_file *file)
{
    close(file->fd);
}

char *bytes_text(const uint8_t *bytes, size_t count)
{
    return str_copy_n((const char *)bytes, count);
}

void bytes_judge(int code, const struct error *err)
{
    if (code != (code < 0 ? (int)err->code : OK) || (code < 0 && !*err->text))
        abort();
}
