// SPDX-License-Identifier: Apache-2.0
#include "adapter/isolated.h"

#include "adapter/figures.h"
#include "adapter/home.h"
#include "base/alloc.h"
#include "base/clock.h"

#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    START_MS = 5 * 1000, /* for a later process to start and load the adapter; nobody waits */
    PAUSE_MS = 250,      /* after the first failure; doubled with each */
    PAUSES_MAX = 10,
    GOOD_MS = 60 * 1000, /* a process that has lasted so long has made up for those before it */
};

struct isolated {
    struct transport transport;
    struct isolated_spec spec;
    struct home home;
    struct text greeting; /* the first one's bytes: later processes must say the same */
    struct hello hello;
    bool loaded;  /* until then whoever loads it waits, and not longer than load_until_ms */
    bool greeted; /* the present process has introduced itself */
    bool asked;   /* a question is under way */
    bool proven;
    unsigned failures;
    int64_t started_ms, pause_until_ms; /* monotonic */
    int64_t due_ms, load_until_ms;      /* likewise, by the clock outside */
    char trouble[300];
    void (*closing)(void *data);
    void *closing_data;
};

static struct isolated *of_transport(const struct transport *transport)
{
    return (struct isolated *)(uintptr_t)transport;
}

/* ── The process ──────────────────────────────────────────────────────────────────────────── */

static void close_home(struct isolated *self, struct error *ret_how)
{
    if (self->closing && self->home.pid)
        self->closing(self->closing_data);
    home_close(&self->home, ret_how);
}

/* Ends the process. The words are ours, or those for how it ended if it was the one who did. */
static void isolated_fail(struct isolated *self, const char *words)
{
    struct error how = {0};
    close_home(self, &how);
    unsigned doublings = self->failures < PAUSES_MAX ? self->failures : PAUSES_MAX;
    self->failures++;
    self->pause_until_ms = clock_monotonic_ms() + ((int64_t)PAUSE_MS << doublings);
    self->greeted = self->asked = self->proven = false;
    snprintf(self->trouble, sizeof self->trouble, "%s", words ? words : how.text);
}

static void fail_call(struct isolated *self, const char *words, struct call_outcome *outcome)
{
    isolated_fail(self, words);
    *outcome = (struct call_outcome){0};
    error_set(&outcome->err, ERR_BUG, "%s", self->trouble);
}

static void isolated_due(struct isolated *self, int64_t within_ms)
{
    self->due_ms = clock_outside_ms() + within_ms;
    if (!self->loaded && self->due_ms > self->load_until_ms)
        self->due_ms = self->load_until_ms;
}

static int isolated_start(struct isolated *self, struct error *err)
{
    const struct home_spec spec = {
        .program = self->spec.program,
        .object = self->spec.object,
        .file = self->spec.file,
        .memory = self->spec.memory,
        .natives = self->spec.natives,
    };
    int64_t now = clock_monotonic_ms();
    /* The same words, so that a status which shows them stays as it is. */
    if (now < self->pause_until_ms)
        return error_set(err, ERR_BUG, "%s", self->trouble);
    int result = home_open(&self->home, &spec, err);
    if (result < 0)
        return result;
    if (self->started_ms && self->spec.figures)
        self->spec.figures->restarts++;
    self->started_ms = now;
    isolated_due(self, START_MS);
    return OK;
}

/* The first process says what the adapter is; the others must say the same, byte for byte. */
static int greet(struct isolated *self, struct error *err)
{
    size_t length;
    const char *bytes = home_frame(&self->home, &length);
    int result = OK;
    if (!self->greeting.len) {
        result = frame_read_hello(bytes, length, &self->hello, err);
        if (result == OK)
            text_add(&self->greeting, bytes, length);
    } else if (self->greeting.len != length || memcmp(self->greeting.at, bytes, length) != 0) {
        result = error_set(err, ERR_BUG, "it isn't the adapter any more that it was at first");
    }
    self->greeted = result == OK;
    isolated_due(self, self->spec.deadline_ms);
    home_drop(&self->home);
    return result;
}

/* ── Calls ────────────────────────────────────────────────────────────────────────────────── */

int isolated_send(struct isolated *self, const struct question *question, struct error *err)
{
    if (question->length > QUESTION_MAX)
        return error_set(err, ERR_LIMIT,
                         "the request has %zu bytes, more than the %d that a "
                         "process is sent",
                         question->length, QUESTION_MAX);
    if (self->home.pid && self->greeted && home_restless(&self->home))
        isolated_unasked(self);
    int result = self->home.pid ? OK : isolated_start(self, err);
    if (result < 0)
        return result;
    home_send(&self->home, question->kind, question->text, question->length);
    self->asked = true;
    if (self->greeted)
        isolated_due(self, self->spec.deadline_ms);
    return OK;
}

static void take_answer(struct isolated *self, struct call_outcome *outcome)
{
    size_t length;
    const char *bytes = home_frame(&self->home, &length);
    *outcome = (struct call_outcome){0};
    if (frame_read_answer(bytes, length, &call_limits_default, &outcome->answer, &outcome->err) <
        0) {
        char *words AUTO_FREE = str_copy(outcome->err.text);
        fail_call(self, words, outcome);
        return;
    }
    home_drop(&self->home);
    self->asked = false;
    self->proven = true;
    if (clock_monotonic_ms() - self->started_ms > GOOD_MS)
        self->failures = 0;
}

/* ERR_GONE: it has ended by itself, which home_close() has better words for. */
static void turn_failed(struct isolated *self, const struct error *err,
                        struct call_outcome *outcome)
{
    fail_call(self, err->code == ERR_GONE ? NULL : err->text, outcome);
}

bool isolated_turn(struct isolated *self, struct call_outcome *ret_outcome)
{
    struct error err = {0};
    bool there = false;
    int result = OK;
    if (!self->greeted) {
        result = home_turn(&self->home, FRAME_HELLO, HELLO_MAX, &there, &err);
        if (result == OK && there)
            result = greet(self, &err);
    }
    if (result == OK && self->greeted && self->asked)
        result = home_turn(&self->home, FRAME_ANSWER, ANSWER_MAX, &there, &err);
    if (result < 0)
        turn_failed(self, &err, ret_outcome);
    else if (there && self->asked && self->greeted)
        take_answer(self, ret_outcome);
    return result < 0 || there;
}

void isolated_expire(struct isolated *self, struct call_outcome *ret_outcome)
{
    char words[100];
    bool loads = !self->loaded || !self->greeted;
    int64_t ms = !self->loaded    ? self->spec.load_ms
                 : !self->greeted ? START_MS
                                  : self->spec.deadline_ms;
    snprintf(words, sizeof words, "it didn't %s within %lld ms, and its process was ended",
             loads ? "load" : "answer", (long long)ms);
    if (self->spec.figures)
        self->spec.figures->slow++;
    fail_call(self, words, ret_outcome);
}

void isolated_unasked(struct isolated *self)
{
    isolated_fail(self, self->home.in.len ? "its process said something unasked" : NULL);
}

int64_t isolated_left_ms(const struct isolated *self)
{
    int64_t left = self->due_ms - clock_outside_ms();
    return left > 0 ? left : 0;
}

int isolated_fd(const struct isolated *self, short *ret_events)
{
    *ret_events = home_events(&self->home);
    return self->home.pid ? self->home.fd : -1;
}

void isolated_on_close(struct isolated *self, void (*closing)(void *data), void *data)
{
    self->closing = closing;
    self->closing_data = data;
}

bool isolated_proven(const struct isolated *self)
{
    return self->proven;
}

const char *isolated_trouble(const struct isolated *self)
{
    return self->trouble;
}

const struct hello *isolated_hello(const struct isolated *self)
{
    return &self->hello;
}

/* ── Waiting ──────────────────────────────────────────────────────────────────────────────── */

static void isolated_wait(struct isolated *self, struct call_outcome *outcome)
{
    while (!isolated_turn(self, outcome)) {
        struct pollfd ready = {0};
        int64_t left = isolated_left_ms(self);
        ready.fd = isolated_fd(self, &ready.events);
        if (left == 0) {
            isolated_expire(self, outcome);
            return;
        }
        poll(&ready, 1, left < INT_MAX ? (int)left : INT_MAX);
    }
}

static bool isolated_has(const struct transport *transport, enum call_kind kind)
{
    return of_transport(transport)->hello.calls >> kind & 1;
}

static int isolated_call(struct transport *transport, const struct question *question,
                         struct answer *ret_answer, struct error *err)
{
    struct isolated *self = of_transport(transport);
    struct call_outcome outcome = {0};
    int result = isolated_send(self, question, err);
    if (result < 0)
        return result;
    isolated_wait(self, &outcome);
    if (outcome.err.code < 0)
        return error_set(err, outcome.err.code, "%s", outcome.err.text);
    *ret_answer = outcome.answer;
    return OK;
}

static void isolated_free(struct transport *transport)
{
    struct isolated *self = of_transport(transport);
    struct error how;
    close_home(self, &how);
    close(self->spec.file);
    hello_done(&self->hello);
    text_done(&self->greeting);
    free((char *)(uintptr_t)self->spec.object);
    free((char *)(uintptr_t)self->spec.program);
    free(self);
}

void isolated_loaded(struct isolated *self)
{
    self->loaded = true;
}

struct transport *isolated_transport(struct isolated *self)
{
    return &self->transport;
}

/* ── Opening ──────────────────────────────────────────────────────────────────────────────── */

char *isolated_program(void)
{
    static const char name[] = "sluice-adapter-host";
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    self[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(self, '/');
    char *beside = str_format("%.*s/%s", slash ? (int)(slash - self) : 0, self, name);
    if (access(beside, X_OK) == 0)
        return beside;
    free(beside);
    return str_format("%s/%s", SLUICE_HELPER_DIR, name);
}

static int open_first(struct isolated *self, struct error *err)
{
    struct call_outcome outcome = {0};
    int result = isolated_start(self, err);
    if (result < 0)
        return result;
    isolated_wait(self, &outcome);
    if (outcome.err.code < 0)
        return error_set(err, outcome.err.code, "loading: %s", outcome.err.text);
    return self->hello.code < 0 ? error_set(err, self->hello.code, "%s", self->hello.refusal) : OK;
}

int isolated_open_take(const struct isolated_spec *spec, struct isolated **ret_isolated,
                       struct error *err)
{
    struct isolated *self = mem_alloc(sizeof *self);
    self->transport =
        (struct transport){.has = isolated_has, .call = isolated_call, .free = isolated_free};
    self->spec = *spec;
    self->spec.object = str_copy(spec->object);
    self->spec.program = str_copy(spec->program);
    self->load_until_ms = clock_outside_ms() + spec->load_ms;
    int result = open_first(self, err);
    if (result < 0)
        isolated_free(&self->transport);
    else
        *ret_isolated = self;
    return result;
}
