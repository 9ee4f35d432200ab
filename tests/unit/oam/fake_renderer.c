// SPDX-License-Identifier: Apache-2.0
/*
 * Stands in for sluice-cue and misbehaves. What it does is the template of each request:
 *
 *   echo         answers with the parameter as output
 *   exit         ends with status 3 and a word on standard error
 *   abort        ends by a signal
 *   garbage      answers with something that isn't JSON
 *   wrong-id     answers another request
 *   nothing      answers neither objects nor an error
 *   twice        answers twice
 *   silent       never answers
 *   close        closes its output and stays
 *   huge         announces a frame of 4 GiB
 *   once         ends like "exit", unless the file that parameter.file names is there; makes it
 *   count        adds a byte to the file that parameter.file names, and ends
 *   memory       ends as a Go program does whose memory is out
 *   stack        ends as a Go program does whose stack is too deep
 *   overflow     answers with a number beyond 64 bits
 *   fault        answers that the parameter is wrong
 *   internal     answers that the engine has failed
 *   flood        writes more to standard error than anybody wants, then answers
 *   limits       answers with its environment, limits and descriptors
 *   slowly       answers byte by byte
 *
 * Built with STUBBORN, it stays when its input ends.
 */
#include "base/alloc.h"
#include "base/json.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

extern char **environ;

static _Noreturn void input_ended(void)
{
#ifdef STUBBORN
    for (;;)
        pause();
#else
    exit(0);
#endif
}

static void read_all(void *at, size_t count)
{
    char *place = at;
    while (count) {
        ssize_t got = read(STDIN_FILENO, place, count);
        if (got <= 0)
            input_ended();
        place += got;
        count -= (size_t)got;
    }
}

static void write_all(const void *at, size_t count)
{
    const char *place = at;
    while (count) {
        ssize_t done = write(STDOUT_FILENO, place, count);
        if (done <= 0)
            exit(1);
        place += done;
        count -= (size_t)done;
    }
}

static void answer(const char *text)
{
    uint32_t header = htonl((uint32_t)strlen(text));
    write_all(&header, sizeof header);
    write_all(text, strlen(text));
}

static void answer_slowly(const char *text)
{
    uint32_t header = htonl((uint32_t)strlen(text));
    for (size_t i = 0; i < sizeof header; i++)
        write_all((const char *)&header + i, 1);
    for (; *text; text++)
        write_all(text, 1);
}

static char *output(int64_t id, const json_t *parameter)
{
    json_t *json AUTO_JSON =
        json_pack("{s:I, s:O, s:{}}", "id", (json_int_t)id, "output", parameter, "outputs");
    return json_text(json);
}

static char *error(int64_t id, const char *code)
{
    json_t *json AUTO_JSON =
        json_pack("{s:I, s:{s:s, s:s, s:s, s:i, s:i}}", "id", (json_int_t)id, "error", "code", code,
                  "message", "it is wrong", "path", "parameter.image", "line", 3, "column", 7);
    return json_text(json);
}

static _Noreturn void end(const char *words, int status)
{
    fputs(words, stderr);
    exit(status);
}

static json_t *limits(void)
{
    struct rlimit data, core;
    sigset_t blocked;
    int open_files = 0;
    json_t *environment = json_array();
    getrlimit(RLIMIT_DATA, &data);
    getrlimit(RLIMIT_CORE, &core);
    sigprocmask(SIG_BLOCK, NULL, &blocked);
    for (int fd = 3; fd < 1024; fd++)
        open_files += fcntl(fd, F_GETFD) >= 0;
    for (char **at = environ; *at; at++)
        json_array_append_new(environment, json_string(*at));
    return json_pack("{s:I, s:I, s:i, s:b, s:o, s:i}", "data", (json_int_t)data.rlim_cur, "core",
                     (json_int_t)core.rlim_cur, "open", open_files, "blocked",
                     sigismember(&blocked, SIGTERM), "environment", environment, "noNewPrivileges",
                     prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
}

static void flood(void)
{
    for (int i = 0; i < 20000; i++)
        fputs("words, words, words\n", stderr);
}

/* Those that end it, or never answer. */
static void misbehave(const char *what, const json_t *parameter)
{
    const char *file = json_string_at(parameter, "/file");
    uint32_t huge = 0xffffffff;
    if (strcmp(what, "exit") == 0)
        end("\nno licence today\nmore\n", 3);
    if (strcmp(what, "abort") == 0)
        abort();
    if (strcmp(what, "memory") == 0)
        end("runtime: out of memory: cannot allocate 64 bytes\nfatal error: out of memory\n", 2);
    if (strcmp(what, "stack") == 0)
        end("runtime: goroutine stack exceeds 33554432-byte limit\n", 2);
    if (strcmp(what, "once") == 0 && file && access(file, F_OK) < 0) {
        close(open(file, O_CREAT | O_WRONLY, 0600));
        end("not yet\n", 1);
    }
    if (strcmp(what, "count") == 0) {
        int fd = open(file, O_WRONLY | O_APPEND);
        exit(write(fd, "x", 1) == 1 ? 1 : 2);
    }
    if (strcmp(what, "huge") == 0)
        write_all(&huge, sizeof huge);
    if (strcmp(what, "close") == 0)
        close(STDOUT_FILENO);
    if (strcmp(what, "silent") == 0 || strcmp(what, "huge") == 0 || strcmp(what, "close") == 0)
        for (;;)
            pause();
}

static void respond(const json_t *request)
{
    const char *what = json_string_at(request, "/template");
    json_t *parameter = json_at(request, "/parameter");
    int64_t id = json_int_at(request, "/id", 0);
    misbehave(what, parameter);
    json_t *seen AUTO_JSON = strcmp(what, "limits") == 0 ? limits() : json_incref(parameter);
    char *good AUTO_FREE = output(strcmp(what, "wrong-id") == 0 ? id + 1 : id, seen);
    char *fault AUTO_FREE = error(id, strcmp(what, "fault") == 0 ? "parameter" : "internal");
    char *empty AUTO_FREE = str_format("{\"id\":%lld}", (long long)id);
    if (strcmp(what, "flood") == 0)
        flood();
    if (strcmp(what, "garbage") == 0)
        answer("{\"id\":");
    else if (strcmp(what, "nothing") == 0)
        answer(empty);
    else if (strcmp(what, "overflow") == 0)
        answer("{\"id\":1,\"output\":{\"a\":99999999999999999999},\"outputs\":{}}");
    else if (strcmp(what, "fault") == 0 || strcmp(what, "internal") == 0)
        answer(fault);
    else if (strcmp(what, "slowly") == 0)
        answer_slowly(good);
    else
        answer(good);
    if (strcmp(what, "twice") == 0)
        answer(good);
}

int main(void)
{
    for (;;) {
        uint32_t header;
        struct error err = {0};
        json_t *request AUTO_JSON = NULL;
        read_all(&header, sizeof header);
        size_t length = ntohl(header);
        char *text AUTO_FREE = mem_alloc(length + 1);
        read_all(text, length);
        if (json_parse(text, length, &request, &err) < 0)
            end(err.text, 9);
        respond(request);
    }
}
