// SPDX-License-Identifier: Apache-2.0
#include "cluster/recent.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

void recent_init(struct recent *recent, size_t item_size, size_t most)
{
    *recent = (struct recent){.item_size = item_size, .most = most};
    list_init(&recent->order);
}

void recent_done(struct recent *recent)
{
    map_done(&recent->items, free);
}

void recent_key(char ret_key[RECENT_KEY_SIZE], const char *const *strings, size_t count)
{
    struct text all AUTO(text_done) = {0};
    char hex[HASH_HEX_SIZE];
    for (size_t i = 0; i < count; i++) {
        const char *string = strings[i] ? strings[i] : "";
        text_add(&all, string, strlen(string) + 1); /* with its NUL: "ab","c" is not "a","bc" */
    }
    hash_sha256(all.at, all.len, hex);
    memcpy(ret_key, hex, RECENT_KEY_SIZE - 1);
    ret_key[RECENT_KEY_SIZE - 1] = '\0';
}

static void recent_drop(struct recent *recent, struct recent_item *item)
{
    list_remove(&item->link);
    map_remove(&recent->items, item->key);
    free(item);
}

void recent_forget(struct recent *recent, int64_t before_ms)
{
    for (struct list *at = recent->order.next, *next; at != &recent->order; at = next) {
        struct recent_item *item = list_entry(at, struct recent_item, link);
        next = at->next;
        if (item->used_ms >= before_ms)
            return;
        if (!item->pinned)
            recent_drop(recent, item);
    }
}

static void recent_make_room(struct recent *recent)
{
    struct list *at = recent->order.next;
    while (recent->items.count >= recent->most && at != &recent->order) {
        struct recent_item *item = list_entry(at, struct recent_item, link);
        at = at->next;
        if (!item->pinned)
            recent_drop(recent, item);
    }
}

void *recent_use(struct recent *recent, const char *key, int64_t now_ms, bool *ret_new)
{
    struct recent_item *item = map_get(&recent->items, key);
    *ret_new = !item;
    if (!item) {
        recent_make_room(recent);
        item = mem_alloc(recent->item_size);
        memcpy(item->key, key, RECENT_KEY_SIZE);
        list_init(&item->link);
        map_put(&recent->items, key, item);
    }
    item->used_ms = now_ms;
    list_remove(&item->link);
    list_append(&recent->order, &item->link);
    return item;
}
