// SPDX-License-Identifier: Apache-2.0
#include "passes.h"

#include "base/alloc.h"

#include <stdio.h>

static void add_many(struct passes *passes, int count)
{
    for (int i = 0; i < count; i++) {
        char key[32];
        snprintf(key, sizeof key, "ns/%d", i);
        queue_add(passes->queue, key);
    }
}

static void test_runs_once_and_leaves_nothing(void **state)
{
    struct passes passes;
    passes_init(&passes, 8);
    passes.ending = END_WELL;
    queue_add(passes.queue, "ns/a");
    queue_add(passes.queue, "ns/a");
    queue_add(passes.queue, "ns/b");
    assert_int_equal(passes.count, 0); /* never from within */
    assert_int_equal(queue_length(passes.queue), 2);
    passes_await(&passes, 2);
    assert_int_equal(passes_after(&passes, 20), 2);
    assert_string_equal(passes.keys[0], "ns/a");
    assert_string_equal(passes.keys[1], "ns/b");
    assert_int_equal(queue_length(passes.queue), 0);
    passes_done(&passes);
}

static void test_added_while_running(void **state)
{
    struct passes passes;
    passes_init(&passes, 8);
    queue_add(passes.queue, "ns/a");
    passes_await(&passes, 1);
    queue_add(passes.queue, "ns/a");
    queue_add(passes.queue, "ns/a");
    assert_int_equal(passes_after(&passes, 20), 1); /* one pass of a key at a time */
    pass_end(&passes, "ns/a", END_WELL);
    passes_await(&passes, 2);
    pass_end(&passes, "ns/a", END_WELL);
    assert_int_equal(passes_after(&passes, 20), 2);
    assert_int_equal(queue_length(passes.queue), 0);
    passes_done(&passes);
}

/* News that came during a pass outrank the back-off of its trouble. */
static void test_added_while_running_into_trouble(void **state)
{
    struct passes passes;
    passes_init(&passes, 8);
    queue_add(passes.queue, "ns/a");
    passes_await(&passes, 1);
    queue_add(passes.queue, "ns/a");
    pass_end(&passes, "ns/a", END_IN_TROUBLE);
    assert_int_equal(passes_after(&passes, 100), 2);
    pass_end(&passes, "ns/a", END_WELL);
    assert_int_equal(queue_length(passes.queue), 0);
    passes_done(&passes);
}

static void test_held(void **state)
{
    struct passes passes;
    passes_init(&passes, 8);
    passes.ending = END_WELL;
    queue_add(passes.queue, "ns/a"); /* its turn is to come */
    queue_hold(passes.queue);
    queue_add(passes.queue, "ns/b");
    assert_int_equal(passes_after(&passes, 20), 0);
    queue_release(passes.queue);
    passes_await(&passes, 2);
    passes_done(&passes);
}

static void test_bounded(void **state)
{
    struct passes passes;
    passes_init(&passes, 3);
    add_many(&passes, 40);
    for (size_t started = 0; passes.count < 40; started = passes.count) {
        passes_await(&passes, started + 1);
        passes_after(&passes, 2);
        assert_in_range(passes.running, 1, 3);
        pass_end(&passes, passes.keys[passes.count - (size_t)passes.running], END_WELL);
    }
    assert_int_equal(passes.running_most, 3);
    passes_done(&passes);
}

static void on_look(void *data)
{
    struct passes *passes = data;
    passes->awaited = passes->count;
    loop_stop(passes->loop);
}

/* Something that is due in the same turn isn't kept waiting by a hundred passes. */
static void test_a_few_a_turn(void **state)
{
    struct passes passes;
    struct timer look = {0};
    passes_init(&passes, 1000);
    passes.ending = END_WELL;
    add_many(&passes, 100);
    timer_start(passes.loop, &look, 0, on_look, &passes);
    assert_int_equal(loop_run(passes.loop, NULL), OK);
    assert_in_range(passes.awaited, 1, 16);
    passes_await(&passes, 100);
    assert_int_equal(queue_length(passes.queue), 0);
    passes_done(&passes);
}

static void test_earliest_counts(void **state)
{
    struct passes passes;
    passes_init(&passes, 8);
    passes.ending = END_WELL;
    queue_add_after(passes.queue, "ns/a", 100);
    queue_add_after(passes.queue, "ns/a", 5000);
    queue_add_after(passes.queue, "ns/b", 5000);
    queue_add_after(passes.queue, "ns/b", 200);
    queue_add_after(passes.queue, "ns/c", 5000);
    queue_add(passes.queue, "ns/c");
    queue_add_after(passes.queue, "ns/d", 0);
    queue_add_after(passes.queue, "ns/d", 5000);
    assert_int_equal(passes_after(&passes, 80), 2);
    assert_int_equal(passes_after(&passes, 60), 3);
    assert_int_equal(passes_after(&passes, 200), 4);
    assert_string_equal(passes.keys[0], "ns/c");
    assert_string_equal(passes.keys[1], "ns/d");
    assert_string_equal(passes.keys[2], "ns/a");
    assert_string_equal(passes.keys[3], "ns/b");
    assert_int_equal(queue_length(passes.queue), 0);
    passes_done(&passes);
}

static void test_added_for_later_while_running(void **state)
{
    struct passes passes;
    passes_init(&passes, 8);
    queue_add(passes.queue, "ns/a");
    passes_await(&passes, 1);
    queue_add_after(passes.queue, "ns/a", 100);
    pass_end(&passes, "ns/a", END_WELL);
    assert_int_equal(queue_length(passes.queue), 1);
    assert_int_equal(passes_after(&passes, 80), 1);
    passes_await(&passes, 2);

    /* Its time comes while the pass still runs: then afterwards, at once. */
    queue_add_after(passes.queue, "ns/a", 10);
    assert_int_equal(passes_after(&passes, 50), 2);
    pass_end(&passes, "ns/a", END_WELL);
    assert_int_equal(passes_after(&passes, 0), 3);
    pass_end(&passes, "ns/a", END_WELL);
    assert_int_equal(queue_length(passes.queue), 0);
    passes_done(&passes);
}

/* Ends the pass in trouble: the next one comes after `wait_ms`, a fifth more or less. */
static void expect_back_off(struct passes *passes, int64_t wait_ms)
{
    size_t before = passes->count;
    int64_t least = wait_ms - wait_ms / 5, most = wait_ms + wait_ms / 5;
    pass_end(passes, "ns/a", END_IN_TROUBLE);
    assert_int_equal(passes_after(passes, least - 5), before);
    assert_int_equal(passes_after(passes, most - least + 10), before + 1);
}

static void test_back_off(void **state)
{
    struct passes passes;
    passes_init(&passes, 8);
    queue_add(passes.queue, "ns/a");
    passes_await(&passes, 1);
    expect_back_off(&passes, 200);
    expect_back_off(&passes, 400);

    /* A pass for another reason comes at once, and its trouble counts on. */
    pass_end(&passes, "ns/a", END_IN_TROUBLE);
    queue_add(passes.queue, "ns/a");
    assert_int_equal(passes_after(&passes, 0), 4);
    expect_back_off(&passes, 1600);

    /* Success forgets it all. */
    pass_end(&passes, "ns/a", END_WELL);
    assert_int_equal(queue_length(passes.queue), 0);
    queue_add(passes.queue, "ns/a");
    passes_await(&passes, 6);
    expect_back_off(&passes, 200);
    queue_add(passes.queue, "ns/a");
    pass_end(&passes, "ns/a", END_WELL);
    passes_await(&passes, 8);
    expect_back_off(&passes, 200);
    passes_done(&passes);
}

/* Each key has a back-off of its own, and those who failed together come back one by one. */
static void test_back_off_by_itself(void **state)
{
    struct passes passes;
    passes_init(&passes, 100);
    passes.ending = END_IN_TROUBLE;
    add_many(&passes, 50);
    passes_await(&passes, 50);
    passes.ending = END_WELL;
    queue_add(passes.queue, "ns/good");
    assert_int_equal(passes_after(&passes, 0), 51);
    assert_in_range(passes_after(&passes, 200), 51 + 1, 51 + 49);
    passes_await(&passes, 101);
    assert_int_equal(passes_of(&passes, "ns/7"), 2);
    assert_int_equal(queue_length(passes.queue), 0);
    passes_done(&passes);
}

static void test_strange_ends(void **state)
{
    struct passes passes;
    passes_init(&passes, 8);
    queue_done(passes.queue, "ns/nobody");
    queue_retry(passes.queue, "ns/nobody");
    queue_add_after(passes.queue, "ns/later", 5000);
    queue_done(passes.queue, "ns/later"); /* no pass of it runs */
    assert_int_equal(queue_length(passes.queue), 1);
    queue_add(passes.queue, "ns/a");
    passes_await(&passes, 1);
    passes_done(&passes);
    queue_free(NULL);
}

static void test_freed_in_every_state(void **state)
{
    struct passes passes;
    passes_init(&passes, 1);
    queue_add(passes.queue, "ns/running");
    passes_await(&passes, 1);
    queue_add(passes.queue, "ns/running");
    queue_add(passes.queue, "ns/ready");
    queue_add_after(passes.queue, "ns/later", 5000);
    assert_int_equal(queue_length(passes.queue), 3);
    passes_done(&passes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runs_once_and_leaves_nothing),
        cmocka_unit_test(test_added_while_running),
        cmocka_unit_test(test_added_while_running_into_trouble),
        cmocka_unit_test(test_held),
        cmocka_unit_test(test_bounded),
        cmocka_unit_test(test_a_few_a_turn),
        cmocka_unit_test(test_earliest_counts),
        cmocka_unit_test(test_added_for_later_while_running),
        cmocka_unit_test(test_back_off),
        cmocka_unit_test(test_back_off_by_itself),
        cmocka_unit_test(test_strange_ends),
        cmocka_unit_test(test_freed_in_every_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
