// SPDX-License-Identifier: Apache-2.0
#include "apart.h"

#include "adapter/file.h"
#include "adapter/isolated.h"
#include "base/alloc.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

/* Nobody waits for an author's debugging build but the author. */
enum { DEADLINE_MS = 10 * 1000 };

static char *program_of(const struct apart_spec *spec)
{
    return spec->host ? str_copy(spec->host) : isolated_program();
}

bool apart_possible(const struct apart_spec *spec)
{
    char *program AUTO_FREE = program_of(spec);
    return access(program, X_OK) == 0;
}

int apart_open(const struct apart_spec *spec, struct transport **ret_transport, struct error *err)
{
    char *path AUTO_FREE = realpath(spec->file, NULL);
    char *program AUTO_FREE = program_of(spec);
    char digest[HASH_HEX_SIZE];
    struct isolated *isolated;
    struct isolated_spec process = {
        .object = spec->name,
        .program = program,
        .deadline_ms = DEADLINE_MS,
        .load_ms = DEADLINE_MS,
        .memory = (uint64_t)ADAPTER_MEMORY_MIB << 20,
    };
    int result = file_open_checked(path ? path : spec->file, NULL, &process.file, digest, err);
    if (result < 0 || (result = isolated_open_take(&process, &isolated, err)) < 0)
        return result;
    isolated_loaded(isolated);
    *ret_transport = isolated_transport(isolated);
    return OK;
}
