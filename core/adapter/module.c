// SPDX-License-Identifier: Apache-2.0
#include "adapter/module.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Majors of the contract, this one aside, that a file may have been built for. */
enum { MAJOR_PROBED = 9 };

/* What a table of version 1.0 has; ours may have grown since. */
enum { TABLE_SIZE_1_0 = offsetof(sluice_adapter, finish) + sizeof(sluice_call_function) };

static const uint64_t NEEDS_KNOWN = SLUICE_NEEDS_DESCRIBE;

static int symbol_missing(void *handle, struct error *err)
{
    for (int major = 0; major <= MAJOR_PROBED; major++) {
        char symbol[32];
        snprintf(symbol, sizeof symbol, "sluice_adapter_v%d", major);
        if (major != SLUICE_ABI_MAJOR && dlsym(handle, symbol))
            return error_set(err, ERR_INVALID,
                             "symbol: expected sluice_adapter_v%d, found %s: the file was built "
                             "for major version %d of the adapter contract",
                             SLUICE_ABI_MAJOR, symbol, major);
    }
    return error_set(err, ERR_INVALID,
                     "symbol: expected the function sluice_adapter_v%d, found none: this is no "
                     "adapter, or the function isn't exported (hidden, static, or under another "
                     "name)",
                     SLUICE_ABI_MAJOR);
}

int module_load_take(int fd, const sluice_adapter **ret_table, struct error *err)
{
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!handle) {
        close(fd);
        return error_set(err, ERR_INVALID, "loading: %s", dlerror());
    }
    /* From here on the descriptor stays open: the dynamic linker remembers the object under this
     * path, and would take the next file with the same number for the one that it has already. */
    const sluice_adapter *(*entry)(void);
    *(void **)(&entry) = dlsym(handle, "sluice_adapter_v1");
    if (!entry)
        return symbol_missing(handle, err);
    const sluice_adapter *table = entry();
    if (!table)
        return error_set(err, ERR_INVALID,
                         "sluice_adapter_v1(): expected a table, found a null pointer");
    *ret_table = table;
    return OK;
}

/* The part of the table that says how to read the rest. */
static int check_version(const sluice_adapter *table, struct error *err)
{
    if (table->size < TABLE_SIZE_1_0)
        return error_set(err, ERR_INVALID, "size: expected at least %d bytes, found %u",
                         TABLE_SIZE_1_0, table->size);
    if (table->major != SLUICE_ABI_MAJOR)
        return error_set(err, ERR_INVALID, "major: expected %d, found %u", SLUICE_ABI_MAJOR,
                         table->major);
    if (table->needs & ~NEEDS_KNOWN)
        return error_set(err, ERR_INVALID,
                         "needs: expected no bits but %#llx (contract %d.%d), found %#llx: the "
                         "adapter needs a newer Sluice",
                         (unsigned long long)NEEDS_KNOWN, SLUICE_ABI_MAJOR, SLUICE_ABI_MINOR,
                         (unsigned long long)table->needs);
    return OK;
}

static int check_calls(const sluice_adapter *table, struct error *err)
{
    const struct {
        const char *name;
        sluice_call_function function;
    } mandatory[] = {
        {"observe", table->observe},
        {"begin", table->begin},
        {"advance", table->advance},
        {"finish", table->finish},
    };
    for (size_t i = 0; i < sizeof mandatory / sizeof *mandatory; i++)
        if (!mandatory[i].function)
            return error_set(err, ERR_INVALID,
                             "%s: expected a function (the call is mandatory), found a null "
                             "pointer",
                             mandatory[i].name);
    return OK;
}

int module_check(const sluice_adapter *table, const char *name, struct error *err)
{
    int result = check_version(table, err);
    if (result == OK)
        result = check_calls(table, err);
    if (result < 0)
        return result;
    if (!table->name || strcmp(table->name, name) != 0)
        return error_set(err, ERR_INVALID, "name: expected \"%s\" as the config says, found \"%s\"",
                         name, table->name ? table->name : "");
    if (!table->version || !*table->version)
        return error_set(err, ERR_INVALID, "version: expected a text, found none");
    if (!table->manifest)
        return error_set(err, ERR_INVALID, "manifest: expected JSON text, found a null pointer");
    return OK;
}
