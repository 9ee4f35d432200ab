// SPDX-License-Identifier: Apache-2.0
#include "passes.h"

#include "base/alloc.h"
#include "reconcile/waiters.h"

static void setup(struct passes *passes)
{
    passes_init(passes, 8);
    passes->ending = END_WELL;
}

static void test_wakes_those_who_wait(void **state)
{
    struct passes passes;
    struct waiters waiters = {0};
    setup(&passes);
    waiters_add(&waiters, "revision ns/shop-v2", "ns/a");
    waiters_add(&waiters, "revision ns/shop-v2", "ns/a");
    waiters_add(&waiters, "revision ns/shop-v2", "ns/b");
    waiters_add(&waiters, "kind CloneSet", "ns/b");
    waiters_add(&waiters, "kind CloneSet", "ns/c");
    waiters_wake(&waiters, "revision ns/shop-v3", passes.queue);
    assert_int_equal(queue_length(passes.queue), 0);
    waiters_wake(&waiters, "revision ns/shop-v2", passes.queue);
    assert_int_equal(queue_length(passes.queue), 2);
    passes_await(&passes, 2);
    assert_int_equal(passes_of(&passes, "ns/a"), 1);
    assert_int_equal(passes_of(&passes, "ns/b"), 1);

    /* Once woken, they wait no longer; for the other topic they still do. */
    waiters_wake(&waiters, "revision ns/shop-v2", passes.queue);
    assert_int_equal(queue_length(passes.queue), 0);
    waiters_wake(&waiters, "kind CloneSet", passes.queue);
    passes_await(&passes, 4);
    assert_int_equal(passes_of(&passes, "ns/b"), 2);
    assert_int_equal(passes_of(&passes, "ns/c"), 1);
    assert_int_equal(waiters.topics.count, 0);
    waiters_done(&waiters);
    passes_done(&passes);
}

static void test_tells_who_waits(void **state)
{
    struct waiters waiters = {0};
    char *topic AUTO_FREE = waiters_workload_topic("Deployment", "ns", "web");
    size_t cursor = 0, none = 0;
    assert_string_equal(topic, "workload Deployment ns/web");
    waiters_add(&waiters, topic, "ns/a");
    waiters_add(&waiters, topic, "ns/b");
    const char *first = waiters_next(&waiters, topic, &cursor);
    const char *second = waiters_next(&waiters, topic, &cursor);
    assert_int_equal(first[3] + second[3], 'a' + 'b');
    assert_string_not_equal(first, second);
    assert_null(waiters_next(&waiters, topic, &cursor));
    assert_null(waiters_next(&waiters, "workload Deployment ns/other", &none));
    waiters_done(&waiters);
}

static void test_waits_again(void **state)
{
    struct passes passes;
    struct waiters waiters = {0};
    setup(&passes);
    for (size_t i = 1; i <= 3; i++) {
        waiters_add(&waiters, "kind CloneSet", "ns/a");
        waiters_wake(&waiters, "kind CloneSet", passes.queue);
        passes_await(&passes, i);
    }
    waiters_done(&waiters);
    passes_done(&passes);
}

static void test_forgets(void **state)
{
    struct passes passes;
    struct waiters waiters = {0};
    setup(&passes);
    waiters_add(&waiters, "kind CloneSet", "ns/a");
    waiters_add(&waiters, "kind CloneSet", "ns/b");
    waiters_add(&waiters, "definition web", "ns/a");
    waiters_add(&waiters, "definition job", "ns/a");
    waiters_forget(&waiters, "ns/nobody");
    assert_int_equal(waiters.topics.count, 3);
    waiters_forget(&waiters, "ns/a");
    assert_int_equal(waiters.topics.count, 1); /* topics without anybody go */
    waiters_wake(&waiters, "definition web", passes.queue);
    waiters_wake(&waiters, "kind CloneSet", passes.queue);
    passes_await(&passes, 1);
    assert_string_equal(passes.keys[0], "ns/b");
    waiters_done(&waiters);
    passes_done(&passes);
}

static void test_done_while_they_wait(void **state)
{
    struct waiters waiters = {0};
    waiters_add(&waiters, "kind CloneSet", "ns/a");
    waiters_add(&waiters, "kind CloneSet", "ns/b");
    waiters_done(&waiters);
    assert_int_equal(waiters.topics.count, 0);
    waiters_forget(&waiters, "ns/a");
    waiters_done(&waiters);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wakes_those_who_wait), cmocka_unit_test(test_tells_who_waits),
        cmocka_unit_test(test_waits_again),          cmocka_unit_test(test_forgets),
        cmocka_unit_test(test_done_while_they_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
