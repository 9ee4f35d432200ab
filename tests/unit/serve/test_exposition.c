// SPDX-License-Identifier: Apache-2.0
/* The text for Prometheus: what is written where, and what has to be escaped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "serve/exposition.h"

static void test_a_family_and_its_samples(void **state)
{
    struct text text = {0};
    const struct label labels[] = {{"kind", "Rollout"}, {"state", "holding"}, {0}};
    (void)state;
    exposition_family(&text, "sluice_rollouts", METRIC_GAUGE, "Rollouts.");
    exposition_sample(&text, "sluice_rollouts", labels, 3);
    exposition_sample(&text, "sluice_rollouts", NULL, 0.25);
    assert_string_equal(text.at, "# HELP sluice_rollouts Rollouts.\n"
                                 "# TYPE sluice_rollouts gauge\n"
                                 "sluice_rollouts{kind=\"Rollout\",state=\"holding\"} 3\n"
                                 "sluice_rollouts 0.25\n");
    text_done(&text);
}

static void test_values_of_labels_are_escaped(void **state)
{
    struct text text = {0};
    const struct label labels[] = {{"adapter", "a \"b\" \\ c\nd"}, {0}};
    (void)state;
    exposition_sample(&text, "calls_total", labels, 1);
    assert_string_equal(text.at, "calls_total{adapter=\"a \\\"b\\\" \\\\ c\\nd\"} 1\n");
    text_done(&text);
}

/* A counter that runs for years isn't rounded; what isn't known yet is no number. */
static void test_values(void **state)
{
    struct text text = {0};
    (void)state;
    exposition_sample(&text, "bytes_total", NULL, 9007199254740.0);
    exposition_sample(&text, "unknown", NULL, NAN);
    assert_string_equal(text.at, "bytes_total 9007199254740\nunknown NaN\n");
    text_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_family_and_its_samples),
        cmocka_unit_test(test_values_of_labels_are_escaped),
        cmocka_unit_test(test_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
