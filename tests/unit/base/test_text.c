// SPDX-License-Identifier: Apache-2.0
/* Memory, strings, buffers and errors. */
#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- alloc ---- */

static void test_memory_is_zeroed(void **state)
{
    unsigned char *bytes = mem_alloc(1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(bytes[i], 0);
    free(bytes);
    void *nothing = mem_alloc(0);
    assert_non_null(nothing);
    free(nothing);
}

static void test_grow_and_copy(void **state)
{
    char *text = mem_grow(NULL, 4);
    memcpy(text, "abc", 4);
    text = mem_grow(text, 100000);
    assert_string_equal(text, "abc");
    char *copy AUTO_FREE = mem_copy(text, 4);
    assert_string_equal(copy, "abc");
    assert_ptr_not_equal(copy, text);
    void *nothing AUTO_FREE = mem_copy(NULL, 0);
    assert_non_null(nothing);
    free(text);
}

/* Out of memory ends the process, with a word. */
static void test_no_memory_is_the_end(void **state)
{
    volatile size_t too_much = SIZE_MAX / 2;
    int status;
    pid_t child = fork();
    if (child == 0) {
        int nowhere = open("/dev/null", O_WRONLY);
        dup2(nowhere, STDERR_FILENO);
        free(mem_alloc(too_much));
        _exit(0);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void test_string_copies(void **state)
{
    char *copy AUTO_FREE = str_copy("abc"), *part AUTO_FREE = str_copy_n("abcdef", 3);
    char *none AUTO_FREE = str_copy_n("abc", 0);
    assert_string_equal(copy, "abc");
    assert_null(str_copy(NULL));
    assert_string_equal(part, "abc");
    assert_string_equal(none, "");
}

__attribute__((format(printf, 1, 2))) static char *formatted(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = str_format_v(format, args);
    va_end(args);
    return text;
}

static void test_format(void **state)
{
    char *text AUTO_FREE = str_format("%s-%d", "a", 5), *long_text AUTO_FREE = NULL;
    assert_string_equal(text, "a-5");
    long_text = formatted("%05000d", 1);
    assert_int_equal(strlen(long_text), 5000);
}

static void test_replace(void **state)
{
    char *place = NULL;
    str_replace(&place, "one two");
    assert_string_equal(place, "one two");
    str_replace(&place, place + 4); /* a part of itself */
    assert_string_equal(place, "two");
    str_replace(&place, place);
    assert_string_equal(place, "two");
    str_replace(&place, NULL);
    assert_null(place);
    str_replace(&place, NULL);
    assert_null(place);
}

static void test_equal(void **state)
{
    char a[] = "x";
    assert_true(str_equal(a, "x"));
    assert_false(str_equal(a, "y"));
    assert_false(str_equal(a, "xy"));
    assert_true(str_equal(NULL, NULL));
    assert_false(str_equal(NULL, ""));
    assert_false(str_equal("", NULL));
}

/* ---- text ---- */

static void test_text_grows(void **state)
{
    struct text text = {0};
    for (int i = 0; i < 1000; i++)
        text_addf(&text, "%03d,", i);
    assert_int_equal(text.len, 4000);
    assert_int_equal(strlen(text.at), 4000);
    assert_memory_equal(text.at, "000,001,", 8);
    assert_string_equal(text.at + 3996, "999,");
    text_puts(&text, "");
    assert_int_equal(text.len, 4000);
    text_done(&text);
    assert_null(text.at);
    assert_int_equal(text.len, 0);
    text_done(&text);
}

static void test_text_holds_any_bytes(void **state)
{
    struct text text = {0};
    text_add(&text, "a\0b", 3);
    text_add(&text, NULL, 0);
    text_puts(&text, "c");
    assert_int_equal(text.len, 4);
    assert_memory_equal(text.at, "a\0bc", 5);
    text_done(&text);
}

static void test_text_may_quote_itself(void **state)
{
    struct text text = {0};
    text_puts(&text, "abc");
    text_addf(&text, "<%s>", text.at);
    assert_string_equal(text.at, "abc<abc>");
    text_done(&text);
}

static void test_text_drop(void **state)
{
    struct text text = {0};
    text_drop(&text, 3);
    text_puts(&text, "abcdef");
    text_drop(&text, 0);
    assert_string_equal(text.at, "abcdef");
    text_drop(&text, 2);
    assert_string_equal(text.at, "cdef");
    assert_int_equal(text.len, 4);
    text_drop(&text, 5); /* one more than there is */
    assert_string_equal(text.at, "");
    assert_int_equal(text.len, 0);
    text_puts(&text, "x");
    assert_string_equal(text.at, "x");
    text_done(&text);
}

static void test_text_clear_and_steal(void **state)
{
    struct text text = {0};
    text_clear(&text);
    char *empty AUTO_FREE = text_steal(&text);
    assert_string_equal(empty, "");
    text_puts(&text, "abc");
    char *memory = text.at;
    text_clear(&text);
    assert_string_equal(text.at, "");
    text_puts(&text, "de");
    assert_ptr_equal(text.at, memory);
    char *stolen AUTO_FREE = text_steal(&text);
    assert_string_equal(stolen, "de");
    assert_null(text.at);
    assert_int_equal(text.len, 0);
    assert_int_equal(text.size, 0);
}

static void assert_mended(const char *text, const char *mended)
{
    char place[64];
    snprintf(place, sizeof place, "%s", text);
    text_mend(place);
    assert_string_equal(place, mended);
}

static void test_mend(void **state)
{
    assert_mended("", "");
    assert_mended("plain\n", "plain\n");
    assert_mended("ä€\xf0\x9f\x98\x80", "ä€\xf0\x9f\x98\x80");
    assert_mended("\xed\x9f\xbf\xee\x80\x80", "\xed\x9f\xbf\xee\x80\x80");
    assert_mended("\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf");
    assert_mended("cut \xe2\x82", "cut ??");
    assert_mended("\xc3", "?");
    assert_mended("a\x80z", "a?z");
    assert_mended("\xff\xfe", "??");
    assert_mended("\xc0\xaf\xc1\xbf", "????"); /* longer than needed */
    assert_mended("\xe0\x9f\xbf", "???");
    assert_mended("\xf0\x8f\xbf\xbf", "????");
    assert_mended("\xed\xa0\x80", "???");      /* a surrogate */
    assert_mended("\xf4\x90\x80\x80", "????"); /* beyond U+10FFFF */
    assert_mended("\xf5\x80\x80\x80", "????");
    assert_mended("\xe2\x82x", "??x");
    assert_mended("\xc3\xc3\xa4", "?ä");
}

/* ---- errors ---- */

static void test_error_set(void **state)
{
    struct error err = {.path = "old"};
    assert_int_equal(error_set(&err, ERR_RETRY, "no %s", "answer"), ERR_RETRY);
    assert_int_equal(err.code, ERR_RETRY);
    assert_string_equal(err.path, "");
    assert_string_equal(err.text, "no answer");
    assert_int_equal(error_set(NULL, ERR_GONE, "nobody listens"), ERR_GONE);
}

static void test_error_at(void **state)
{
    struct error err = {0};
    assert_int_equal(error_at(&err, ERR_INVALID, "spec.x", "found %d", 3), ERR_INVALID);
    assert_string_equal(err.path, "spec.x");
    assert_string_equal(err.text, "found 3");
    assert_int_equal(error_at(NULL, ERR_INVALID, "spec.x", "found %d", 3), ERR_INVALID);
}

static void test_error_quotes_itself(void **state)
{
    struct error err = {0};
    error_set(&err, ERR_RETRY, "inner");
    error_set(&err, ERR_BUG, "outer (%s)", err.text);
    assert_string_equal(err.text, "outer (inner)");
}

static void test_error_is_cut(void **state)
{
    struct error err = {0};
    error_at(&err, ERR_LIMIT, "p", "%02000d", 0);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    error_set(&err, ERR_LIMIT, "%0799d€", 0);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    error_set(&err, ERR_LIMIT, "%0797d€", 0); /* cut within the last character */
    assert_string_equal(err.text + 797, "??");
}

static void test_error_prefix(void **state)
{
    struct error err = {0};
    error_at(&err, ERR_DENIED, "spec.x", "no");
    error_prefix(&err, "adapter %s", "cloneset");
    assert_string_equal(err.text, "adapter cloneset: no");
    assert_string_equal(err.path, "spec.x");
    assert_int_equal(err.code, ERR_DENIED);
    error_prefix(&err, "%s", err.text);
    assert_string_equal(err.text, "adapter cloneset: no: adapter cloneset: no");
    error_prefix(NULL, "nobody listens");
}

static void test_error_prefix_is_cut(void **state)
{
    struct error err = {0};
    error_set(&err, ERR_LIMIT, "%0790d", 1);
    error_prefix(&err, "%0500d", 2);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    assert_memory_equal(err.text + 255, ": 000", 5);
    for (int i = 0; i < 10; i++)
        error_prefix(&err, "again");
    assert_memory_equal(err.text, "again: again: ", 14);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
}

static void test_err_names(void **state)
{
    static const struct {
        int code;
        const char *name;
    } names[] = {{OK, "ok"},
                 {ERR_RETRY, "retry"},
                 {ERR_CONFLICT, "conflict"},
                 {ERR_GONE, "gone"},
                 {ERR_MISSING, "missing"},
                 {ERR_DENIED, "denied"},
                 {ERR_INVALID, "invalid"},
                 {ERR_LIMIT, "limit"},
                 {ERR_BUG, "bug"},
                 {1, "bug"},
                 {-99, "bug"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_string_equal(err_name(names[i].code), names[i].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_is_zeroed),
        cmocka_unit_test(test_grow_and_copy),
        cmocka_unit_test(test_no_memory_is_the_end),
        cmocka_unit_test(test_string_copies),
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_replace),
        cmocka_unit_test(test_equal),
        cmocka_unit_test(test_text_grows),
        cmocka_unit_test(test_text_holds_any_bytes),
        cmocka_unit_test(test_text_may_quote_itself),
        cmocka_unit_test(test_text_drop),
        cmocka_unit_test(test_text_clear_and_steal),
        cmocka_unit_test(test_mend),
        cmocka_unit_test(test_error_set),
        cmocka_unit_test(test_error_at),
        cmocka_unit_test(test_error_quotes_itself),
        cmocka_unit_test(test_error_is_cut),
        cmocka_unit_test(test_error_prefix),
        cmocka_unit_test(test_error_prefix_is_cut),
        cmocka_unit_test(test_err_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
