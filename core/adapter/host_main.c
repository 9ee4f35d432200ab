// SPDX-License-Identifier: Apache-2.0
/*
 * sluice-adapter-host: the process of an isolated adapter. Started by isolated.h with the socket as
 * descriptor 0, the checked shared object as 1, and the name that it must have as its argument; the
 * next one, if there is one, declares native functions, whose libraries are descriptors 3 and up.
 * It loads all that, gives up what it doesn't need, says hello, and answers until the socket is
 * closed. A program of its own, because it needs a tenth of the memory that `sluice` does.
 *
 * Nothing in here is believed on the other side: from the moment when the adapter is loaded, this
 * process is the adapter's.
 */
#include "adapter/confine.h"
#include "adapter/foreign.h"
#include "adapter/frame.h"
#include "adapter/inprocess.h"
#include "adapter/module.h"
#include "adapter/native.h"
#include "base/alloc.h"
#include "base/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SOCKET = 0, OBJECT = 1, WORDS = 2, LIBRARIES = 3, KEPT_SIZE = 256 << 10 };

/* What this process is there for. */
struct service {
    struct transport *transport;
    struct foreign *foreign; /* native functions; NULL: there are none */
    struct text request;     /* memory for the next one */
};

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

static int load_natives(const char *declaration, struct foreign **ret_foreign, struct error *err)
{
    int fds[NATIVE_LIBRARIES];
    for (int i = 0; i < NATIVE_LIBRARIES; i++)
        fds[i] = LIBRARIES + i;
    return declaration ? foreign_open(declaration, fds, ret_foreign, err) : OK;
}

static int load(const char *name, const char *declaration, struct service *service,
                const sluice_adapter **ret_table, struct error *err)
{
    int result = confine_loading(err);
    if (result == OK)
        result = module_load_take(OBJECT, ret_table, err);
    if (result == OK)
        result = module_check(*ret_table, name, err);
    if (result == OK)
        result = load_natives(declaration, &service->foreign, err);
    if (result < 0)
        return result;
    for (int fd = OBJECT; fd < LIBRARIES + NATIVE_LIBRARIES; fd++)
        close(fd); /* nothing else will be loaded here */
    service->transport = inprocess_new(*ret_table, &call_limits_default, &inprocess_host);
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

/* The answer of an adapter that can't be asked, because a function before it failed. */
static struct answer answer_refused(const struct error *err)
{
    return (struct answer){.result = SLUICE_INVALID,
                           .fail_pointer = str_copy("/native"),
                           .fail_text = str_copy(err->text)};
}

/* Asks the adapter, told what the native functions say of its workload. */
static int ask_told(const struct service *service, const struct question *question,
                    struct answer *ret_answer)
{
    json_t *json AUTO_JSON = NULL;
    struct error err = {0};
    if (json_parse(question->text, question->length, &json, &err) < 0 ||
        foreign_answer(service->foreign, json, &err) < 0) {
        *ret_answer = answer_refused(&err);
        return OK;
    }
    char *text AUTO_FREE = json_text(json);
    const struct question told = {.kind = question->kind, .text = text, .length = strlen(text)};
    return service->transport->call(service->transport, &told, ret_answer, NULL);
}

static int ask(const struct service *service, const struct question *question,
               struct answer *ret_answer)
{
    return service->foreign
               ? ask_told(service, question, ret_answer)
               : service->transport->call(service->transport, question, ret_answer, NULL);
}

/* False when there is nothing more to be answered. */
static bool answer_one(struct service *service)
{
    struct text *request = &service->request;
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
    if (ask(service, &question, &answer) < 0)
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
    struct service service = {0};
    if (argc != 2 && argc != 3) {
        fputs("sluice-adapter-host is started by sluice, for one adapter\n", stderr);
        return EXIT_FAILURE;
    }
    if (load(argv[1], argv[2], &service, &table, &err) < 0)
        return refuse(&err);
    if (introduce(table, service.transport))
        while (answer_one(&service))
            ;
    _exit(EXIT_SUCCESS); /* without what the adapter may have hung on the end of a process */
}
