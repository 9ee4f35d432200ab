// SPDX-License-Identifier: Apache-2.0
#include "oam/helper.h"

#include "base/alloc.h"
#include "base/text.h"
#include "oam/helper_start.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HEADER_SIZE = 4, WORDS_MAX = 2048, PIECE_SIZE = 64 << 10, GRACE_MS = 1000 };

struct helper {
    struct loop *loop;
    struct helper_process process;
    struct fd_watch *in_watch, *out_watch, *err_watch, *end_watch;
    struct timer grace;
    struct text to_send, received, words;
    bool finishing, killed;
    char *fault;
    const struct helper_events *events;
    void *data;
};

int helper_start(struct loop *loop, const char *program, uint64_t memory_limit,
                 struct helper **ret_helper, struct error *err)
{
    struct helper_process process;
    int code = helper_process_start(program, memory_limit, &process, err);
    if (code < 0)
        return code;
    struct helper *helper = mem_alloc(sizeof *helper);
    helper->loop = loop;
    helper->process = process;
    *ret_helper = helper;
    return OK;
}

pid_t helper_pid(const struct helper *helper)
{
    return helper->process.pid;
}

/* It leads a process group: whatever it may have started goes with it. */
static void group_kill(const struct helper *helper)
{
    if (helper->process.pid)
        kill(-helper->process.pid, SIGKILL);
}

static void watches_done(struct helper *helper)
{
    fd_unwatch(helper->in_watch);
    fd_unwatch(helper->out_watch);
    fd_unwatch(helper->err_watch);
    fd_unwatch(helper->end_watch);
    timer_stop(helper->loop, &helper->grace);
}

void helper_free(struct helper *helper)
{
    if (!helper)
        return;
    watches_done(helper);
    if (helper->process.pid) {
        group_kill(helper);
        waitpid(helper->process.pid, NULL, 0);
    }
    close(helper->process.pidfd);
    close(helper->process.in);
    close(helper->process.out);
    close(helper->process.err);
    text_done(&helper->to_send);
    text_done(&helper->received);
    text_done(&helper->words);
    free(helper->fault);
    free(helper);
}

void helper_kill(struct helper *helper, const char *fault)
{
    if (helper->killed)
        return;
    helper->killed = true;
    helper->fault = str_copy(fault);
    group_kill(helper);
}

static void on_grace_over(void *data)
{
    struct helper *helper = data;
    helper_kill(helper, helper->finishing ? NULL : "it closed its output");
}

void helper_finish(struct helper *helper)
{
    helper->finishing = true;
    shutdown(helper->process.in, SHUT_WR);
    timer_start_outside(helper->loop, &helper->grace, GRACE_MS, on_grace_over, helper);
}

/* Writes what it takes now. When it has gone, its end comes through the pidfd. */
static void send_some(struct helper *helper)
{
    struct text *text = &helper->to_send;
    size_t sent = 0;
    while (sent < text->len) {
        ssize_t count = send(helper->process.in, text->at + sent, text->len - sent,
                             MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && errno != EAGAIN)
            sent = text->len;
        if (count < 0)
            break;
        sent += (size_t)count;
    }
    text_drop(text, sent);
    fd_watch_change(helper->in_watch, text->len ? POLLOUT : 0);
    if (!text->len)
        text_done(text);
}

static void on_writable(void *data, short revents)
{
    send_some(data);
}

void helper_send(struct helper *helper, const char *bytes, size_t length)
{
    uint32_t header = htonl((uint32_t)length);
    text_clear(&helper->words);
    text_add(&helper->to_send, &header, sizeof header);
    text_add(&helper->to_send, bytes, length);
    send_some(helper);
}

/* The length that the next frame announces, 0 when its header isn't here yet. */
static size_t frame_length(const struct text *received)
{
    uint32_t header;
    if (received->len < HEADER_SIZE)
        return 0;
    memcpy(&header, received->at, sizeof header);
    return HEADER_SIZE + (size_t)ntohl(header);
}

static void take_frames(struct helper *helper)
{
    size_t length;
    while (!helper->killed && (length = frame_length(&helper->received)) > 0) {
        if (length > HEADER_SIZE + FRAME_MAX) {
            helper_kill(helper, "it answered with more than 8 MiB");
            return;
        }
        if (helper->received.len < length)
            return;
        helper->events->on_frame(helper->data, helper->received.at + HEADER_SIZE,
                                 length - HEADER_SIZE);
        text_drop(&helper->received, length);
    }
    if (!helper->received.len)
        text_done(&helper->received);
}

/* Reads a piece. The count, 0 when the other end was closed, -1 when nothing is there now. */
static ssize_t read_piece(int fd, char piece[PIECE_SIZE])
{
    ssize_t count;
    do
        count = read(fd, piece, PIECE_SIZE);
    while (count < 0 && errno == EINTR);
    return count;
}

/* It closes its output a moment before it is gone, and then its end says more than this. */
static void output_closed(struct helper *helper)
{
    fd_watch_change(helper->out_watch, 0);
    if (!timer_running(&helper->grace))
        timer_start_outside(helper->loop, &helper->grace, GRACE_MS, on_grace_over, helper);
}

static void read_frames(struct helper *helper)
{
    char piece[PIECE_SIZE];
    ssize_t count;
    while (!helper->killed && (count = read_piece(helper->process.out, piece)) >= 0) {
        if (count == 0) {
            output_closed(helper);
            return;
        }
        text_add(&helper->received, piece, (size_t)count);
        take_frames(helper);
    }
}

/* Keeps the beginning, where the reason stands, and drops the rest. */
static void read_words(struct helper *helper)
{
    char piece[PIECE_SIZE];
    ssize_t count;
    while ((count = read_piece(helper->process.err, piece)) > 0) {
        size_t room = WORDS_MAX - helper->words.len;
        text_add(&helper->words, piece, (size_t)count < room ? (size_t)count : room);
    }
    if (count == 0)
        fd_watch_change(helper->err_watch, 0);
}

static void on_output(void *data, short revents)
{
    read_frames(data);
}

static void on_words(void *data, short revents)
{
    read_words(data);
}

/* Cuts the text after its first line that isn't empty. */
static const char *first_line(struct text *text)
{
    if (!text->len)
        return "";
    char *at = text->at + strspn(text->at, " \r\n\t");
    at[strcspn(at, "\r\n")] = '\0';
    return at;
}

static void on_end(void *data, short revents)
{
    struct helper *helper = data;
    siginfo_t info = {0};
    read_words(helper);
    read_frames(helper);
    if (waitid(P_PID, (id_t)helper->process.pid, &info, WEXITED | WNOHANG) < 0 || !info.si_pid)
        return;
    helper->process.pid = 0;
    watches_done(helper);
    helper->in_watch = helper->out_watch = helper->err_watch = helper->end_watch = NULL;
    struct helper_end end = {
        .status = info.si_code == CLD_EXITED ? info.si_status : -1,
        .signal = info.si_code == CLD_EXITED ? 0 : info.si_status,
        .fault = helper->fault,
        .words = first_line(&helper->words),
    };
    helper->events->on_end(helper->data, &end);
}

void helper_listen(struct helper *helper, const struct helper_events *events, void *data)
{
    helper->events = events;
    helper->data = data;
    helper->in_watch = fd_watch(helper->loop, helper->process.in, 0, on_writable, helper);
    helper->out_watch = fd_watch(helper->loop, helper->process.out, POLLIN, on_output, helper);
    helper->err_watch = fd_watch(helper->loop, helper->process.err, POLLIN, on_words, helper);
    helper->end_watch = fd_watch(helper->loop, helper->process.pidfd, POLLIN, on_end, helper);
}
