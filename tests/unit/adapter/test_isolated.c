// SPDX-License-Identifier: Apache-2.0
/* Adapters in processes of their own: the same answers, and whatever they do concerns nobody else.
 */
#include "adapters.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "loop/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SOON_MS = 10 * 1000 };

static void the_same_answer(void **state)
{
    const char *options = "{\"result\": -1, \"pointer\": \"/target/spec\", \"text\": \"no such\"}";
    struct loaded here = loaded_open("puppet", "puppet", options);
    struct loaded apart = apart_open("puppet", "puppet", options);
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

/* ── Hostile ones ─────────────────────────────────────────────────────────────────────────── */

static struct loaded wild(const char *deed)
{
    char *options AUTO_FREE = str_format("{\"do\": \"%s\"}", deed);
    struct loaded loaded = apart_open("wild", "wild", options);
    const struct error *refusal = adapter_refusal(loaded.adapter);
    if (refusal)
        fail_msg("it wasn't loaded: %s", refusal->text);
    return loaded;
}

static int observe(const struct loaded *loaded, const json_t *workload, struct error *err)
{
    struct workload_status status;
    const struct adapter_request request = {.workload = workload};
    return adapter_observe(loaded->adapter, &request, &status, err);
}

/* What each of them ends in: the code, and words that say what it has done. */
static const struct {
    const char *deed;
    int code;
    const char *words;
} ends[] = {
    {"crash", ERR_BUG, "adapter wild, observe: its process was ended by signal 4"},
    {"exit", ERR_BUG, "adapter wild, observe: its process ended with status 7"},
    {"hang", ERR_BUG, "it didn't answer within 2000 ms, and its process was ended"},
    {"allocate", ERR_BUG, "its process was ended by signal 6"},
    {"flood", ERR_LIMIT, "it ran into the limits of a call"},
    {"speak", ERR_BUG, "its process said something that it wasn't asked for"},
    {"read", ERR_INVALID, "wild, observe"},
    {"write", ERR_INVALID, "wild, observe"},
    {"connect", ERR_BUG, "asked the system for what an adapter may not have"},
    {"fork", ERR_BUG, "asked the system for what an adapter may not have"},
    {"signal", ERR_BUG, "asked the system for what an adapter may not have"},
};

/* A sanitizer's shadow is more memory than any limit allows, so its builds set none; and valgrind
 * keeps a limit to itself, so that the processes of its program don't get it. */
static bool memory_is_limited(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return false;
#else
    const char *preloaded = getenv("LD_PRELOAD");
    return !preloaded || !strstr(preloaded, "vgpreload");
#endif
}

static void whatever_it_does(void **state)
{
    json_t *workload AUTO_JSON = json("{\"kind\": \"X\"}");
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        if (strcmp(ends[i].deed, "allocate") == 0 && !memory_is_limited())
            continue;
        struct loaded apart = wild(ends[i].deed);
        struct error err = {0};
        int code = observe(&apart, workload, &err);
        if (code != ends[i].code || !strstr(err.text, ends[i].words))
            fail_msg("%s: expected \"%s\" (%d), found \"%s\" (%d)", ends[i].deed, ends[i].words,
                     ends[i].code, err.text, code);
        loaded_close(&apart);
    }
}

static void its_request_is_its_own(void **state)
{
    json_t *workload AUTO_JSON = json("{\"kind\": \"X\"}");
    struct loaded apart = wild("scribble");
    struct error err = {0};
    assert_int_equal(observe(&apart, workload, &err), OK);
    assert_int_equal(observe(&apart, workload, &err), OK);
    loaded_close(&apart);
}

/* Until it may be tried again the same words are told; then a process of its own answers. */
static void it_comes_back(void **state)
{
    json_t *workload AUTO_JSON = json("{\"kind\": \"X\"}");
    struct loaded apart = wild("exit");
    struct error first = {0}, again = {0};
    assert_int_equal(observe(&apart, workload, &first), ERR_BUG);
    assert_int_equal(observe(&apart, NULL, &again), ERR_BUG);
    assert_string_equal(first.text, again.text);
    int64_t deadline_ms = clock_monotonic_ms() + SOON_MS;
    while (observe(&apart, NULL, &again) < 0)
        assert_true(clock_monotonic_ms() < deadline_ms);
    assert_int_equal(adapter_figures(apart.adapter)->restarts, 1);
    assert_string_equal(adapter_figures(apart.adapter)->refusal, first.text);
    loaded_close(&apart);
}

/* ── On a loop ────────────────────────────────────────────────────────────────────────────── */

/* One that asks without waiting. */
struct asker {
    struct adapter_asking asking;
    bool done;
    int code;
    char words[300];
};

static void on_reply(void *data, struct adapter_reply *reply)
{
    struct asker *asker = data;
    asker->done = true;
    asker->code = reply->err.code;
    snprintf(asker->words, sizeof asker->words, "%s", reply->err.text);
}

static void ask(struct asker *asker, const struct loaded *loaded, const json_t *workload)
{
    const struct adapter_request request = {.workload = workload};
    *asker = (struct asker){.asking = {.on_reply = on_reply, .data = asker}};
    adapter_ask(&asker->asking, loaded->adapter, CALL_OBSERVE, &request);
}

static void run_until(struct loop *loop, const bool *done)
{
    struct error err = {0};
    if (loop_run_until(loop, done, SOON_MS, &err) < 0)
        fail_msg("%s", err.text);
}

static struct loop *attach(struct loaded *one, struct loaded *other)
{
    struct loop *loop = NULL;
    struct error err = {0};
    assert_int_equal(loop_new(&loop, &err), OK);
    adapters_attach(one->set, loop);
    if (other)
        adapters_attach(other->set, loop);
    return loop;
}

static void nobody_waits_for_one_that_hangs(void **state)
{
    json_t *workload AUTO_JSON = json("{\"kind\": \"X\"}");
    struct loaded hanging = wild("hang"), good = wild("");
    struct loop *loop = attach(&hanging, &good);
    struct asker stuck, quick;
    ask(&stuck, &hanging, workload);
    for (int i = 0; i < 10; i++) {
        ask(&quick, &good, NULL);
        run_until(loop, &quick.done);
        assert_int_equal(quick.code, OK);
    }
    assert_false(stuck.done);
    run_until(loop, &stuck.done);
    assert_int_equal(stuck.code, ERR_BUG);
    assert_contains(stuck.words, "it didn't answer within 2000 ms");
    loaded_close(&hanging);
    loaded_close(&good);
    loop_free(loop);
}

static void they_wait_in_line(void **state)
{
    struct loaded good = wild("");
    struct loop *loop = attach(&good, NULL);
    struct asker askers[5];
    for (size_t i = 0; i < 5; i++)
        ask(&askers[i], &good, NULL);
    run_until(loop, &askers[4].done);
    for (size_t i = 0; i < 5; i++)
        assert_true(askers[i].done && askers[i].code == OK);
    assert_int_equal(adapter_figures(good.adapter)->calls, 5);
    loaded_close(&good);
    loop_free(loop);
}

/* The one whose answer is under way, and one that still waits. */
static void nobody_wants_it_any_more(void **state)
{
    struct loaded good = wild("");
    struct loop *loop = attach(&good, NULL);
    struct asker first, second, third;
    ask(&first, &good, NULL);
    ask(&second, &good, NULL);
    ask(&third, &good, NULL);
    adapter_ask_cancel(&second.asking);
    adapter_ask_cancel(&first.asking);
    run_until(loop, &third.done);
    assert_int_equal(third.code, OK);
    assert_false(first.done || second.done);
    loaded_close(&good);
    loop_free(loop);
}

/* A set that is replaced, while a call of it is under way. */
static void it_lives_until_its_call_ends(void **state)
{
    json_t *workload AUTO_JSON = json("{\"kind\": \"X\"}");
    struct loaded hanging = wild("hang");
    struct loop *loop = attach(&hanging, NULL);
    struct asker stuck;
    ask(&stuck, &hanging, workload);
    loaded_close(&hanging);
    run_until(loop, &stuck.done);
    assert_int_equal(stuck.code, ERR_BUG);
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_answer),
        cmocka_unit_test(whatever_it_does),
        cmocka_unit_test(its_request_is_its_own),
        cmocka_unit_test(it_comes_back),
        cmocka_unit_test(nobody_waits_for_one_that_hangs),
        cmocka_unit_test(they_wait_in_line),
        cmocka_unit_test(nobody_wants_it_any_more),
        cmocka_unit_test(it_lives_until_its_call_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
