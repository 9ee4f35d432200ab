// SPDX-License-Identifier: Apache-2.0
#include "base/alloc.h"
#include "store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static const struct version *put(struct collection *collection, const char *key, const char *text)
{
    return collection_put_take(collection, key, str_copy(text));
}

static void end(struct collection *collection, const char *key)
{
    collection_delete_take(collection, key, str_copy("last"));
}

/* The texts of all that existed at a revision, in order. */
static void assert_listed(struct collection *collection, int64_t revision, const char *texts)
{
    char found[256] = "";
    for (size_t at = 0; at < collection_size(collection); at++) {
        const struct version *version = entry_at_revision(collection_at(collection, at), revision);
        if (version)
            strcat(strcat(found, version->text), " ");
    }
    assert_string_equal(found, texts);
}

static void test_versions(void **state)
{
    struct store *store = store_new(10);
    struct collection *collection = collection_new(store);
    (void)state;
    assert_null(collection_get(collection, "b"));
    assert_int_equal(put(collection, "b", "b1")->change, CHANGE_ADDED);
    assert_int_equal(put(collection, "b", "b2")->change, CHANGE_MODIFIED);
    put(collection, "a", "a1");
    end(collection, "b");
    assert_null(collection_get(collection, "b"));
    assert_int_equal(put(collection, "b", "b3")->change, CHANGE_ADDED);
    assert_int_equal(store_revision(store), 5);
    assert_listed(collection, 0, "");
    assert_listed(collection, 1, "b1 ");
    assert_listed(collection, 3, "a1 b2 ");
    assert_listed(collection, 4, "a1 ");
    assert_listed(collection, 5, "a1 b3 ");
    assert_string_equal(store_version(store, 4)->text, "last");
    store_free(store);
}

static void test_walk(void **state)
{
    struct store *store = store_new(10);
    struct collection *collection = collection_new(store);
    (void)state;
    put(collection, "x/b", "");
    put(collection, "w/z", "");
    put(collection, "x/a", "");
    assert_int_equal(collection_after(collection, ""), 0);
    assert_int_equal(collection_after(collection, "x/"), 1);
    assert_string_equal(collection_at(collection, 1)->key, "x/a");
    assert_int_equal(collection_after(collection, "x/a"), 2);
    assert_int_equal(collection_after(collection, "x/b"), 3);
    store_free(store);
}

/* What is older than the history is forgotten, but never what is. */
static void test_history(void **state)
{
    struct store *store = store_new(3);
    struct collection *collection = collection_new(store);
    (void)state;
    put(collection, "kept", "kept");
    put(collection, "gone", "gone");
    end(collection, "gone");
    for (int i = 0; i < 3; i++)
        put(collection, "busy", "busy");
    assert_int_equal(store_horizon(store), 3);
    assert_int_equal(collection_size(collection), 2);
    assert_listed(collection, store_revision(store), "busy kept ");
    assert_listed(collection, store_horizon(store), "kept ");
    store_free(store);
}

/* An object that comes back while its own end is being forgotten. */
static void test_back_at_the_horizon(void **state)
{
    struct store *store = store_new(1);
    struct collection *collection = collection_new(store);
    (void)state;
    put(collection, "a", "1");
    end(collection, "a");
    assert_int_equal(put(collection, "a", "2")->change, CHANGE_ADDED);
    put(collection, "a", "3");
    assert_string_equal(collection_get(collection, "a")->text, "3");
    assert_int_equal(store_horizon(store), 3);
    store_free(store);
}

static void test_compact(void **state)
{
    struct store *store = store_new(10);
    struct collection *collection = collection_new(store);
    (void)state;
    put(collection, "a", "1");
    put(collection, "a", "2");
    put(collection, "b", "1");
    end(collection, "b");
    store_compact(store);
    assert_int_equal(store_horizon(store), 4);
    assert_listed(collection, 4, "2 ");
    assert_null(collection_at(collection, 0)->newest->older);
    store_free(store);
}

static void count_writes(void *data)
{
    (*(int *)data)++;
}

static void test_told(void **state)
{
    struct store *store = store_new(10);
    struct collection *collection = collection_new(store);
    int writes = 0;
    (void)state;
    store_on_write(store, count_writes, &writes);
    put(collection, "a", "1");
    end(collection, "a");
    assert_int_equal(writes, 2);
    store_free(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_versions), cmocka_unit_test(test_walk),
        cmocka_unit_test(test_history),  cmocka_unit_test(test_back_at_the_horizon),
        cmocka_unit_test(test_compact),  cmocka_unit_test(test_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
