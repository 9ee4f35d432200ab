// SPDX-License-Identifier: Apache-2.0
/* Which objects belong to which workload, whatever happens to them. */
#include "reconcile/families.h"

#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void put(struct families *families, const char *uid, const char *key, int revision)
{
    json_t *object AUTO_JSON = json_pack("{s:i}", "revision", revision);
    families_put(families, uid, key, object);
}

/* The sum of the revisions of all that the workload has. */
static int sum_of(const struct families *families, const char *uid)
{
    json_t *list AUTO_JSON = json_array(), *object;
    int sum = 0;
    size_t i;
    families_list(families, uid, list);
    json_array_foreach (list, i, object)
        sum += (int)json_int_at(object, "/revision", 0);
    return sum;
}

static int revision_of(const struct families *families, const char *key)
{
    json_t *object AUTO_JSON = families_get(families, key);
    return object ? (int)json_int_at(object, "/revision", 0) : -1;
}

static void everybody_has_his_own(void **state)
{
    struct families families = {0};
    assert_int_equal(sum_of(&families, "u"), 0);
    put(&families, "u", "shop/a", 1);
    put(&families, "u", "shop/b", 2);
    put(&families, "v", "shop/c", 4);
    assert_int_equal(sum_of(&families, "u"), 3);
    assert_int_equal(sum_of(&families, "v"), 4);
    put(&families, "u", "shop/a", 8);
    assert_int_equal(sum_of(&families, "u"), 10);
    families_done(&families);
}

static void who_goes_leaves_nothing(void **state)
{
    struct families families = {0};
    put(&families, "u", "shop/a", 1);
    families_remove(&families, "shop/b");
    families_remove(&families, "shop/a");
    families_remove(&families, "shop/a");
    assert_int_equal(sum_of(&families, "u"), 0);
    assert_int_equal(families.by_uid.count, 0);
    assert_int_equal(families.owner_uid.count, 0);
    families_done(&families);
}

/* A pod of the same name may come back under another owner before anybody said that it went. */
static void who_changes_hands_has_one_owner(void **state)
{
    struct families families = {0};
    put(&families, "u", "shop/a", 1);
    put(&families, "v", "shop/a", 2);
    assert_int_equal(sum_of(&families, "u"), 0);
    assert_int_equal(sum_of(&families, "v"), 2);
    assert_int_equal(families.by_uid.count, 1);
    families_done(&families);
}

static void only_what_is_there_is_replaced(void **state)
{
    struct families families = {0};
    json_t *object AUTO_JSON = json_pack("{s:i}", "revision", 5);
    families_replace(&families, "shop/a", object);
    assert_int_equal(revision_of(&families, "shop/a"), -1);
    put(&families, "u", "shop/a", 1);
    assert_int_equal(revision_of(&families, "shop/a"), 1);
    families_replace(&families, "shop/a", object);
    assert_int_equal(revision_of(&families, "shop/a"), 5);
    assert_int_equal(sum_of(&families, "u"), 5);
    families_done(&families);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everybody_has_his_own),
        cmocka_unit_test(who_goes_leaves_nothing),
        cmocka_unit_test(who_changes_hands_has_one_owner),
        cmocka_unit_test(only_what_is_there_is_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
