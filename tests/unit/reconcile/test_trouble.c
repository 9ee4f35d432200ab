// SPDX-License-Identifier: Apache-2.0
/* What an error of the cluster's comes to in a status. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "reconcile/reconcile.h"

#define REFUSED                                                                                    \
    "widgets.x.io is forbidden: User \"system:serviceaccount:s:s\" cannot watch resource "         \
    "\"widgets\" in API group \"x.io\" at the cluster scope"
#define HELP "; \"sluice role\" prints all that is needed"

static void missing_right(void **state)
{
    struct error err = {0};
    (void)state;
    error_set(&err, ERR_DENIED, "%s", REFUSED);
    assert_int_equal(trouble_reason(&err), REASON_RIGHT_MISSING);
    assert_string_equal(err.text, REFUSED HELP);
    assert_int_equal(trouble_reason(&err), REASON_RIGHT_MISSING);
    assert_string_equal(err.text, REFUSED HELP);
}

/* The same status, and nothing that a role would help with. */
static void admission(void **state)
{
    struct error err = {0};
    (void)state;
    error_set(&err, ERR_DENIED, "admission webhook \"w.x.io\" denied the request: not on Fridays");
    assert_int_equal(trouble_reason(&err), REASON_CLUSTER_TROUBLE);
    assert_null(strstr(err.text, "sluice role"));
}

static void passing(void **state)
{
    struct error err = {0};
    (void)state;
    error_set(&err, ERR_RETRY, "GET /apis/x.io/v1: connection refused");
    assert_int_equal(trouble_reason(&err), REASON_CLUSTER_TROUBLE);
    assert_string_equal(err.text, "GET /apis/x.io/v1: connection refused");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missing_right),
        cmocka_unit_test(admission),
        cmocka_unit_test(passing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
