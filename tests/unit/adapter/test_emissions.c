// SPDX-License-Identifier: Apache-2.0
/* What the host makes of what an adapter emits and returns; a puppet does as it is told. */
#include "adapters.h"

#include "base/alloc.h"
#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { STATUS = 1, PATCH, DELETE_POD, EVENT };

static const char good_status[] =
    "{\"size\":5,\"updated\":2,\"updatedReady\":1,\"ready\":4,\"settled\":true}";

static struct loaded puppet(const json_t *options)
{
    char *text AUTO_FREE = json_text(options);
    struct loaded loaded = loaded_open("puppet", "puppet", text);
    if (adapter_refusal(loaded.adapter))
        fail_msg("%s", adapter_refusal(loaded.adapter)->text);
    return loaded;
}

/* A puppet that emits these; ends in kind 0. */
struct emit {
    int kind;
    const char *text;
};

static struct loaded emitting(const struct emit *emits, int64_t repeat)
{
    json_t *list = json_array();
    for (; emits->kind; emits++)
        json_array_append_new(list,
                              json_pack("{s:i, s:s}", "kind", emits->kind, "text", emits->text));
    json_t *options AUTO_JSON = json_pack("{s:o, s:I}", "emit", list, "repeat", (json_int_t)repeat);
    return puppet(options);
}

static void assert_observe(const struct emit *emits, int code, const char *text)
{
    struct loaded loaded = emitting(emits, 1);
    const struct adapter_request request = {0};
    struct workload_status status = {.size = 42};
    struct error err = {0};
    assert_int_equal(adapter_observe(loaded.adapter, &request, &status, &err), code);
    if (code < 0) {
        assert_contains(err.text, "adapter puppet, observe: ");
        assert_contains(err.text, text);
        assert_int_equal(status.size, 42);
    }
    loaded_close(&loaded);
}

static void assert_status(const char *status, const char *text)
{
    assert_observe((struct emit[]){{STATUS, status}, {0, NULL}}, ERR_BUG, text);
}

static void status_good(void **state)
{
    struct loaded loaded = emitting(
        (struct emit[]){{STATUS, "{\"size\":5,\"updated\":7,\"updatedReady\":1,\"ready\":4,"
                                 "\"settled\":true,\"updateRevision\":\"b\","
                                 "\"currentRevision\":\"a\",\"reason\":\"tired\"}"},
                        {0, NULL}},
        1);
    const struct adapter_request request = {0};
    struct workload_status status = {0};
    struct error err = {0};
    assert_int_equal(adapter_observe(loaded.adapter, &request, &status, &err), OK);
    assert_int_equal(status.size, 5);
    assert_int_equal(status.updated, 7);
    assert_int_equal(status.updated_ready, 1);
    assert_int_equal(status.ready, 4);
    assert_true(status.settled);
    assert_string_equal(status.update_revision, "b");
    assert_string_equal(status.current_revision, "a");
    assert_string_equal(status.reason, "tired");
    loaded_close(&loaded);
}

static void status_count(void **state)
{
    assert_observe((struct emit[]){{0, NULL}}, ERR_BUG,
                   "expected exactly one STATUS, found 0 emissions");
    assert_observe((struct emit[]){{STATUS, good_status}, {STATUS, good_status}, {0, NULL}},
                   ERR_BUG, "expected exactly one STATUS, found 2 emissions");
    assert_observe((struct emit[]){{PATCH, "{}"}, {0, NULL}}, ERR_BUG,
                   "expected exactly one STATUS, found PATCH (2)");
    assert_observe((struct emit[]){{77, "{}"}, {0, NULL}}, ERR_BUG, "found an unknown kind (77)");
    assert_observe((struct emit[]){{STATUS, good_status}, {0, NULL}}, OK, NULL);
}

static void status_members(void **state)
{
    assert_status("{", "STATUS: line 1");
    assert_status("[]", "STATUS: expected an object, found array");
    assert_status("{\"size\":1,\"size\":2}", "duplicate");
    assert_status("{\"updated\":0,\"updatedReady\":0,\"ready\":0,\"settled\":true}",
                  "STATUS.size: expected an integer from 0 to 2147483647, found nothing");
    assert_status("{\"size\":-1,\"updated\":0,\"updatedReady\":0,\"ready\":0,\"settled\":true}",
                  "STATUS.size: expected an integer from 0 to 2147483647, found -1");
    assert_status("{\"size\":2147483648,\"updated\":0,\"updatedReady\":0,\"ready\":0,"
                  "\"settled\":true}",
                  "found 2147483648");
    assert_status("{\"size\":1,\"updated\":\"0\",\"updatedReady\":0,\"ready\":0,\"settled\":true}",
                  "STATUS.updated: expected an integer from 0 to 2147483647, found \"0\"");
    assert_status("{\"size\":1,\"updated\":0,\"updatedReady\":1,\"ready\":1,\"settled\":true}",
                  "STATUS.updatedReady: expected at most updated, which is 0, found 1");
    assert_status("{\"size\":1,\"updated\":1,\"updatedReady\":1,\"ready\":0,\"settled\":true}",
                  "STATUS.ready: expected at least updatedReady, which is 1, found 0");
    assert_status("{\"size\":1,\"updated\":0,\"updatedReady\":0,\"ready\":0,\"settled\":1}",
                  "STATUS.settled: expected true or false, found 1");
    assert_status("{\"size\":1,\"updated\":0,\"updatedReady\":0,\"ready\":0,\"settled\":true,"
                  "\"reason\":3}",
                  "STATUS.reason: expected a text of at most 255 bytes, found 3");
    assert_status("{\"size\":1,\"updated\":0,\"updatedReady\":0,\"ready\":0,\"settled\":true,"
                  "\"mood\":\"fine\"}",
                  "STATUS.mood: unknown member");
}

static void status_text_limit(void **state)
{
    char revision[129];
    memset(revision, 'r', 128);
    revision[128] = '\0';
    char *fits AUTO_FREE =
        str_format("{\"size\":1,\"updated\":0,\"updatedReady\":0,\"ready\":0,\"settled\":true,"
                   "\"updateRevision\":\"%s\"}",
                   revision + 1);
    char *longer AUTO_FREE =
        str_format("{\"size\":1,\"updated\":0,\"updatedReady\":0,\"ready\":0,\"settled\":true,"
                   "\"updateRevision\":\"%s\"}",
                   revision);
    assert_observe((struct emit[]){{STATUS, fits}, {0, NULL}}, OK, NULL);
    assert_status(longer, "STATUS.updateRevision: expected a text of at most 127 bytes");
}

/* A newer adapter may say more than we understand. */
static void newer(void **state)
{
    struct loaded loaded = loaded_open("hostile", "future", NULL);
    const struct adapter_request request = {0};
    struct workload_status status;
    struct actions actions;
    struct error err = {0};
    assert_int_equal(adapter_observe(loaded.adapter, &request, &status, &err), OK);
    assert_int_equal(status.size, 1);
    assert_int_equal(adapter_advance(loaded.adapter, &request, &actions, &err), OK);
    assert_int_equal(actions.count, 1);
    actions_done(&actions);
    loaded_close(&loaded);
}

static void assert_action(const struct emit *emits, const char *text)
{
    struct loaded loaded = emitting(emits, 1);
    json_t *target AUTO_JSON = json("{\"apiVersion\":\"x.io/v1\",\"kind\":\"X\",\"metadata\":{"
                                    "\"name\":\"a\",\"namespace\":\"n\"}}");
    const struct adapter_request request = {.target = target};
    struct actions actions = {.count = 42};
    struct error err = {0};
    assert_int_equal(adapter_advance(loaded.adapter, &request, &actions, &err), ERR_BUG);
    assert_contains(err.text, "adapter puppet, advance: emission 1: ");
    assert_contains(err.text, text);
    assert_int_equal(actions.count, 42);
    loaded_close(&loaded);
}

static void assert_emission(int kind, const char *emission, const char *text)
{
    assert_action((struct emit[]){{kind, emission}, {EVENT, "{}"}, {0, NULL}}, text);
}

static void action_refusals(void **state)
{
    static const struct {
        int kind;
        const char *emission, *text;
    } cases[] = {
        {STATUS, "{}", "expected PATCH, DELETE_POD or EVENT, found STATUS (1)"},
        {9, "{}", "found an unknown kind (9)"},
        {PATCH, "nonsense", "PATCH: line 1"},
        {PATCH, "{\"body\":{}}", "PATCH.type: expected one of apply, merge, json, found nothing"},
        {PATCH, "{\"type\":\"strategic\",\"body\":{}}", "found \"strategic\""},
        {PATCH, "{\"type\":\"merge\"}",
         "PATCH.body: expected an object that isn't empty, found "
         "nothing"},
        {PATCH, "{\"type\":\"merge\",\"body\":{}}", "found an empty one"},
        {PATCH, "{\"type\":\"json\",\"body\":{}}", "expected an array of operations, found object"},
        {PATCH, "{\"type\":\"json\",\"body\":[]}", "found an empty one"},
        {PATCH, "{\"type\":\"json\",\"body\":[3]}", "PATCH.body[0].op: expected one of add"},
        {PATCH, "{\"type\":\"json\",\"body\":[{\"op\":\"replace\",\"path\":\"spec\",\"value\":1}]}",
         "PATCH.body[0].path: expected a JSON pointer, found spec"},
        {PATCH,
         "{\"type\":\"json\",\"body\":[{\"op\":\"remove\",\"path\":\"/a\"},"
         "{\"op\":\"test\",\"path\":\"/a\"}]}",
         "PATCH.body[1].value: expected a value, found nothing"},
        {PATCH, "{\"type\":\"json\",\"body\":[{\"op\":\"move\",\"path\":\"/a\"}]}",
         "PATCH.body[0].from: expected a text that isn't empty, found nothing"},
        {PATCH, "{\"type\":\"apply\",\"body\":[]}", "PATCH.body: expected an object, found array"},
        {PATCH,
         "{\"type\":\"apply\",\"body\":{\"apiVersion\":\"x.io/v1\",\"kind\":\"Secret\","
         "\"metadata\":{\"name\":\"a\",\"namespace\":\"n\"}}}",
         "PATCH.body/kind: expected X, found Secret"},
        {PATCH,
         "{\"type\":\"apply\",\"body\":{\"apiVersion\":\"x.io/v1\",\"kind\":\"X\","
         "\"metadata\":{\"name\":\"b\",\"namespace\":\"n\"}}}",
         "PATCH.body/metadata/name: expected a, found b"},
        {PATCH,
         "{\"type\":\"apply\",\"body\":{\"apiVersion\":\"x.io/v1\",\"kind\":\"X\","
         "\"metadata\":{\"name\":\"a\"}}}",
         "PATCH.body/metadata/namespace: expected n, found nothing"},
        {PATCH, "{\"type\":\"apply\",\"pod\":\"p\",\"uid\":\"u\",\"body\":{\"a\":1}}",
         "PATCH.type: expected merge or json for a pod, found apply"},
        {PATCH, "{\"type\":\"merge\",\"pod\":\"p\",\"body\":{\"a\":1}}",
         "PATCH.uid: expected a text that isn't empty, found nothing"},
        {PATCH, "{\"type\":\"merge\",\"body\":{\"a\":1},\"when\":\"now\"}",
         "PATCH.when: unknown member"},
        {DELETE_POD, "{\"pod\":\"p\"}", "DELETE_POD.uid: expected a text"},
        {DELETE_POD, "{\"pod\":\"\",\"uid\":\"u\"}", "DELETE_POD.pod: expected a text"},
        {DELETE_POD, "{\"pod\":\"p\",\"uid\":\"u\"}",
         "DELETE_POD.pod: expected a pod that the request shows, found p with the uid u"},
        {PATCH, "{\"type\":\"merge\",\"pod\":\"p\",\"uid\":\"u\",\"body\":{\"a\":1}}",
         "PATCH.pod: expected a pod that the request shows, found p with the uid u"},
        {EVENT, "{\"type\":\"Odd\",\"reason\":\"R\",\"message\":\"m\"}",
         "EVENT.type: expected one of Normal, Warning, found \"Odd\""},
        {EVENT, "{\"type\":\"Normal\",\"message\":\"m\"}", "EVENT.reason: expected a text"},
        {EVENT, "{\"type\":\"Normal\",\"reason\":\"R\"}", "EVENT.message: expected a text"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_emission(cases[i].kind, cases[i].emission, cases[i].text);
}

static void actions_good(void **state)
{
    static const struct emit emits[] = {
        {PATCH, "{\"type\":\"json\",\"body\":[{\"op\":\"test\",\"path\":\"/a\",\"value\":null}]}"},
        {PATCH, "{\"type\":\"merge\",\"pod\":\"p\",\"uid\":\"u\",\"body\":{\"a\":1}}"},
        {DELETE_POD, "{\"pod\":\"q\",\"uid\":\"v\"}"},
        {EVENT, "{\"type\":\"Warning\",\"reason\":\"R\",\"message\":\"m\"}"},
        {0, NULL},
    };
    struct loaded loaded = emitting(emits, 1);
    json_t *pods AUTO_JSON = json("[{\"metadata\":{\"name\":\"p\",\"uid\":\"u\"}}]");
    json_t *owned AUTO_JSON = json("[{\"metadata\":{\"name\":\"q\",\"uid\":\"v\"}}]");
    const struct adapter_request request = {.pods = pods, .owned = owned};
    struct actions actions;
    struct error err = {0};
    assert_int_equal(adapter_begin(loaded.adapter, &request, &actions, &err), OK);
    assert_int_equal(actions.count, 4);
    assert_int_equal(actions.items[0].kind, ACTION_PATCH);
    assert_int_equal(actions.items[0].patch, PATCH_KIND_JSON);
    assert_int_equal(json_array_size(actions.items[0].body), 1);
    assert_null(actions.items[0].pod);
    assert_int_equal(actions.items[1].patch, PATCH_KIND_MERGE);
    assert_string_equal(actions.items[1].pod, "p");
    assert_string_equal(actions.items[1].uid, "u");
    assert_int_equal(actions.items[2].kind, ACTION_DELETE_POD);
    assert_string_equal(actions.items[2].pod, "q");
    assert_int_equal(actions.items[3].kind, ACTION_EVENT);
    assert_string_equal(json_string_at(actions.items[3].body, "/message"), "m");
    actions_done(&actions);
    loaded_close(&loaded);
}

static void assert_limit(const json_t *options)
{
    struct loaded loaded = puppet(options);
    const struct adapter_request request = {0};
    struct actions actions;
    struct error err = {0};
    assert_int_equal(adapter_finish(loaded.adapter, &request, &actions, &err), ERR_LIMIT);
    assert_contains(err.text, "adapter puppet, finish: it ran into the limits of a call");
    loaded_close(&loaded);
}

/* The puppet says that all went well, but part of it was not taken. */
static void limits(void **state)
{
    char *large = mem_alloc((1 << 20) + 1);
    memset(large, ' ', 1 << 20);
    json_t *many AUTO_JSON =
        json_pack("{s:[{s:i, s:s}], s:i}", "emit", "kind", EVENT, "text", "{}", "repeat", 1001);
    json_t *much AUTO_JSON =
        json_pack("{s:[{s:i, s:s}], s:i}", "emit", "kind", EVENT, "text", large, "repeat", 5);
    json_t *memory AUTO_JSON = json_pack("{s:I}", "alloc", (json_int_t)(64 << 20) + 1);
    json_t *absurd AUTO_JSON = json_pack("{s:I}", "alloc", (json_int_t)-1);
    assert_limit(many);
    assert_limit(much);
    assert_limit(memory);
    assert_limit(absurd);
    free(large);
}

static void assert_result(int result, int code, const char *text)
{
    json_t *options AUTO_JSON =
        json_pack("{s:i, s:s, s:s, s:[{s:i, s:s}]}", "result", result, "pointer",
                  "/target/metadata/annotations/a~1b~0c", "text", text ? text : "", "emit", "kind",
                  EVENT, "text", "{\"type\":\"Normal\",\"reason\":\"R\",\"message\":\"m\"}");
    struct loaded loaded = puppet(options);
    const struct adapter_request request = {0};
    struct actions actions = {.count = 42};
    struct error err = {0};
    assert_int_equal(adapter_advance(loaded.adapter, &request, &actions, &err), code);
    assert_int_equal(err.code, code);
    assert_int_equal(actions.count, 42);
    if (text) {
        assert_string_equal(err.path, "target.metadata.annotations.a/b~c");
        assert_contains(err.text, text);
    }
    loaded_close(&loaded);
}

static void results(void **state)
{
    assert_result(-1, ERR_INVALID, "too blue");
    assert_result(-2, ERR_INVALID, "no such art");
    assert_result(-3, ERR_RETRY, "later");
    assert_result(-4, ERR_LIMIT, "too much");
    assert_result(-5, ERR_BUG, "oh");
    assert_result(-1, ERR_INVALID, NULL);
    assert_result(7, ERR_BUG, NULL);
    assert_result(-99, ERR_BUG, NULL);
}

static void result_words(void **state)
{
    json_t *options AUTO_JSON = json_pack("{s:i}", "result", -99);
    struct loaded loaded = puppet(options);
    const struct adapter_request request = {0};
    struct actions actions;
    struct error err = {0};
    adapter_advance(loaded.adapter, &request, &actions, &err);
    assert_string_equal(err.text,
                        "adapter puppet, advance: expected a result of the contract, found -99");
    loaded_close(&loaded);
}

static void validation(void **state)
{
    const struct adapter_request request = {0};
    struct error err = {0};
    struct loaded silent = emitting((struct emit[]){{0, NULL}}, 1);
    assert_int_equal(adapter_validate(silent.adapter, &request, &err), OK);
    loaded_close(&silent);
    struct loaded loud = emitting((struct emit[]){{EVENT, "{}"}, {0, NULL}}, 1);
    assert_int_equal(adapter_validate(loud.adapter, &request, &err), ERR_BUG);
    assert_contains(err.text, "validate: expected nothing to be emitted, found EVENT (4)");
    loaded_close(&loud);
    struct loaded without = loaded_open("hostile", "future", NULL);
    assert_int_equal(adapter_validate(without.adapter, &request, &err), OK);
    loaded_close(&without);
}

/* Neither is asked of an adapter that doesn't offer it. */
static void capabilities(void **state)
{
    json_t *names AUTO_JSON = json("[\"p\"]");
    const struct adapter_request scale = {.scale = true}, choose = {.pod_names = names};
    struct loaded loaded = emitting((struct emit[]){{0, NULL}}, 1);
    struct actions actions = {0};
    struct error err = {0};
    assert_int_equal(adapter_validate(loaded.adapter, &scale, &err), ERR_INVALID);
    assert_contains(err.text, "adapter puppet, validate: it can't scale");
    assert_int_equal(adapter_begin(loaded.adapter, &scale, &actions, &err), ERR_INVALID);
    assert_int_equal(adapter_finish(loaded.adapter, &scale, &actions, &err), OK);
    assert_int_equal(adapter_validate(loaded.adapter, &choose, &err), ERR_INVALID);
    assert_contains(err.text, "use replicas instead of podList");
    assert_string_equal(err.path, "spec.rolloutPlan.rolloutBatches[].podList");
    assert_int_equal(adapter_advance(loaded.adapter, &choose, &actions, &err), ERR_INVALID);
    loaded_close(&loaded);
}

typedef int (*acting)(const struct adapter *, const struct adapter_request *, struct actions *,
                      struct error *);

static void assert_request(acting act, const struct adapter_request *request, const char *expected)
{
    struct loaded loaded = loaded_open("puppet", "puppet", "{\"echo\":true}");
    struct actions actions;
    struct error err = {0};
    assert_int_equal(act(loaded.adapter, request, &actions, &err), OK);
    assert_int_equal(actions.count, 1);
    assert_string_equal(json_string_at(actions.items[0].body, "/message"), expected);
    actions_done(&actions);
    loaded_close(&loaded);
}

static void requests(void **state)
{
    json_t *workload AUTO_JSON = json("{\"w\":1}"), *target AUTO_JSON = json("{\"t\":1}");
    json_t *pods AUTO_JSON = json("[{\"p\":1}]");
    const struct adapter_request full = {.workload = workload,
                                         .pods = pods,
                                         .target = target,
                                         .strategy = "DecreaseFirst",
                                         .strategy_given = true,
                                         .in_steps = true,
                                         .goal = 3,
                                         .paused = true,
                                         .max_unavailable = 1,
                                         .outcome = "failed"};
    const struct adapter_request bare = {0};
    assert_request(adapter_begin, &full,
                   "{\"pods\":[{\"p\":1}],\"scale\":false,\"strategy\":\"DecreaseFirst\","
                   "\"strategyGiven\":true,\"target\":{\"t\":1},\"workload\":{\"w\":1}}");
    assert_request(adapter_advance, &full,
                   "{\"goal\":3,\"maxUnavailable\":1,\"paused\":true,\"pods\":[{\"p\":1}],"
                   "\"scale\":false,\"strategy\":\"DecreaseFirst\",\"strategyGiven\":true,"
                   "\"target\":{\"t\":1},\"workload\":{\"w\":1}}");
    assert_request(adapter_finish, &full,
                   "{\"outcome\":\"failed\",\"pods\":[{\"p\":1}],\"scale\":false,"
                   "\"strategy\":\"DecreaseFirst\",\"strategyGiven\":true,\"target\":{\"t\":1},"
                   "\"workload\":{\"w\":1}}");
    assert_request(adapter_begin, &bare, "{\"scale\":false,\"workload\":null}");
}

/* The request must not be changed, nor kept. */
static void request_untouched(void **state)
{
    json_t *workload AUTO_JSON = json("{\"w\":{\"x\":[1]}}");
    json_t *copy AUTO_JSON = json_deep_copy(workload);
    const struct adapter_request request = {.workload = workload};
    assert_request(adapter_begin, &request, "{\"scale\":false,\"workload\":{\"w\":{\"x\":[1]}}}");
    assert_true(json_equal(workload, copy));
    assert_int_equal(workload->refcount, 1);
}

static void rights(void **state)
{
    struct loaded loaded = emitting((struct emit[]){{0, NULL}}, 1);
    json_t *expected AUTO_JSON = json("[{\"apiGroups\":[\"x.io\"],\"resources\":[\"xs\"],"
                                      "\"verbs\":[\"get\",\"patch\"]}]");
    assert_true(json_equal((json_t *)(uintptr_t)adapter_rights(loaded.adapter), expected));
    loaded_close(&loaded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status_good),    cmocka_unit_test(status_count),
        cmocka_unit_test(status_members), cmocka_unit_test(status_text_limit),
        cmocka_unit_test(newer),          cmocka_unit_test(action_refusals),
        cmocka_unit_test(actions_good),   cmocka_unit_test(limits),
        cmocka_unit_test(results),        cmocka_unit_test(result_words),
        cmocka_unit_test(validation),     cmocka_unit_test(capabilities),
        cmocka_unit_test(requests),       cmocka_unit_test(request_untouched),
        cmocka_unit_test(rights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
