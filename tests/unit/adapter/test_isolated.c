// SPDX-License-Identifier: Apache-2.0
/* Adapters in processes of their own: the same answers, and whatever they do concerns nobody else.
 */
#include "adapters.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "loop/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct loaded puppet(const char *options)
{
    return apart_open("puppet", "puppet", options);
}

static void the_same_answer(void **state)
{
    const char *options = "{\"result\": -1, \"pointer\": \"/target/spec\", \"text\": \"no such\"}";
    struct loaded here = loaded_open("puppet", "puppet", options), apart = puppet(options);
    struct adapter_request request = {0};
    struct workload_status status;
    struct error a = {0}, b = {0};
    assert_int_equal(adapter_observe(here.adapter, &request, &status, &a), ERR_INVALID);
    assert_int_equal(adapter_observe(apart.adapter, &request, &status, &b), ERR_INVALID);
    assert_string_equal(a.text, b.text);
    assert_string_equal(a.path, "target.spec");
    assert_string_equal(a.path, b.path);
    loaded_close(&here);
    loaded_close(&apart);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
