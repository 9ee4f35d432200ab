// SPDX-License-Identifier: Apache-2.0
#include "base/alloc.h"
#include "base/list.h"
#include "base/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- map ---- */

static int one, two, three;

static void test_empty(void **state)
{
    struct map map = {0};
    size_t cursor = 0;
    assert_null(map_get(&map, "a"));
    assert_null(map_remove(&map, "a"));
    assert_null(map_next(&map, &cursor));
    map_done(&map, NULL);
}

static void test_put_get_replace_remove(void **state)
{
    struct map map = {0};
    assert_null(map_put(&map, "a", &one));
    assert_null(map_put(&map, "", &two));
    assert_ptr_equal(map_get(&map, "a"), &one);
    assert_ptr_equal(map_get(&map, ""), &two);
    assert_null(map_get(&map, "b"));
    assert_ptr_equal(map_put(&map, "a", &three), &one);
    assert_int_equal(map.count, 2);
    assert_ptr_equal(map_remove(&map, "a"), &three);
    assert_null(map_get(&map, "a"));
    assert_null(map_remove(&map, "a"));
    assert_int_equal(map.count, 1);
    map_done(&map, NULL);
    assert_int_equal(map.count, 0);
    assert_null(map_get(&map, ""));
}

static void test_keys_are_copied(void **state)
{
    struct map map = {0};
    char key[] = "key";
    map_put(&map, key, &one);
    key[0] = 'K';
    assert_ptr_equal(map_get(&map, "key"), &one);
    assert_null(map_get(&map, key));
    map_done(&map, NULL);
}

enum { KEYS = 5000 };

/* What the map should hold: 0 where the key isn't there. */
static int values[KEYS];
static bool held[KEYS];

static void assert_holds(const struct map *map)
{
    char key[20];
    size_t count = 0, cursor = 0, walked = 0;
    for (int i = 0; i < KEYS; i++) {
        snprintf(key, sizeof key, "key-%d", i);
        void *expected = held[i] ? &values[i] : NULL;
        if (map_get(map, key) != expected)
            fail_msg("%s is %s", key, held[i] ? "lost" : "still there");
        count += held[i];
    }
    assert_int_equal(map->count, count);
    for (const struct map_entry *entry; (entry = map_next(map, &cursor)); walked++) {
        long i = strtol(entry->key + 4, NULL, 10);
        assert_true(held[i]);
        assert_ptr_equal(entry->value, &values[i]);
    }
    assert_int_equal(walked, count);
}

/* Keys come and go in no order, so that runs of neighbours are broken up everywhere. */
static void test_many_keys_come_and_go(void **state)
{
    struct map map = {0};
    uint32_t random = 1;
    memset(held, 0, sizeof held);
    for (int step = 0; step < 200000; step++) {
        random = random * 1664525 + 1013904223;
        int i = (int)(random >> 8) % KEYS;
        /* More come in the first half, more go in the second. */
        bool put = ((random >> 4) & 15) < (step < 100000 ? 10 : 5);
        char key[20];
        snprintf(key, sizeof key, "key-%d", i);
        void *before = held[i] ? &values[i] : NULL;
        assert_ptr_equal(put ? map_put(&map, key, &values[i]) : map_remove(&map, key), before);
        held[i] = put;
        if (step % 10000 == 0)
            assert_holds(&map);
    }
    assert_holds(&map);
    map_done(&map, NULL);
}

static int freed;

static void count_freed(void *value)
{
    assert_ptr_equal(value, &two);
    freed++;
}

static void test_done_frees_each_value_once(void **state)
{
    struct map map = {0};
    char key[20];
    freed = 0;
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof key, "%d", i);
        map_put(&map, key, &two);
    }
    map_remove(&map, "50");
    map_done(&map, count_freed);
    assert_int_equal(freed, 99);
}

/* ---- list ---- */

struct item {
    int number;
    struct list link;
};

static void assert_list(struct list *head, const char *expected)
{
    char found[20] = "";
    struct list *last = head;
    for (struct list *at = head->next; at != head; last = at, at = at->next) {
        assert_ptr_equal(at->prev, last);
        size_t used = strlen(found);
        const struct item *item = list_entry(at, struct item, link);
        snprintf(found + used, sizeof found - used, "%d", item->number);
    }
    assert_ptr_equal(head->prev, last);
    assert_string_equal(found, expected);
}

static void test_list(void **state)
{
    struct list head;
    struct item items[3] = {{.number = 1}, {.number = 2}, {.number = 3}};
    list_init(&head);
    assert_true(list_empty(&head));
    assert_list(&head, "");
    for (int i = 0; i < 3; i++)
        list_append(&head, &items[i].link);
    assert_false(list_empty(&head));
    assert_list(&head, "123");
    list_remove(&items[1].link);
    assert_list(&head, "13");
    list_remove(&items[1].link); /* twice is harmless */
    assert_list(&head, "13");
    assert_true(list_empty(&items[1].link));
    list_append(&head, &items[1].link);
    assert_list(&head, "132");
    for (int i = 0; i < 3; i++)
        list_remove(&items[i].link);
    assert_true(list_empty(&head));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_put_get_replace_remove),
        cmocka_unit_test(test_keys_are_copied),
        cmocka_unit_test(test_many_keys_come_and_go),
        cmocka_unit_test(test_done_frees_each_value_once),
        cmocka_unit_test(test_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
