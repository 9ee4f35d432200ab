// SPDX-License-Identifier: Apache-2.0
#include "adapters.h"

#include "base/alloc.h"
#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

json_t *json(const char *text)
{
    json_t *parsed = NULL;
    struct error err = {0};
    if (json_parse(text, strlen(text), &parsed, &err) < 0)
        fail_msg("%s in %s", err.text, text);
    return parsed;
}

static struct loaded open_entry(struct adapter_entry entry, const char *file, const char *options)
{
    char *path AUTO_FREE =
        file[0] == '/' ? str_copy(file) : str_format("%s/%s.so", HOSTILE_DIR, file);
    struct loaded loaded = {.options = options ? json(options) : NULL};
    entry.file = path;
    entry.options = loaded.options;
    loaded.set = adapters_load("/nowhere", &entry, 1);
    loaded.adapter = adapters_nth(loaded.set, 0);
    return loaded;
}

struct loaded loaded_open(const char *name, const char *file, const char *options)
{
    const struct adapter_entry entry = {.name = name};
    return open_entry(entry, file, options);
}

struct loaded apart_open(const char *name, const char *file, const char *options,
                         int64_t deadline_ms)
{
    const struct adapter_entry entry = {.name = name,
                                        .isolation = ISOLATION_PROCESS,
                                        .deadline_ms = deadline_ms,
                                        .memory = (uint64_t)APART_MEMORY_MIB << 20,
                                        .host = ADAPTER_HOST};
    return open_entry(entry, file, options);
}

void loaded_close(struct loaded *loaded)
{
    adapters_free(loaded->set);
    json_decref(loaded->options);
}

void assert_contains(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("expected \"%s\" in \"%s\"", part, text);
}
