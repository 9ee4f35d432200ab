// SPDX-License-Identifier: Apache-2.0
/* Native functions, declared in the config and called in a process of their own. */
#include "adapters.h"

#include "base/alloc.h"
#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

/* One function of the library, with what comes after its name. */
#define FUNCTION(rest) "[{'name': 'f', 'library': '" QUALITY "', " rest "}]"
#define BAKERY                                                                                     \
    "{'apiVersion': 'example.com/v1', 'kind': 'Bakery', 'metadata': {'name': 'b', "                \
    "'generation': 1}, 'spec': {'replicas': 4, 'recipe': 'burnt', 'strict': true, 'share': 0.5}, " \
    "'status': {'observedGeneration': 1, 'hot': 5, 'stale': 2, 'ready': 9}}"

/* With single quotes for double ones. */
static json_t *quoted(const char *text)
{
    char *copy AUTO_FREE = str_copy(text);
    for (char *at = copy; (at = strchr(at, '\''));)
        *at = '"';
    return json(copy);
}

/* The generic adapter for Bakeries, whose status has one option that is the function f. */
struct bakery {
    struct adapters *set;
    const struct adapter *adapter;
    json_t *options, *native;
};

/* What the config has of it. */
static struct adapter_entry bakery_entry(const struct bakery *bakery, enum isolation isolation)
{
    return (struct adapter_entry){.name = "bakeries",
                                  .adapter = "generic",
                                  .file = GENERIC,
                                  .options = bakery->options,
                                  .native = bakery->native,
                                  .isolation = isolation,
                                  .deadline_ms = APART_BRIEF_MS,
                                  .host = ADAPTER_HOST};
}

static struct bakery bakery_open(const char *native, const char *option, enum isolation isolation)
{
    struct bakery bakery = {
        .options = quoted("{'apiVersion': 'example.com/v1', 'kind': 'Bakery', 'resource': "
                          "'bakeries', 'paused': '/spec/paused', 'status': {'updated': 9, "
                          "'updatedReady': 9, 'ready': 9}}"),
        .native = quoted(native)};
    json_t *status = json_object_get(bakery.options, "status");
    json_object_set_new(status, option, json_pack("{s:s}", "native", "f"));
    const struct adapter_entry entry = bakery_entry(&bakery, isolation);
    bakery.set = adapters_load("/nowhere", &entry, 1);
    bakery.adapter = adapters_nth(bakery.set, 0);
    return bakery;
}

static void bakery_close(struct bakery *bakery)
{
    adapters_free(bakery->set);
    json_decref(bakery->options);
    json_decref(bakery->native);
}

static int observe(const struct bakery *bakery, struct workload_status *ret_status,
                   struct error *err)
{
    json_t *workload AUTO_JSON = quoted(BAKERY);
    const struct adapter_request request = {.workload = workload};
    const struct error *refusal = adapter_refusal(bakery->adapter);
    if (refusal)
        fail_msg("it wasn't loaded: %s", refusal->text);
    return adapter_observe(bakery->adapter, &request, ret_status, err);
}

/* What the function makes of the status. */
static struct workload_status seen(const char *function, const char *option)
{
    struct bakery bakery = bakery_open(function, option, ISOLATION_BY_PLACE);
    struct workload_status status;
    struct error err = {0};
    if (observe(&bakery, &status, &err) < 0)
        fail_msg("%s: %s", function, err.text);
    bakery_close(&bakery);
    return status;
}

static void numbers(void **state)
{
    assert_int_equal(
        seen(FUNCTION("'symbol': 'hot_of_new', 'returns': 'int32', 'arguments': [{'int32': "
                      "'/status/hot'}, {'int32': '/status/stale'}]"),
             "updatedReady")
            .updated_ready,
        3);
    assert_int_equal(seen(FUNCTION("'symbol': 'as_it_is', 'returns': 'int64', 'arguments': "
                                   "[{'int64': 7}]"),
                          "updated")
                         .updated,
                     7);
    assert_int_equal(seen(FUNCTION("'symbol': 'as_it_is', 'returns': 'int64', 'arguments': "
                                   "[{'int64': '/status/not/there'}]"),
                          "ready")
                         .ready,
                     0);
    assert_int_equal(seen(FUNCTION("'symbol': 'rounded', 'returns': 'int64', 'arguments': "
                                   "[{'double': '/spec/share'}, {'double': '/spec/replicas'}]"),
                          "updated")
                         .updated,
                     2);
}

static void truths(void **state)
{
    const char *strict = FUNCTION("'symbol': 'tastes', 'returns': 'bool', 'arguments': "
                                  "[{'bool': '/spec/strict'}, {'string': '/spec/recipe'}]");
    const char *lenient = FUNCTION("'symbol': 'tastes', 'returns': 'bool', 'arguments': "
                                   "[{'bool': false}, {'string': '/spec/recipe'}]");
    assert_int_equal(seen(strict, "healthy").updated_ready, 0);
    assert_int_equal(seen(lenient, "healthy").updated_ready, 9);
}

static void texts(void **state)
{
    assert_string_equal(seen(FUNCTION("'symbol': 'reason', 'returns': 'string', 'arguments': "
                                      "[{'string': 'ovens'}, {'int32': '/spec/replicas'}]"),
                             "reason")
                            .reason,
                        "ovens: 4");
    assert_string_equal(seen(FUNCTION("'symbol': 'no_text', 'returns': 'string'"), "reason").reason,
                        "");
    /* {"observedGeneration":1,"hot":5,"stale":2,"ready":9} */
    assert_string_equal(seen(FUNCTION("'symbol': 'length_of', 'returns': 'json', 'arguments': "
                                      "[{'json': '/status'}]"),
                             "reason")
                            .reason,
                        "52");
}

static void what_it_reads_is_kept(void **state)
{
    struct bakery bakery =
        bakery_open(FUNCTION("'symbol': 'hot_of_new', 'returns': 'int32', 'arguments': [{'int32': "
                             "'/status/hot'}, {'int32': 1}]"),
                    "updatedReady", ISOLATION_BY_PLACE);
    const struct adapter_kind *kind = adapter_kind(bakery.adapter, 0);
    int found = 0;
    for (size_t i = 0; i < kind->keep_count; i++)
        found += strcmp(kind->keep[i], "/status/hot") == 0;
    assert_int_equal(found, 1);
    bakery_close(&bakery);
}

static void what_fails(void **state)
{
    static const char *const failing[][3] = {
        {"'symbol': 'no_json', 'returns': 'json'", "healthy",
         "native function f: it returned text that isn't JSON"},
        {"'symbol': 'endless', 'returns': 'string'", "reason",
         "native function f: it returned a text of more than 65535 bytes"},
        {"'symbol': 'nothing_real', 'returns': 'double'", "healthy",
         "native function f: it returned nan"},
        {"'symbol': 'as_it_is', 'returns': 'int64', 'arguments': [{'int64': '/spec/recipe'}]",
         "updated", "native function f: argument 1: expected int64, found string"},
        {"'symbol': 'as_it_is', 'returns': 'int64', 'arguments': [{'int64': -1}]", "updated",
         "options.status.updated, which is {\"native\": \"f\"}: expected a whole number from 0 on"},
        {"'symbol': 'crash', 'returns': 'int32'", "updated", "its process was ended by signal"},
        {"'symbol': 'hang', 'returns': 'int32'", "updated", "it didn't answer within"},
    };
    for (size_t i = 0; i < sizeof failing / sizeof *failing; i++) {
        char *native AUTO_FREE =
            str_format("[{'name': 'f', 'library': '" QUALITY "', %s}]", failing[i][0]);
        struct bakery bakery = bakery_open(native, failing[i][1], ISOLATION_BY_PLACE);
        struct workload_status status;
        struct error err = {0};
        assert_true(observe(&bakery, &status, &err) < 0);
        assert_contains(err.text, failing[i][2]);
        bakery_close(&bakery);
    }
}

/* The words of the refusal of a declaration. */
static void assert_refused(const char *native, enum isolation isolation, const char *words)
{
    struct bakery bakery = bakery_open(native, "reason", isolation);
    const struct error *refusal = adapter_refusal(bakery.adapter);
    assert_non_null(refusal);
    assert_contains(refusal->text, words);
    bakery_close(&bakery);
}

static void what_is_refused(void **state)
{
    static const char *const refused[][2] = {
        {FUNCTION("'symbol': 'nowhere', 'returns': 'int32'"),
         "native[0]: symbol: expected a function of the library, found no \"nowhere\""},
        {FUNCTION("'symbol': 'hang', 'returns': 'short'"), "native[0].returns: expected"},
        {FUNCTION("'symbol': 'hang'"), "native[0].returns: expected"},
        {FUNCTION("'symbol': 'hang', 'returns': 'int32', 'arguments': [{'float': 1}]"),
         "native[0].arguments[0].float"},
        {FUNCTION(
             "'symbol': 'hang', 'returns': 'int32', 'arguments': [{'int32': 1, 'bool': true}]"),
         "native[0]: arguments[0]: expected one type with a pointer or a value"},
        {FUNCTION("'symbol': 'hang', 'returns': 'int32', 'arguments': [{'int32': 'status'}]"),
         "native[0]: arguments[0]: expected a pointer such as /status/ready, or a value of type "
         "int32, found string"},
        {FUNCTION("'symbol': 'hang', 'returns': 'int32', 'sha256': '00'"),
         "native[0]: sha256: expected 00, found "},
        {"[{'name': 'f', 'library': '/nowhere.so', 'symbol': 'x', 'returns': 'bool'}]",
         "native[0]: file: expected /nowhere.so, found nothing there"},
        {"[{'name': 'f', 'library': 'quality.so', 'symbol': 'x', 'returns': 'bool'}]",
         "native[0]: file: expected an absolute path, found \"quality.so\""},
        {"[{'name': 'f', 'library': '/etc/passwd', 'symbol': 'x', 'returns': 'bool'}]",
         "native[0]: format: expected an ELF shared object"},
        {"[{'name': 'f', 'library': '" QUALITY "', 'symbol': 'hang', 'returns': 'int32'}, "
         "{'name': 'f', 'library': '" QUALITY "', 'symbol': 'hang', 'returns': 'int32'}]",
         "native[1]: name: expected every name once, found \"f\" twice"},
        {"[{'name': 'g', 'library': '" QUALITY "', 'symbol': 'hang', 'returns': 'int32'}]",
         "options.status.reason: expected {native: NAME} with a function that stands under native"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        assert_refused(refused[i][0], ISOLATION_BY_PLACE, refused[i][1]);
}

/* It goes to the process as an argument, of which Linux takes 128 KiB and no more. */
static void more_than_can_be_handed_over(void **state)
{
    char constant[200000];
    memset(constant, 'x', sizeof constant - 1);
    constant[sizeof constant - 1] = 0;
    char *native AUTO_FREE = str_format(FUNCTION("'symbol': 'length_of', 'returns': 'json', "
                                                 "'arguments': [{'string': '%s'}]"),
                                        constant);
    assert_refused(native, ISOLATION_BY_PLACE,
                   "native: expected declarations of at most 65536 bytes, found 2001");
}

static void never_in_the_controllers_process(void **state)
{
    const char *native = FUNCTION("'symbol': 'no_text', 'returns': 'string'");
    assert_refused(native, ISOLATION_IN_PROCESS,
                   "isolation: expected process, because native functions are only called there, "
                   "found inProcess");
}

static void what_is_told(void **state)
{
    struct bakery bakery = bakery_open(FUNCTION("'symbol': 'no_text', 'returns': 'string'"),
                                       "reason", ISOLATION_BY_PLACE);
    json_t *about AUTO_JSON = adapter_about(bakery.adapter);
    assert_string_equal(json_string_at(about, "/isolation"), "process");
    assert_string_equal(json_string_at(about, "/native/0/name"), "f");
    assert_string_equal(json_string_at(about, "/native/0/file"), QUALITY);
    assert_int_equal(strlen(json_string_at(about, "/native/0/sha256")), 64);
    bakery_close(&bakery);
}

/* As after SIGHUP; the other adapter's file has stayed the same. */
static void a_library_that_was_replaced(void **state)
{
    char *copy AUTO_FREE = str_format("%s.copy", QUALITY);
    char *command AUTO_FREE = str_format("cp '%s' '%s'", QUALITY, copy);
    char *native AUTO_FREE = str_format(
        "[{'name': 'f', 'library': '%s', 'symbol': 'no_text', 'returns': 'string'}]", copy);
    assert_int_equal(system(command), 0);
    assert_int_equal(chmod(copy, 0644), 0);
    struct bakery bakery = bakery_open(native, "reason", ISOLATION_BY_PLACE);
    const struct adapter_entry entry = bakery_entry(&bakery, ISOLATION_BY_PLACE);
    const struct adapters_wish wish = {
        .directory = "/nowhere", .entries = &entry, .count = 1, .look_at_files = true};
    struct adapters *same = adapters_renew(bakery.set, &wish);
    assert_ptr_equal(adapters_nth(same, 0), bakery.adapter);
    FILE *file = fopen(copy, "ab");
    assert_true(file && fputc(0, file) == 0 && fclose(file) == 0);
    struct adapters *other = adapters_renew(same, &wish);
    assert_ptr_not_equal(adapters_nth(other, 0), bakery.adapter);
    assert_null(adapter_refusal(adapters_nth(other, 0)));
    adapters_free(other);
    adapters_free(same);
    bakery_close(&bakery);
    assert_int_equal(remove(copy), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(truths),
        cmocka_unit_test(texts),
        cmocka_unit_test(what_it_reads_is_kept),
        cmocka_unit_test(what_fails),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(more_than_can_be_handed_over),
        cmocka_unit_test(never_in_the_controllers_process),
        cmocka_unit_test(what_is_told),
        cmocka_unit_test(a_library_that_was_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
