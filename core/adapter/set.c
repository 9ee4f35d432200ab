// SPDX-License-Identifier: Apache-2.0
#include "adapter/internal.h"
#include "adapter/line.h"

#include "adapter/file.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum {
    /* For a process to start and load its adapter: before there is anything that would have to
     * wait meanwhile, and while everything else does. */
    FIRST_PATIENCE_MS = 5 * 1000,
    PATIENCE_MS = 400,
};

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

/* Takes over the caller's hold. */
static void add_take(struct adapters *adapters, struct adapter *adapter)
{
    adapters->items[adapters->count++] = adapter;
}

static struct adapters *set_new(size_t count)
{
    struct adapters *adapters = mem_alloc(sizeof *adapters);
    adapters->items = mem_alloc(count * sizeof(struct adapter *));
    return adapters;
}

/* Loads an entry as a member of a set. Refused or not, the caller holds it. */
static struct adapter *load_beside(const struct adapters *others, const char *directory,
                                   const struct adapter_entry *entry, int64_t patience_ms)
{
    struct adapter *adapter = adapter_load(directory, entry, patience_ms);
    struct error err = {0};
    if (!adapter_refusal(adapter) && check_unique(others, adapter, &err) < 0)
        adapter_refuse(adapter, &err);
    return adapter;
}

struct adapters *adapters_load(const char *directory, const struct adapter_entry *entries,
                               size_t count)
{
    struct adapters *adapters = set_new(count);
    for (size_t i = 0; i < count; i++)
        add_take(adapters, load_beside(adapters, directory, &entries[i], FIRST_PATIENCE_MS));
    return adapters;
}

static struct adapter *find_name(const struct adapters *adapters, const char *name)
{
    for (size_t i = 0; i < adapters->count; i++)
        if (strcmp(adapters->items[i]->name, name) == 0)
            return adapters->items[i];
    return NULL;
}

/* Are the files still what was loaded from them? One that can't be read isn't, so that it is
 * loaded, and refused with the reason. */
static bool file_same(const struct adapter *adapter)
{
    char digest[HASH_HEX_SIZE];
    return file_digest(adapter->file, digest, NULL) == OK && strcmp(digest, adapter->digest) == 0 &&
           natives_fresh(&adapter->natives);
}

/* This one goes on, because what should replace it is refused; NULL: it is as asked for. */
static void keep_take(struct adapter *adapter, struct adapter *unfit)
{
    adapter_release(adapter->unfit);
    adapter->unfit = unfit;
    if (!unfit)
        return;
    adapter->kept_refusal = unfit->refusal;
    adapter->kept_refusal_ms = clock_wall_ms();
}

/* The version to go on with: the old one if it is what the entry asks for, or if what the entry
 * asks for is refused. */
static struct adapter *renew(const struct adapters *others, struct adapter *old,
                             const char *directory, const struct adapter_entry *entry)
{
    struct error err = {0};
    struct adapter *adapter = load_beside(others, directory, entry, PATIENCE_MS);
    const struct error *refusal = adapter_refusal(adapter);
    if (!refusal || !old || adapter_refusal(old) || check_unique(others, old, &err) < 0)
        return adapter;
    keep_take(old, adapter);
    return adapter_hold(old);
}

struct adapters *adapters_renew(const struct adapters *old, const struct adapters_wish *wish)
{
    struct adapters *adapters = set_new(wish->count);
    for (size_t i = 0; i < wish->count; i++) {
        const struct adapter_entry *entry = &wish->entries[i];
        struct adapter *before = find_name(old, entry->name);
        bool stays = before && !adapter_refusal(before) &&
                     adapter_fits(before, wish->directory, entry) &&
                     (!wish->look_at_files || file_same(before));
        if (stays)
            keep_take(before, NULL);
        add_take(adapters,
                 stays ? adapter_hold(before) : renew(adapters, before, wish->directory, entry));
    }
    return adapters;
}

void adapters_free(struct adapters *adapters)
{
    if (!adapters)
        return;
    for (size_t i = 0; i < adapters->count; i++)
        adapter_release(adapters->items[i]);
    free(adapters->items);
    free(adapters);
}

void adapters_attach(struct adapters *adapters, struct loop *loop)
{
    for (size_t i = 0; i < adapters->count; i++)
        if (adapters->items[i]->isolated && !adapters->items[i]->line)
            adapters->items[i]->line = line_new(adapters->items[i], loop);
}

size_t adapters_count(const struct adapters *adapters)
{
    return adapters->count;
}

bool adapters_worth_retrying(const struct adapters *adapters)
{
    bool worth = false;
    for (size_t i = 0; i < adapters->count; i++) {
        const struct adapter *adapter = adapters->items[i];
        const struct error *refusal =
            adapter->kept_refusal_ms ? &adapter->kept_refusal : adapter_refusal(adapter);
        worth = worth || (refusal && refusal->code != ERR_INVALID);
    }
    return worth;
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
