// SPDX-License-Identifier: Apache-2.0
#include "adapter/case.h"
#include "adapter/file.h"
#include "adapter/inprocess.h"
#include "adapter/internal.h"
#include "adapter/isolated.h"
#include "adapter/line.h"
#include "adapter/module.h"
#include "adapter/schema.h"
#include "base/alloc.h"
#include "base/json.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The manifest and everything that hangs on it. */
static int read_manifest(struct adapter *adapter, const char *text, struct error *err)
{
    const struct manifest_source source = {
        .text = text,
        .newer = adapter->newer,
        .describes = adapter->transport->has(adapter->transport, CALL_DESCRIBE),
    };
    int result = manifest_parse(&source, &adapter->manifest, err);
    if (result < 0)
        return result;
    const json_t *schema = adapter->manifest.options;
    if (!schema && json_object_size(adapter->options))
        return error_at(err, ERR_INVALID, "options",
                        "options: expected none, because the adapter takes none");
    return schema ? schema_validate(schema, adapter->options, "options", err) : OK;
}

static int run_smoke(struct adapter *adapter, struct error *err)
{
    if (!adapter->manifest.smoke)
        return OK;
    if (case_run(adapter->transport, adapter->manifest.smoke, err) == OK)
        return OK;
    error_prefix(err, "manifest: smoke");
    return err->code = ERR_INVALID; /* it will not become better by being loaded again */
}

/* What is loaded is what was checked, whatever becomes of the file. */
static int open_sealed(struct adapter *adapter, int *ret_fd, struct error *err)
{
    int fd = -1;
    int result = file_open_checked(adapter->file, adapter->pin, &fd, adapter->digest, err);
    if (result == OK && (result = file_seal(&fd, adapter->name, adapter->digest, err)) < 0)
        close(fd);
    if (result == OK)
        *ret_fd = fd;
    return result;
}

/* What the table says, whichever way it was read. */
static void know(struct adapter *adapter, uint32_t minor, uint64_t provides, const char *version)
{
    adapter->newer = minor > SLUICE_ABI_MINOR;
    adapter->provides = provides;
    adapter->version = str_copy(version);
}

static int load_here_take(struct adapter *adapter, int fd, struct error *err)
{
    const sluice_adapter *table = NULL;
    int result = module_load_take(fd, &table, err);
    if (result < 0 || (result = module_check(table, adapter->object, err)) < 0)
        return result;
    know(adapter, table->minor, table->provides, table->version);
    adapter->transport = inprocess_new(table, &call_limits_default, &inprocess_host);
    return read_manifest(adapter, table->manifest, err);
}

static int load_apart_take(struct adapter *adapter, int fd, int64_t patience_ms, struct error *err)
{
    const struct isolated_spec spec = {
        .file = fd,
        .object = adapter->object,
        .program = adapter->host,
        .deadline_ms = adapter->deadline_ms,
        .load_ms = patience_ms,
        .memory = adapter->memory,
        .natives = &adapter->natives,
        .figures = adapter->figures,
    };
    int result = isolated_open_take(&spec, &adapter->isolated, err);
    if (result < 0)
        return result;
    const struct hello *hello = isolated_hello(adapter->isolated);
    know(adapter, hello->minor, hello->provides, hello->version);
    adapter->transport = isolated_transport(adapter->isolated);
    return read_manifest(adapter, hello->manifest, err);
}

static int load(struct adapter *adapter, int64_t patience_ms, struct error *err)
{
    int fd = -1;
    int result = open_sealed(adapter, &fd, err);
    if (result < 0)
        return result;
    result = adapter->isolation == ISOLATION_PROCESS
                 ? load_apart_take(adapter, fd, patience_ms, err)
                 : load_here_take(adapter, fd, err);
    if (result < 0 || (result = adapter_describe(adapter, err)) < 0 ||
        (result = run_smoke(adapter, err)) < 0)
        return result;
    if (adapter->isolated)
        isolated_loaded(adapter->isolated);
    return OK;
}

static void adapter_clear(struct adapter *adapter)
{
    line_free(adapter->line);
    if (adapter->transport)
        adapter->transport->free(adapter->transport);
    adapter->line = NULL;
    adapter->isolated = NULL;
    adapter->transport = NULL;
    manifest_done(&adapter->manifest);
    natives_done(&adapter->natives);
}

void adapter_refuse(struct adapter *adapter, const struct error *refusal)
{
    adapter->refusal = *refusal;
    adapter_clear(adapter);
}

static char *entry_file(const char *directory, const struct adapter_entry *entry)
{
    return entry->file ? str_copy(entry->file)
                       : str_format("%s/%s.so", directory ? directory : "",
                                    entry->adapter ? entry->adapter : entry->name);
}

/* Directly in it: what is said of the directory is not said of another that stands in it. */
static bool stands_in(const char *file, const char *directory)
{
    const char *slash = strrchr(file, '/');
    size_t length = directory ? strlen(directory) : 0;
    while (length && directory[length - 1] == '/')
        length--;
    return slash && (size_t)(slash - file) == length && strncmp(file, directory, length) == 0;
}

static enum isolation entry_isolation(const char *directory, const struct adapter_entry *entry)
{
    if (entry->isolation != ISOLATION_BY_PLACE)
        return entry->isolation;
    if (entry->native)
        return ISOLATION_PROCESS;
    return !entry->file || stands_in(entry->file, directory) ? ISOLATION_IN_PROCESS
                                                             : ISOLATION_PROCESS;
}

static int64_t entry_deadline_ms(const struct adapter_entry *entry)
{
    return entry->deadline_ms ? entry->deadline_ms : ADAPTER_DEADLINE_MS;
}

static uint64_t entry_memory(const struct adapter_entry *entry)
{
    return entry->memory ? entry->memory : (uint64_t)ADAPTER_MEMORY_MIB << 20;
}

static char *entry_host(const struct adapter_entry *entry)
{
    return entry->host ? str_copy(entry->host) : isolated_program();
}

/* Functions that know nothing of Sluice are never called in its own process. */
static int open_natives(struct adapter *adapter, const json_t *config, struct error *err)
{
    if (config && adapter->isolation != ISOLATION_PROCESS)
        return error_set(err, ERR_INVALID,
                         "isolation: expected process, because native functions are only called "
                         "there, found %s",
                         isolation_name(adapter->isolation));
    return natives_open(config, adapter->name, &adapter->natives, err);
}

struct adapter *adapter_load(const char *directory, const struct adapter_entry *entry,
                             int64_t patience_ms)
{
    struct adapter *adapter = mem_alloc(sizeof *adapter);
    struct error err = {0};
    adapter->figures = mem_alloc(sizeof *adapter->figures);
    adapter->holders = 1;
    adapter->name = str_copy(entry->name);
    adapter->object = str_copy(entry->adapter ? entry->adapter : entry->name);
    adapter->file = entry_file(directory, entry);
    adapter->pin = str_copy(entry->sha256);
    adapter->isolation = entry_isolation(directory, entry);
    adapter->deadline_ms = entry_deadline_ms(entry);
    adapter->memory = entry_memory(entry);
    adapter->host = entry_host(entry);
    adapter->options = entry->options ? json_deep_copy(entry->options) : json_object();
    if (open_natives(adapter, entry->native, &err) < 0 || load(adapter, patience_ms, &err) < 0)
        adapter_refuse(adapter, &err);
    return adapter;
}

bool adapter_fits(const struct adapter *adapter, const char *directory,
                  const struct adapter_entry *entry)
{
    char *file AUTO_FREE = entry_file(directory, entry), *host AUTO_FREE = entry_host(entry);
    json_t *options AUTO_JSON = entry->options ? json_deep_copy(entry->options) : json_object();
    return str_equal(adapter->name, entry->name) &&
           str_equal(adapter->object, entry->adapter ? entry->adapter : entry->name) &&
           adapter->isolation == entry_isolation(directory, entry) &&
           adapter->deadline_ms == entry_deadline_ms(entry) &&
           adapter->memory == entry_memory(entry) && str_equal(adapter->host, host) &&
           str_equal(adapter->file, file) && str_equal(adapter->pin, entry->sha256) &&
           json_equal(adapter->options, options) && natives_fit(&adapter->natives, entry->native);
}

struct adapter *adapter_hold(struct adapter *adapter)
{
    adapter->holders++;
    return adapter;
}

void adapter_release(struct adapter *adapter)
{
    if (!adapter || --adapter->holders)
        return;
    adapter_clear(adapter);
    adapter_release(adapter->unfit);
    json_decref(adapter->options);
    free(adapter->figures);
    free(adapter->name);
    free(adapter->version);
    free(adapter->object);
    free(adapter->file);
    free(adapter->pin);
    free(adapter->host);
    free(adapter);
}
