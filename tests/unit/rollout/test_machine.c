// SPDX-License-Identifier: Apache-2.0
#include "world.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
static void test_a(void **state)
{
    struct world world;
    world_init(&world, "{'rolloutBatches':[{'replicas':1},{'replicas':2},{'replicas':2}]}");
    world_run(&world);
    puts(world.journal.at);
    printf("%d %d %d\n", world.status_writes, world.workload_writes, world.events);
    world_done(&world);
}
int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_a)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
