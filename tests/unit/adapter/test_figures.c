// SPDX-License-Identifier: Apache-2.0
/* What is counted of an adapter's calls. */
#include "adapters.h"

#include "adapter/figures.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void quantiles_are_close(void **state)
{
    struct adapter_figures figures = {0};
    assert_int_equal(adapter_latency_us(&figures, 50), 0);
    for (int us = 1; us <= 1000; us++)
        figures_call(&figures, us);
    assert_int_equal(figures.calls, 1000);
    assert_in_range(adapter_latency_us(&figures, 50), 500, 625);
    assert_in_range(adapter_latency_us(&figures, 99), 990, 1240);
    assert_in_range(adapter_latency_us(&figures, 100), 1000, 1250);
}

/* Every class ends at or above what was put into it, by a quarter at most. */
static void classes_have_no_gaps(void **state)
{
    for (int64_t us = 0; us < INT32_MAX / 2; us += 1 + us / 7) {
        struct adapter_figures figures = {0};
        figures_call(&figures, us);
        assert_in_range(adapter_latency_us(&figures, 50), us, us + us / 4);
    }
}

static void extremes_are_counted(void **state)
{
    struct adapter_figures figures = {0};
    figures_call(&figures, INT64_MAX);
    figures_call(&figures, -1);
    assert_int_equal(figures.calls, 2);
    assert_int_equal(adapter_latency_us(&figures, 50), 0);
    assert_true(adapter_latency_us(&figures, 99) > INT32_MAX);
}

static void calls_are_counted_and_refusals_kept(void **state)
{
    struct loaded loaded = loaded_open("puppet", "puppet", "{\"result\": -1, \"text\": \"no\"}");
    struct adapter_request request = {0};
    struct workload_status status;
    struct error err = {0};
    const struct adapter_figures *figures = adapter_figures(loaded.adapter);
    assert_int_equal(figures->calls, 0);
    assert_int_equal(figures->refused_at_ms, 0);
    assert_int_equal(adapter_observe(loaded.adapter, &request, &status, &err), ERR_INVALID);
    assert_int_equal(figures->calls, 1);
    assert_string_equal(figures->refusal, "adapter puppet, observe: no");
    assert_true(figures->refused_at_ms > 0);
    loaded_close(&loaded);
}

static void not_knowing_yet_is_no_refusal(void **state)
{
    struct loaded loaded = loaded_open("puppet", "puppet", "{\"result\": -3}");
    struct adapter_request request = {0};
    struct workload_status status;
    assert_int_equal(adapter_observe(loaded.adapter, &request, &status, NULL), ERR_RETRY);
    assert_int_equal(adapter_figures(loaded.adapter)->calls, 1);
    assert_int_equal(adapter_figures(loaded.adapter)->refused_at_ms, 0);
    loaded_close(&loaded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_are_close),
        cmocka_unit_test(classes_have_no_gaps),
        cmocka_unit_test(extremes_are_counted),
        cmocka_unit_test(calls_are_counted_and_refusals_kept),
        cmocka_unit_test(not_knowing_yet_is_no_refusal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
