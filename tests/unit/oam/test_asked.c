// SPDX-License-Identifier: Apache-2.0
/* What people have asked for: out of annotations, whatever stands there. */
#include "base/alloc.h"
#include "base/json.h"
#include "oam/approllout.h"
#include "oam/asked.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static json_t *noted(const char *mark, const char *text)
{
    return json_pack("{s:{s:{s:s}}}", "metadata", "annotations", mark, text);
}

static void test_who(void **state)
{
    static const struct {
        const char *text, *verb, *by;
    } cases[] = {
        {"abort by jo at 2026-01-31T12:00:00Z", "abort", "jo"},
        {"pause by jo by night at home at 2026-01-31T12:00:00Z", "pause", "jo by night at home"},
        {"approve by system:serviceaccount:ci:deploy at 2026-01-31T12:00:00Z", "approve",
         "system:serviceaccount:ci:deploy"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *object AUTO_JSON = noted(MARK_ASKED, cases[i].text);
        struct asked asked;
        assert_true(asked_read(object, &asked));
        assert_string_equal(asked.verb, cases[i].verb);
        assert_string_equal(asked.by, cases[i].by);
        assert_true(asked.at_ms == 1769860800000);
        char *again AUTO_FREE = asked_text(&asked);
        assert_string_equal(again, cases[i].text);
    }
}

static void test_nobody(void **state)
{
    static const char *const texts[] = {"", "abort", "abort by jo", "abort by jo at noon",
                                        "abort at 2026-01-31T12:00:00Z by jo"};
    struct asked asked;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        json_t *object AUTO_JSON = noted(MARK_ASKED, texts[i]);
        assert_false(asked_read(object, &asked));
        assert_string_equal(asked.by, "");
    }
    assert_false(asked_read(NULL, &asked));
}

static void test_wish(void **state)
{
    json_t *object AUTO_JSON = noted(MARK_WISH, "abort shop-v2 4711");
    struct approllout rollout;
    approllout_read(object, &rollout);
    const struct wish *wish = &rollout.intent.wish;
    assert_int_equal(wish->verb, WISH_ABORT);
    assert_string_equal(wish->target, "shop-v2");
    assert_string_equal(wish->id, "4711");
    assert_string_equal(wish->by, "");
    char *again AUTO_FREE = wish_text(wish);
    assert_string_equal(again, "abort shop-v2 4711");
    json_object_set_new(json_at(object, "/metadata/annotations"), MARK_ASKED,
                        json_string("abort by jo at 2026-01-31T12:00:00Z"));
    struct wish asked;
    wish_read(object, &asked);
    assert_string_equal(asked.by, "jo");
    json_object_set_new(json_at(object, "/metadata/annotations"), MARK_ASKED,
                        json_string("pause by somebody else at 2026-01-31T12:00:00Z"));
    wish_read(object, &asked);
    assert_string_equal(asked.by, "");
    approllout_done(&rollout);
}

static void test_no_wish(void **state)
{
    static const char *const texts[] = {
        "", " ", "abort", "abort shop-v2", "abort  ", "aborted shop-v2 1", "destroy shop-v2 1"};
    struct wish wish;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        json_t *object AUTO_JSON = noted(MARK_WISH, texts[i]);
        wish_read(object, &wish);
        assert_int_equal(wish.verb, WISH_NONE);
    }
}

/* What is recorded of it must be what is read of it the next time. */
static void test_words_that_are_too_long(void **state)
{
    struct wish wish;
    char id[WISH_ID_SIZE + 8];
    memset(id, 'x', sizeof id - 1);
    memcpy(id + WISH_ID_SIZE - 2, "\xc3\xa9", 2); /* cut in the middle */
    id[sizeof id - 1] = '\0';
    char *text AUTO_FREE = str_format("retry shop-v2 %s", id);
    json_t *object AUTO_JSON = noted(MARK_WISH, text);
    wish_read(object, &wish);
    assert_int_equal(wish.verb, WISH_RETRY);
    json_t *kept AUTO_JSON = json_string(wish.id);
    assert_non_null(kept);
    assert_true(strlen(wish.id) < WISH_ID_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who),
        cmocka_unit_test(test_nobody),
        cmocka_unit_test(test_wish),
        cmocka_unit_test(test_no_wish),
        cmocka_unit_test(test_words_that_are_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
