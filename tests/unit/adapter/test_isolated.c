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

enum { SOON_MS = 60 * 1000 };

static void the_same_answer(void **state)
{
    const char *options = "{\"result\": -1, \"pointer\": \"/target/spec\", \"text\": \"no such\"}";
    struct loaded here = loaded_open("puppet", "puppet", options);
    struct loaded apart = apart_open("puppet", "puppet", options, APART_LONG_MS);
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

static enum isolation place_of(const char *directory, const char *file)
{
    const struct adapter_entry entry = {
        .name = "hostile", .file = file, .isolation = ISOLATION_BY_PLACE, .host = ADAPTER_HOST};
    struct adapters *set = adapters_load(directory, &entry, 1);
    enum isolation isolation = adapter_isolation(adapters_nth(set, 0));
    adapters_free(set);
    return isolation;
}

/* Nothing has to be loaded for that. */
static void what_was_installed_runs_here(void **state)
{
    assert_int_equal(place_of("/no/adapters", NULL), ISOLATION_IN_PROCESS);
    assert_int_equal(place_of("/no/adapters", "/no/adapters/a.so"), ISOLATION_IN_PROCESS);
    assert_int_equal(place_of("/no/adapters//", "/no/adapters/a.so"), ISOLATION_IN_PROCESS);
    assert_int_equal(place_of("/no/adapters", "/no/adapters/b/a.so"), ISOLATION_PROCESS);
    assert_int_equal(place_of("/no/adapters", "/no/adapters/../a.so"), ISOLATION_PROCESS);
    assert_int_equal(place_of("/no/adapters", "/no/adapters-2/a.so"), ISOLATION_PROCESS);
    assert_int_equal(place_of("/no/adapters", "/opt/a.so"), ISOLATION_PROCESS);
}

/* ── Hostile ones ─────────────────────────────────────────────────────────────────────────── */

static struct loaded wild(const char *deed)
{
    char *options AUTO_FREE = str_format("{\"do\": \"%s\"}", deed);
    bool hangs = strcmp(deed, "hang") == 0;
    struct loaded loaded =
        apart_open("wild", "wild", options, hangs ? APART_BRIEF_MS : APART_LONG_MS);
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
static const struct end {
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
    {"garble", ERR_BUG, "adapter wild, observe: STATUS: line 1, column 9: "},
    {"read", ERR_INVALID, "adapter wild, observe: it can't do this"},
    {"write", ERR_INVALID, "adapter wild, observe: it can't do this"},
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

/* Calls `each` with one adapter for each deed that shows here. */
static void each_deed(void (*each)(const struct end *end, struct loaded *apart))
{
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        if (strcmp(ends[i].deed, "allocate") == 0 && !memory_is_limited())
            continue;
        struct loaded apart = wild(ends[i].deed);
        each(&ends[i], &apart);
    }
}

static void assert_end(const struct end *end, int code, const char *words)
{
    if (code != end->code || !strstr(words, end->words))
        fail_msg("%s: expected \"%s\" (%d), found \"%s\" (%d)", end->deed, end->words, end->code,
                 words, code);
}

static void wait_for_end(const struct end *end, struct loaded *apart)
{
    json_t *workload AUTO_JSON = json("{\"kind\": \"X\"}");
    struct error err = {0};
    int code = observe(apart, workload, &err);
    assert_end(end, code, err.text);
    loaded_close(apart);
}

static void whatever_it_does(void **state)
{
    each_deed(wait_for_end);
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

static void ask_for_end(const struct end *end, struct loaded *apart)
{
    json_t *workload AUTO_JSON = json("{\"kind\": \"X\"}");
    struct loop *loop = attach(apart, NULL);
    struct asker asker;
    ask(&asker, apart, workload);
    run_until(loop, &asker.done);
    assert_end(end, asker.code, asker.words);
    loaded_close(apart);
    loop_free(loop);
}

static void whatever_it_does_while_nobody_waits(void **state)
{
    each_deed(ask_for_end);
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
    uint64_t before = adapter_figures(good.adapter)->calls; /* loading it takes one */
    struct asker askers[5];
    for (size_t i = 0; i < 5; i++)
        ask(&askers[i], &good, NULL);
    run_until(loop, &askers[4].done);
    for (size_t i = 0; i < 5; i++)
        assert_true(askers[i].done && askers[i].code == OK);
    assert_int_equal(adapter_figures(good.adapter)->calls, before + 5);
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

/* Everything waits while a new version is loaded, so that has an end before long. */
static void a_version_that_hangs_while_it_is_loaded(void **state)
{
    json_t *hangs AUTO_JSON = json("{\"do\": \"hang\", \"in\": \"describe\"}");
    struct loaded before = wild("");
    const struct adapter_entry entry = {.name = "wild",
                                        .file = HOSTILE_DIR "/wild.so",
                                        .options = hangs,
                                        .isolation = ISOLATION_PROCESS,
                                        .deadline_ms = 60 * 1000,
                                        .host = ADAPTER_HOST};
    const struct adapters_wish wish = {.directory = "/nowhere", .entries = &entry, .count = 1};
    struct adapters *after = adapters_renew(before.set, &wish);
    int64_t at_ms;
    const struct error *kept = adapter_kept_refusal(before.adapter, &at_ms);
    assert_ptr_equal(adapters_nth(after, 0), before.adapter);
    assert_non_null(kept);
    assert_contains(kept->text, "it didn't load within 400 ms");
    assert_true(adapters_worth_retrying(after));
    adapters_free(after);
    loaded_close(&before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_answer),
        cmocka_unit_test(what_was_installed_runs_here),
        cmocka_unit_test(whatever_it_does),
        cmocka_unit_test(its_request_is_its_own),
        cmocka_unit_test(it_comes_back),
        cmocka_unit_test(whatever_it_does_while_nobody_waits),
        cmocka_unit_test(nobody_waits_for_one_that_hangs),
        cmocka_unit_test(they_wait_in_line),
        cmocka_unit_test(nobody_wants_it_any_more),
        cmocka_unit_test(it_lives_until_its_call_ends),
        cmocka_unit_test(a_version_that_hangs_while_it_is_loaded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
