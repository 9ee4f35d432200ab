// SPDX-License-Identifier: Apache-2.0
/*
 * sluice-adapter-host: the process of an isolated adapter. Started by isolated.h with the socket as
 * descriptor 0, the checked shared object as 1, and the name that it must have as its argument. It
 * loads the adapter, gives up what it doesn't need, says hello, and answers until the socket is
 * closed. A program of its own, because it needs a tenth of the memory that `sluice` does.
 *
 * Nothing in here is believed on the other side: from the moment when the adapter is loaded, this
 * process is the adapter's.
 */
#include "adapter/confine.h"
#include "adapter/frame.h"
#include "adapter/inprocess.h"
#include "adapter/module.h"
#include "base/alloc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SOCKET = 0, OBJECT = 1, WORDS = 2, KEPT_SIZE = 256 << 10 };

/* False when the other end was closed. */
static bool read_all(void *place, size_t size)
{
    for (char *at = place; size;) {
        ssize_t count = read(SOCKET, at, size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return false;
        at += count;
        size -= (size_t)count;
    }
    return true;
}

static bool write_all(const struct text *text)
{
    for (size_t sent = 0; sent < text->len;) {
        ssize_t count = write(SOCKET, text->at + sent, text->len - sent);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return false;
        sent += (size_t)count;
    }
    return true;
}

static bool say_hello(const struct hello *hello)
{
    struct text frame AUTO(text_done) = {0};
    frame_put_hello(&frame, hello);
    return write_all(&frame);
}

static int refuse(const struct error *err)
{
    const struct hello hello = {.code = err->code, .refusal = (char *)(uintptr_t)err->text};
    say_hello(&hello);
    return EXIT_FAILURE;
}

static int load(const char *name, const sluice_adapter **ret_table, struct error *err)
{
    int result = confine_loading(err);
    if (result == OK)
        result = module_load_take(OBJECT, ret_table, err);
    if (result == OK)
        result = module_check(*ret_table, name, err);
    if (result < 0)
        return result;
    close(OBJECT); /* nothing else will be loaded here */
    close(WORDS);
    return confine_computing(err);
}

static bool introduce(const sluice_adapter *table, const struct transport *transport)
{
    struct hello hello = {
        .minor = table->minor,
        .provides = table->provides,
        .version = (char *)(uintptr_t)table->version,
        .manifest = (char *)(uintptr_t)table->manifest,
    };
    for (int kind = 0; kind < CALL_COUNT; kind++)
        if (transport->has(transport, (enum call_kind)kind))
            hello.calls |= 1u << kind;
    return say_hello(&hello);
}

/* False when there is nothing more to be answered. */
static bool answer_one(struct transport *transport, struct text *request)
{
    struct frame_header header;
    struct text frame AUTO(text_done) = {0};
    struct answer answer = {0};
    if (!read_all(&header, sizeof header) || header.length > QUESTION_MAX ||
        header.what >= CALL_COUNT)
        return false;
    if (request->size <= header.length) {
        request->size = (size_t)header.length + 1;
        request->at = mem_grow(request->at, request->size);
    }
    if (!read_all(request->at, header.length))
        return false;
    const struct question question = {
        .kind = (enum call_kind)header.what, .text = request->at, .length = header.length};
    if (transport->call(transport, &question, &answer, NULL) < 0)
        return false;
    frame_put_answer(&frame, &answer);
    answer_done(&answer);
    if (request->size > KEPT_SIZE)
        text_done(request);
    return write_all(&frame);
}

int main(int argc, char **argv)
{
    const sluice_adapter *table = NULL;
    struct error err = {0};
    struct text request = {0};
    if (argc != 2) {
        fputs("sluice-adapter-host is started by sluice, for one adapter\n", stderr);
        return EXIT_FAILURE;
    }
    if (load(argv[1], &table, &err) < 0)
        return refuse(&err);
    struct transport *transport = inprocess_new(table, &call_limits_default, &inprocess_host);
    if (introduce(table, transport))
        while (answer_one(transport, &request))
            ;
    _exit(EXIT_SUCCESS); /* without what the adapter may have hung on the end of a process */
}
