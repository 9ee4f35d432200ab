// SPDX-License-Identifier: Apache-2.0
/* Which member is to have which shard. */
#include "cluster/shards.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { COUNT = 64, MEMBERS = 7 };

static char names[MEMBERS][32];
static const char *members[MEMBERS];

static int setup(void **state)
{
    for (int i = 0; i < MEMBERS; i++) {
        snprintf(names[i], sizeof names[i], "sluice-member-%d", i);
        members[i] = names[i];
    }
    return 0;
}

static void test_everybody_has_as_many(void **state)
{
    for (size_t there = 1; there <= MEMBERS; there++) {
        size_t to[COUNT], has[MEMBERS] = {0};
        shards_assign(members, there, COUNT, to);
        for (int i = 0; i < COUNT; i++)
            has[to[i]]++;
        for (size_t i = 0; i < there; i++)
            assert_in_range(has[i], COUNT / there, COUNT / there + (COUNT % there != 0));
    }
}

/* Nobody knows the others in the same order. */
static void test_the_order_means_nothing(void **state)
{
    const char *turned[MEMBERS];
    size_t to[COUNT], other[COUNT];
    for (int i = 0; i < MEMBERS; i++)
        turned[i] = members[MEMBERS - 1 - i];
    shards_assign(members, MEMBERS, COUNT, to);
    shards_assign(turned, MEMBERS, COUNT, other);
    for (int i = 0; i < COUNT; i++)
        assert_ptr_equal(members[to[i]], turned[other[i]]);
}

/* The seventh gets its share, and the others keep most of theirs. */
static void test_few_change_hands(void **state)
{
    size_t before[COUNT], after[COUNT], moved = 0;
    shards_assign(members, MEMBERS - 1, COUNT, before);
    shards_assign(members, MEMBERS, COUNT, after);
    for (int i = 0; i < COUNT; i++)
        moved += before[i] != after[i];
    assert_in_range(moved, COUNT / MEMBERS, COUNT / 2);
}

static void test_more_members_than_shards(void **state)
{
    size_t to[2];
    shards_assign(members, MEMBERS, 2, to);
    assert_true(to[0] < MEMBERS && to[1] < MEMBERS && to[0] != to[1]);
    shards_assign(members, 0, 2, to);
}

static void test_namespaces_are_spread(void **state)
{
    size_t has[8] = {0};
    for (int i = 0; i < 800; i++) {
        char ns[16];
        snprintf(ns, sizeof ns, "team-%d", i);
        unsigned shard = shard_of(ns, 8);
        assert_int_equal(shard, shard_of(ns, 8));
        has[shard]++;
    }
    for (int i = 0; i < 8; i++)
        assert_in_range(has[i], 60, 140);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everybody_has_as_many),
        cmocka_unit_test(test_the_order_means_nothing),
        cmocka_unit_test(test_few_change_hands),
        cmocka_unit_test(test_more_members_than_shards),
        cmocka_unit_test(test_namespaces_are_spread),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
