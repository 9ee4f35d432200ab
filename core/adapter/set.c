// SPDX-License-Identifier: Apache-2.0
#include "adapter/internal.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

struct adapters {
    struct adapter **items;
    size_t count;
};

static const struct adapter *find_kind(const struct adapters *adapters, const char *api_version,
                                       const char *kind)
{
    for (size_t i = 0; i < adapters->count; i++)
        for (size_t k = 0; k < adapter_kinds(adapters->items[i]); k++) {
            const struct adapter_kind *found = adapter_kind(adapters->items[i], k);
            if (str_equal(found->api_version, api_version) && str_equal(found->kind, kind))
                return adapters->items[i];
        }
    return NULL;
}

/* Names and kinds are unique: who comes first keeps them. */
static int check_unique(const struct adapters *adapters, const struct adapter *adapter,
                        struct error *err)
{
    for (size_t i = 0; i < adapters->count; i++)
        if (strcmp(adapters->items[i]->name, adapter->name) == 0)
            return error_set(err, ERR_INVALID,
                             "name: expected a name of its own, found \"%s\" twice in the config",
                             adapter->name);
    for (size_t k = 0; k < adapter_kinds(adapter); k++) {
        const struct adapter_kind *kind = adapter_kind(adapter, k);
        const struct adapter *other = find_kind(adapters, kind->api_version, kind->kind);
        if (other)
            return error_set(err, ERR_INVALID,
                             "kinds[%zu]: expected a kind that no other adapter handles, found %s "
                             "%s, which %s handles",
                             k, kind->api_version, kind->kind, other->name);
    }
    return OK;
}

struct adapters *adapters_load(const char *directory, const struct adapter_entry *entries,
                               size_t count)
{
    struct adapters *adapters = mem_alloc(sizeof *adapters);
    adapters->items = mem_alloc(count * sizeof(struct adapter *));
    for (size_t i = 0; i < count; i++) {
        struct adapter *adapter = adapter_load(directory, &entries[i]);
        struct error err = {0};
        if (!adapter_refusal(adapter) && check_unique(adapters, adapter, &err) < 0)
            adapter_refuse(adapter, &err);
        adapters->items[adapters->count++] = adapter;
    }
    return adapters;
}

void adapters_free(struct adapters *adapters)
{
    if (!adapters)
        return;
    for (size_t i = 0; i < adapters->count; i++)
        adapter_free(adapters->items[i]);
    free(adapters->items);
    free(adapters);
}

size_t adapters_count(const struct adapters *adapters)
{
    return adapters->count;
}

struct adapter *adapters_nth(const struct adapters *adapters, size_t index)
{
    return adapters->items[index];
}

static void add_separated(struct text *list, const char *separator, const char *item)
{
    text_addf(list, "%s%s", list->len ? separator : "", item);
}

static char *known_kinds(const struct adapters *adapters)
{
    struct text list = {0};
    for (size_t i = 0; i < adapters->count; i++)
        for (size_t k = 0; k < adapter_kinds(adapters->items[i]); k++) {
            const struct adapter_kind *kind = adapter_kind(adapters->items[i], k);
            char *item AUTO_FREE = str_format("%s %s", kind->api_version, kind->kind);
            add_separated(&list, ", ", item);
        }
    if (!list.len)
        text_puts(&list, "none");
    return text_steal(&list);
}

static char *refused_adapters(const struct adapters *adapters)
{
    struct text list = {0};
    for (size_t i = 0; i < adapters->count; i++) {
        const struct error *refusal = adapter_refusal(adapters->items[i]);
        if (!refusal)
            continue;
        text_addf(&list, "; adapter %s is refused: %s", adapters->items[i]->name, refusal->text);
    }
    return text_steal(&list);
}

int adapters_find(const struct adapters *adapters, const char *api_version, const char *kind,
                  const struct adapter **ret_adapter, struct error *err)
{
    const struct adapter *adapter = find_kind(adapters, api_version, kind);
    if (!adapter) {
        char *known AUTO_FREE = known_kinds(adapters), *refused AUTO_FREE = NULL;
        refused = refused_adapters(adapters);
        return error_set(err, ERR_MISSING, "no adapter handles %s %s; kinds handled: %s%s",
                         api_version, kind, known, refused);
    }
    *ret_adapter = adapter;
    return OK;
}

json_t *adapters_rights(const struct adapters *adapters)
{
    json_t *rights = json_array();
    for (size_t i = 0; i < adapters->count; i++)
        if (!adapter_refusal(adapters->items[i]))
            json_array_extend(rights, (json_t *)(uintptr_t)adapters->items[i]->manifest.rights);
    return rights;
}
