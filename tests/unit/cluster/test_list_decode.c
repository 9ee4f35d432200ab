// SPDX-License-Identifier: Apache-2.0
/* The decoder of lists: whatever the chunks, the items come out whole; garbage is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/text.h"
#include "cluster/list_decode.h"

#include <stdlib.h>
#include <string.h>

struct got {
    struct text items; /* joined by '|' */
    int count, stop_at;
};

static int on_item(void *data, const char *bytes, size_t count)
{
    struct got *got = data;
    if (got->items.len)
        text_puts(&got->items, "|");
    text_add(&got->items, bytes, count);
    return ++got->count == got->stop_at ? ERR_BUG : OK;
}

/* Feeds `text` in chunks of `chunk` bytes, each in a buffer of exactly its size, so that reading
 * past its end would be noticed. */
static int decode(const char *text, size_t chunk, struct got *got, struct list_decode **ret_decode)
{
    struct list_decode *decoder = list_decode_new(1000, on_item, got);
    struct error err = {0};
    size_t length = strlen(text);
    int code = OK;
    for (size_t at = 0; at < length && code == OK; at += chunk) {
        size_t count = length - at < chunk ? length - at : chunk;
        char *piece = mem_copy(text + at, count);
        code = list_decode_feed(decoder, piece, count, &err);
        free(piece);
    }
    if (code == OK)
        code = list_decode_end(decoder, &err);
    assert_int_equal(err.code, code);
    *ret_decode = decoder;
    return code;
}

static void check(const char *text, const char *items, const char *version, const char *more)
{
    for (size_t chunk = 1; chunk <= strlen(text); chunk++) {
        struct got got = {0};
        struct list_decode *decoder;
        assert_int_equal(decode(text, chunk, &got, &decoder), OK);
        assert_string_equal(got.items.at ? got.items.at : "", items);
        assert_string_equal(list_decode_version(decoder), version);
        assert_string_equal(list_decode_continue(decoder), more);
        list_decode_free(decoder);
        text_done(&got.items);
    }
}

static void test_lists(void **state)
{
    /* Metadata in front, as built-in kinds have it. */
    check("{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"7\","
          "\"continue\":\"ab=\"},\"items\":[{\"a\":1},{\"b\":2}]}",
          "{\"a\":1}|{\"b\":2}", "7", "ab=");
    /* Behind, as custom resources have it, with white space everywhere. */
    check(" \n{ \"items\" : [ { \"a\" : 1 } , { } ] , \"metadata\" : { \"resourceVersion\" : \"8\" "
          "}\t}\r\n",
          "{ \"a\" : 1 }|{ }", "8", "");
    check("{\"items\":[],\"metadata\":{}}", "", "", "");
    check("{\"items\":null}", "", "", "");
    check("{}", "", "", "");
}

static void test_nested_and_quoted(void **state)
{
    check("{\"x\":{\"items\":[{\"no\":1}]},\"items\":[{\"items\":[{\"inner\":[]}]}]}",
          "{\"items\":[{\"inner\":[]}]}", "", "");
    check("{\"items\":[{\"s\":\"}]{[\\\"}\\\\\"},{\"t\":\"\\\\\\\"]}\"}]}",
          "{\"s\":\"}]{[\\\"}\\\\\"}|{\"t\":\"\\\\\\\"]}\"}", "", "");
    check("{\"note\":\"\\\"items\\\":[{}]\",\"items\":[{\"n\":-1.5e3}]}", "{\"n\":-1.5e3}", "", "");
    check("{\"n\":12,\"b\":true,\"z\":null,\"l\":[1,[2,{\"}\":3}]],\"items\":[{}],\"m\":1}", "{}",
          "", "");
    /* An array of that name elsewhere, a string of that name, and metadata of another kind. */
    check("{\"items\":\"none\",\"metadata\":[]}", "", "", "");
}

static void test_kind(void **state)
{
    struct got got = {0};
    struct list_decode *decoder;
    assert_int_equal(
        decode("{\"apiVersion\":\"apps/v1\",\"kind\":\"DeploymentList\"}", 3, &got, &decoder), OK);
    assert_string_equal(list_decode_api_version(decoder), "apps/v1");
    assert_string_equal(list_decode_kind(decoder), "DeploymentList");
    list_decode_free(decoder);
}

static void refuse(const char *text, int code)
{
    for (size_t chunk = 1; chunk <= strlen(text) + 1; chunk++) {
        struct got got = {0};
        struct list_decode *decoder;
        assert_int_equal(decode(text, chunk, &got, &decoder), code);
        list_decode_free(decoder);
        text_done(&got.items);
    }
}

static void test_garbage(void **state)
{
    static const char *const texts[] = {
        "",
        " ",
        "[]",
        "<html>",
        "null",
        "{\"items\":[{}]",
        "{\"items\":[{}",
        "{\"items\":[{\"a\":\"",
        "{\"items\":[{}]}x",
        "{\"items\":[{}]}{}",
        "{\"items\":[1]}",
        "{\"items\":[{},]}",
        "{\"items\":[{} {}]}",
        "{\"items\":[,{}]}",
        "{\"items\":}",
        "{\"items\" [{}]}",
        "{items:[]}",
        "{\"a\":1,}",
        "{\"a\":1 \"b\":2}",
        "{,}",
        "{\"metadata\":{\"resourceVersion\":}}",
        "{\"metadata\":nil}",
        "{\"kind\":\"x}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        refuse(texts[i], ERR_INVALID);
}

static void test_limits(void **state)
{
    char *item AUTO_FREE = str_format("{\"items\":[{\"a\":\"%995s\"}]}", "");
    refuse(item, ERR_LIMIT);
    char *key AUTO_FREE = str_format("{\"%300s\":1}", "");
    refuse(key, ERR_INVALID);
    char *aside AUTO_FREE = str_format("{\"metadata\":\"%70000s\"}", "");
    struct got got = {0};
    struct list_decode *decoder;
    assert_int_equal(decode(aside, 1000, &got, &decoder), ERR_LIMIT);
    list_decode_free(decoder);
    /* What is not looked at may be of any length. */
    char *unknown AUTO_FREE = str_format("{\"unknown\":\"%70000s\",\"items\":[{}]}", "");
    assert_int_equal(decode(unknown, 1000, &got, &decoder), OK);
    assert_int_equal(got.count, 1);
    list_decode_free(decoder);
    text_done(&got.items);
}

static void test_stopped_by_the_receiver(void **state)
{
    for (size_t chunk = 1; chunk < 40; chunk++) {
        struct got got = {.stop_at = 2};
        struct list_decode *decoder = list_decode_new(1000, on_item, &got);
        const char *text = "{\"items\":[{\"a\":1},{\"b\":2},{\"c\":3}]}";
        int code = OK;
        for (size_t at = 0; at < strlen(text) && code == OK; at += chunk) {
            size_t left = strlen(text) - at;
            code = list_decode_feed(decoder, text + at, left < chunk ? left : chunk, NULL);
        }
        assert_int_equal(code, ERR_BUG);
        assert_int_equal(got.count, 2);
        list_decode_free(decoder);
        text_done(&got.items);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists),  cmocka_unit_test(test_nested_and_quoted),
        cmocka_unit_test(test_kind),   cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_limits), cmocka_unit_test(test_stopped_by_the_receiver),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
