// SPDX-License-Identifier: Apache-2.0
#include "asserts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

void assert_happened(struct world *world, const char *journal)
{
    const char *happened = world->journal.at ? world->journal.at : "";
    if (strcmp(happened, journal) != 0)
        fail_msg("happened:\n%s\nshould have happened:\n%s", happened, journal);
    text_clear(&world->journal);
}

void assert_ended(const struct world *world, enum rolling_state end, int updated, int size)
{
    const struct workload *w = &world->workload;
    assert_int_equal(world->recorded.rolling, end);
    assert_int_equal(w->holder, NOBODY);
    assert_false(w->paused);
    assert_int_equal(w->size, size);
    assert_int_equal(w->pod_count, size);
    assert_int_equal(w->counts.updated, updated);
    assert_int_equal(w->counts.ready, size);
    if (end == ROLLING_SUCCEEDED)
        assert_int_equal(w->told, ALL_PODS);
}

void assert_waits(struct world *world, enum rolling_state state, enum reason_code why,
                  const char *message)
{
    world_run(world);
    assert_int_equal(world->recorded.rolling, state);
    assert_string_equal(world->recorded.reason.message, message);
    assert_int_equal(world->recorded.reason.code, why);
}

void assert_reason(const struct world *world, const char *field, const char *expected,
                   const char *found)
{
    assert_string_equal(world->recorded.reason.field, field);
    assert_string_equal(world->recorded.reason.expected, expected);
    assert_string_equal(world->recorded.reason.found, found);
}
