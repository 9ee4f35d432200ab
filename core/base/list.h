// SPDX-License-Identifier: Apache-2.0
/*
 * An intrusive doubly linked list. A struct list stands in the object; the head is a struct list
 * of its own. list_init() both. An item that isn't in a list links to itself, so taking it out
 * twice is harmless.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next, *prev;
};

static inline void list_init(struct list *item)
{
    item->next = item->prev = item;
}

static inline bool list_empty(const struct list *head)
{
    return head->next == head;
}

static inline void list_remove(struct list *item)
{
    item->prev->next = item->next;
    item->next->prev = item->prev;
    list_init(item);
}

static inline void list_append(struct list *head, struct list *item)
{
    item->prev = head->prev;
    item->next = head;
    head->prev->next = item;
    head->prev = item;
}

/* The object that holds `item` as its member `field`. */
#define list_entry(item, type, field) ((type *)(void *)((char *)(item) - offsetof(type, field)))

#endif
