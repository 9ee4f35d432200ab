// SPDX-License-Identifier: Apache-2.0
/* The renderer and a helper that misbehaves in every way that it can. RENDERER names the helper. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "oam/renderer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

enum { SOON_MS = 20000 };

/* A sanitizer's shadow memory counts as data; with it only a limit beyond that can be tried. */
#if defined(__SANITIZE_ADDRESS__)
#define LIMIT_MIB (UINT64_C(64) << 20)
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LIMIT_MIB (UINT64_C(64) << 20)
#endif
#endif
#ifndef LIMIT_MIB
#define LIMIT_MIB UINT64_C(300)
#endif

static struct loop *loop;
static struct renderer *renderer;

/* One request and what became of it. */
struct outcome {
    bool done;
    int calls;
    json_t *output, *outputs;
    struct error err;
    int *order; /* counted up by each that ends */
    int place;
};

static void on_rendered(void *data, const struct render_result *result)
{
    struct outcome *outcome = data;
    outcome->done = true;
    outcome->calls++;
    outcome->output = json_deep_copy(result->output);
    outcome->outputs = json_deep_copy(result->outputs);
    outcome->err = *result->err;
    if (outcome->order)
        outcome->place = ++*outcome->order;
}

static void outcome_done(struct outcome *outcome)
{
    json_decref(outcome->output);
    json_decref(outcome->outputs);
}

static void renderer_up(const char *program, int64_t timeout_ms, int64_t idle_ms)
{
    struct renderer_options options = {program, timeout_ms, idle_ms, LIMIT_MIB << 20};
    renderer_free(renderer);
    renderer = renderer_new(loop, &options);
}

static int setup(void **state)
{
    struct error err = {0};
    int code = loop_new(&loop, &err);
    if (code == OK)
        renderer_up(getenv("RENDERER"), SOON_MS, SOON_MS);
    return code;
}

static int teardown(void **state)
{
    renderer_free(renderer);
    renderer = NULL;
    loop_free(loop);
    return 0;
}

static void ask(struct outcome *outcome, const char *template, json_t *parameter_taken)
{
    renderer_render(renderer, template, NULL, parameter_taken, on_rendered, outcome);
    json_decref(parameter_taken);
    assert_false(outcome->done);
}

static void await(const bool *done)
{
    struct error err = {0};
    if (loop_run_until(loop, done, SOON_MS, &err) < 0)
        fail_msg("%s", err.text);
}

static void assert_words(const struct error *err, const char *words)
{
    if (!strstr(err->text, words))
        fail_msg("\"%s\" lacks \"%s\"", err->text, words);
}

/* Asks for one thing and expects it to fail. */
static void assert_fails(const char *template, int code, const char *words)
{
    struct outcome outcome = {0};
    ask(&outcome, template, json_object());
    await(&outcome.done);
    assert_int_equal(outcome.err.code, code);
    assert_words(&outcome.err, words);
    assert_null(outcome.output);
    assert_int_equal(outcome.calls, 1);
}

static void assert_works(void)
{
    struct outcome outcome = {0};
    ask(&outcome, "echo", json_pack("{s:s}", "a", "批"));
    await(&outcome.done);
    assert_int_equal(outcome.err.code, OK);
    assert_string_equal(json_string_at(outcome.output, "/a"), "批");
    assert_true(json_is_object(outcome.outputs));
    outcome_done(&outcome);
}

static bool process_exists(pid_t pid)
{
    return kill(pid, 0) == 0 || errno != ESRCH;
}

static void turn_for(int64_t ms)
{
    struct error err = {0};
    bool never = false;
    loop_run_until(loop, &never, ms, &err);
}

/* Turns the loop until there is a helper, or until it has ended and was reaped. */
static void await_helper(bool wanted)
{
    int64_t deadline = clock_monotonic_ms() + SOON_MS;
    while ((renderer_pid(renderer) != 0) != wanted) {
        assert_true(clock_monotonic_ms() < deadline);
        turn_for(1);
    }
}

static void test_starts_when_first_needed(void **state)
{
    assert_int_equal(renderer_pid(renderer), 0);
    assert_works();
    pid_t first = renderer_pid(renderer);
    assert_true(first > 0);
    assert_works();
    assert_int_equal(renderer_pid(renderer), first);
}

static void test_confined(void **state)
{
    struct outcome outcome = {0};
    setenv("SECRET", "do not hand on", 1);
    int open_file = open("/dev/null", O_RDONLY);
    ask(&outcome, "limits", json_object());
    await(&outcome.done);
    close(open_file);
    assert_int_equal(json_int_at(outcome.output, "/data", 0), LIMIT_MIB << 20);
    assert_int_equal(json_int_at(outcome.output, "/core", 1), 0);
    assert_int_equal(json_int_at(outcome.output, "/open", 1), 0);
    assert_int_equal(json_int_at(outcome.output, "/noNewPrivileges", 0), 1);
    assert_false(json_bool_at(outcome.output, "/blocked", true));
    assert_int_equal(json_array_size(json_at(outcome.output, "/environment")), 1);
    assert_string_equal(json_string_at(outcome.output, "/environment/0"), "GOTRACEBACK=none");
    outcome_done(&outcome);
}

/* Signals that the loop takes for itself are blocked here, and must not be there. */
static void on_signal(void *data, int signal)
{
}

static void test_signals_are_not_inherited(void **state)
{
    struct error err = {0};
    assert_int_equal(loop_on_signal(loop, SIGTERM, on_signal, NULL, &err), OK);
    test_confined(state);
}

static void test_one_after_the_other(void **state)
{
    struct outcome outcomes[20] = {0};
    int order = 0;
    for (int i = 0; i < 20; i++) {
        outcomes[i].order = &order;
        ask(&outcomes[i], i % 2 ? "echo" : "slowly", json_pack("{s:i}", "i", i));
    }
    await(&outcomes[19].done);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(outcomes[i].place, i + 1);
        assert_int_equal(json_int_at(outcomes[i].output, "/i", -1), i);
        outcome_done(&outcomes[i]);
    }
}

static void test_large(void **state)
{
    enum { SIZE = 5 << 20 };
    struct outcome outcome = {0};
    char *text AUTO_FREE = mem_alloc(SIZE + 1);
    memset(text, 'x', SIZE);
    ask(&outcome, "echo", json_pack("{s:s}", "a", text));
    await(&outcome.done);
    assert_int_equal(outcome.err.code, OK);
    assert_int_equal(json_string_length(json_at(outcome.output, "/a")), SIZE);
    outcome_done(&outcome);
}

static void test_too_large(void **state)
{
    enum { SIZE = 9 << 20 };
    struct outcome outcome = {0}, next = {0};
    char *text AUTO_FREE = mem_alloc(SIZE + 1);
    memset(text, 'x', SIZE);
    ask(&outcome, "echo", json_pack("{s:s}", "a", text));
    ask(&next, "echo", json_object());
    await(&next.done);
    assert_int_equal(outcome.err.code, ERR_INVALID);
    assert_words(&outcome.err, "at most 8388608 can be rendered");
    assert_int_equal(next.err.code, OK);
    outcome_done(&next);
}

static void test_template_at_fault(void **state)
{
    struct outcome outcome = {0};
    ask(&outcome, "fault", json_object());
    await(&outcome.done);
    assert_int_equal(outcome.err.code, ERR_INVALID);
    assert_string_equal(outcome.err.path, "parameter.image");
    assert_string_equal(outcome.err.text, "it is wrong (template line 3, column 7)");
    assert_works();
}

static void test_engine_at_fault(void **state)
{
    assert_fails("internal", ERR_RETRY, "the renderer failed: it is wrong");
    assert_works();
}

static void test_number_beyond_64_bits(void **state)
{
    assert_fails("overflow", ERR_INVALID, "doesn't fit in 64 bits");
    assert_works();
}

static void test_too_late(void **state)
{
    renderer_up(getenv("RENDERER"), 300, SOON_MS);
    struct outcome late = {0}, next = {0};
    ask(&late, "silent", json_object());
    ask(&next, "echo", json_object());
    int64_t began = clock_monotonic_ms();
    await(&late.done);
    assert_true(clock_monotonic_ms() - began >= 290);
    assert_int_equal(late.err.code, ERR_INVALID);
    assert_words(&late.err, "rendering took longer than 0.3 s");
    await(&next.done);
    assert_int_equal(next.err.code, OK);
    outcome_done(&next);
}

/* The deadline is the request's, not the helper's. */
static void test_in_time(void **state)
{
    renderer_up(getenv("RENDERER"), 300, SOON_MS);
    assert_works();
    pid_t first = renderer_pid(renderer);
    turn_for(500);
    assert_int_equal(renderer_pid(renderer), first);
    assert_works();
}

static void test_killed_and_reaped(void **state)
{
    renderer_up(getenv("RENDERER"), 300, SOON_MS);
    struct outcome late = {0};
    ask(&late, "silent", json_object());
    await_helper(true);
    pid_t helper = renderer_pid(renderer);
    await(&late.done);
    await_helper(false);
    assert_false(process_exists(helper));
}

static void test_too_much_memory(void **state)
{
    char *words AUTO_FREE = str_format("more memory than the %llu MiB it may (runtime: out of",
                                       (unsigned long long)LIMIT_MIB);
    assert_fails("memory", ERR_INVALID, words);
    assert_fails("stack", ERR_INVALID, "nested too deeply");
    assert_works();
}

static void test_dies_once(void **state)
{
    char file[] = "/tmp/oam-renderer-XXXXXX";
    struct outcome outcome = {0};
    close(mkstemp(file));
    unlink(file);
    ask(&outcome, "once", json_pack("{s:s}", "file", file));
    await(&outcome.done);
    assert_int_equal(unlink(file), 0); /* it was there, so it did die */
    assert_int_equal(outcome.err.code, OK);
    outcome_done(&outcome);
}

static void test_is_tried_twice(void **state)
{
    char file[] = "/tmp/oam-renderer-XXXXXX";
    struct outcome outcome = {0};
    int fd = mkstemp(file);
    ask(&outcome, "count", json_pack("{s:s}", "file", file));
    await(&outcome.done);
    assert_int_equal(lseek(fd, 0, SEEK_END), 2);
    assert_int_equal(outcome.err.code, ERR_RETRY);
    close(fd);
    unlink(file);
}

static void test_dies_always(void **state)
{
    assert_fails("exit", ERR_RETRY, "ended with exit status 3: no licence today");
    assert_fails("abort", ERR_RETRY, "was ended by signal 6 (Aborted)");
    assert_works();
}

static void test_breaks_the_protocol(void **state)
{
    assert_fails("garbage", ERR_RETRY, "its answer is not JSON");
    assert_works();
    assert_fails("wrong-id", ERR_RETRY, "it answered a request that was not asked");
    assert_works();
    assert_fails("nothing", ERR_RETRY, "neither output and outputs nor an error");
    assert_works();
    assert_fails("huge", ERR_RETRY, "it answered with more than 8 MiB");
    assert_works();
    assert_fails("close", ERR_RETRY, "it closed its output");
    assert_works();
}

static void test_speaks_out_of_turn(void **state)
{
    struct outcome twice = {0};
    ask(&twice, "twice", json_object());
    await(&twice.done);
    assert_int_equal(twice.err.code, OK);
    assert_int_equal(twice.calls, 1);
    outcome_done(&twice);
    assert_works();
}

static void test_flood_of_words(void **state)
{
    struct outcome outcome = {0};
    ask(&outcome, "flood", json_object());
    await(&outcome.done);
    assert_int_equal(outcome.err.code, OK);
    outcome_done(&outcome);
}

/* What was said at an earlier request doesn't explain a later end. */
static void test_words_of_the_present_request(void **state)
{
    struct outcome outcome = {0};
    test_flood_of_words(state);
    ask(&outcome, "abort", json_object());
    await(&outcome.done);
    assert_words(&outcome.err, "signal 6 (Aborted)");
    assert_null(strstr(outcome.err.text, "words"));
}

/* Those in line behind one that ends the helper are rendered by the next. */
static void test_the_line_goes_on(void **state)
{
    struct outcome outcomes[6] = {0};
    static const char *const what[] = {"echo", "exit", "echo", "garbage", "memory", "echo"};
    for (int i = 0; i < 6; i++)
        ask(&outcomes[i], what[i], json_object());
    await(&outcomes[5].done);
    for (int i = 0; i < 6; i++) {
        int wanted = strcmp(what[i], "echo") == 0     ? OK
                     : strcmp(what[i], "memory") == 0 ? ERR_INVALID
                                                      : ERR_RETRY;
        assert_int_equal(outcomes[i].err.code, wanted);
        outcome_done(&outcomes[i]);
    }
}

static void test_program_missing(void **state)
{
    struct outcome one = {0}, other = {0};
    renderer_up("/nonexistent/sluice-cue", SOON_MS, SOON_MS);
    ask(&one, "echo", json_object());
    ask(&other, "echo", json_object());
    await(&other.done);
    assert_int_equal(one.err.code, ERR_RETRY);
    assert_int_equal(other.err.code, ERR_RETRY);
    assert_words(&one.err, "/nonexistent/sluice-cue couldn't be started: No such file");
    assert_int_equal(renderer_pid(renderer), 0);
}

static void test_program_not_executable(void **state)
{
    renderer_up("/etc/passwd", SOON_MS, SOON_MS);
    assert_fails("echo", ERR_RETRY, "/etc/passwd couldn't be started: Permission denied");
}

/* Ends at once, again and again: it is not started without pause. */
static void test_back_off(void **state)
{
    renderer_up("/bin/false", SOON_MS, SOON_MS);
    int64_t began = clock_monotonic_ms();
    assert_fails("echo", ERR_RETRY, "/bin/false ended with exit status 1");
    assert_fails("echo", ERR_RETRY, "/bin/false ended with exit status 1");
    assert_fails("echo", ERR_RETRY, "/bin/false ended with exit status 1");
    /* Six starts: 100, 200, 400 and 800 ms between the last five. */
    assert_true(clock_monotonic_ms() - began >= 1400);
}

/* One bad request among good ones doesn't slow the others down more and more. */
static void test_no_back_off_between_answers(void **state)
{
    int64_t began = clock_monotonic_ms();
    for (int i = 0; i < 8; i++) {
        assert_fails("exit", ERR_RETRY, "exit status 3");
        assert_works();
    }
    assert_true(clock_monotonic_ms() - began < 5000);
}

static void test_ends_when_idle(void **state)
{
    renderer_up(getenv("RENDERER"), SOON_MS, 100);
    assert_works();
    pid_t first = renderer_pid(renderer);
    await_helper(false);
    assert_false(process_exists(first));
    assert_works();
    assert_int_not_equal(renderer_pid(renderer), first);
}

/* Its input is closed, and it doesn't care. */
static void test_killed_when_it_stays(void **state)
{
    renderer_up(getenv("STUBBORN"), SOON_MS, 100);
    assert_works();
    pid_t first = renderer_pid(renderer);
    await_helper(false);
    assert_false(process_exists(first));
}

static void test_asked_while_it_ends(void **state)
{
    renderer_up(getenv("STUBBORN"), SOON_MS, 50);
    assert_works();
    pid_t first = renderer_pid(renderer);
    turn_for(200); /* its input is closed by now, and it is still there */
    assert_int_equal(renderer_pid(renderer), first);
    assert_works();
    assert_int_not_equal(renderer_pid(renderer), first);
}

static void test_forget(void **state)
{
    struct outcome current = {0}, waiting = {0}, last = {0};
    ask(&current, "slowly", json_object());
    ask(&waiting, "echo", json_object());
    ask(&last, "echo", json_object());
    await_helper(true);
    renderer_forget(renderer, &current);
    renderer_forget(renderer, &waiting);
    await(&last.done);
    assert_int_equal(current.calls, 0);
    assert_int_equal(waiting.calls, 0);
    outcome_done(&last);
}

static void on_rendered_ask_again(void *data, const struct render_result *result)
{
    struct outcome *next = data;
    json_t *parameter AUTO_JSON = json_object();
    renderer_render(renderer, "echo", NULL, parameter, on_rendered, next);
    renderer_forget(renderer, renderer);
}

static void test_ask_from_the_callback(void **state)
{
    static const char *const ends[] = {"echo", "exit", "memory"};
    for (int i = 0; i < 3; i++) {
        struct outcome next = {0};
        renderer_render(renderer, ends[i], NULL, NULL, on_rendered_ask_again, &next);
        await(&next.done);
        assert_int_equal(next.err.code, OK);
        outcome_done(&next);
    }
}

static void test_freed_with_work(void **state)
{
    struct outcome outcomes[3] = {0};
    for (int i = 0; i < 3; i++)
        ask(&outcomes[i], "silent", json_object());
    await_helper(true);
    pid_t helper = renderer_pid(renderer);
    renderer_free(renderer);
    renderer = NULL;
    assert_false(process_exists(helper));
    assert_int_equal(outcomes[0].calls, 0);
}

static void test_killed_from_outside_while_idle(void **state)
{
    assert_works();
    kill(renderer_pid(renderer), SIGKILL);
    await_helper(false);
    assert_works();
}

/* valgrind knows no pidfds; the sanitizers look at the same things. */
static bool has_pidfd(void)
{
    int fd = pidfd_open(getpid(), 0);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

enum { SKIPPED = 77 };

int main(void)
{
    if (!has_pidfd())
        return SKIPPED;
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_starts_when_first_needed),
        TEST(test_confined),
        TEST(test_signals_are_not_inherited),
        TEST(test_one_after_the_other),
        TEST(test_large),
        TEST(test_too_large),
        TEST(test_template_at_fault),
        TEST(test_engine_at_fault),
        TEST(test_number_beyond_64_bits),
        TEST(test_too_late),
        TEST(test_in_time),
        TEST(test_killed_and_reaped),
        TEST(test_too_much_memory),
        TEST(test_dies_once),
        TEST(test_is_tried_twice),
        TEST(test_dies_always),
        TEST(test_breaks_the_protocol),
        TEST(test_speaks_out_of_turn),
        TEST(test_flood_of_words),
        TEST(test_words_of_the_present_request),
        TEST(test_the_line_goes_on),
        TEST(test_program_missing),
        TEST(test_program_not_executable),
        TEST(test_back_off),
        TEST(test_no_back_off_between_answers),
        TEST(test_ends_when_idle),
        TEST(test_killed_when_it_stays),
        TEST(test_asked_while_it_ends),
        TEST(test_forget),
        TEST(test_ask_from_the_callback),
        TEST(test_freed_with_work),
        TEST(test_killed_from_outside_while_idle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
